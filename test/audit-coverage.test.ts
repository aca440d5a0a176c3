import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRevocations } from '../infra/postgres/ca-revocations.ts';
import { createConsequences } from '../infra/postgres/consequences.ts';
import { endByCa, handOutActivation, reportRefusal } from '../infra/postgres/gate-store.ts';
import type { GateCaller } from '../infra/postgres/gate-limits.ts';
import { inTransaction } from '../infra/postgres/pool.ts';
import { hashSecret } from '../infra/postgres/sealing.ts';
import { chargeGrants } from '../infra/postgres/usage-counters.ts';
import { insertSuspense, settleSuspense } from '../infra/postgres/usage-suspense.ts';
import { createBrowser } from '../services/stack/browser.ts';
import {
  createOperatorDriver,
  expectAnswer,
  type OperatorDriver,
} from '../services/stack/operator-driver.ts';
import {
  caAccount,
  goToCaAndBack,
  obtainGrant,
  open,
  operatorPassword,
  otherCaAccount,
  pin,
  startTestBackoffice,
  typedFactors,
  type TestBackoffice,
} from './support/backoffice.ts';

type Row = {
  readonly action: string;
  readonly actor: string;
  readonly subject: string;
  readonly account_id: string | null;
  readonly certificate_id: string | null;
  readonly details: Record<string, unknown>;
};

let backoffice: TestBackoffice;
let rows: readonly Row[];
/** What the life went through, for the expectations. */
let seen: Record<
  'certificateId' | 'grantId' | 'refusedId' | 'serviceId' | 'otherServiceId',
  string
>;

/** A signing service. */
let signer: GateCaller;
const unknownAddress = 'nobody-at-all@elsewhere.example';
const by = (name: Parameters<TestBackoffice['operatorId']>[0]) =>
  `operator:${backoffice.operatorId(name)}`;

/** Everything that the audit is to tell of, done once by those who do it in the product. */
beforeAll(async () => {
  backoffice = await startTestBackoffice();
  const [ana, rui, vera, alda] = await Promise.all([
    backoffice.signedIn('ana'),
    backoffice.signedIn('rui'),
    backoffice.signedIn('vera'),
    backoffice.signedIn('alda'),
  ]);
  await signInAndOut(ana);
  const certificate = await backoffice.newCertificate({ services: 2 });
  const { certificateId } = certificate;
  const account = backoffice.accountId;
  const key = await backoffice.administration.createApiKey({ account, name: 'Asking service' });
  signer = {
    apiKeyId: key.apiKeyId,
    accountId: account,
    keyHash: hashSecret(key.apiKey),
  };
  const [serviceId = '', otherServiceId = ''] = certificate.serviceIds;
  const refusedId = await refuseAndRenew(certificate, { ana, rui, vera });
  const grantId = await renewAtLast(certificate, ana);
  await useServices({ certificateId, serviceId, otherServiceId }, ana);
  await useUp(certificateId, grantId);
  await configure(alda, ana);
  expectAnswer(
    await alda.call('POST', `/api/certificates/${certificateId}/revocation`, { reason: 'a drill' }),
    200,
  );
  await endAtCa(grantId, certificateId);
  seen = { certificateId, grantId, refusedId, serviceId, otherServiceId };
  ({ rows } = await backoffice.database.query<Row>(
    'select e.action, e.actor, e.subject, e.account_id, e.certificate_id, e.details from audit_events as e order by e.event_id',
  ));
});
afterAll(() => backoffice.close());

async function signInAndOut(ana: OperatorDriver): Promise<void> {
  const visitor = createOperatorDriver(backoffice.url);
  expect((await visitor.signIn(unknownAddress, 'a password')).status).toBe(401);
  expect((await visitor.signIn('ana@loja.example', 'not the password')).status).toBe(401);
  const browser = createBrowser();
  const twice = createOperatorDriver(backoffice.url, browser);
  expectAnswer(await twice.signIn('ana@loja.example', operatorPassword), 200);
  expectAnswer(await twice.signIn('ana@loja.example', operatorPassword), 200);
  const other = await backoffice.signedIn('ana');
  const { items } = expectAnswer(await other.call('GET', '/api/sessions'), 200) as {
    items: { id: string; isCurrent: boolean }[];
  };
  const current = items.find(({ isCurrent }) => isCurrent)?.id ?? '';
  expectAnswer(await ana.call('DELETE', `/api/sessions/${current}`), 204);
  expectAnswer(await twice.call('DELETE', '/api/session'), 204);
}

type Certificate = Awaited<ReturnType<TestBackoffice['newCertificate']>>;

/** Every way in which a renewal comes to nothing; answers the one that somebody else tried to use. */
async function refuseAndRenew(
  certificate: Certificate,
  { ana, rui, vera }: Record<'ana' | 'rui' | 'vera', OperatorDriver>,
): Promise<string> {
  expect((await vera.openRenewal(certificate.certificateId)).status).toBe(403);
  const { id, redirectTo } = await open(ana, certificate);
  const callback = await ana.visitCa(redirectTo, caAccount);
  await rui.comeBack(callback);
  expect((await rui.call('POST', `/api/renewals/${id}/code`)).status).toBe(403);
  expectAnswer(await ana.call('DELETE', `/api/renewals/${id}`), 204);
  // In a browser of its own: the CA remembers who has signed in.
  await goToCaAndBack(await backoffice.signedIn('ana'), certificate, otherCaAccount);
  await goToCaAndBack(ana, certificate, { decision: 'deny' });
  const faults = [{ method: 'credentials/sendOTP', status: 500, times: 1 }];
  await backoffice.switchCa(certificate.credentialId, { faults });
  const timedOut = await goToCaAndBack(ana, certificate);
  backoffice.clock.advance(900);
  await createConsequences(backoffice.storeAs('worker')).closeRenewal(timedOut);
  return id;
}

/** A wrong PIN, a window that ran out, a CA that does not deal with it, and then the grant. */
async function renewAtLast(certificate: Certificate, ana: OperatorDriver): Promise<string> {
  const id = await goToCaAndBack(ana, certificate);
  const typed = await typedFactors(backoffice, certificate);
  expect((await ana.authorize(id, { ...typed, pin: '9999' })).status).toBe(422);
  backoffice.clock.advance(30);
  expectAnswer(await ana.call('POST', `/api/renewals/${id}/code`), 200);
  backoffice.clock.advance(120);
  await createConsequences(backoffice.storeAs('worker')).closeCodeWindow(id);
  expectAnswer(await ana.call('POST', `/api/renewals/${id}/code`), 200);
  const faults = [{ method: 'credentials/authorize', status: 503, times: 1 }];
  await backoffice.switchCa(certificate.credentialId, { faults });
  expect((await ana.authorize(id, await typedFactors(backoffice, certificate))).status).toBe(503);
  expectAnswer(await ana.authorize(id, await typedFactors(backoffice, certificate)), 200);
  return id;
}

async function useServices(
  of: Record<'certificateId' | 'serviceId' | 'otherServiceId', string>,
  ana: OperatorDriver,
): Promise<void> {
  const { certificateId, serviceId, otherServiceId } = of;
  const ask = (clientService: string) =>
    handOutActivation(
      backoffice.storeAs('gate'),
      { certificateId, clientService, caller: signer },
      () => true,
    );
  expectAnswer(await ana.call('POST', `/api/client-services/${otherServiceId}/deactivation`), 200);
  expect((await ask(serviceId)).kind).toBe('allowed');
  expect((await ask(otherServiceId)).kind).toBe('refused');
  expectAnswer(await ana.call('POST', `/api/client-services/${otherServiceId}/activation`), 200);
}

async function useUp(certificateId: string, grantId: string): Promise<void> {
  const { clock } = backoffice;
  const store = backoffice.storeAs('usage');
  const now = clock.now();
  const lastSecond = Math.floor(now.getTime() / 1000);
  await inTransaction(store.database, async (tx) => {
    await chargeGrants(tx, [{ grantId, signatures: 950_000_000, lastSecond }], {
      policy: store.policy,
      now,
    });
    await insertSuspense(tx, [{ certificateId, grantId, second: lastSecond, signatures: 3 }]);
  });
  await settleSuspense(store);
  const report = { certificateId, grantId, caError: 'invalid_request' };
  await reportRefusal(backoffice.storeAs('gate'), { ...report, caller: signer });
}

async function configure(alda: OperatorDriver, ana: OperatorDriver): Promise<void> {
  const account = `/api/accounts/${backoffice.accountId}`;
  expect((await ana.call('PATCH', account, { reminderHour: 7 })).status).toBe(403);
  expectAnswer(await alda.call('PATCH', account, { reminderHour: 7 }), 200);
  expectAnswer(await ana.call('PATCH', '/api/me', { locale: 'en' }), 200);
  const person = { email: 'new@loja.example', name: 'New', role: 'viewer' };
  const { operator } = expectAnswer(
    await alda.call('POST', `${account}/operators`, person),
    201,
  ) as { operator: { id: string } };
  const place = `${account}/operators/${operator.id}`;
  expectAnswer(await alda.call('PATCH', place, { role: 'operator' }), 200);
  expectAnswer(await alda.call('DELETE', place), 204);
  const { apiKey } = expectAnswer(
    await alda.call('POST', `${account}/api-keys`, { name: 'signer' }),
    201,
  ) as { apiKey: { id: string } };
  expectAnswer(await alda.call('DELETE', `${account}/api-keys/${apiKey.id}`), 204);
}

/** What the worker and the gate do when a grant is over at the CA. */
async function endAtCa(grantId: string, certificateId: string): Promise<void> {
  const { clock, sealer } = backoffice;
  const { database } = backoffice.storeAs('worker');
  await createRevocations({ database, clock, sealer }).recordRevoked({ grantId, certificateId });
  const certificate = await backoffice.newCertificate({ factors: [], services: 1 });
  const ended = await obtainGrant(backoffice, await backoffice.signedIn('ana'), certificate);
  await endByCa(backoffice.storeAs('gate'), ended, certificate.certificateId);
}

/** Those events of the action that look so. */
const like = (action: string, wanted: Partial<Row>): readonly Row[] =>
  rows.filter((row) => {
    try {
      expect(row).toMatchObject({ action, ...wanted });
      return true;
    } catch {
      return false;
    }
  });

describe('the audit tells, with who did it, to what and in which account, of', () => {
  const ours = () => ({ account_id: backoffice.accountId });
  const ofCertificate = () => ({ ...ours(), certificate_id: seen.certificateId });
  const renewal = (actor: string) => ({ ...ofCertificate(), actor });
  const service = (id: string, actor: string) => ({
    ...renewal(actor),
    subject: `client_service:${id}`,
  });

  it.each<[what: string, action: string, wanted: () => Partial<Row>]>([
    ['sign-ins', 'signed_in', () => ({ actor: by('ana') })],
    [
      'sign-ins refused',
      'sign_in_refused',
      () => ({ actor: 'process:backoffice', subject: by('ana') }),
    ],
    ['sign-outs', 'signed_out', () => ({ actor: by('ana') })],
    ['sessions ended', 'session_ended', () => ({ actor: by('ana'), details: {} })],
    [
      'sessions replaced by another sign-in',
      'session_ended',
      () => ({ actor: by('ana'), details: { replacedBy: expect.any(String) } }),
    ],
    ['renewals', 'renewal_opened', () => renewal(by('ana'))],
    ['the way back from the CA', 'returned_from_ca', () => renewal(by('ana'))],
    [
      'a way back in another browser',
      'callback_from_another_browser',
      () => ({ ...renewal('process:backoffice'), subject: `renewal:${seen.refusedId}` }),
    ],
    ['codes asked for', 'code_requested', () => renewal(by('ana'))],
    ['codes not sent', 'code_not_sent', () => renewal(by('ana'))],
    ['code windows', 'code_window_opened', () => renewal(by('ana'))],
    ['code windows that ran out', 'code_window_closed', () => renewal('process:worker')],
    [
      "the factors' names that the CA was asked with",
      'authorization_asked',
      () => ({ ...renewal(by('ana')), details: { factors: ['pin', 'otp'] } }),
    ],
    [
      'refused factors, with the class',
      'factor_rejected',
      () => ({
        ...renewal(by('ana')),
        details: { caErrorKind: 'factor_rejected', factor: 'pin', triesLeft: 2 },
      }),
    ],
    [
      'a CA that did not deal with it',
      'authorization_not_processed',
      () => ({ ...renewal(by('ana')), details: { caErrorKind: 'transient_not_processed' } }),
    ],
    [
      'renewals given up',
      'renewal_ended',
      () => ({ ...renewal(by('ana')), details: { outcome: 'abandoned' } }),
    ],
    [
      'renewals that the CA refused',
      'renewal_ended',
      () => ({
        ...renewal(by('ana')),
        details: { outcome: 'consent_denied', caError: 'access_denied' },
      }),
    ],
    [
      'renewals with another client account',
      'renewal_ended',
      () => ({ ...renewal(by('ana')), details: { outcome: 'wrong_ca_account' } }),
    ],
    [
      'renewals that ran out of time',
      'renewal_ended',
      () => ({ ...renewal('process:worker'), details: { outcome: 'deadline_passed' } }),
    ],
    [
      'grants, with their figures and factors',
      'access_granted',
      () => ({
        ...renewal(by('ana')),
        subject: `renewal:${seen.grantId}`,
        details: {
          factors: ['pin', 'otp'],
          allowance: 1_000_000_000,
          bindingLimit: 'policy_time',
          effectiveAt: expect.any(String),
          expiresAt: expect.any(String),
        },
      }),
    ],
    [
      'activations handed out',
      'activation_handed_out',
      () => ({
        ...service(seen.serviceId, `api_key:${signer.apiKeyId}`),
        details: { grantId: seen.grantId },
      }),
    ],
    [
      'activations refused',
      'activation_refused',
      () => ({
        ...service(seen.otherServiceId, `api_key:${signer.apiKeyId}`),
        details: { reason: 'client_service_inactive' },
      }),
    ],
    [
      'refusals that signers report',
      'ca_refusal_reported',
      () => ({ ...renewal(`api_key:${signer.apiKeyId}`), details: { caError: 'invalid_request' } }),
    ],
    [
      'deactivations by hand',
      'client_service_deactivated',
      () => service(seen.otherServiceId, by('ana')),
    ],
    [
      'activations by hand',
      'client_service_activated',
      () => ({ ...service(seen.otherServiceId, by('ana')), details: { before: 'inactive' } }),
    ],
    [
      'the emergency stop',
      'access_revoked',
      () => ({ ...renewal(by('alda')), details: { reason: 'a drill' } }),
    ],
    [
      'suspensions',
      'client_services_suspended',
      () => ({
        ...renewal('process:backoffice'),
        subject: `access_grant:${seen.grantId}`,
        details: { reason: 'revoked', clientServices: ['service 1', 'service 2'] },
      }),
    ],
    ['revocations at the CA', 'revoked_at_ca', () => renewal('process:worker')],
    ['grants that the CA ended', 'grant_ended_by_ca', () => ({ ...ours(), actor: 'process:gate' })],
    [
      'usage',
      'usage_threshold_reached',
      () => ({ ...renewal('process:usage'), details: { percent: 90, used: 950_000_000 } }),
    ],
    [
      'signatures counted late',
      'usage_suspense_settled',
      () => ({ ...renewal('process:usage'), details: { signatures: 3 } }),
    ],
    [
      'settings, as they were and as they are',
      'account_changed',
      () => ({
        ...ours(),
        actor: by('alda'),
        details: { from: { reminderHour: 9 }, to: { reminderHour: 7 } },
      }),
    ],
    [
      'languages',
      'operator_locale_changed',
      () => ({ actor: by('ana'), details: { from: 'pt-PT', to: 'en' } }),
    ],
    [
      'operators',
      'operator_added',
      () => ({ ...ours(), actor: by('alda'), details: { role: 'viewer' } }),
    ],
    ['invitations', 'operator_invited', () => ({ ...ours(), actor: by('alda') })],
    [
      'roles',
      'operator_role_changed',
      () => ({ ...ours(), actor: by('alda'), details: { from: 'viewer', to: 'operator' } }),
    ],
    ['operators taken out', 'operator_removed', () => ({ ...ours(), actor: by('alda') })],
    [
      'keys',
      'api_key_created',
      () => ({ ...ours(), actor: by('alda'), details: { name: 'signer' } }),
    ],
    ['keys revoked', 'api_key_revoked', () => ({ ...ours(), actor: by('alda') })],
    ['accounts', 'account_created', () => ({ ...ours(), actor: 'admin' })],
    [
      'certificate authorities',
      'authority_created',
      () => ({
        actor: 'admin',
        details: { name: 'The simulated CA', clientId: 'certificate-access' },
      }),
    ],
    ['certificates', 'certificate_created', () => ({ ...ofCertificate(), actor: 'admin' })],
    ['client services', 'client_service_created', () => ({ ...ofCertificate(), actor: 'admin' })],
    [
      'what a role does not allow, on a certificate',
      'permission_refused',
      () => ({
        ...renewal(by('vera')),
        subject: `certificate:${seen.certificateId}`,
        details: { permission: 'renew', reason: 'viewer' },
      }),
    ],
    [
      "what a role does not allow, in an account's settings",
      'permission_refused',
      () => ({
        ...ours(),
        actor: by('ana'),
        subject: `account:${backoffice.accountId}`,
        details: { permission: 'settings', reason: 'operator' },
      }),
    ],
    [
      "somebody who uses a colleague's renewal",
      'permission_refused',
      () => ({
        ...renewal(by('rui')),
        subject: `renewal:${seen.refusedId}`,
        details: { permission: 'renew', reason: 'renewal_not_yours' },
      }),
    ],
  ])('%s', (_, action, wanted) => {
    const found = like(action, wanted());
    if (found.length === 0) expect(rows.filter((row) => row.action === action)).toEqual([wanted()]);
    for (const { subject, actor } of found) {
      expect(subject).toMatch(/^[a-z_]+:\S+$/);
      expect(actor).toMatch(/^(operator|process|api_key):\S+$|^admin$/);
    }
  });

  it('nothing that is secret, and no address', () => {
    const text = JSON.stringify(rows);
    expect(rows.length).toBeGreaterThan(50);
    expect(text).not.toContain('@');
    for (const secret of [operatorPassword, 'not the password', `"${pin}"`, '"9999"']) {
      expect(text).not.toContain(secret);
    }
    // The beginning of each key of the gate.
    expect(text).not.toMatch(/\bca_[\w-]{30,}/);
  });
});
