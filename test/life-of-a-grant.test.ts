/** @jest-environment <rootDir>/test/support/failure-environment.ts */
import { createHash, randomUUID, verify, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { credentialState, newCredential } from '../infra/ca/csc-simulator/testing.ts';
import { createProducer, type Producer } from '../infra/kafka/producer.ts';
import { grantWorkflowId } from '../domain/messages.ts';
import type { Answer } from '../services/stack/browser.ts';
import { expectAnswer, type OperatorDriver } from '../services/stack/operator-driver.ts';
import {
  clientAccount,
  enterAccount,
  enterCertificate,
  newPin,
  type EnteredAccount,
  type EnteredCertificate,
} from './support/entries.ts';
import {
  askActivation,
  askGate,
  callsAtCa,
  codeOnPhone,
  eventually,
  expectProblem,
  gateSays,
  mailsAbout,
  opened,
  renewAccess,
  seenCertificate,
  seenRenewal,
  signedIn,
  statusesOf,
  until,
  workflowEnds,
  workflowOf,
  type Access,
  type CertificateSeen,
  type GrantSeen,
} from './support/from-outside.ts';
import { startSystem, type System } from './support/system.ts';
import { readTopic, type TopicReader } from './support/topic-records.ts';

const grantSeconds = 5_184_000;
const allowance = 1_000_000_000;

let system: System;
let producer: Producer;
let accessChanges: TopicReader;
const closings: (() => Promise<void>)[] = [];
/** Every secret that goes through the product in this file: none of it may be found where ops can read. */
const secrets = new Map<string, string>();

beforeAll(async () => {
  // What is over is revoked at the CA soon, so that it can be seen; everything else is as it is delivered.
  const env = { POLICY_REVOCATION_DELAY_SECONDS: '2' };
  system = await startSystem({ name: 'life-of-a-grant', env, fromNothing: true });
  closings.unshift(() => system.stop());
  const { brokers, topics } = system.kafka;
  producer = createProducer({ brokers, clientId: 'test', log: pino({ level: 'silent' }) });
  closings.unshift(() => producer.stop());
  accessChanges = await readTopic(brokers, topics.accessChanges);
  closings.unshift(() => accessChanges.stop());
}, 90_000);

afterAll(async () => {
  for (const close of closings) await close();
}, 60_000);

async function enter(
  certificates: readonly Parameters<typeof enterCertificate>[2][],
): Promise<{ account: EnteredAccount; driver: OperatorDriver; entered: EnteredCertificate[] }> {
  const account = await enterAccount(system);
  const entered: EnteredCertificate[] = [];
  for (const wanted of certificates) entered.push(await enterCertificate(system, account, wanted));
  const driver = await signedIn(system, account.operators.operator);
  secrets.set('API key', account.apiKey);
  for (const { role, password } of Object.entries(account.operators).map(([role, operator]) => ({
    role,
    password: operator.password,
  }))) {
    secrets.set(`password of ${role}`, password);
  }
  for (const { alias, pin } of entered) secrets.set(`PIN of ${alias}`, pin);
  return { account, driver, entered };
}

const operatorsOf = ({ operators }: EnteredAccount): string[] =>
  Object.values(operators)
    .map(({ email }) => email)
    .sort();

const typesOf = (certificate: EnteredCertificate): unknown[] =>
  accessChanges.of(certificate.id).map(({ type }) => type);

describe('An empty installation', () => {
  it('comes to its first grant with the commands of npm run admin alone', async () => {
    const pin = newPin();
    const password = `password ${randomUUID()}`;
    secrets.set('PIN of the first certificate', pin);
    secrets.set('password of the first operator', password);
    secrets.set('client secret of the CA', system.caClientSecret);
    const { credentialID, ...described } = await newCredential(system.urls.simulator, {
      pin: { value: pin },
      otp: { type: 'online' },
    });

    await system.runAdmin(['account', 'create', '--name', 'First, Lda.', '--locale', 'en']);
    const person = ['--email', 'first@example.test', '--name', 'First Operator'];
    const ca = ['--name', 'First CA', '--base-uri', `${system.urls.simulator}/csc/v1`];
    await Promise.all([
      system.runAdmin(
        ['operator', 'create', '--account', 'First, Lda.', ...person, '--password-stdin'],
        password,
      ),
      system.runAdmin(
        ['ca', 'create', ...ca, '--client-id', 'certificate-access', '--client-secret-stdin'],
        system.caClientSecret,
      ),
    ]);
    const { certificateId } = (await system.runAdmin([
      ...['certificate', 'create', '--account', 'First, Lda.', '--authority', 'First CA'],
      ...['--alias', 'First seal', '--subject', described.subject, '--issuer', described.issuer],
      ...['--serial', described.serial, '--not-after', described.notAfter],
      ...['--credential-id', credentialID, '--ca-account', clientAccount.account],
    ])) as { certificateId: string };
    const [key] = await Promise.all([
      system.runAdmin(['api-key', 'create', '--account', 'First, Lda.', '--name', 'signer']),
      system.runAdmin([
        ...['client-service', 'create', '--certificate-id', certificateId],
        ...['--alias', 'Invoices'],
      ]),
    ]);
    const { apiKey } = key as { apiKey: string };
    secrets.set('first API key', apiKey);

    const certificate = { id: certificateId, alias: 'First seal', credentialId: credentialID, pin };
    const driver = await signedIn(system, {
      email: 'first@example.test',
      name: 'First Operator',
      password,
    });
    const asked = { certificate, apiKey, clientService: 'Invoices' };
    await gateSays(system, asked, 'never_granted');
    const access = await renewAccess(system, driver, { ...certificate, services: [] });
    expect(access).toMatchObject({ standing: 'in_force', used: 0, allowance });
    await gateSays(system, asked, null, access.grantId);
    // Each command is an npm and a Node that start.
  }, 120_000);
});

describe('A first grant, renewed while in force', () => {
  let account: EnteredAccount;
  let certificate: EnteredCertificate;
  let driver: OperatorDriver;
  let first: GrantSeen;

  beforeAll(async () => {
    const made = await enter([
      { services: ['Invoices'], inactiveServices: ['Archive'], ownKey: true },
    ]);
    [account, driver, certificate] = [made.account, made.driver, made.entered[0]!];
  });

  it('is not there at first: the certificate may not sign, and the gate says why', async () => {
    const { access } = await seenCertificate(driver, certificate);
    expect(access).toMatchObject({ standing: 'none', grantId: null, expiresAt: null });
    const asked = { certificate, apiKey: account.apiKey };
    const answer = await gateSays(system, asked, 'never_granted');
    expect(answer).toMatchObject({ maySign: false, grantId: null, remaining: null });
    const activation = await askActivation(system, { ...asked, clientService: 'Invoices' });
    expectProblem(activation, { status: 403, code: 'may_not_sign' }, { reason: 'never_granted' });
  });

  it('is obtained by way of the CA, with PIN and the code from the phone, for 60 days to the second', async () => {
    const renewal = opened(await driver.openRenewal(certificate.id));
    const atCa = new URL(renewal.redirectTo);
    expect(atCa.origin).toBe(system.urls.simulator);
    secrets.set('state', atCa.searchParams.get('state') ?? '');
    expect((await seenRenewal(driver, renewal.id)).state).toBe('at_ca');

    const callback = await driver.visitCa(renewal.redirectTo, clientAccount);
    secrets.set('code of the CA', new URL(callback).searchParams.get('code') ?? '');
    secrets.set('password of the client account', clientAccount.password);
    const back = await driver.comeBack(callback);
    expect(back.status).toBe(303);
    expect(back.location).toBe(
      `${system.urls.backoffice}/certificates/${certificate.id}?renewal=${renewal.id}`,
    );

    const dialog = await seenRenewal(driver, renewal.id);
    expect(dialog.state).toBe('awaiting_code');
    expect(dialog.factors).toMatchObject([
      { name: 'pin', required: true, online: false },
      { name: 'otp', required: true, online: true },
    ]);
    const windowMs = Date.parse(dialog.codeWindowEndsAt ?? '') - Date.parse(dialog.serverNow);
    expect(windowMs).toBeGreaterThan(100_000);
    expect(windowMs).toBeLessThanOrEqual(120_000);

    const otp = await codeOnPhone(system, certificate);
    secrets.set('OTP', otp);
    const before = Date.now();
    const answer = await driver.authorize(renewal.id, { pin: certificate.pin, otp });
    const after = Date.now();
    first = (expectAnswer(answer, 200) as { grant: GrantSeen }).grant;
    const effectiveAt = Date.parse(first.effectiveAt);
    expect(Date.parse(first.expiresAt) - effectiveAt).toBe(grantSeconds * 1000);
    expect(effectiveAt).toBeGreaterThanOrEqual(Math.floor(before / 1000) * 1000);
    expect(effectiveAt).toBeLessThanOrEqual(after);
    expect(effectiveAt % 1000).toBe(0);

    const { access } = await seenCertificate(driver, certificate);
    expect(access).toMatchObject({
      standing: 'in_force',
      grantId: first.id,
      effectiveAt: first.effectiveAt,
      expiresAt: first.expiresAt,
      allowance,
      used: 0,
      bindingLimit: 'policy_time',
    });
    expect(await callsAtCa(system, certificate, 'credentials/authorize')).toBe(1);
  });

  it('lets the gate say yes and hand out an activation, with which the CA signs', async () => {
    const asked = { certificate, apiKey: account.apiKey, clientService: 'Invoices' };
    const yes = await gateSays(system, asked, null, first.id);
    expect(yes).toMatchObject({ expiresAt: first.expiresAt, remaining: allowance });
    await gateSays(system, { ...asked, clientService: 'Archive' }, 'client_service_inactive');

    const activation = expectAnswer(await askActivation(system, asked), 200) as {
      cscBaseUri: string;
      credentialId: string;
      accessToken: string;
      sad: string;
      grantId: string;
    };
    secrets.set('SAD', activation.sad);
    secrets.set('access token', activation.accessToken);
    expect(activation).toMatchObject({
      grantId: first.id,
      credentialId: certificate.credentialId,
      expiresAt: first.expiresAt,
      remaining: allowance,
    });

    const callCa = async (method: string, body: object): Promise<unknown> => {
      const response = await fetch(`${activation.cscBaseUri}/${method}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${activation.accessToken}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ credentialID: activation.credentialId, ...body }),
      });
      expect(response.status).toBe(200);
      return response.json();
    };
    const document = Buffer.from(`Invoice ${randomUUID()}`);
    const { signatures } = (await callCa('signatures/signHash', {
      SAD: activation.sad,
      hash: [createHash('sha256').update(document).digest('base64')],
      hashAlgo: '2.16.840.1.101.3.4.2.1',
      signAlgo: '1.2.840.113549.1.1.11',
    })) as { signatures: [string] };
    const { cert } = (await callCa('credentials/info', { certificates: 'chain' })) as {
      cert: { certificates: [string, string] };
    };
    const [own, issuer] = cert.certificates.map(
      (each) => new X509Certificate(Buffer.from(each, 'base64')),
    );
    const signature = Buffer.from(signatures[0], 'base64');
    expect(verify('sha256', document, own!.publicKey, signature)).toBe(true);
    expect(verify('sha256', Buffer.from('another'), own!.publicKey, signature)).toBe(false);
    expect(own!.publicKey.asymmetricKeyType).toBe('rsa');
    expect(own!.verify(issuer!.publicKey)).toBe(true);
  });

  it('ends as superseded when it is renewed, with its workflow, and the services are untouched', async () => {
    const before = await seenCertificate(driver, certificate);
    await eventually('The workflow does not run', async () => {
      return (await workflowOf(system, first.id)).status === 'RUNNING';
    });

    const access = await renewAccess(system, driver, certificate);
    expect(access.grantId).not.toBe(first.id);
    expect(access).toMatchObject({ standing: 'in_force', used: 0, allowance });
    await workflowEnds(system, first.id, 'superseded');
    expect((await workflowOf(system, access.grantId!)).status).toBe('RUNNING');

    const asked = { certificate, apiKey: account.apiKey, clientService: 'Invoices' };
    await gateSays(system, asked, null, access.grantId);
    const after = await seenCertificate(driver, certificate);
    expect(after.clientServices).toEqual(before.clientServices);
    expect(statusesOf(after)).toEqual({ Archive: 'inactive', Invoices: 'active' });
    expect(typesOf(certificate).filter((type) => type !== 'granted')).toEqual([]);
    expect(await mailsAbout(system, certificate)).toEqual([]);
  });

  it('is revoked at the CA after the delay, and the new grant is not', async () => {
    const states = await eventually('The old grant is not revoked at the CA', async () => {
      const { sads } = await credentialState(system.urls.simulator, certificate.credentialId);
      const found = sads.map(({ state }) => state).sort();
      return found.includes('revoked') && found;
    });
    expect(states).toEqual(['in_force', 'revoked']);
  });
});

describe('A grant that the CA gives for a short time', () => {
  const lifetimeSeconds = 8;
  let account: EnteredAccount;
  let certificate: EnteredCertificate;
  let other: EnteredCertificate;
  let driver: OperatorDriver;
  let short: Access;
  let next: Access;

  const activate = (serviceAlias: string) => {
    const service = certificate.services.find(({ alias }) => alias === serviceAlias);
    return driver.call('POST', `/api/client-services/${service!.id}/activation`);
  };
  const gateAsked = (clientService: string, of: EnteredCertificate = certificate) => ({
    certificate: of,
    apiKey: account.apiKey,
    clientService,
  });

  beforeAll(async () => {
    const made = await enter([
      { services: ['Invoices', 'Payslips', 'Receipts'], inactiveServices: ['Archive'] },
      { services: ['Contracts'] },
    ]);
    [account, driver, certificate, other] = [
      made.account,
      made.driver,
      made.entered[0]!,
      made.entered[1]!,
    ];
    await renewAccess(system, driver, other);
    short = await renewAccess(system, driver, certificate, { lifetimeSeconds });
  });

  it('says that it is shorter and warns at once', async () => {
    expect(short).toMatchObject({ standing: 'warned', warnings: ['time'], bindingLimit: 'ca' });
    const lastsMs = Date.parse(short.expiresAt!) - Date.parse(short.effectiveAt!);
    expect(lastsMs).toBe(lifetimeSeconds * 1000);
    const { outcome } = await seenRenewal(driver, short.grantId!);
    expect(outcome?.message).toContain(`The CA authorised only until ${short.expiresAt!}`);
  });

  it('reminds every operator of the account', async () => {
    const mails = await eventually('Not every operator was reminded', async () => {
      const found = await mailsAbout(system, certificate);
      return found.length >= 3 && found;
    });
    expect(mails.map(({ to }) => to).sort()).toEqual(operatorsOf(account));
    for (const { subject } of mails) expect(subject).toMatch(/^Access to 'Seal \w+' ends /);
  });

  it('ends at its second: the gate says yes before it and never from it on', async () => {
    const expiresAt = Date.parse(short.expiresAt!);
    await gateSays(system, gateAsked('Invoices'), null, short.grantId);
    await until(expiresAt - 1_000);
    const answers: { sentAt: number; answeredAt: number; maySign: boolean }[] = [];
    while (Date.now() < expiresAt + 1_000) {
      const sentAt = Date.now();
      const { maySign } = await askGate(system, { certificate, apiKey: account.apiKey });
      answers.push({ sentAt, answeredAt: Date.now(), maySign });
    }
    // The gate follows PostgreSQL's clock by a measured offset: a few milliseconds may lie between that and ours.
    const toleranceMs = 50;
    const before = answers.filter(({ answeredAt }) => answeredAt < expiresAt - toleranceMs);
    const from = answers.filter(({ sentAt }) => sentAt >= expiresAt + toleranceMs);
    expect(before.length).toBeGreaterThan(5);
    expect(from.length).toBeGreaterThan(5);
    expect(before.filter(({ maySign }) => !maySign)).toEqual([]);
    expect(from.filter(({ maySign }) => maySign)).toEqual([]);
  });

  it('suspends every active service of this certificate, and no other', async () => {
    const seen = await eventually('The services are not suspended', async () => {
      const found = await seenCertificate(driver, certificate);
      return statusesOf(found)['Invoices'] === 'suspended' && found;
    });
    expect(statusesOf(seen)).toEqual({
      Archive: 'inactive',
      Invoices: 'suspended',
      Payslips: 'suspended',
      Receipts: 'suspended',
    });
    expect(seen.access).toMatchObject({ standing: 'lapsed', reason: 'grant_expired' });
    expect(statusesOf(await seenCertificate(driver, other))).toEqual({ Contracts: 'active' });
    await gateSays(system, gateAsked('Contracts', other), null);
    expectProblem(
      await askActivation(system, gateAsked('Invoices')),
      { status: 403, code: 'may_not_sign' },
      { reason: 'grant_expired' },
    );
  });

  it('tells every operator once that signing has stopped, and has reminded them once', async () => {
    await eventually('Not every operator was told', async () => {
      const told = (await mailsAbout(system, certificate)).filter(isLapseMail);
      return told.length >= 3;
    });
    const mails = await mailsAbout(system, certificate);
    const lapses = mails.filter(isLapseMail);
    expect(lapses.map(({ to }) => to).sort()).toEqual(operatorsOf(account));
    const reminders = mails.filter((mail) => !isLapseMail(mail));
    expect(reminders.map(({ to }) => to).sort()).toEqual(operatorsOf(account));
    expect(await mailsAbout(system, other)).toEqual([]);
  });

  it('refuses activation by hand while the certificate may not sign', async () => {
    expectProblem(await activate('Invoices'), { status: 409, code: 'access_blocked' });
    expectProblem(await activate('Archive'), { status: 409, code: 'access_blocked' });
    expect(statusesOf(await seenCertificate(driver, certificate))).toMatchObject({
      Invoices: 'suspended',
      Archive: 'inactive',
    });
  });

  it('is renewed, which activates nothing: the gate refuses every service', async () => {
    next = await renewAccess(system, driver, certificate);
    expect(next).toMatchObject({ standing: 'in_force', used: 0, allowance });
    await gateSays(system, { certificate, apiKey: account.apiKey }, null, next.grantId);
    for (const service of ['Invoices', 'Payslips', 'Receipts']) {
      const answer = await askGate(system, gateAsked(service));
      expect(answer).toMatchObject({ maySign: false, reason: 'client_service_suspended' });
      expectProblem(
        await askActivation(system, gateAsked(service)),
        { status: 403, code: 'may_not_sign' },
        { reason: 'client_service_suspended' },
      );
    }
    expect(statusesOf(await seenCertificate(driver, certificate))).toEqual({
      Archive: 'inactive',
      Invoices: 'suspended',
      Payslips: 'suspended',
      Receipts: 'suspended',
    });
    await workflowEnds(system, short.grantId!, 'superseded');
  });

  it('has its services activated by hand, one or several at once', async () => {
    expectAnswer(await activate('Invoices'), 200);
    await gateSays(system, gateAsked('Invoices'), null, next.grantId);
    expect(await askGate(system, gateAsked('Payslips'))).toMatchObject({ maySign: false });

    const path = `/api/certificates/${certificate.id}/client-services/activation`;
    const ids = certificate.services
      .filter(({ alias }) => alias === 'Payslips' || alias === 'Receipts')
      .map(({ id }) => id);
    const results = expectAnswer(await driver.call('POST', path, { ids }), 200);
    expect(JSON.stringify(results).match(/"status":"active"/g)).toHaveLength(2);
    for (const service of ['Payslips', 'Receipts']) {
      await gateSays(system, gateAsked(service), null, next.grantId);
    }
    expect(statusesOf(await seenCertificate(driver, certificate))).toEqual({
      Archive: 'inactive',
      Invoices: 'active',
      Payslips: 'active',
      Receipts: 'active',
    });
  });

  it('has told everyone outside on Kafka what changed, in order', async () => {
    const expected = [
      ...['granted', 'lapsed', 'suspended', 'suspended', 'suspended'],
      ...['granted', 'activated', 'activated', 'activated'],
    ];
    await eventually('Not every change was published', () =>
      Promise.resolve(typesOf(certificate).length >= expected.length),
    );
    const changes = accessChanges.of(certificate.id);
    expect(changes.map(({ type }) => type)).toEqual(expected);
    expect(changes[1]).toMatchObject({ grantId: short.grantId, reason: 'grant_expired' });
    const suspended = changes.slice(2, 5).map((change) => change['clientServiceAlias']);
    expect(suspended.sort()).toEqual(['Invoices', 'Payslips', 'Receipts']);
    expect(changes[6]).toMatchObject({ grantId: next.grantId, clientServiceAlias: 'Invoices' });
  });
});

describe('A grant for a few signatures', () => {
  const multisign = 20;
  let account: EnteredAccount;
  let certificate: EnteredCertificate;
  let driver: OperatorDriver;
  let small: Access;

  const now = (): string => new Date().toISOString();
  /** What a signing service reports, as DESIGN 7 has it. */
  const report = (event: Readonly<Record<string, unknown>>): Promise<void> =>
    producer.send(
      system.kafka.topics.signatures,
      certificate.id,
      JSON.stringify({ id: randomUUID(), certificateId: certificate.id, time: now(), ...event }),
    );
  const counted = (used: number): Promise<CertificateSeen> =>
    eventually(`Not ${used} signatures are counted`, async () => {
      const seen = await seenCertificate(driver, certificate);
      return seen.access.used === used && seen;
    });

  beforeAll(async () => {
    const made = await enter([{ services: ['Invoices', 'Payslips'] }]);
    [account, driver, certificate] = [made.account, made.driver, made.entered[0]!];
    small = await renewAccess(system, driver, certificate, { multisign });
  });

  it('says that the CA authorised fewer', async () => {
    expect(small).toMatchObject({
      standing: 'in_force',
      allowance: multisign,
      used: 0,
      bindingLimit: 'ca',
    });
    const { outcome } = await seenRenewal(driver, small.grantId!);
    expect(outcome?.message).toMatch(/The CA authorised only until .+, for 20 signatures\.$/);
  });

  it('counts single signatures and batches, and a repeated report once', async () => {
    const one = { id: randomUUID() };
    const batch = { id: randomUUID(), count: 16 };
    await Promise.all([report(one), report(batch), report(one), report(batch)]);
    await report({ grantId: small.grantId });
    await report(batch);
    const { access } = await counted(18);
    // 18 of 20 are 90 %, not over it.
    expect(access).toMatchObject({ standing: 'in_force', warnings: [] });
  });

  it('warns every operator at once when more than 90 % are used', async () => {
    const event = {
      specversion: '1.0',
      type: 'pt.signstash.signature.applied.v1',
      id: randomUUID(),
      source: '/signing',
      subject: certificate.id,
      time: now(),
      data: { count: 1 },
    };
    const { topics } = system.kafka;
    for (let sent = 0; sent < 2; sent += 1) {
      await producer.send(topics.signatures, certificate.id, JSON.stringify(event), {
        'content-type': 'application/cloudevents+json',
      });
    }
    const { access } = await counted(19);
    expect(access).toMatchObject({ standing: 'warned', warnings: ['usage'] });
    const mails = await eventually('Not every operator was warned', async () => {
      const found = await mailsAbout(system, certificate);
      return found.length >= 3 && found;
    });
    expect(mails.map(({ to }) => to).sort()).toEqual(operatorsOf(account));
    for (const { subject } of mails) expect(subject).toMatch(/^95 % of the signatures used/);
    await gateSays(
      system,
      { certificate, apiKey: account.apiKey, clientService: 'Invoices' },
      null,
      small.grantId,
    );
  });

  it('ends with the last signature: the gate says no, services are suspended, operators told', async () => {
    const { topics } = system.kafka;
    // The binary form of a CloudEvent.
    await producer.send(topics.signatures, certificate.id, null, {
      ce_specversion: '1.0',
      ce_type: 'pt.signstash.signature.applied.v1',
      ce_id: randomUUID(),
      ce_source: '/signing',
      ce_subject: certificate.id,
      ce_time: now(),
    });
    const { access } = await counted(multisign);
    expect(access).toMatchObject({ standing: 'lapsed', reason: 'allowance_exhausted' });
    const answer = await gateSays(
      system,
      { certificate, apiKey: account.apiKey },
      'allowance_exhausted',
    );
    expect(answer.remaining).toBe(0);
    const seen = await eventually('The services are not suspended', async () => {
      const found = await seenCertificate(driver, certificate);
      return statusesOf(found)['Invoices'] === 'suspended' && found;
    });
    expect(statusesOf(seen)).toEqual({ Invoices: 'suspended', Payslips: 'suspended' });
    await eventually('Not every operator was told', async () => {
      return (await mailsAbout(system, certificate)).filter(isLapseMail).length >= 3;
    });
  });

  it('tells of each threshold once, however many more signatures are reported', async () => {
    await report({ count: 5, grantId: small.grantId });
    await counted(25);
    // Whatever would follow from it has time until the workflow has looked: it has when the next grant is there.
    const next = await renewAccess(system, driver, certificate);
    await workflowEnds(system, small.grantId!, 'superseded');
    const mails = await mailsAbout(system, certificate);
    const lapses = mails.filter(isLapseMail);
    expect(lapses.map(({ to }) => to).sort()).toEqual(operatorsOf(account));
    const warnings = mails.filter((mail) => !isLapseMail(mail));
    expect(warnings.map(({ to }) => to).sort()).toEqual(operatorsOf(account));
    for (const { subject } of lapses) {
      expect(subject).toMatch(/^Signing stopped: all signatures for /);
    }
    expect(next).toMatchObject({ standing: 'in_force', used: 0, allowance });
  });

  it('does not count on the next grant, by its time nor by its id', async () => {
    await report({ time: small.effectiveAt, count: 3 });
    await report({ grantId: small.grantId, count: 4 });
    await report({ count: 2 });
    // One key, one partition: what was sent last is counted last.
    const { access } = await counted(2);
    expect(access).toMatchObject({ standing: 'in_force', used: 2 });
    const path = `/api/certificates/${certificate.id}/client-services/activation`;
    const ids = certificate.services.map(({ id }) => id);
    expectAnswer(await driver.call('POST', path, { ids }), 200);
    await gateSays(
      system,
      { certificate, apiKey: account.apiKey, clientService: 'Payslips' },
      null,
      access.grantId,
    );
    const expected = ['granted', 'lapsed', 'suspended', 'suspended', 'granted'];
    await eventually('Not every change was published', () =>
      Promise.resolve(typesOf(certificate).length >= expected.length + 2),
    );
    expect(typesOf(certificate)).toEqual([...expected, 'activated', 'activated']);
    expect((await seenCertificate(driver, certificate)).access.used).toBe(2);
  });
});

describe('What ops can read', () => {
  it('holds no PIN, no code, no SAD, no token, no key and no password', async () => {
    const { account, driver, entered } = await enter([{}]);
    const certificate = entered[0]!;
    const { email, password } = account.operators.operator;
    secrets.set('session', cookieOf(await driver.signIn(email, password)));
    // A refused try as well: refusals are what gets logged.
    const renewalAnswer = await driver.openRenewal(certificate.id);
    secrets.set('cookie of a renewal', cookieOf(renewalAnswer));
    const { id: renewalId, redirectTo } = opened(renewalAnswer);
    await driver.comeBack(await driver.visitCa(redirectTo, clientAccount));
    const pin = newPin();
    secrets.set('wrong PIN', pin);
    const otp = await codeOnPhone(system, certificate);
    secrets.set('OTP with a wrong PIN', otp);
    expectProblem(await driver.authorize(renewalId, { pin, otp }), {
      status: 422,
      code: 'factor_rejected',
    });
    expectAnswer(await driver.call('DELETE', `/api/renewals/${renewalId}`), 204);
    await workflowEnds(system, renewalId, 'abandoned');

    const histories = await readHistories();
    const granted = accessChanges.all.filter(({ value }) => value['type'] === 'granted');
    expect(histories).toHaveLength(granted.length);
    expect(granted.length).toBeGreaterThan(5);
    for (const { value } of granted) {
      expect(histories.join('\n')).toContain(`"grantId":"${String(value['grantId'])}"`);
    }
    const places = { ...(await system.readLogs()), histories: histories.join('\n') };
    for (const service of ['backoffice', 'gate', 'usage', 'worker']) {
      expect(places[`${service}.log` as keyof typeof places]).toMatch(/"level"/);
    }
    const { messages } = await system.mailbox.list('limit=1000');
    const texts = await Promise.all(
      messages.map(async ({ ID }) => JSON.stringify(await system.mailbox.message(ID))),
    );
    const readable = {
      ...places,
      mails: texts.join('\n'),
      kafka: JSON.stringify(accessChanges.all),
    };
    const leaks = Object.entries(readable).flatMap(([place, text]) => [
      ...[...secrets]
        .filter(([, secret]) => holds(text, secret))
        .map(([what]) => `${what} in ${place}`),
      ...randomSecretsIn(text).map((secret) => `${secret} in ${place}`),
    ]);
    expect(randomSecretsIn(`"${secrets.get('SAD')!}"`)).toHaveLength(1);
    expect(secrets.size).toBeGreaterThan(15);
    expect([...secrets.values()].filter((secret) => secret.length < 6)).toEqual([]);
    expect(leaks).toEqual([]);
  });

  /** Every text and every payload of the workflows of all grants, decoded. */
  async function readHistories(): Promise<string[]> {
    const ids = new Set(accessChanges.all.map(({ value }) => value['grantId'] as string));
    return Promise.all(
      [...ids].map(async (id) => {
        const handle = system.temporal.workflow.getHandle(grantWorkflowId(id));
        return textsIn(await handle.fetchHistory()).join('\n');
      }),
    );
  }
});

/** What looks like any secret that this platform or the simulator makes, 32 random bytes as base64url: also those that never come out to a test. */
const randomSecretsIn = (text: string): string[] =>
  (text.match(/(?<![\w-])[\w-]{43}(?![\w-])/g) ?? []).filter(
    (word) => /[A-Z]/.test(word) && /[a-z]/.test(word) && /\d/.test(word),
  );

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString()];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function cookieOf({ headers }: Answer): string {
  const [cookie = ''] = headers.getSetCookie();
  return /^[^=]+=([^;]+)/.exec(cookie)?.[1] ?? '';
}

const isLapseMail = ({ subject }: { readonly subject: string }): boolean =>
  subject.startsWith('Signing stopped: ');

/** Digits beside it would make a six-digit code part of some other number. */
function holds(text: string, secret: string): boolean {
  if (!/^\d+$/.test(secret)) return text.includes(secret);
  return new RegExp(`(?<![0-9a-f])${secret}(?![0-9a-f])`).test(text);
}
