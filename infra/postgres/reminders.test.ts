import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createWorld, type World, type WorldCertificate } from '../../test/support/access-world.ts';
import { insertApiKey } from './api-keys.ts';
import type { GateCaller } from './gate-limits.ts';
import { reportRefusal } from './gate-store.ts';
import { createNotices, type Notices } from './reminders.ts';
import { hashSecret } from './sealing.ts';

const hourMs = 3_600_000;

describe('the notice of a refusal of the CA', () => {
  let nowMs: number;
  let world: World;
  let notices: Notices;
  let certificate: WorldCertificate;
  let grantId: string;
  let caller: GateCaller;

  beforeEach(async () => {
    nowMs = Date.parse('2026-05-04T12:00:00Z');
    world = await createWorld({ now: () => new Date(nowMs) });
    notices = createNotices({ ...world.storeAs('worker'), messageIdDomain: 'example.test' });
    certificate = await world.addCertificate(['ana', 'rui']);
    grantId = await world.obtain(certificate);
    const { accountId } = certificate;
    caller = { apiKeyId: 'the-key', accountId, keyHash: hashSecret('the secret') };
    const createdAt = new Date(nowMs);
    const key = { ...caller, name: 'signer', certificateIds: undefined, createdAt };
    await insertApiKey(world.database, key);
  });
  afterEach(() => world.close());

  const report = () =>
    reportRefusal(world.storeAs('gate'), {
      ...certificate,
      grantId,
      caError: 'SAD expired',
      caller,
    });
  /** Tries to tell everybody who is still to be told; answers who was tried. */
  const tell = async (resultFor: (operatorId: string) => 'accepted' | 'failed') => {
    const notice = await notices.findDue(grantId, 'ca_refusal');
    if (notice === undefined) return [];
    for (const operatorId of notice.operatorIds) {
      const claim = await notices.claim(notice, operatorId);
      if (claim === undefined) continue;
      await notices.recordResult(notice, claim, { result: resultFor(operatorId) });
    }
    await notices.settle(notice);
    return notice.operatorIds;
  };

  it('does not come again for who had it, while a colleague cannot be told for days', async () => {
    const [ana, rui] = [...certificate.operatorIds].sort();
    await report();
    const anaOnly = (operatorId: string) => (operatorId === ana ? 'accepted' : 'failed');
    expect(await tell(anaOnly)).toEqual([ana, rui]);
    for (let day = 0; day < 3; day += 1) {
      nowMs += 24 * hourMs;
      expect(await tell(anaOnly)).toEqual([rui]);
    }
    expect(await tell(() => 'accepted')).toEqual([rui]);
    expect(await tell(() => 'accepted')).toEqual([]);
  });

  it('comes again for a report on another day', async () => {
    for (let day = 0; day < 2; day += 1) {
      await report();
      await report();
      expect(await tell(() => 'accepted')).toHaveLength(2);
      await report();
      expect(await tell(() => 'accepted')).toEqual([]);
      nowMs += 24 * hourMs;
    }
  });
});
