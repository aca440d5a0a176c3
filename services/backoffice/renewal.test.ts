import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  goToCaAndBack,
  obtainGrant,
  startTestBackoffice,
  typedFactors,
  type TestBackoffice,
} from '../../test/support/backoffice.ts';
import type { OperatorDriver } from '../stack/operator-driver.ts';

let backoffice: TestBackoffice;
let ana: OperatorDriver;

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  ana = await backoffice.signedIn('ana');
});
afterAll(() => backoffice.close());

describe('a renewal that goes well', () => {
  it('gives a grant of 60 days to the second, counted from zero', async () => {
    const certificate = await backoffice.newCertificate({ services: 1 });
    const before = await ana.call('GET', `/api/certificates/${certificate.certificateId}`);
    expect(before.body).toMatchObject({
      access: { standing: 'none', reason: null, expiresAt: null, used: null, forecast: null },
    });
    const id = await goToCaAndBack(ana, certificate);
    const waiting = await ana.renewal(id);
    expect(waiting.body).toMatchObject({
      state: 'awaiting_code',
      isYours: true,
      triesLeft: 3,
      outcome: null,
      factors: [
        { name: 'pin', required: true, online: false, numeric: true },
        { name: 'otp', required: true, online: true },
      ],
    });
    const answer = await ana.authorize(id, await typedFactors(backoffice, certificate));
    expect(answer).toMatchObject({ status: 200 });
    const { access, openRenewal } = (
      await ana.call('GET', `/api/certificates/${certificate.certificateId}`)
    ).body as { access: Record<string, string>; openRenewal: unknown };
    expect(access).toMatchObject({
      standing: 'in_force',
      grantId: id,
      grantedBy: 'Operator ana',
      used: 0,
      allowance: 1_000_000_000,
      remaining: 1_000_000_000,
      usagePercent: 0,
      bindingLimit: 'policy_time',
    });
    expect(openRenewal).toBeNull();
    const span = Date.parse(access['expiresAt'] ?? '') - Date.parse(access['effectiveAt'] ?? '');
    expect(span).toBe(60 * 86_400_000);
  });
});

it('renews while in force', async () => {
  const certificate = await backoffice.newCertificate({ factors: [] });
  const first = await obtainGrant(backoffice, ana, certificate);
  const second = await obtainGrant(backoffice, ana, certificate);
  const { rows } = await backoffice.database.query(
    'select g.grant_id, g.successor_id, g.end_reason from access_grants as g where g.certificate_id = $1 order by g.successor_id nulls last',
    [certificate.certificateId],
  );
  expect(rows).toEqual([
    { grant_id: first, successor_id: second, end_reason: 'superseded' },
    { grant_id: second, successor_id: null, end_reason: null },
  ]);
});
