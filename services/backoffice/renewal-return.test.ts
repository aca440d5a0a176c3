import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  accessSnapshot,
  caAccount,
  obtainGrant,
  open,
  otherCaAccount,
  startTestBackoffice,
  typedFactors,
  type CertificateWish,
  type TestBackoffice,
} from '../../test/support/backoffice.ts';
import type { CaVisit, OperatorDriver } from '../stack/operator-driver.ts';

let backoffice: TestBackoffice;
let ana: OperatorDriver;

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  ana = await backoffice.signedIn('ana');
});
afterAll(() => backoffice.close());

/** A certificate with a grant in force, whose operator has been at the CA and was sent back, but has not arrived yet. */
async function aboutToReturn(
  wish: CertificateWish = {},
  visit: Partial<CaVisit> = {},
  driver = ana,
) {
  const certificate = await backoffice.newCertificate({ services: 1, ...wish });
  await obtainGrant(backoffice, ana, certificate);
  const before = await accessSnapshot(backoffice, certificate);
  const { id, redirectTo } = await open(driver, certificate);
  const callback = await driver.visitCa(redirectTo, { ...caAccount, ...visit });
  return {
    certificate,
    id,
    redirectTo,
    callback,
    place: `${backoffice.url}/certificates/${certificate.certificateId}?renewal=${id}`,
    renewal: async () => (await ana.renewal(id)).body as Record<string, unknown>,
    async expectOldGrantAsBefore() {
      expect(await accessSnapshot(backoffice, certificate)).toEqual(before);
    },
  };
}

const tokenCalls = () => backoffice.caCalls(undefined, 'oauth2/token');

describe('the return from the CA', () => {
  it('leads to the certificate, without code or state in the address', async () => {
    const { callback, place, redirectTo, renewal } = await aboutToReturn();
    expect(new URL(redirectTo).searchParams.get('code_challenge_method')).toBe('S256');
    const page = await ana.comeBack(callback);
    expect(page).toMatchObject({ status: 303, location: place });
    expect(await renewal()).toMatchObject({ state: 'awaiting_code', notice: null });
  });

  it('opened again asks the CA nothing and changes nothing', async () => {
    const { callback, place, renewal } = await aboutToReturn();
    await ana.comeBack(callback);
    const asked = await tokenCalls();
    const { serverNow: _, ...before } = await renewal();
    expect(await ana.comeBack(callback)).toMatchObject({ status: 303, location: place });
    expect(await tokenCalls()).toBe(asked);
    expect(await renewal()).toMatchObject(before);
  });

  it('opened twice at once exchanges the code once', async () => {
    const { callback, renewal } = await aboutToReturn();
    const asked = await tokenCalls();
    await Promise.all([ana.comeBack(callback), ana.comeBack(callback), ana.comeBack(callback)]);
    expect(await tokenCalls()).toBe(asked + 1);
    expect(await renewal()).toMatchObject({ state: 'awaiting_code' });
  });

  it.each(['forged', ''])('with the state "%s" is a page with 400', async (state) => {
    const asked = await tokenCalls();
    const page = await ana.comeBack(`${backoffice.url}/ca/callback?code=x&state=${state}`);
    expect(page.status).toBe(400);
    expect(page.text).toContain('Nothing was done');
    expect(await tokenCalls()).toBe(asked);
  });

  it('in another browser does nothing but say so, and the right one goes on', async () => {
    const { callback, place, renewal, certificate, ...look } = await aboutToReturn();
    const asked = await tokenCalls();
    const other = await backoffice.signedIn('ana');
    for (let times = 0; times < 3; times += 1) {
      expect(await other.comeBack(callback)).toMatchObject({ status: 303, location: place });
    }
    expect(await tokenCalls()).toBe(asked);
    expect(await renewal()).toMatchObject({
      state: 'at_ca',
      notice: { code: 'callback_from_another_browser', message: expect.stringMatching(/\w/) },
    });
    const { rows } = await backoffice.database.query(
      `select 1 from audit_events as a where a.certificate_id = $1 and a.action = 'callback_from_another_browser'`,
      [certificate.certificateId],
    );
    expect(rows).toHaveLength(1);
    await look.expectOldGrantAsBefore();
    await ana.comeBack(callback);
    expect(await renewal()).toMatchObject({ state: 'awaiting_code', notice: null });
  });

  it('works without a session; whoever signs in as that operator goes on', async () => {
    const leaving = await backoffice.signedIn('ana');
    const { callback, id, place, certificate } = await aboutToReturn({}, {}, leaving);
    await leaving.call('DELETE', '/api/session');
    expect(await leaving.comeBack(callback)).toMatchObject({ status: 303, location: place });
    expect((await leaving.renewal(id)).status).toBe(401);
    const again = await backoffice.signedIn('ana');
    const answer = await again.authorize(id, await typedFactors(backoffice, certificate));
    expect(answer.status).toBe(200);
  });

  it('after consent was denied leaves the grant as it was', async () => {
    const { callback, renewal, ...look } = await aboutToReturn({}, { decision: 'deny' });
    await ana.comeBack(callback);
    expect(await renewal()).toMatchObject({
      state: 'refused',
      outcome: { code: 'consent_denied', whatToDo: expect.stringMatching(/\w/) },
    });
    await look.expectOldGrantAsBefore();
  });

  it('with the wrong client account leaves the grant as it was and gives the tokens back', async () => {
    const driver = await backoffice.signedIn('ana');
    const revoked = await backoffice.caCalls(undefined, 'oauth2/revoke');
    const { callback, renewal, ...look } = await aboutToReturn({}, otherCaAccount, driver);
    await driver.comeBack(callback);
    expect(await renewal()).toMatchObject({
      state: 'refused',
      outcome: { code: 'wrong_ca_account' },
    });
    expect(await backoffice.caCalls(undefined, 'oauth2/revoke')).toBeGreaterThan(revoked);
    await look.expectOldGrantAsBefore();
  });

  it.each([
    [{ keyStatus: 'disabled' }, 'certificate_unusable'],
    [{ certificateStatus: 'revoked' }, 'certificate_unusable'],
    [{ faults: [{ method: 'credentials/info', status: 503 }] }, 'ca_unreachable'],
  ])('to a credential with %j ends as %s', async (switches, code) => {
    const { callback, renewal, certificate, ...look } = await aboutToReturn();
    await backoffice.switchCa(certificate.credentialId, switches);
    const sent = await backoffice.caCalls(certificate.credentialId, 'credentials/sendOTP');
    await ana.comeBack(callback);
    expect(await renewal()).toMatchObject({ state: 'refused', outcome: { code } });
    expect(await backoffice.caCalls(certificate.credentialId, 'credentials/sendOTP')).toBe(sent);
    await look.expectOldGrantAsBefore();
  });

  it('after fifteen minutes is too late, and asks the CA nothing', async () => {
    const { callback, renewal, place, ...look } = await aboutToReturn();
    const asked = await tokenCalls();
    backoffice.clock.advance(900);
    expect(await ana.comeBack(callback)).toMatchObject({ status: 303, location: place });
    expect(await renewal()).toMatchObject({
      state: 'timed_out',
      outcome: { code: 'deadline_passed' },
    });
    expect(await tokenCalls()).toBe(asked);
    await look.expectOldGrantAsBefore();
  });

  it('of an abandoned renewal asks the CA nothing', async () => {
    const { callback, renewal, id } = await aboutToReturn();
    await ana.call('DELETE', `/api/renewals/${id}`);
    const asked = await tokenCalls();
    expect((await ana.comeBack(callback)).status).toBe(303);
    expect(await tokenCalls()).toBe(asked);
    expect(await renewal()).toMatchObject({ state: 'abandoned' });
  });

  it('of an operator who was removed meanwhile is refused', async () => {
    const leaver = await backoffice.signedIn('leaver');
    const { callback, renewal, ...look } = await aboutToReturn({}, {}, leaver);
    await backoffice.removeOperator('leaver');
    expect((await leaver.comeBack(callback)).status).toBe(303);
    expect(await renewal()).toMatchObject({
      state: 'refused',
      outcome: { code: 'operator_not_allowed' },
    });
    await look.expectOldGrantAsBefore();
  });
});

describe('a certificate that asks for no factor', () => {
  it('has its grant on the return, without a dialog', async () => {
    const { callback, renewal } = await aboutToReturn({ factors: [] });
    await ana.comeBack(callback);
    expect(await renewal()).toMatchObject({
      state: 'granted',
      factors: [],
      outcome: { code: 'granted', grant: { shorterThanAllowed: false } },
    });
  });

  it.each([
    [{ dropAnswer: true }, 'outcome_unknown', 'answer_lost'],
    [{ status: 503 }, 'refused', 'ca_unreachable'],
    [{ status: 400, body: { error: 'invalid_request' } }, 'refused', 'ca_refused'],
  ])('whose CA answers %j ends as %s', async (fault, state, code) => {
    const { callback, renewal, certificate, ...look } = await aboutToReturn({ factors: [] });
    const faults = [{ method: 'credentials/authorize', ...fault }];
    await backoffice.switchCa(certificate.credentialId, { faults });
    expect((await ana.comeBack(callback)).status).toBe(303);
    expect(await renewal()).toMatchObject({ state, outcome: { code } });
    await look.expectOldGrantAsBefore();
  });
});

describe('the return with an error', () => {
  it.each(['%00', `${'x'.repeat(63)}%F0%9F%98%80`])(
    'that cannot be stored as it is (%s) ends the renewal all the same',
    async (error) => {
      const { callback, place, renewal, ...look } = await aboutToReturn();
      const state = new URL(callback).searchParams.get('state') ?? '';
      const page = await ana.comeBack(
        `${backoffice.url}/ca/callback?error=${error}&state=${encodeURIComponent(state)}`,
      );
      expect(page).toMatchObject({ status: 303, location: place });
      expect(await renewal()).toMatchObject({ state: 'refused', outcome: { code: 'ca_refused' } });
      await look.expectOldGrantAsBefore();
    },
  );
});

describe('the CA before the redirect', () => {
  it('that cannot be reached stores nothing', async () => {
    const certificate = await backoffice.newCertificate();
    await backoffice.switchCa(undefined, { faults: [{ method: 'info', close: true }] });
    const answer = await ana.openRenewal(certificate.certificateId);
    await backoffice.switchCa(undefined, { reset: true });
    expect(answer).toMatchObject({ status: 503, body: { code: 'ca_unreachable' } });
    const { rows } = await backoffice.database.query(
      'select 1 from renewals as r where r.certificate_id = $1',
      [certificate.certificateId],
    );
    expect(rows).toEqual([]);
  });

  it('is not asked for a certificate that has ended', async () => {
    const notAfter = new Date(backoffice.clock.now().getTime() - 1000).toISOString();
    const certificate = await backoffice.newCertificate({ notAfter });
    const answer = await ana.openRenewal(certificate.certificateId);
    expect(answer).toMatchObject({ status: 409, body: { code: 'certificate_ended' } });
  });
});

describe('a CA that gives less', () => {
  it('time: the shorter grant is stored and said', async () => {
    const certificate = await backoffice.newCertificate({ factors: [] });
    const id = await obtainGrant(backoffice, ana, certificate, { lifetimeSeconds: 600 });
    const { outcome } = (await ana.renewal(id)).body as { outcome: Record<string, unknown> };
    expect(outcome).toMatchObject({
      code: 'granted',
      grant: { bindingLimit: 'ca', shorterThanAllowed: true },
    });
    expect(outcome['message']).toMatch(/The CA authorised only until .+Z/);
    const { effectiveAt, expiresAt } = outcome['grant'] as Record<string, string>;
    expect(Date.parse(expiresAt ?? '') - Date.parse(effectiveAt ?? '')).toBe(600_000);
  });

  it('signatures: no more are asked for than it allows', async () => {
    const certificate = await backoffice.newCertificate({ factors: [], multisign: 100 });
    await obtainGrant(backoffice, ana, certificate);
    const { body } = await ana.call('GET', `/api/certificates/${certificate.certificateId}`);
    expect(body).toMatchObject({ access: { allowance: 100, remaining: 100, used: 0 } });
  });

  it('and a certificate that ends first is the limit that binds', async () => {
    const notAfterMs = Math.floor(backoffice.clock.now().getTime() / 1000) * 1000 + 86_400_000;
    const notAfter = new Date(notAfterMs).toISOString();
    const certificate = await backoffice.newCertificate({ factors: [], notAfter });
    await obtainGrant(backoffice, ana, certificate);
    const { body } = await ana.call('GET', `/api/certificates/${certificate.certificateId}`);
    expect(body).toMatchObject({ access: { expiresAt: notAfter, bindingLimit: 'certificate' } });
  });
});
