import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createWorld, type World, type WorldCertificate } from '../../test/support/access-world.ts';
import { createConsequences } from './consequences.ts';
import { loadFactFigures, type FactFigures } from './fact-figures.ts';
import { setAside } from './outbox-relay.ts';
import { createNotices, type Notices } from './reminders.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

describe('the figures about facts', () => {
  let nowMs: number;
  let world: World;
  let certificate: WorldCertificate;
  const clock = { now: () => new Date(nowMs) };

  beforeEach(async () => {
    nowMs = Date.parse('2026-05-04T12:00:00Z');
    world = await createWorld(clock);
    certificate = await world.addCertificate(['ana']);
  });
  afterEach(() => world.close());

  const load = (): Promise<FactFigures> =>
    loadFactFigures(world.storeAs('worker').database, clock.now());

  it('tell of the outbox what waits, since when, and what was set aside, by destination', async () => {
    expect((await load()).outbox).toEqual(
      ['temporal', 'kafka', 'mail', 'password_mail'].map((destination) => ({
        ...{ destination, waiting: 0, setAside: 0, oldestSeconds: 0 },
      })),
    );
    await world.request(certificate);
    nowMs += 90_000;
    await world.request(await world.addCertificate(['rui']));
    const { rows } = await world.database.query<{ outbox_id: number }>(
      'select o.outbox_id from outbox as o order by o.outbox_id',
    );
    expect((await load()).outbox[0]).toEqual({
      ...{ destination: 'temporal', waiting: 2, setAside: 0, oldestSeconds: 90 },
    });
    await setAside(world.database, rows[0]?.outbox_id ?? 0, 'never', clock.now());
    expect((await load()).outbox[0]).toEqual({
      ...{ destination: 'temporal', waiting: 1, setAside: 1, oldestSeconds: 0 },
    });
    await world.deliver('temporal', () => Promise.resolve());
    expect((await load()).outbox[0]).toMatchObject({ waiting: 0, setAside: 1 });
  });

  it('tell of renewals how many are open, overdue by more than a minute, and how they ended within the hour', async () => {
    const renewalId = await world.request(certificate);
    nowMs += 16 * minuteMs;
    expect((await load()).renewals).toMatchObject({ open: 1, overdue: 0 });
    nowMs += 1;
    expect((await load()).renewals).toMatchObject({ open: 1, overdue: 1 });
    await createConsequences(world.storeAs('worker')).closeRenewal(renewalId);
    const { renewals } = await load();
    expect(renewals).toMatchObject({ open: 0, overdue: 0 });
    expect(renewals.endedLastHour.get('deadline_passed')).toBe(1);
    expect(renewals.endedLastHour.get('answer_lost')).toBe(0);
    nowMs += hourMs;
    expect((await load()).renewals.endedLastHour.get('deadline_passed')).toBe(0);
  });

  it('take a renewal for overdue by the end of its call while the CA is asked', async () => {
    const renewalId = await world.request(certificate);
    nowMs += 14.5 * minuteMs;
    await world.openCodeWindow(certificate, renewalId);
    await world.authorize(certificate, renewalId);
    // 20 s for the call, 30 s of grace: until 20 s after the deadline.
    nowMs += 50_000 + minuteMs;
    expect((await load()).renewals).toMatchObject({ open: 1, overdue: 0 });
    nowMs += 1;
    expect((await load()).renewals).toMatchObject({ open: 1, overdue: 1 });
  });

  describe('of mails', () => {
    let notices: Notices;
    let grantId: string;

    beforeEach(async () => {
      notices = createNotices({ ...world.storeAs('worker'), messageIdDomain: 'example.test' });
      grantId = await world.obtain(certificate, { expiresInSeconds: 3 * 86_400 });
    });

    const mail = async (kind: 'reminder' | 'lapsed', result: 'accepted' | 'refused' | 'failed') => {
      const notice = await notices.findDue(grantId, kind);
      if (notice === undefined) throw new Error(`${kind} is not due`);
      for (const operatorId of notice.operatorIds) {
        const claim = await notices.claim(notice, operatorId);
        if (claim === undefined) throw new Error('somebody else has it');
        await notices.recordText(notice, claim, { subject: 's', text: 't', html: 'h' });
        await notices.recordResult(notice, claim, { result });
      }
      await notices.settle(notice);
    };
    const expectUnsent = async (unsent: number, oldestUnsentSeconds: number) => {
      expect((await load()).mails).toMatchObject({ unsent, oldestUnsentSeconds });
    };

    it('count those of the last hour by state', async () => {
      await mail('reminder', 'failed');
      expect(Object.fromEntries((await load()).mails.lastHour)).toEqual({
        ...{ sending: 0, accepted: 0, refused: 0, failed: 1 },
      });
      nowMs += 5 * minuteMs;
      await mail('reminder', 'accepted');
      expect((await load()).mails.lastHour.get('accepted')).toBe(1);
      nowMs += hourMs;
      expect((await load()).mails.lastHour.get('accepted')).toBe(0);
    });

    it('know the age of the oldest that the mail server did not take, until it takes or refuses it', async () => {
      await expectUnsent(0, 0);
      await mail('reminder', 'failed');
      nowMs += 30 * minuteMs;
      await expectUnsent(1, 1_800);
      await mail('reminder', 'refused');
      await expectUnsent(0, 0);
    });

    it('forget a reminder that another day overtook, and one of a grant that was renewed', async () => {
      await mail('reminder', 'failed');
      nowMs += dayMs - 1;
      await expectUnsent(1, 86_399.999);
      nowMs += 1;
      await expectUnsent(0, 0);
      await mail('reminder', 'failed');
      await expectUnsent(1, 0);
      await world.obtain(certificate);
      await expectUnsent(0, 0);
    });

    it('keep the news that an access has ended, which nothing but a new grant overtakes', async () => {
      nowMs += 3 * dayMs;
      await createConsequences(world.storeAs('worker')).suspendClientServices(grantId);
      await mail('lapsed', 'failed');
      nowMs += 2 * dayMs;
      await expectUnsent(1, 172_800);
      await mail('lapsed', 'accepted');
      await expectUnsent(0, 0);
    });
  });
});
