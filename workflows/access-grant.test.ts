import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { WorldCertificate } from '../test/support/access-world.ts';
import { historyBytes, readableText, recordHistory } from '../test/support/grant-histories.ts';
import { startTimeline, type Timeline } from '../test/support/grant-timeline.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const billion = 1_000_000_000;

let timeline: Timeline;
beforeAll(async () => {
  timeline = await startTimeline();
});
afterAll(async () => {
  await timeline.close();
});

type Told = { kind: string; at: Date; operatorId: string; state: string };

/** What was sent to the operators of the account, oldest first. */
async function mailsTo({ accountId }: WorldCertificate): Promise<Told[]> {
  const { rows } = await timeline.world.database.query<Told>(
    `select m.kind, coalesce(m.sent_at, m.created_at) as at, m.operator_id as "operatorId", m.state
     from mails as m where m.account_id = $1 order by m.created_at, m.operator_id`,
    [accountId],
  );
  return rows;
}

/** Mails that truly arrived over SMTP. */
async function arrived({ accountId }: WorldCertificate): Promise<number> {
  const answer = await fetch(`${timeline.mailbox.url}/api/v1/search?query=to:${accountId}`);
  return ((await answer.json()) as { messages_count: number }).messages_count;
}

async function setMailbox(switches: object): Promise<void> {
  const answer = await fetch(`${timeline.mailbox.url}/mailbox/switches`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(switches),
  });
  expect(answer.status).toBe(200);
}

const inUtc = (at: Date): string => at.toISOString().slice(0, 16);
const onDayAt = (day: Date, hourUtc: number): string =>
  inUtc(new Date(day.getTime() + hourUtc * hourMs));
const count = (told: readonly Told[], kind: string): number =>
  told.filter((mail) => mail.kind === kind).length;

/** Midnight UTC of the day on which Lisbon's clocks change, at 01:00 UTC: the last Sunday of the month. */
function nextClockChange(month: 2 | 9, notBefore: Date): Date {
  for (let year = notBefore.getUTCFullYear(); ; year += 1) {
    const lastOfMonth = new Date(Date.UTC(year, month + 1, 0));
    const sunday = new Date(lastOfMonth.getTime() - lastOfMonth.getUTCDay() * dayMs);
    if (sunday >= notBefore) return sunday;
  }
}

async function obtain(
  certificate: WorldCertificate,
  terms: Parameters<Timeline['world']['obtain']>[1] = {},
): Promise<string> {
  const grantId = await timeline.world.obtain(certificate, terms);
  await timeline.deliverSignals();
  return grantId;
}

/** The next time that it is this hour in UTC: what a short grant is reminded of depends on the time of day. */
const passToHour = (hour: number): Promise<void> =>
  timeline.passUntil(new Date(Math.ceil(timeline.now().getTime() / dayMs) * dayMs + hour * hourMs));

/** Ends what is left of a scenario, so that the next one has the time for itself. */
const end = (grantId: string): Promise<unknown> =>
  timeline.handle(grantId).terminate('end of the test');

describe('a whole life of 60 days', () => {
  // In the week before the expiry the clocks of Lisbon change: 09:00 there is 09:00 UTC in winter, 08:00 UTC in summer.
  it.each([
    { change: 'to summer time', month: 2, before: 9, after: 8, state: 'lapsed' },
    { change: 'to winter time', month: 9, before: 8, after: 9, state: undefined },
  ] as const)(
    'reminds at nine in Lisbon on each day of the last week, over the change $change',
    async ({ month, before, after, state }) => {
      const { world } = timeline;
      const changeDay = nextClockChange(month, new Date(timeline.now().getTime() + 58 * dayMs));
      await timeline.passUntil(new Date(changeDay.getTime() - 57 * dayMs));
      const certificate = await world.addCertificate();
      const grantId = await obtain(certificate, { afterEachStep: () => timeline.deliverSignals() });
      const { grant } = await world.facts(grantId);
      const expiresAt = new Date(grant?.expiresAt ?? '');
      await timeline.passUntil(new Date(expiresAt.getTime() + 20 * minuteMs));

      const told = await mailsTo(certificate);
      const day = (n: number) => new Date(changeDay.getTime() + n * dayMs);
      const expected = [
        ...[-4, -3, -2, -1].map((n) => onDayAt(day(n), before)),
        ...[0, 1, 2].map((n) => onDayAt(day(n), after)),
      ];
      for (const operatorId of certificate.operatorIds) {
        const mine = told.filter((mail) => mail.operatorId === operatorId);
        const reminders = mine.filter(({ kind }) => kind === 'reminder');
        expect(reminders.map(({ at }) => inUtc(at))).toEqual(expected);
        const lapsed = mine.filter(({ kind }) => kind === 'lapsed');
        expect(lapsed.map(({ at }) => inUtc(at))).toEqual([inUtc(expiresAt)]);
      }
      expect(await arrived(certificate)).toBe(told.length);
      expect(await world.serviceStatuses(certificate)).toEqual([
        'suspended',
        'suspended',
        'inactive',
      ]);
      expect(timeline.revoked.map((revocation) => revocation.grantId)).toContain(grantId);

      const history = await timeline.handle(grantId).fetchHistory();
      expect(historyBytes(history)).toBeLessThan(20_000);
      const text = readableText(history);
      expect(text).toContain(grantId);
      expect(text).not.toMatch(/canary|@example|Operator ana/);
      if (state !== undefined) await recordHistory(state, timeline.handle(grantId));

      // The next grant ends it.
      await obtain(certificate);
      expect(await timeline.handle(grantId).result()).toBe('superseded');
    },
  );
});

describe('a grant that is superseded', () => {
  it.each([
    { when: 'before the warning', days: 30, reminders: 0, state: 'superseded' },
    { when: 'during the warning', days: 55.5, reminders: 3, state: 'superseded-while-warned' },
    { when: 'after it lapsed', days: 60.5, reminders: 8, state: 'superseded-after-lapse' },
  ])('$when, tells nothing any more', async ({ days, reminders, state }) => {
    const { world } = timeline;
    const certificate = await world.addCertificate(['ana']);
    await passToHour(12);
    const old = await obtain(certificate);
    await timeline.pass(days * dayMs);
    const lapsed = days > 60 ? 1 : 0;
    const statuses = await world.serviceStatuses(certificate);

    const next = await obtain(certificate);
    expect(await timeline.handle(old).result()).toBe('superseded');
    await timeline.pass(10 * dayMs);
    const told = await mailsTo(certificate);
    expect(count(told, 'reminder')).toBe(reminders);
    expect(count(told, 'lapsed')).toBe(lapsed);
    // A renewal activates nothing, and suspends nothing.
    expect(await world.serviceStatuses(certificate)).toEqual(statuses);
    const { rows } = await world.database.query(
      'select from suspensions as s where s.grant_id = $1',
      [next],
    );
    expect(rows).toEqual([]);
    await recordHistory(state, timeline.handle(old));
    await recordHistory('in-force', timeline.handle(next));
    await end(next);
  });
});

describe('when the mail server is down', () => {
  it('a grant expires and suspends on time, and the operators are told once it is back', async () => {
    const { world } = timeline;
    const certificate = await world.addCertificate();
    await passToHour(12);
    const grantId = await obtain(certificate, { expiresInSeconds: 5 * 3600 });
    await timeline.pass(hourMs);
    expect(count(await mailsTo(certificate), 'reminder')).toBe(2);
    const before = await arrived(certificate);

    await setMailbox({ failAll: true });
    await timeline.pass(4 * hourMs + 10 * minuteMs);
    const { rows } = await world.database.query<{ late: number }>(
      `select extract(epoch from g.services_suspended_at - g.expires_at)::float8 as late
       from access_grants as g where g.grant_id = $1`,
      [grantId],
    );
    expect(rows[0]?.late).toBeGreaterThanOrEqual(0);
    expect(rows[0]?.late).toBeLessThan(5);
    expect(await world.serviceStatuses(certificate)).toEqual([
      'suspended',
      'suspended',
      'inactive',
    ]);
    expect(await arrived(certificate)).toBe(before);

    await timeline.pass(dayMs);
    const history = await timeline.handle(grantId).fetchHistory();
    // A day of trying: at growing pauses, an hour at the most.
    expect(history.events?.length).toBeLessThan(450);
    await setMailbox({});
    await timeline.pass(hourMs + 5 * minuteMs);
    const told = await mailsTo(certificate);
    expect(told.filter(({ kind }) => kind === 'lapsed').map(({ state }) => state)).toEqual([
      'accepted',
      'accepted',
    ]);
    expect(await arrived(certificate)).toBe(before + 2);
    await end(grantId);
  });

  it('for one operator only, the others are told, and who cannot be reached at all holds nobody up', async () => {
    const { world } = timeline;
    const certificate = await world.addCertificate(['ana', 'gone', 'later']);
    const address = (name: string) => `${name}.${certificate.accountId}@example.test`;
    await setMailbox({ refuseRecipients: { [address('gone')]: 550, [address('later')]: 451 } });
    await passToHour(12);
    const grantId = await obtain(certificate, { expiresInSeconds: 8 * 3600 });
    await timeline.pass(10 * minuteMs);
    expect((await mailsTo(certificate)).map(({ state }) => state).sort()).toEqual([
      'accepted',
      'failed',
      'refused',
    ]);
    await setMailbox({});
    await timeline.pass(hourMs);
    // Nobody was told twice.
    expect(await arrived(certificate)).toBe(2);
    expect((await world.facts(grantId)).reminderAt).not.toBe(
      (await world.facts(grantId)).grant?.effectiveAt,
    );
    const { rows } = await world.database.query<{ action: string; details: object }>(
      `select e.action, e.details from audit_events as e
       where e.certificate_id = $1 and e.action in ('operator_undeliverable', 'operators_told') order by e.event_id`,
      [certificate.certificateId],
    );
    expect(rows.map(({ action }) => action)).toEqual(['operator_undeliverable', 'operators_told']);
    expect(rows[1]?.details).toMatchObject({ kind: 'reminder', told: 2, undeliverable: 1 });
    await end(grantId);
  });

  it('an account without operators is done, and said to be so in the audit', async () => {
    const { world } = timeline;
    const certificate = await world.addCertificate(['ana']);
    await passToHour(12);
    const grantId = await obtain(certificate, { expiresInSeconds: 3600 });
    await world.database.query('delete from account_operators as o where o.account_id = $1', [
      certificate.accountId,
    ]);
    await timeline.pass(2 * hourMs);
    expect((await world.facts(grantId)).done).toEqual({
      servicesSuspended: true,
      lapseAnnounced: true,
    });
    const { rows } = await world.database.query(
      `select from audit_events as e where e.certificate_id = $1 and e.action = 'nobody_to_tell'`,
      [certificate.certificateId],
    );
    expect(rows).toHaveLength(1);
    await end(grantId);
  });
});

describe('thresholds of usage', () => {
  it('above 90 % every operator is told at once, then daily at nine, and a doubled signal changes nothing', async () => {
    const { world, workflows } = timeline;
    const certificate = await world.addCertificate();
    await passToHour(12);
    const grantId = await obtain(certificate);
    await world.use(grantId, 0.9 * billion);
    await timeline.deliverSignals();
    await timeline.pass(dayMs);
    expect(await mailsTo(certificate)).toEqual([]);

    await world.use(grantId, 1);
    await timeline.deliverSignals();
    await workflows.signal(grantId, 'usageReached', { percent: 90 });
    await workflows.signal(grantId, 'usageReached', { percent: 90 });
    await timeline.pass(minuteMs);
    expect((await mailsTo(certificate)).map(({ kind }) => kind)).toEqual([
      'usage_warning',
      'usage_warning',
    ]);
    await timeline.pass(2 * dayMs);
    const told = await mailsTo(certificate);
    expect(count(told, 'usage_warning')).toBe(2);
    // The announcement counted as that day's: one reminder on each of the two days after it.
    expect(count(told, 'reminder')).toBe(4);
    expect(await arrived(certificate)).toBe(6);
    await recordHistory('warned-by-usage', timeline.handle(grantId));

    await world.use(grantId, billion);
    await timeline.deliverSignals();
    await timeline.pass(minuteMs);
    expect(await world.serviceStatuses(certificate)).toEqual([
      'suspended',
      'suspended',
      'inactive',
    ]);
    await timeline.pass(3 * dayMs);
    const afterwards = await mailsTo(certificate);
    expect(count(afterwards, 'lapsed')).toBe(2);
    expect(count(afterwards, 'reminder')).toBe(4);
    await recordHistory('lapsed-by-usage', timeline.handle(grantId));
    await end(grantId);
  });

  it('passed both at once, or heard of in the wrong order, suspend and tell only of the end', async () => {
    const { world, workflows } = timeline;
    const certificate = await world.addCertificate();
    const grantId = await obtain(certificate, { allowance: 10 });
    await world.use(grantId, 12);
    await workflows.signal(grantId, 'usageReached', { percent: 100 });
    await timeline.pass(minuteMs);
    await timeline.deliverSignals();
    await workflows.signal(grantId, 'usageReached', { percent: 90 });
    await timeline.pass(dayMs);
    expect((await mailsTo(certificate)).map(({ kind }) => kind)).toEqual(['lapsed', 'lapsed']);
    expect(await world.serviceStatuses(certificate)).toEqual([
      'suspended',
      'suspended',
      'inactive',
    ]);
    await end(grantId);
  });

  it('crossed inside the last week tell of both limits with one mail a day', async () => {
    const { world } = timeline;
    const certificate = await world.addCertificate(['ana']);
    const midnight = Math.ceil(timeline.now().getTime() / dayMs) * dayMs;
    await timeline.passUntil(new Date(midnight));
    // Four days: within the week from the start.
    const grantId = await obtain(certificate, { expiresInSeconds: 4 * 86_400, allowance: 100 });
    await timeline.passUntil(new Date(midnight + 6 * hourMs));
    await world.use(grantId, 95);
    await timeline.deliverSignals();
    await timeline.passUntil(new Date(midnight + 2 * dayMs));
    const told = await mailsTo(certificate);
    // At six of the first day, which was that day's; at nine of the second.
    expect(told.map(({ kind }) => kind)).toEqual(['usage_warning', 'reminder']);
    await end(grantId);
  });
});

describe('when every signal is lost', () => {
  it('the facts alone bring everything about: code window, attempt, reminders, suspension', async () => {
    const { world, workflows } = timeline;
    const certificate = await world.addCertificate(['ana']);
    const abandoned = await world.request(certificate);
    await workflows.ensureStarted(abandoned);
    await timeline.pass(minuteMs);
    await world.openCodeWindow(certificate, abandoned);
    await timeline.pass(15 * minuteMs);
    expect(await timeline.handle(abandoned).result()).toBe('timed_out');

    const grantId = await world.obtain(certificate, { expiresInSeconds: 86_400 });
    await workflows.ensureStarted(grantId);
    await timeline.pass(dayMs + 15 * minuteMs);
    const told = await mailsTo(certificate);
    expect(count(told, 'reminder')).toBeGreaterThanOrEqual(1);
    expect(count(told, 'lapsed')).toBe(1);
    expect(await world.serviceStatuses(certificate)).toEqual([
      'suspended',
      'suspended',
      'inactive',
    ]);
    // Nothing of the outbox was delivered, and hearing of it all much later harms nobody.
    await timeline.deliverSignals();
    await timeline.pass(dayMs);
    expect(await mailsTo(certificate)).toHaveLength(told.length);
    await end(grantId);
  });

  it('a workflow that was ended by mistake is started again and goes on from the facts', async () => {
    const { world, workflows } = timeline;
    const certificate = await world.addCertificate(['ana']);
    await passToHour(12);
    const grantId = await obtain(certificate, { expiresInSeconds: 7200 });
    await timeline.pass(hourMs);
    await end(grantId);
    await workflows.ensureStarted(grantId);
    await timeline.pass(2 * hourMs);
    expect((await mailsTo(certificate)).map(({ kind }) => kind)).toEqual(['reminder', 'lapsed']);
    expect(await arrived(certificate)).toBe(2);
    await end(grantId);
  });
});

describe("when Temporal's clock and PostgreSQL's differ by half a minute", () => {
  it.each([30, -30])('(%s s) a life is the same', async (seconds) => {
    const { world } = timeline;
    timeline.skewMs = seconds * secondMs;
    try {
      const certificate = await world.addCertificate(['ana']);
      const midnight = Math.ceil(timeline.now().getTime() / dayMs) * dayMs;
      await timeline.passUntil(new Date(midnight));
      const grantId = await obtain(certificate, { expiresInSeconds: 3 * 86_400 });
      await timeline.pass(3 * dayMs + 20 * minuteMs);
      const told = await mailsTo(certificate);
      expect(told.map(({ kind }) => kind)).toEqual(['reminder', 'reminder', 'reminder', 'lapsed']);
      // Never before nine by PostgreSQL's clock, and within two minutes after it.
      const lisbon = new Intl.DateTimeFormat('en-GB', {
        timeZone: 'Europe/Lisbon',
        timeStyle: 'short',
      });
      for (const { at } of told.slice(0, 3)) expect(lisbon.format(at)).toMatch(/^09:0[01]$/);
      const { rows } = await world.database.query<{ late: number }>(
        `select extract(epoch from g.services_suspended_at - g.expires_at)::float8 as late
         from access_grants as g where g.grant_id = $1`,
        [grantId],
      );
      expect(rows[0]?.late).toBeGreaterThanOrEqual(0);
      expect(rows[0]?.late).toBeLessThan(90);
      const history = await timeline.handle(grantId).fetchHistory();
      expect(history.events?.length).toBeLessThan(200);
      if (seconds < 0) await recordHistory('clock-behind', timeline.handle(grantId));
      await end(grantId);
    } finally {
      timeline.skewMs = 0;
    }
  });
});

describe('a renewal', () => {
  it('has its code window closed after two minutes and itself after fifteen', async () => {
    const { world } = timeline;
    const certificate = await world.addCertificate();
    const renewalId = await world.request(certificate);
    await timeline.deliverSignals();
    await timeline.pass(5 * minuteMs);
    await recordHistory('requested', timeline.handle(renewalId));
    await world.openCodeWindow(certificate, renewalId);
    await timeline.deliverSignals();
    await timeline.pass(110 * secondMs);
    expect((await world.facts(renewalId)).renewal).toHaveProperty('codeWindowEndsAt');
    await timeline.pass(15 * secondMs);
    const { renewal } = await world.facts(renewalId);
    expect(renewal.state).toBe('awaiting_code');
    expect(renewal).not.toHaveProperty('codeWindowEndsAt');
    await timeline.pass(7 * minuteMs);
    expect((await world.facts(renewalId)).renewal.state).toBe('awaiting_code');
    await timeline.pass(2 * minuteMs);
    expect((await world.facts(renewalId)).renewal.state).toBe('timed_out');
    expect(await timeline.handle(renewalId).result()).toBe('timed_out');
    await recordHistory('timed-out', timeline.handle(renewalId));
    const { rows } = await world.database.query<{ action: string; sealed: string | null }>(
      `select e.action, r.sealed_tokens as sealed from audit_events as e, renewals as r
       where e.subject = 'renewal:' || $1 and e.actor = 'process:worker' and r.renewal_id = $1 order by e.event_id`,
      [renewalId],
    );
    expect(rows).toEqual([
      { action: 'code_window_closed', sealed: null },
      { action: 'renewal_ended', sealed: null },
    ]);
  });

  it('whose answer from the CA does not come is closed as unknown, and the grant before it stays', async () => {
    const { world } = timeline;
    const certificate = await world.addCertificate();
    const grantId = await obtain(certificate);
    const renewalId = await world.request(certificate);
    await world.openCodeWindow(certificate, renewalId);
    await world.authorize(certificate, renewalId);
    await timeline.deliverSignals();
    const before = await world.facts(grantId);
    await timeline.pass(45 * secondMs);
    expect((await world.facts(renewalId)).renewal.state).toBe('authorizing');
    await timeline.pass(10 * secondMs);
    expect((await world.facts(renewalId)).renewal.state).toBe('outcome_unknown');
    expect(await timeline.handle(renewalId).result()).toBe('outcome_unknown');
    await recordHistory('outcome-unknown', timeline.handle(renewalId));
    expect(await world.facts(grantId)).toEqual(before);
    await end(grantId);
  });

  it('that nobody knows ends its workflow with an error that says so', async () => {
    await timeline.workflows.ensureStarted('no-such-renewal');
    const failed: unknown = await timeline
      .handle('no-such-renewal')
      .result()
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(WorkflowFailedError);
    const cause = (failed as WorkflowFailedError).cause?.cause;
    expect(cause).toBeInstanceOf(ApplicationFailure);
    expect(cause).toMatchObject({ type: 'RenewalUnknown' });
  });
});

describe('at the CA', () => {
  it('what is over is revoked ten minutes later, but not the tokens that the next grant shares', async () => {
    const { world } = timeline;
    const certificate = await world.addCertificate();
    const old = await obtain(certificate, {
      sad: 'old-sad',
      accessToken: 'old-access',
      refreshToken: 'shared',
    });
    await timeline.pass(dayMs);
    const next = await obtain(certificate, {
      sad: 'new-sad',
      accessToken: 'new-access',
      refreshToken: 'shared',
    });
    await timeline.pass(9 * minuteMs);
    const ofOld = () => timeline.revoked.filter(({ grantId }) => grantId === old);
    expect(ofOld()).toEqual([]);
    await timeline.pass(2 * minuteMs);
    expect(ofOld()).toEqual([
      {
        grantId: old,
        certificateId: certificate.certificateId,
        sad: 'old-sad',
        tokens: [{ kind: 'access_token', value: 'old-access' }],
      },
    ]);
    const { rows } = await world.database.query(
      'select g.sealed_sad, g.sealed_tokens from access_grants as g where g.grant_id = $1',
      [old],
    );
    expect(rows).toEqual([{ sealed_sad: null, sealed_tokens: null }]);
    await end(next);
  });

  it('a refusal that a signing service reported is told to every operator once a day', async () => {
    const { world, workflows } = timeline;
    const certificate = await world.addCertificate();
    const grantId = await obtain(certificate);
    for (let reports = 0; reports < 2; reports += 1) {
      await world.database.query(
        'update access_grants as g set refusal_reported_at = $2 where g.grant_id = $1',
        [grantId, timeline.now()],
      );
      await workflows.signal(grantId, 'refusalReported', {});
      await timeline.pass(2 * minuteMs);
    }
    expect((await mailsTo(certificate)).map(({ kind }) => kind)).toEqual([
      'ca_refusal',
      'ca_refusal',
    ]);
    expect((await world.facts(grantId)).refusalReported).toBeUndefined();
    expect(await world.serviceStatuses(certificate)).toEqual(['active', 'active', 'inactive']);
    await end(grantId);
  });
});
