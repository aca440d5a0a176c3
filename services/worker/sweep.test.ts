import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { GrantWorkflows } from '../../infra/temporal/grant-workflows.ts';
import { createWorld, type World } from '../../test/support/access-world.ts';
import { Undeliverable } from '../../infra/temporal/undeliverable.ts';
import { createSweep, type Sweep } from './sweep.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

describe('the sweep', () => {
  let world: World;
  let nowMs: number;
  let signalled: string[];
  let started: string[];
  let deaf: string | undefined;
  let sweep: Sweep;

  beforeEach(async () => {
    nowMs = Date.parse('2026-05-04T12:00:00Z');
    const clock = { now: () => new Date(nowMs) };
    world = await createWorld(clock);
    [signalled, started, deaf] = [[], [], undefined];
    const workflows: GrantWorkflows = {
      signal(grantId, name) {
        if (grantId === deaf) return Promise.reject(new Undeliverable('too many signals'));
        if (name === 'foundOverdue') signalled.push(grantId);
        return Promise.resolve();
      },
      ensureStarted(grantId) {
        started.push(grantId);
        return Promise.resolve();
      },
    };
    sweep = createSweep({ ...world.storeAs('worker'), workflows, log: pino({ level: 'silent' }) });
  });
  afterEach(async () => {
    await world.close();
  });

  it('starts what is open: each open renewal and the latest grant of each certificate, lapsed ones too', async () => {
    const [a, b] = [await world.addCertificate(), await world.addCertificate()];
    const old = await world.obtain(a);
    const latest = await world.obtain(a, { expiresInSeconds: 60 });
    nowMs += hourMs;
    const open = await world.request(b);
    expect(await sweep.startOpen()).toBe(2);
    expect(started.sort()).toEqual([latest, open].sort());
    expect(started).not.toContain(old);
  });

  it.each([
    ['an expiry that nobody saw to', { expiresInSeconds: 30 * 86_400 }, 30 * dayMs],
    ['a reminder that nobody sent', { expiresInSeconds: 8 * 86_400 }, dayMs],
  ])('signals for %s, a minute after it was due', async (_what, terms, dueInMs) => {
    const certificate = await world.addCertificate();
    const grantId = await world.obtain(certificate, terms);
    nowMs += dueInMs + 59_000;
    expect(await sweep.signalOverdue()).toBe(0);
    nowMs += 2_000;
    expect(await sweep.signalOverdue()).toBe(1);
    expect(signalled).toEqual([grantId]);
  });

  it('signals for a code window, an attempt and a usage threshold that nobody saw to', async () => {
    const [a, b] = [await world.addCertificate(), await world.addCertificate()];
    const renewal = await world.request(a);
    await world.openCodeWindow(a, renewal);
    const used = await world.obtain(b, { allowance: 100 });
    await world.use(used, 91);
    nowMs += 2 * minuteMs + 61_000;
    await sweep.signalOverdue();
    expect(signalled.sort()).toEqual([renewal, used].sort());
  });

  it('signals for something that stays overdue at growing intervals, an hour at the most', async () => {
    const certificate = await world.addCertificate();
    await world.obtain(certificate, { expiresInSeconds: 60 });
    nowMs += 3 * minuteMs;
    for (let minutes = 0; minutes < 24 * 60; minutes += 1) {
      await sweep.signalOverdue();
      nowMs += minuteMs;
    }
    expect(signalled.length).toBeGreaterThanOrEqual(24);
    expect(signalled.length).toBeLessThan(32);
  });

  it('goes on with the others when one workflow takes no signal any more', async () => {
    const grantIds: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      grantIds.push(await world.obtain(await world.addCertificate(), { expiresInSeconds: 60 }));
    }
    nowMs += 3 * minuteMs;
    grantIds.sort();
    deaf = grantIds[0];
    await sweep.signalOverdue();
    expect(signalled).toEqual(grantIds.slice(1));
    expect(sweep.behind()).toBe(3);
  });

  it('knows how many are behind their facts, told again just now or not', async () => {
    const certificate = await world.addCertificate();
    const grantId = await world.obtain(certificate, { expiresInSeconds: 60 });
    nowMs += 2 * minuteMs - 1_000;
    await sweep.signalOverdue();
    expect(sweep.behind()).toBe(0);
    nowMs += 2_000;
    await sweep.signalOverdue();
    await sweep.signalOverdue();
    expect([signalled, sweep.behind()]).toEqual([[grantId], 1]);
    await world.obtain(certificate);
    await sweep.signalOverdue();
    expect(sweep.behind()).toBe(0);
  });

  it('leaves alone what is not due', async () => {
    const certificate = await world.addCertificate();
    await world.obtain(certificate);
    nowMs += 52 * dayMs;
    expect(await sweep.signalOverdue()).toBe(0);
  });
});
