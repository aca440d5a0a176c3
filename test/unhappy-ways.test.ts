/** @jest-environment <rootDir>/test/support/failure-environment.ts */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { credentialState, setSwitches } from '../infra/ca/csc-simulator/testing.ts';
import { freePort } from '../infra/development/ports.ts';
import { expectAnswer, type OperatorDriver } from '../services/stack/operator-driver.ts';
import {
  clientAccount,
  enterAccount,
  enterCertificate,
  newPin,
  wrongClientAccount,
  type CertificateToEnter,
  type EnteredAccount,
  type EnteredCertificate,
} from './support/entries.ts';
import {
  allCallsAtCa,
  callsAtCa,
  codeOnPhone,
  eventually,
  expectOutcome,
  expectProblem,
  gateSays,
  openDialog,
  opened,
  renewAccess,
  seenCertificate,
  seenRenewal,
  signalsTo,
  signedIn,
  workflowEnds,
  wrongCode,
  type CertificateSeen,
} from './support/from-outside.ts';
import { startSystem, type Beside, type System } from './support/system.ts';

let system: System;
let account: EnteredAccount;
/** Signed in as a viewer, through all of it. */
let onlooker: OperatorDriver;

beforeAll(async () => {
  system = await startSystem({ name: 'unhappy-ways' });
  account = await enterAccount(system);
  onlooker = await signedIn(system, account.operators.viewer);
}, 90_000);

afterAll(() => system.stop(), 60_000);

/** A certificate with a grant in force, which no unhappy way may change. */
type InForce = {
  readonly certificate: EnteredCertificate;
  readonly driver: OperatorDriver;
  readonly before: CertificateSeen;
};

async function inForce(factors?: CertificateToEnter['factors']): Promise<InForce> {
  const certificate = await enterCertificate(system, account, {
    ...(factors && { factors }),
    services: ['Invoices'],
    inactiveServices: ['Archive'],
  });
  const driver = await signedIn(system, account.operators.operator);
  if (factors?.otp === 'offline') await renewWithGenerator(driver, certificate);
  else await renewAccess(system, driver, certificate);
  const before = await seenCertificate(driver, certificate);
  expect(before.access.standing).toBe('in_force');
  return { certificate, driver, before };
}

async function renewWithGenerator(
  driver: OperatorDriver,
  certificate: EnteredCertificate,
): Promise<void> {
  const renewalId = await openDialog(driver, certificate);
  const otp = await codeOnPhone(system, certificate);
  expectAnswer(await driver.authorize(renewalId, { pin: certificate.pin, otp }), 200);
}

/** The old grant is exactly as it was, its services too, and the gate still says yes under it. */
async function expectUntouched({ certificate, before }: InForce): Promise<void> {
  const after = await seenCertificate(onlooker, certificate);
  expect(after.access).toEqual(before.access);
  expect(after.clientServices).toEqual(before.clientServices);
  const asked = { certificate, apiKey: account.apiKey, clientService: 'Invoices' };
  await gateSays(system, asked, null, before.access.grantId);
}

/** After whatever went wrong, the next renewal goes its way. */
async function expectRenewable({ certificate, driver, before }: InForce): Promise<void> {
  const { grantId } = await renewAccess(system, driver, certificate);
  expect(grantId).not.toBe(before.access.grantId);
}

const authorizationsOf = (certificate: EnteredCertificate): Promise<number> =>
  callsAtCa(system, certificate, 'credentials/authorize');

const restoreCa = (certificate: EnteredCertificate): Promise<void> =>
  setSwitches(system.urls.simulator, { credentialID: certificate.credentialId, reset: true });

const faulty = (certificate: EnteredCertificate, fault: object): Promise<void> =>
  setSwitches(system.urls.simulator, {
    credentialID: certificate.credentialId,
    faults: [{ method: 'credentials/authorize', ...fault }],
  });

describe('PIN and code', () => {
  it('refuses a wrong PIN, which uses up the code that was sent; a new one is not sent at once', async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const renewalId = await openDialog(driver, certificate);
    const otp = await codeOnPhone(system, certificate);
    expectProblem(
      await driver.authorize(renewalId, { pin: newPin(), otp }),
      { status: 422, code: 'factor_rejected' },
      { triesLeft: 2, codeWindowEndsAt: null },
    );

    const tooSoon = await driver.call('POST', `/api/renewals/${renewalId}/code`);
    expectProblem(tooSoon, { status: 429, code: 'resend_too_soon' });
    const retryAfter = Number(tooSoon.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(30);
    expect(await callsAtCa(system, certificate, 'credentials/sendOTP')).toBe(2);

    // No window is open: the right values are not even shown to the CA.
    const asked = await authorizationsOf(certificate);
    expectProblem(await driver.authorize(renewalId, { pin: certificate.pin, otp }), {
      status: 410,
      code: 'code_window_closed',
    });
    expect(await authorizationsOf(certificate)).toBe(asked);
    expect(await seenRenewal(driver, renewalId)).toMatchObject({
      state: 'awaiting_code',
      triesLeft: 2,
    });
    await expectUntouched(way);
  });

  it('refuses a wrong code of a generator and leaves the window open for the right one', async () => {
    const way = await inForce({ pin: true, otp: 'offline' });
    const { certificate, driver } = way;
    const renewalId = await openDialog(driver, certificate);
    const otp = await codeOnPhone(system, certificate);
    const wrong = { pin: certificate.pin, otp: wrongCode(otp) };
    const { codeWindowEndsAt } = await seenRenewal(driver, renewalId);
    expectProblem(
      await driver.authorize(renewalId, wrong),
      { status: 422, code: 'factor_rejected' },
      { triesLeft: 2, codeWindowEndsAt },
    );
    expect(codeWindowEndsAt).not.toBeNull();
    await expectUntouched(way);
    expectAnswer(await driver.authorize(renewalId, { pin: certificate.pin, otp }), 200);
  });

  it('asks for what the CA requires before it asks the CA', async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const renewalId = await openDialog(driver, certificate);
    const asked = await authorizationsOf(certificate);
    expectProblem(
      await driver.authorize(renewalId, { pin: certificate.pin, otp: '' }),
      { status: 422, code: 'factor_missing' },
      { missing: ['otp'] },
    );
    expect(await authorizationsOf(certificate)).toBe(asked);
    await expectUntouched(way);
  });

  it('ends the renewal with the third refusal', async () => {
    const way = await inForce({ pin: true });
    const { certificate, driver } = way;
    const renewalId = await openDialog(driver, certificate);
    for (const triesLeft of [2, 1, 0]) {
      expectProblem(
        await driver.authorize(renewalId, { pin: newPin() }),
        { status: 422, code: 'factor_rejected' },
        { triesLeft },
      );
    }
    expectOutcome(await seenRenewal(driver, renewalId), 'refused', 'tries_used_up');
    const asked = await authorizationsOf(certificate);
    expectProblem(await driver.authorize(renewalId, { pin: certificate.pin }), {
      status: 409,
      code: 'renewal_ended',
    });
    expect(await authorizationsOf(certificate)).toBe(asked);
    await workflowEnds(system, renewalId, 'refused');
    await expectUntouched(way);
    await expectRenewable(way);
  });

  it.each(['pin', 'otp'] as const)('says when the CA has locked the %s', async (factor) => {
    const way = await inForce();
    const { certificate, driver } = way;
    const renewalId = await openDialog(driver, certificate);
    const otp = await codeOnPhone(system, certificate);
    await setSwitches(system.urls.simulator, {
      credentialID: certificate.credentialId,
      [`${factor}Locked`]: true,
    });
    expectProblem(await driver.authorize(renewalId, { pin: certificate.pin, otp }), {
      status: 422,
      code: 'factor_locked',
    });
    expectOutcome(await seenRenewal(driver, renewalId), 'refused', 'factor_locked');
    await workflowEnds(system, renewalId, 'refused');
    await expectUntouched(way);
  });

  it('says on the way back from the CA that no code can be sent, since it is locked', async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const { credentialId } = certificate;
    await setSwitches(system.urls.simulator, { credentialID: credentialId, otpLocked: true });
    const { id, redirectTo } = opened(await driver.openRenewal(certificate.id));
    const back = await driver.comeBack(await driver.visitCa(redirectTo, clientAccount));
    expect(back.status).toBe(303);
    expectOutcome(await seenRenewal(driver, id), 'refused', 'factor_locked');
    await expectUntouched(way);
  });

  it('shows no dialog at all for a certificate that asks for no factor', async () => {
    const { certificate, driver, before } = await inForce({});
    const { id, redirectTo } = opened(await driver.openRenewal(certificate.id));
    const back = await driver.comeBack(await driver.visitCa(redirectTo, clientAccount));
    expect(back.status).toBe(303);
    const renewal = await seenRenewal(driver, id);
    expect(renewal).toMatchObject({ state: 'granted', factors: [], codeWindowEndsAt: null });
    expect(renewal.outcome?.code).toBe('granted');
    const { access } = await seenCertificate(driver, certificate);
    expect(access).toMatchObject({ standing: 'in_force', grantId: id, used: 0 });
    expect(access.grantId).not.toBe(before.access.grantId);
    expect(await callsAtCa(system, certificate, 'credentials/sendOTP')).toBe(0);
  });
});

describe('The way to the CA and back', () => {
  it('ends with the consent denied', async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const { id, redirectTo } = opened(await driver.openRenewal(certificate.id));
    const visit = { ...clientAccount, decision: 'deny' } as const;
    const back = await driver.comeBack(await driver.visitCa(redirectTo, visit));
    expect(back.status).toBe(303);
    expectOutcome(await seenRenewal(driver, id), 'refused', 'consent_denied');
    await workflowEnds(system, id, 'refused');
    await expectUntouched(way);
    await expectRenewable(way);
  });

  it('takes its state once: loading the page again calls nobody and changes nothing', async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const { id, redirectTo } = opened(await driver.openRenewal(certificate.id));
    const callback = await driver.visitCa(redirectTo, clientAccount);
    const before = await allCallsAtCa(system, 'oauth2/token');
    const [first] = await Promise.all([driver.comeBack(callback), driver.comeBack(callback)]);
    expect(await allCallsAtCa(system, 'oauth2/token')).toBe(before + 1);
    const dialog = await seenRenewal(driver, id);
    const calls = await allCallsAtCa(system);
    const again = await driver.comeBack(callback);
    expect(again.status).toBe(303);
    expect(again.location).toBe(first.location);
    expect(await allCallsAtCa(system)).toBe(calls);
    expect({ ...(await seenRenewal(driver, id)), serverNow: '' }).toEqual({
      ...dialog,
      serverNow: '',
    });
    await expectUntouched(way);
  });

  it('does nothing with a state that was never given out', async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const { id, redirectTo } = opened(await driver.openRenewal(certificate.id));
    const callback = new URL(await driver.visitCa(redirectTo, clientAccount));
    callback.searchParams.set('state', 'forged-by-somebody');
    const calls = await allCallsAtCa(system);
    const page = await driver.comeBack(callback.href);
    expect(page.status).toBe(400);
    expect(page.text).toMatch(/Nothing was done\. Go to the certificate and start/);
    expect(page.text).not.toContain('forged');
    expect(await allCallsAtCa(system)).toBe(calls);
    expect((await seenRenewal(driver, id)).state).toBe('at_ca');
    await expectUntouched(way);
  });

  it('does nothing with a return in another browser, and goes on in the right one', async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const { id, redirectTo } = opened(await driver.openRenewal(certificate.id));
    const callback = await driver.visitCa(redirectTo, clientAccount);
    const calls = await allCallsAtCa(system);
    const elsewhere = await signedIn(system, account.operators.operator);
    const page = await elsewhere.comeBack(callback);
    expect(page.status).toBe(303);
    expect(page.location).not.toMatch(/code=|state=/);
    expect(await allCallsAtCa(system)).toBe(calls);
    const told = await seenRenewal(driver, id);
    expect(told.state).toBe('at_ca');
    expect(told.notice?.code).toBe('callback_from_another_browser');
    expect(told.notice?.message).toMatch(/Go on in the browser where you pressed Renew\.$/);
    await expectUntouched(way);

    await driver.comeBack(callback);
    expect(await seenRenewal(driver, id)).toMatchObject({ state: 'awaiting_code', notice: null });
  });

  it('keeps the result for an operator whose session ended meanwhile', async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const { id, redirectTo } = opened(await driver.openRenewal(certificate.id));
    const callback = await driver.visitCa(redirectTo, clientAccount);
    expectAnswer(await driver.call('DELETE', '/api/session'), 204);
    const back = await driver.comeBack(callback);
    expect(back.status).toBe(303);
    expectProblem(await driver.renewal(id), { status: 401, code: 'session_required' });
    await expectUntouched(way);

    const { email, password } = account.operators.operator;
    expectAnswer(await driver.signIn(email, password), 200);
    expect((await seenRenewal(driver, id)).state).toBe('awaiting_code');
    const otp = await codeOnPhone(system, certificate);
    expectAnswer(await driver.authorize(id, { pin: certificate.pin, otp }), 200);
    expect((await seenCertificate(driver, certificate)).access.grantId).toBe(id);
  });

  it('refuses the client account that does not hold this certificate', async () => {
    const way = await inForce();
    const { certificate } = way;
    const driver = await signedIn(system, account.operators.operator);
    const { id, redirectTo } = opened(await driver.openRenewal(certificate.id));
    const back = await driver.comeBack(await driver.visitCa(redirectTo, wrongClientAccount));
    expect(back.status).toBe(303);
    expectOutcome(await seenRenewal(driver, id), 'refused', 'wrong_ca_account');
    await workflowEnds(system, id, 'refused');
    await expectUntouched(way);
  });

  it('can be abandoned half-way', async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const renewalId = await openDialog(driver, certificate);
    const otp = await codeOnPhone(system, certificate);
    expectAnswer(await driver.call('DELETE', `/api/renewals/${renewalId}`), 204);
    expectOutcome(await seenRenewal(driver, renewalId), 'abandoned', 'abandoned');
    const asked = await authorizationsOf(certificate);
    expectProblem(await driver.authorize(renewalId, { pin: certificate.pin, otp }), {
      status: 409,
      code: 'renewal_ended',
    });
    expect(await authorizationsOf(certificate)).toBe(asked);
    await workflowEnds(system, renewalId, 'abandoned');
    await expectUntouched(way);
    await expectRenewable(way);
  });
});

describe('Two at once', () => {
  it("replaces one's own open attempt", async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const first = opened(await driver.openRenewal(certificate.id));
    const callback = await driver.visitCa(first.redirectTo, clientAccount);
    const secondId = await openDialog(driver, certificate);
    expectOutcome(await seenRenewal(driver, first.id), 'abandoned', 'replaced');
    await workflowEnds(system, first.id, 'abandoned');

    // The page of the attempt before, which was still open in another tab.
    const calls = await allCallsAtCa(system);
    expect((await driver.comeBack(callback)).status).toBe(303);
    expect(await allCallsAtCa(system)).toBe(calls);
    expect((await seenRenewal(driver, secondId)).state).toBe('awaiting_code');
    await expectUntouched(way);
    const otp = await codeOnPhone(system, certificate);
    expectAnswer(await driver.authorize(secondId, { pin: certificate.pin, otp }), 200);
  });

  it('says who renews already and since when, and lets a colleague take over', async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const startedAfter = Date.now();
    const renewalId = await openDialog(driver, certificate);
    const otp = await codeOnPhone(system, certificate);

    const colleague = await signedIn(system, account.operators.admin);
    const refused = await colleague.openRenewal(certificate.id);
    const { name } = account.operators.operator;
    expectProblem(
      refused,
      { status: 409, code: 'renewal_already_open' },
      { renewalId, operatorName: name, canTakeOver: true },
    );
    const since = Date.parse((refused.body as { since: string }).since);
    expect(since).toBeGreaterThan(startedAfter - 1_000);
    expect(since).toBeLessThan(Date.now() + 1_000);
    // Nor can a colleague type into a dialog that is not theirs.
    expectProblem(await colleague.authorize(renewalId, { pin: certificate.pin, otp }), {
      status: 403,
      code: 'renewal_not_yours',
    });

    const taken = opened(await colleague.openRenewal(certificate.id, { takeOver: true }));
    expectOutcome(await seenRenewal(driver, renewalId), 'abandoned', 'taken_over');
    const asked = await authorizationsOf(certificate);
    expectProblem(await driver.authorize(renewalId, { pin: certificate.pin, otp }), {
      status: 409,
      code: 'renewal_ended',
    });
    expect(await authorizationsOf(certificate)).toBe(asked);
    await expectUntouched(way);

    await colleague.comeBack(await colleague.visitCa(taken.redirectTo, clientAccount));
    expect((await seenRenewal(colleague, taken.id)).state).toBe('awaiting_code');
  });

  it('lets nobody abandon or take over while the CA is being asked, nor ask it twice', async () => {
    const { certificate, driver } = await inForce();
    const colleague = await signedIn(system, account.operators.admin);
    const renewalId = await openDialog(driver, certificate);
    const otp = await codeOnPhone(system, certificate);
    await faulty(certificate, { delayMs: 3_000 });
    const asked = await authorizationsOf(certificate);
    const answer = driver.authorize(renewalId, { pin: certificate.pin, otp });
    await eventually('The CA is not asked', async () => {
      return (await authorizationsOf(certificate)) > asked;
    });
    const authorizing = { status: 409, code: 'renewal_authorizing' };
    const refusals = await Promise.all([
      driver.authorize(renewalId, { pin: certificate.pin, otp }),
      driver.call('DELETE', `/api/renewals/${renewalId}`),
      driver.openRenewal(certificate.id),
      colleague.openRenewal(certificate.id, { takeOver: true }),
    ]);
    for (const refusal of refusals) expectProblem(refusal, authorizing);
    expectAnswer(await answer, 200);
    expect(await authorizationsOf(certificate)).toBe(asked + 1);
    expect((await seenCertificate(driver, certificate)).access.grantId).toBe(renewalId);
  });

  it('is not for viewers', async () => {
    const way = await inForce();
    const refused = await onlooker.openRenewal(way.certificate.id);
    expectProblem(refused, { status: 403, code: 'role_required' });
    await expectUntouched(way);
  });
});

describe('A CA in trouble', () => {
  it('is said before anything is begun when it cannot be reached', async () => {
    const caBaseUri = `http://127.0.0.1:${await freePort()}/csc/v1`;
    const elsewhere = await enterAccount(system, { caBaseUri });
    const certificate = await enterCertificate(system, elsewhere);
    const driver = await signedIn(system, elsewhere.operators.operator);
    const before = await seenCertificate(driver, certificate);
    expectProblem(await driver.openRenewal(certificate.id), {
      status: 503,
      code: 'ca_unreachable',
    });
    const after = await seenCertificate(driver, certificate);
    expect(after.access).toEqual(before.access);
    expect(after.openRenewal).toBeNull();
  });

  it('ends the renewal when it cannot be reached on the way back', async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const { id, redirectTo } = opened(await driver.openRenewal(certificate.id));
    const callback = await driver.visitCa(redirectTo, clientAccount);
    await setSwitches(system.urls.simulator, { faults: [{ method: 'oauth2/token', close: true }] });
    try {
      expect((await driver.comeBack(callback)).status).toBe(303);
    } finally {
      await setSwitches(system.urls.simulator, { reset: true });
    }
    expectOutcome(await seenRenewal(driver, id), 'refused', 'ca_unreachable');
    await workflowEnds(system, id, 'refused');
    await expectUntouched(way);
    await expectRenewable(way);
  });

  it('gives the try back when it was too busy to look at it', async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const renewalId = await openDialog(driver, certificate);
    const otp = await codeOnPhone(system, certificate);
    await faulty(certificate, { status: 503, times: 1 });
    expectProblem(await driver.authorize(renewalId, { pin: certificate.pin, otp }), {
      status: 503,
      code: 'ca_unreachable',
    });
    expect(await seenRenewal(driver, renewalId)).toMatchObject({
      state: 'awaiting_code',
      triesLeft: 3,
    });
    await expectUntouched(way);
    expectAnswer(await driver.authorize(renewalId, { pin: certificate.pin, otp }), 200);
  });

  it('leaves the outcome unknown when its answer is lost after it accepted, and is asked once', async () => {
    const way = await inForce();
    const { certificate, driver } = way;
    const renewalId = await openDialog(driver, certificate);
    const otp = await codeOnPhone(system, certificate);
    const asked = await authorizationsOf(certificate);
    await faulty(certificate, { dropAnswer: true });
    expectProblem(await driver.authorize(renewalId, { pin: certificate.pin, otp }), {
      status: 502,
      code: 'outcome_unknown',
    });
    expectOutcome(await seenRenewal(driver, renewalId), 'outcome_unknown', 'answer_lost');
    expect(await authorizationsOf(certificate)).toBe(asked + 1);
    const { sads } = await credentialState(system.urls.simulator, certificate.credentialId);
    expect(sads.map(({ state }) => state)).toEqual(['in_force', 'in_force']);
    await workflowEnds(system, renewalId, 'outcome_unknown');
    await expectUntouched(way);
    await restoreCa(certificate);
    await expectRenewable(way);
  });
});

describe('Time', () => {
  let hurried: Beside;

  afterAll(() => hurried.stop());

  const driverThere = (): Promise<OperatorDriver> =>
    signedIn(system, account.operators.operator, hurried.url);

  it('closes the code window: 410, and the CA is not asked; a new code opens another', async () => {
    hurried = await system.startBackoffice('backoffice-with-short-windows', {
      POLICY_CODE_WINDOW_SECONDS: '3',
      POLICY_RESEND_COOLDOWN_SECONDS: '0',
      CA_CALL_TIMEOUT_SECONDS: '2',
      CA_AUTHORIZATION_TIMEOUT_SECONDS: '4',
      POLICY_AUTHORIZATION_GRACE_SECONDS: '1',
    });
    const way = await inForce();
    const { certificate, driver } = way;
    const there = await driverThere();
    const renewalId = await openDialog(there, certificate);
    const otp = await codeOnPhone(system, certificate);
    const asked = await authorizationsOf(certificate);
    await eventually('The window does not close', async () => {
      return (await seenRenewal(there, renewalId)).codeWindowEndsAt === null;
    });
    expectProblem(
      await there.authorize(renewalId, { pin: certificate.pin, otp }),
      { status: 410, code: 'code_window_closed' },
      { triesLeft: 3 },
    );
    expect(await authorizationsOf(certificate)).toBe(asked);
    await expectUntouched(way);

    // With two minutes, from the backoffice that has the figures of every day.
    expectAnswer(await driver.call('POST', `/api/renewals/${renewalId}/code`), 200);
    const fresh = await codeOnPhone(system, certificate);
    expectAnswer(await driver.authorize(renewalId, { pin: certificate.pin, otp: fresh }), 200);
  });

  it('counts three tries over all codes that were sent', async () => {
    const way = await inForce();
    const { certificate } = way;
    // Where a code is sent as often as one asks.
    const driver = await driverThere();
    const renewalId = await openDialog(driver, certificate);
    for (const triesLeft of [2, 1, 0]) {
      const otp = wrongCode(await codeOnPhone(system, certificate));
      expectProblem(
        await driver.authorize(renewalId, { pin: certificate.pin, otp }),
        { status: 422, code: 'factor_rejected' },
        { triesLeft, codeWindowEndsAt: null },
      );
      const again = await driver.call('POST', `/api/renewals/${renewalId}/code`);
      expect(again.status).toBe(triesLeft > 0 ? 200 : 409);
    }
    expectOutcome(await seenRenewal(driver, renewalId), 'refused', 'tries_used_up');
    await expectUntouched(way);
  });

  it('closes a renewal as unknown when the process dies while the CA is being asked', async () => {
    const way = await inForce({ pin: true });
    const { certificate, driver } = way;
    const there = await driverThere();
    const { id, redirectTo } = opened(await there.openRenewal(certificate.id));
    await there.comeBack(await there.visitCa(redirectTo, clientAccount));
    // Two minutes to type, whatever that backoffice thinks of windows.
    expectAnswer(await driver.call('POST', `/api/renewals/${id}/code`), 200);
    await faulty(certificate, { delayMs: 3_500 });
    const asked = await authorizationsOf(certificate);
    const answer = there.authorize(id, { pin: certificate.pin });
    answer.catch(() => undefined);
    await eventually('The CA is not asked', async () => {
      return (await authorizationsOf(certificate)) > asked;
    });
    // Otherwise the signal may have died with the process, and comes only when its lease in the outbox has ended.
    await eventually('The workflow is not told that the CA is being asked', async () => {
      return (await signalsTo(system, id)).filter((name) => name === 'requested').length > 1;
    });
    await hurried.kill();
    await expect(answer).rejects.toThrow('fetch failed');
    expect((await seenRenewal(driver, id)).state).toBe('authorizing');
    await expectUntouched(way);

    hurried = await system.startBackoffice('backoffice-with-short-attempts', {
      POLICY_ATTEMPT_SECONDS: '3',
    });
    const ended = await eventually('The renewal is not closed', async () => {
      const renewal = await seenRenewal(driver, id);
      return renewal.state !== 'authorizing' && renewal;
    });
    expectOutcome(ended, 'outcome_unknown', 'answer_lost');
    await workflowEnds(system, id, 'outcome_unknown');
    expect(await authorizationsOf(certificate)).toBe(asked + 1);
    await expectUntouched(way);
    await restoreCa(certificate);
    await expectRenewable(way);
  });

  it('closes an attempt that was not finished in time, and a late return calls nobody', async () => {
    const way = await inForce();
    const { certificate } = way;
    const there = await driverThere();
    const { id, redirectTo } = opened(await there.openRenewal(certificate.id));
    const callback = await there.visitCa(redirectTo, clientAccount);
    const ended = await eventually('The renewal is not closed', async () => {
      const renewal = await seenRenewal(there, id);
      return renewal.state !== 'at_ca' && renewal;
    });
    expectOutcome(ended, 'timed_out', 'deadline_passed');
    await workflowEnds(system, id, 'timed_out');
    const calls = await allCallsAtCa(system);
    expect((await there.comeBack(callback)).status).toBe(303);
    expect(await allCallsAtCa(system)).toBe(calls);
    expectOutcome(await seenRenewal(there, id), 'timed_out', 'deadline_passed');
    await expectUntouched(way);
    await expectRenewable(way);
  });
});
