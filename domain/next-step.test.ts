import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { localDateOf } from './calendar.ts';
import { grantOf, grantStandingName, type GrantFacts } from './facts.ts';
import { isAboveWarning, lapseReason, timeWarningStartsAt } from './grant.ts';
import { actions, dueAt, nextStep, type Action, type Postponed } from './next-step.ts';
import { regulationPolicy as policy } from './policy.ts';
import { nextReminder } from './reminders.ts';
import { buildFacts } from './testing.ts';

const at = (text: string) => new Date(text);
const requested = (renewal: GrantFacts['renewal']): GrantFacts => ({
  v: 1,
  grantId: 'grant-1',
  accountId: 'account-1',
  certificateId: 'certificate-1',
  renewal,
  done: {},
});
const deadlineAt = '2026-01-01T00:15:00.000Z';

describe('while a renewal is open', () => {
  it('waits at the CA until the deadline and then closes it', () => {
    const facts = requested({ state: 'at_ca', deadlineAt });
    expect(nextStep(facts, at('2026-01-01T00:14:59.999Z'), policy)).toEqual({
      kind: 'wait',
      until: at(deadlineAt),
      for: 'closeRenewal',
    });
    expect(nextStep(facts, at(deadlineAt), policy)).toEqual({
      kind: 'act',
      action: 'closeRenewal',
    });
  });

  it('closes the code window at its end, and goes on waiting for the deadline', () => {
    const codeWindowEndsAt = '2026-01-01T00:02:00.000Z';
    const facts = requested({ state: 'awaiting_code', deadlineAt, codeWindowEndsAt });
    expect(nextStep(facts, at('2026-01-01T00:01:59.999Z'), policy)).toMatchObject({
      kind: 'wait',
      until: at(codeWindowEndsAt),
    });
    expect(nextStep(facts, at(codeWindowEndsAt), policy)).toEqual({
      kind: 'act',
      action: 'closeCodeWindow',
    });
    const closed = requested({ state: 'awaiting_code', deadlineAt });
    expect(nextStep(closed, at(codeWindowEndsAt), policy)).toMatchObject({ until: at(deadlineAt) });
  });

  it('lets the deadline wait while the CA is being asked', () => {
    const authorizationEndsAt = '2026-01-01T00:15:40.000Z';
    const facts = requested({ state: 'authorizing', deadlineAt, authorizationEndsAt });
    expect(nextStep(facts, at(deadlineAt), policy)).toMatchObject({
      kind: 'wait',
      until: at(authorizationEndsAt),
    });
    expect(nextStep(facts, at(authorizationEndsAt), policy)).toEqual({
      kind: 'act',
      action: 'closeRenewal',
    });
  });

  it.each(['refused', 'abandoned', 'timed_out', 'outcome_unknown'] as const)(
    'ends when it was %s',
    (state) => {
      const facts = requested({ state, deadlineAt });
      expect(nextStep(facts, at(deadlineAt), policy)).toEqual({ kind: 'end', outcome: state });
      expect(grantStandingName(facts, at(deadlineAt), policy)).toBe('ended');
    },
  );
});

describe('while a grant lives', () => {
  const expiresAt = at('2026-03-02T00:00:00Z');
  const used = (count: number) => ({ ...buildFacts().grant!, used: count });

  it('waits for its expiry when no reminder is due before it', () => {
    expect(nextStep(buildFacts(), at('2026-01-02T00:00:00Z'), policy)).toEqual({
      kind: 'wait',
      until: expiresAt,
      for: 'suspendClientServices',
    });
  });

  it('reminds when a reminder is due, and not from the expiry on', () => {
    const reminderAt = '2026-02-23T00:00:00.000Z';
    const facts = buildFacts({ reminderAt });
    expect(nextStep(facts, at(reminderAt), policy)).toEqual({
      kind: 'act',
      action: 'remindOperators',
    });
    expect(nextStep(facts, expiresAt, policy)).toEqual({
      kind: 'act',
      action: 'suspendClientServices',
    });
  });

  it('announces the usage once it is over 90 %, not at 90 %', () => {
    const now = at('2026-01-05T00:00:00Z');
    expect(nextStep(buildFacts({ grant: used(900_000_000) }), now, policy).kind).toBe('wait');
    const crossed = buildFacts({ grant: used(900_000_001) });
    expect(nextStep(crossed, now, policy)).toEqual({ kind: 'act', action: 'announceUsage' });
    const told = { ...crossed, done: { usageAnnounced: true } as const };
    expect(nextStep(told, now, policy).kind).toBe('wait');
  });

  it('suspends at once when all signatures are used, then tells, then waits for the revocation at the CA', () => {
    const now = at('2026-01-05T00:00:00Z');
    const exhausted = buildFacts({ grant: used(1_000_000_000) });
    expect(nextStep(exhausted, now, policy)).toEqual({
      kind: 'act',
      action: 'suspendClientServices',
    });
    const revokeAt = '2026-01-05T00:10:00.000Z';
    const suspended = { ...exhausted, done: { servicesSuspended: true } as const, revokeAt };
    expect(nextStep(suspended, now, policy)).toEqual({ kind: 'act', action: 'announceLapse' });
    const told = { ...suspended, done: { servicesSuspended: true, lapseAnnounced: true } as const };
    expect(nextStep(told, now, policy)).toEqual({
      kind: 'wait',
      until: at(revokeAt),
      for: 'revokeAtCa',
    });
    expect(nextStep(told, at(revokeAt), policy)).toEqual({ kind: 'act', action: 'revokeAtCa' });
  });

  it('waits without a timer for its successor when everything is done', () => {
    const facts = buildFacts({ done: { servicesSuspended: true, lapseAnnounced: true } });
    expect(nextStep(facts, at('2026-04-01T00:00:00Z'), policy)).toEqual({
      kind: 'wait',
      until: undefined,
      for: undefined,
    });
    expect(dueAt(facts, policy)).toBeUndefined();
  });

  it('ends when it is superseded, whatever it still owed', () => {
    const facts = buildFacts({ superseded: true, reminderAt: '2026-02-23T00:00:00.000Z' });
    expect(nextStep(facts, expiresAt, policy)).toEqual({ kind: 'end', outcome: 'superseded' });
  });

  it('does something else while an action is postponed, and comes back to it in time', () => {
    const now = at('2026-02-23T00:00:00Z');
    const facts = buildFacts({ grant: used(950_000_000), reminderAt: now.toISOString() });
    const postponed: Postponed = { announceUsage: at('2026-02-23T00:01:00Z') };
    expect(nextStep(facts, now, policy, postponed)).toEqual({
      kind: 'act',
      action: 'remindOperators',
    });
    const both = { ...postponed, remindOperators: at('2026-02-23T00:02:00Z') };
    expect(nextStep(facts, now, policy, both)).toMatchObject({
      kind: 'wait',
      until: at('2026-02-23T00:01:00Z'),
    });
  });
});

/**
 * A world in which everything may happen: signatures, the emergency stop, a successor, a mail server that is down, activities whose clock differs from
 * the workflow's. The activities of this model check the facts again under their own clock, as the real ones do.
 */
type World = {
  facts: GrantFacts;
  now: number;
  skewMs: number;
  mailerUp: boolean;
  lastSlot: string | undefined;
  usageWarnedAt: number | undefined;
  reminders: string[];
  usageMails: number;
  suspendedAt: number | undefined;
};

const schedule = { timeZone: 'Europe/Lisbon', reminderHour: 9 };

function withReminder(world: World): GrantFacts {
  const grant = grantOf(world.facts);
  if (grant === undefined) return world.facts;
  const byTime = timeWarningStartsAt(grant, policy).getTime();
  const startsAt = new Date(Math.min(byTime, world.usageWarnedAt ?? byTime));
  const window = { startsAt, endsAt: grant.expiresAt };
  const next = nextReminder(window, schedule, world.lastSlot, new Date(world.now + world.skewMs));
  const { reminderAt, ...rest } = world.facts;
  return next === undefined ? rest : { ...rest, reminderAt: next.dueAt.toISOString() };
}

function act(world: World, action: Action): void {
  const now = new Date(world.now + world.skewMs);
  const grant = grantOf(world.facts);
  const done = world.facts.done;
  if (grant === undefined) return;
  const used = world.facts.grant?.used ?? 0;
  const lapsed = lapseReason(grant, used, now) !== undefined;
  const today = localDateOf(now, schedule.timeZone);
  if (action === 'suspendClientServices' && lapsed) {
    world.suspendedAt = now.getTime();
    const revokeAt = new Date(now.getTime() + 600_000).toISOString();
    world.facts = { ...world.facts, done: { ...done, servicesSuspended: true }, revokeAt };
  }
  if (action === 'announceLapse' && world.mailerUp) {
    world.facts = { ...world.facts, done: { ...done, lapseAnnounced: true } };
  }
  if (action === 'revokeAtCa') {
    const { revokeAt, ...rest } = world.facts;
    world.facts = rest;
  }
  if (action === 'announceUsage' && world.mailerUp && !lapsed) {
    world.usageMails += 1;
    if (world.lastSlot === undefined || today > world.lastSlot) world.lastSlot = today;
    world.facts = { ...world.facts, done: { ...done, usageAnnounced: true } };
  }
  const reminderAt = world.facts.reminderAt;
  const due = reminderAt !== undefined && new Date(reminderAt) <= now;
  if (action === 'remindOperators' && world.mailerUp && !lapsed && due) {
    world.reminders.push(today);
    world.lastSlot = today;
  }
}

const events = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('signatures' as const),
      count: fc.integer({ min: 1, max: 600_000_000 }),
    }),
    fc.record({
      kind: fc.constant('pass' as const),
      minutes: fc.integer({ min: 0, max: 20 * 24 * 60 }),
    }),
    fc.record({ kind: fc.constant('mailer' as const), up: fc.boolean() }),
    fc.record({ kind: fc.constant('revoke' as const) }),
    fc.record({ kind: fc.constant('look' as const) }),
  ),
  { maxLength: 25 },
);

describe('whatever happens, in whatever order', () => {
  const run = (
    skewMs: number,
    happenings: typeof events extends fc.Arbitrary<infer E> ? E : never,
  ) => {
    const world: World = {
      facts: buildFacts(),
      now: at('2026-01-01T00:00:00Z').getTime(),
      skewMs,
      mailerUp: true,
      lastSlot: undefined,
      usageWarnedAt: undefined,
      reminders: [],
      usageMails: 0,
      suspendedAt: undefined,
    };
    const postponed: Partial<Record<Action, Date>> = {};
    const delays: Partial<Record<Action, number>> = {};
    /** The workflow's loop: works until it waits, then lets the time pass up to `end`. */
    const work = (end: number) => {
      let actsWithoutWaiting = 0;
      for (;;) {
        world.facts = withReminder(world);
        const step = nextStep(world.facts, new Date(world.now), policy, postponed);
        if (step.kind === 'end') return;
        if (step.kind === 'act') {
          actsWithoutWaiting += 1;
          expect(actsWithoutWaiting).toBeLessThanOrEqual(2 * actions.length);
          const before = JSON.stringify(world.facts);
          act(world, step.action);
          world.facts = withReminder(world);
          if (JSON.stringify(world.facts) === before) {
            const delay = Math.min(3_600_000, 2 * (delays[step.action] ?? 30_000));
            delays[step.action] = delay;
            postponed[step.action] = new Date(world.now + delay);
          }
          continue;
        }
        if (step.until === undefined || step.until.getTime() > end) {
          world.now = end;
          return;
        }
        expect(step.until.getTime()).toBeGreaterThan(world.now);
        world.now = step.until.getTime();
        actsWithoutWaiting = 0;
      }
    };
    for (const event of happenings) {
      if (event.kind === 'pass') work(world.now + event.minutes * 60_000);
      if (event.kind === 'look') work(world.now);
      if (event.kind === 'mailer') world.mailerUp = event.up;
      const grant = world.facts.grant;
      if (grant === undefined) continue;
      if (event.kind === 'signatures') {
        world.facts = { ...world.facts, grant: { ...grant, used: grant.used + event.count } };
        if (isAboveWarning(grant.used + event.count, grant.allowance, policy)) {
          world.usageWarnedAt ??= world.now + skewMs;
        }
      }
      const alive =
        world.now + skewMs < Date.parse(grant.expiresAt) &&
        world.now + skewMs > Date.parse(grant.effectiveAt);
      if (event.kind === 'revoke' && grant.endedAt === undefined && alive) {
        const endedAt = new Date(world.now + skewMs).toISOString();
        world.facts = { ...world.facts, grant: { ...grant, endedAt, endReason: 'revoked' } };
      }
    }
    work(world.now);
    return { world, work };
  };
  const skews = fc.constantFrom(0, 30_000, -30_000);

  it('no operator is reminded twice on one local day, and nobody is told of 90 % twice', () => {
    fc.assert(
      fc.property(skews, events, (skewMs, happenings) => {
        const { world } = run(skewMs, happenings);
        expect(new Set(world.reminders).size).toBe(world.reminders.length);
        expect(world.usageMails).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
  });

  it('services are suspended when, and only when, the grant lapsed', () => {
    fc.assert(
      fc.property(skews, events, (skewMs, happenings) => {
        const { world, work } = run(skewMs, happenings);
        const grant = grantOf(world.facts)!;
        const used = world.facts.grant!.used;
        if (world.suspendedAt !== undefined) {
          expect(lapseReason(grant, used, new Date(world.suspendedAt))).toBeDefined();
        }
        // An hour later at the latest, whatever was postponed.
        const lapsedNow = lapseReason(grant, used, new Date(world.now + skewMs)) !== undefined;
        work(world.now + 3_600_000);
        if (lapsedNow) expect(world.facts.done.servicesSuspended).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
