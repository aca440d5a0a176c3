import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  accessSnapshot,
  goToCaAndBack,
  obtainGrant,
  open,
  pin,
  startTestBackoffice,
  typedFactors,
  type CertificateWish,
  type TestBackoffice,
  type TestCertificate,
} from '../../test/support/backoffice.ts';
import { createConsequences } from '../../infra/postgres/consequences.ts';
import { lastOtp, type OperatorDriver } from '../stack/operator-driver.ts';

let backoffice: TestBackoffice;
let ana: OperatorDriver;
let rui: OperatorDriver;

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  ana = await backoffice.signedIn('ana');
  rui = await backoffice.signedIn('rui');
});
afterAll(() => backoffice.close());

/** A certificate with a grant in force, waiting for the code of its next renewal; and how to see that the grant is as it was. */
async function waitingForCode(wish: CertificateWish = {}) {
  const certificate = await backoffice.newCertificate({ services: 1, ...wish });
  await obtainGrant(backoffice, ana, certificate);
  const before = await accessSnapshot(backoffice, certificate);
  const callsBefore = await backoffice.caCalls(certificate.credentialId, 'credentials/authorize');
  const id = await goToCaAndBack(ana, certificate);
  return {
    certificate,
    id,
    renewal: async () => (await ana.renewal(id)).body as Record<string, unknown>,
    typed: () => typedFactors(backoffice, certificate),
    async expectOldGrantAsBefore() {
      expect(await accessSnapshot(backoffice, certificate)).toEqual(before);
    },
    async expectCaAsked(times: number) {
      const calls = await backoffice.caCalls(certificate.credentialId, 'credentials/authorize');
      expect(calls - callsBefore).toBe(times);
    },
  };
}

/** Every refusal has a stable code, a sentence, and what to do next. */
function expectProblem(
  answer: { status: number; body: unknown },
  status: number,
  code: string,
  details: object = {},
): void {
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({
    code,
    title: expect.stringMatching(/\w/),
    detail: expect.stringMatching(/\w/),
    ...details,
  });
}

const rowsOf = async (sql: string, certificate: TestCertificate) =>
  (await backoffice.database.query(sql, [certificate.certificateId])).rows as unknown[];

describe('PIN and code', () => {
  it('a wrong PIN costs a try; a sent code is used up with it, and a new one goes on', async () => {
    const { id, renewal, typed, certificate, ...look } = await waitingForCode();
    const wrong = await ana.authorize(id, { ...(await typed()), pin: '0000' });
    expectProblem(wrong, 422, 'factor_rejected', { triesLeft: 2, codeWindowEndsAt: null });
    expect(await renewal()).toMatchObject({ state: 'awaiting_code', codeWindowEndsAt: null });
    expectProblem(await ana.authorize(id, await typed()), 410, 'code_window_closed');
    await look.expectOldGrantAsBefore();
    await look.expectCaAsked(1);

    backoffice.clock.advance(31);
    const { body } = await ana.call('POST', `/api/renewals/${id}/code`);
    expect(body).toMatchObject({ state: 'awaiting_code', triesLeft: 2 });
    expect((await ana.authorize(id, await typed())).status).toBe(200);
  });

  it('a wrong code of a generator leaves the window as it was', async () => {
    const { id, renewal, typed, ...look } = await waitingForCode({ factors: ['offline otp'] });
    const { codeWindowEndsAt } = await renewal();
    expect(codeWindowEndsAt).not.toBeNull();
    const wrong = await ana.authorize(id, { otp: 'not a code' });
    expectProblem(wrong, 422, 'factor_rejected', { triesLeft: 2, codeWindowEndsAt });
    expect(await renewal()).toMatchObject({ codeWindowEndsAt, triesLeft: 2 });
    await look.expectOldGrantAsBefore();
    expect((await ana.authorize(id, { otp: (await typed()).otp ?? '' })).status).toBe(200);
  });

  it('the third refusal ends the renewal, over all windows', async () => {
    const { id, renewal, ...look } = await waitingForCode({ factors: ['pin'] });
    expectProblem(await ana.authorize(id, { pin: '1' }), 422, 'factor_rejected', { triesLeft: 2 });
    expect((await ana.call('POST', `/api/renewals/${id}/code`)).status).toBe(200);
    expectProblem(await ana.authorize(id, { pin: '2' }), 422, 'factor_rejected', { triesLeft: 1 });
    const last = await ana.authorize(id, { pin: '3' });
    expectProblem(last, 422, 'factor_rejected', { triesLeft: 0, outcome: 'tries_used_up' });
    expect(await renewal()).toMatchObject({
      state: 'refused',
      outcome: { code: 'tries_used_up', whatToDo: expect.stringMatching(/\w/) },
    });
    expectProblem(await ana.authorize(id, { pin }), 409, 'renewal_ended');
    await look.expectCaAsked(3);
    await look.expectOldGrantAsBefore();
  });

  it('what was not typed spends no try and asks nobody', async () => {
    const { id, renewal, ...look } = await waitingForCode();
    const answer = await ana.authorize(id, { pin });
    expectProblem(answer, 422, 'factor_missing', { missing: ['otp'] });
    expect(await renewal()).toMatchObject({ state: 'awaiting_code', triesLeft: 3 });
    await look.expectCaAsked(0);
  });

  it('a code after two minutes is refused without asking the CA, and a new code goes on', async () => {
    const { id, typed, ...look } = await waitingForCode();
    backoffice.clock.advance(120);
    expectProblem(await ana.authorize(id, await typed()), 410, 'code_window_closed');
    await look.expectCaAsked(0);
    await look.expectOldGrantAsBefore();
    await ana.call('POST', `/api/renewals/${id}/code`);
    expect((await ana.authorize(id, await typed())).status).toBe(200);
  });

  it('a code pasted with blanks is the same code', async () => {
    const { id, typed } = await waitingForCode();
    const { otp = '' } = await typed();
    const spaced = ` ${otp.slice(0, 3)} ${otp.slice(3)} `;
    expect((await ana.authorize(id, { pin, otp: spaced })).status).toBe(200);
  });

  it('another code within the cool-down is refused with the seconds to wait, and none is sent', async () => {
    const { id, certificate } = await waitingForCode();
    const sent = await backoffice.caCalls(certificate.credentialId, 'credentials/sendOTP');
    const answer = await ana.call('POST', `/api/renewals/${id}/code`);
    expectProblem(answer, 429, 'resend_too_soon');
    const { retryAfterSeconds } = answer.body as { retryAfterSeconds: number };
    expect(retryAfterSeconds).toBeGreaterThan(0);
    expect(retryAfterSeconds).toBeLessThanOrEqual(30);
    expect(answer.headers.get('retry-after')).toBe(String(retryAfterSeconds));
    expect(await backoffice.caCalls(certificate.credentialId, 'credentials/sendOTP')).toBe(sent);
  });

  it('two requests for a code at once send one', async () => {
    const { id, certificate } = await waitingForCode();
    backoffice.clock.advance(31);
    const sent = await backoffice.caCalls(certificate.credentialId, 'credentials/sendOTP');
    const answers = await Promise.all([
      ana.call('POST', `/api/renewals/${id}/code`),
      ana.call('POST', `/api/renewals/${id}/code`),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 429]);
    expect(await backoffice.caCalls(certificate.credentialId, 'credentials/sendOTP')).toBe(
      sent + 1,
    );
  });

  it('a code that the CA did not send is said, and may be asked for again at once', async () => {
    const certificate = await backoffice.newCertificate();
    const faults = [{ method: 'credentials/sendOTP', status: 503, times: 1 }];
    await backoffice.switchCa(certificate.credentialId, { faults });
    const id = await goToCaAndBack(ana, certificate);
    expect((await ana.renewal(id)).body).toMatchObject({
      state: 'awaiting_code',
      codeWindowEndsAt: null,
      notice: { code: 'code_not_sent', message: expect.stringMatching(/\w/) },
    });
    const again = await ana.call('POST', `/api/renewals/${id}/code`);
    expect(again).toMatchObject({ status: 200, body: { notice: null } });
    const { status } = await ana.authorize(id, await typedFactors(backoffice, certificate));
    expect(status).toBe(200);
  });

  it.each([
    ['PIN', { pinLocked: true }],
    ['code', { otpLocked: true }],
  ])('a %s locked at the CA ends the renewal and says where to unlock it', async (_, lock) => {
    const { id, renewal, typed, certificate, ...look } = await waitingForCode();
    await backoffice.switchCa(certificate.credentialId, lock);
    expectProblem(await ana.authorize(id, await typed()), 422, 'factor_locked');
    expect(await renewal()).toMatchObject({ state: 'refused', outcome: { code: 'factor_locked' } });
    await look.expectOldGrantAsBefore();
  });
});

describe('an answer of the CA that is not yes or no', () => {
  it('one that surely was not processed gives the try and the window back', async () => {
    const { id, renewal, typed, certificate, ...look } = await waitingForCode();
    const { codeWindowEndsAt } = await renewal();
    const faults = [{ method: 'credentials/authorize', status: 503, times: 1 }];
    await backoffice.switchCa(certificate.credentialId, { faults });
    expectProblem(await ana.authorize(id, await typed()), 503, 'ca_unreachable');
    expect(await renewal()).toMatchObject({
      state: 'awaiting_code',
      triesLeft: 3,
      codeWindowEndsAt,
    });
    await look.expectOldGrantAsBefore();
    expect((await ana.authorize(id, await typed())).status).toBe(200);
  });

  it('one that was lost after the CA accepted is an unknown outcome, asked for once', async () => {
    const { id, renewal, typed, certificate, ...look } = await waitingForCode();
    const faults = [{ method: 'credentials/authorize', dropAnswer: true }];
    await backoffice.switchCa(certificate.credentialId, { faults });
    expectProblem(await ana.authorize(id, await typed()), 502, 'outcome_unknown');
    expect(await renewal()).toMatchObject({
      state: 'outcome_unknown',
      outcome: { code: 'answer_lost', whatToDo: 'Start again.' },
    });
    await look.expectCaAsked(1);
    await look.expectOldGrantAsBefore();
    await backoffice.switchCa(certificate.credentialId, { reset: true });
    await obtainGrant(backoffice, ana, certificate);
  });

  it('one that never comes ends with the deadline of the call', async () => {
    const { id, renewal, typed, certificate, ...look } = await waitingForCode();
    const faults = [{ method: 'credentials/authorize', delayMs: 2_000, times: 1 }];
    await backoffice.switchCa(certificate.credentialId, { faults });
    expectProblem(await ana.authorize(id, await typed()), 502, 'outcome_unknown');
    expect(await renewal()).toMatchObject({ state: 'outcome_unknown' });
    await look.expectOldGrantAsBefore();
  });

  it('a session that ended at the CA is said as such', async () => {
    const { id, typed, certificate, ...look } = await waitingForCode();
    const body = { error: 'invalid_token', error_description: 'The access token is not valid' };
    const faults = [{ method: 'credentials/authorize', status: 401, body }];
    await backoffice.switchCa(certificate.credentialId, { faults });
    expectProblem(await ana.authorize(id, await typed()), 409, 'ca_session_ended');
    await look.expectOldGrantAsBefore();
  });

  it('a grant that comes after its renewal was closed is not in force, and is given back', async () => {
    const { id, typed, certificate, ...look } = await waitingForCode();
    const faults = [{ method: 'credentials/authorize', delayMs: 400, times: 1 }];
    await backoffice.switchCa(certificate.credentialId, { faults });
    const asking = ana.authorize(id, await typed());
    await untilState(id, 'authorizing');
    backoffice.clock.advance(60);
    await createConsequences(backoffice.storeAs('worker')).closeRenewal(id);
    expectProblem(await asking, 502, 'outcome_unknown');
    await look.expectOldGrantAsBefore();
    const state = (await (
      await fetch(
        `${backoffice.simulatorUrl}/simulator/state?credentialID=${certificate.credentialId}`,
      )
    ).json()) as { credentials: Record<string, { sads: { state: string }[] }> };
    const sads = state.credentials[certificate.credentialId]?.sads.map((sad) => sad.state);
    expect(sads?.sort()).toEqual(['in_force', 'revoked']);
    const late = `select 1 from audit_events as a where a.certificate_id = $1 and a.action = 'grant_obtained_too_late'`;
    expect(await rowsOf(late, certificate)).toHaveLength(1);
  });

  it('a database that fails just then is tried again, and the grant is stored once', async () => {
    const { id, typed, certificate } = await waitingForCode();
    const faults = [{ method: 'credentials/authorize', delayMs: 300, times: 1 }];
    await backoffice.switchCa(certificate.credentialId, { faults });
    const asking = ana.authorize(id, await typed());
    await untilState(id, 'authorizing');
    const { database, logged } = backoffice;
    await database.query('alter table usage_counters rename to away');
    await until(() => logged.some((line) => line.includes('a grant could not be stored')));
    await database.query('alter table away rename to usage_counters');
    expect(await asking).toMatchObject({ status: 200, body: { grant: { id } } });
    const grants = 'select 1 from access_grants as g where g.certificate_id = $1';
    expect(await rowsOf(grants, certificate)).toHaveLength(2);
  });
});

describe('who may do what, and when', () => {
  it('while the CA is asked nobody can abandon, replace or take over', async () => {
    const { id, typed, certificate } = await waitingForCode();
    const faults = [{ method: 'credentials/authorize', delayMs: 700, times: 1 }];
    await backoffice.switchCa(certificate.credentialId, { faults });
    const factors = await typed();
    const asking = ana.authorize(id, factors);
    await untilState(id, 'authorizing');
    expectProblem(await ana.call('DELETE', `/api/renewals/${id}`), 409, 'renewal_authorizing');
    expectProblem(await ana.authorize(id, factors), 409, 'renewal_authorizing');
    for (const driver of [ana, rui]) {
      const answer = await driver.openRenewal(certificate.certificateId, { takeOver: true });
      expectProblem(answer, 409, 'renewal_authorizing', { renewalId: id, canTakeOver: false });
    }
    expect((await asking).status).toBe(200);
  });

  it('abandoning leaves the grant as it was', async () => {
    const { id, renewal, typed, ...look } = await waitingForCode();
    expect((await ana.call('DELETE', `/api/renewals/${id}`)).status).toBe(204);
    expect(await renewal()).toMatchObject({ state: 'abandoned', outcome: { code: 'abandoned' } });
    expectProblem(await ana.authorize(id, await typed()), 409, 'renewal_ended');
    expect((await ana.call('DELETE', `/api/renewals/${id}`)).status).toBe(204);
    await look.expectOldGrantAsBefore();
  });

  it('fifteen minutes end it, whoever notices first', async () => {
    const { id, renewal, typed, ...look } = await waitingForCode();
    backoffice.clock.advance(900);
    expectProblem(await ana.authorize(id, await typed()), 409, 'renewal_ended');
    expect(await renewal()).toMatchObject({
      state: 'timed_out',
      outcome: { code: 'deadline_passed' },
    });
    expectProblem(await ana.call('POST', `/api/renewals/${id}/code`), 409, 'renewal_ended');
    await look.expectCaAsked(0);
    await look.expectOldGrantAsBefore();
  });

  it('a window does not outlast the renewal', async () => {
    const { id, renewal } = await waitingForCode({ factors: ['pin'] });
    backoffice.clock.advance(850);
    await ana.call('POST', `/api/renewals/${id}/code`);
    const { codeWindowEndsAt, deadline } = await renewal();
    expect(codeWindowEndsAt).toBe(deadline);
  });

  it("one's own open attempt is replaced by a new one", async () => {
    const { id, renewal, certificate, ...look } = await waitingForCode();
    const newer = await open(ana, certificate);
    expect(await renewal()).toMatchObject({ state: 'abandoned', outcome: { code: 'replaced' } });
    expect((await ana.renewal(newer.id)).body).toMatchObject({ state: 'at_ca' });
    await look.expectOldGrantAsBefore();
  });

  it("a colleague's is refused with who and since when, and can be taken over", async () => {
    const { id, renewal, typed, certificate, ...look } = await waitingForCode();
    const { startedAt } = await renewal();
    expectProblem(await rui.openRenewal(certificate.certificateId), 409, 'renewal_already_open', {
      renewalId: id,
      operatorName: 'Operator ana',
      since: startedAt,
      canTakeOver: true,
    });
    expectProblem(await rui.authorize(id, await typed()), 403, 'renewal_not_yours');
    expectProblem(await rui.call('DELETE', `/api/renewals/${id}`), 403, 'renewal_not_yours');
    await open(rui, certificate, { takeOver: true });
    expect(await renewal()).toMatchObject({ state: 'abandoned', outcome: { code: 'taken_over' } });
    expectProblem(await ana.authorize(id, await typed()), 409, 'renewal_ended');
    await look.expectOldGrantAsBefore();
  });

  it('viewers read, strangers see nothing', async () => {
    const { id, certificate, typed } = await waitingForCode();
    const vera = await backoffice.signedIn('vera');
    const stranger = await backoffice.signedIn('stranger');
    const path = `/api/certificates/${certificate.certificateId}`;
    expect((await vera.renewal(id)).body).toMatchObject({ isYours: false });
    expect((await vera.call('GET', path)).body).toMatchObject({ permissions: ['read'] });
    expectProblem(await vera.openRenewal(certificate.certificateId), 403, 'role_required');
    expectProblem(await vera.authorize(id, await typed()), 403, 'role_required');
    const unknown = await stranger.call('GET', '/api/certificates/unknown');
    for (const answer of [
      await stranger.call('GET', path),
      await stranger.renewal(id),
      await stranger.openRenewal(certificate.certificateId),
      await stranger.authorize(id, await typed()),
    ]) {
      expectProblem(answer, 404, 'not_found');
      const withoutId = { ...(answer.body as object), instance: '' };
      expect(withoutId).toEqual({ ...(unknown.body as object), instance: '' });
    }
  });

  it('PIN, code and tokens are in no log line and no audit event', async () => {
    const { id, typed, certificate } = await waitingForCode();
    const { otp = '' } = await typed();
    await ana.authorize(id, { pin: 'planted-pin', otp });
    const { rows } = await backoffice.database.query(
      'select a.details::text from audit_events as a',
    );
    const { rows: outbox } = await backoffice.database.query(
      'select o.payload::text from outbox as o',
    );
    const told = [...backoffice.logged, JSON.stringify(rows), JSON.stringify(outbox)].join('\n');
    expect(told).not.toContain('planted-pin');
    expect(told).not.toContain(`"${otp}"`);
    expect(told).not.toContain('@loja.example');
    expect(await lastOtp(backoffice.simulatorUrl, certificate.credentialId)).toBe(otp);
  });
});

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 5_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('did not come true within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

const untilState = (id: string, state: string): Promise<void> =>
  until(async () => ((await ana.renewal(id)).body as { state: string }).state === state);
