import { randomUUID } from 'node:crypto';
import { Problem } from '../../domain/errors.ts';
import { openDatabase, type Database } from '../../infra/postgres/pool.ts';
import { createSealer, hashSecret } from '../../infra/postgres/sealing.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { createAdministration, type Administration } from './administration.ts';
import { verifyPassword } from './passwords.ts';

const now = new Date('2026-05-04T10:00:00Z');
const sealer = createSealer([{ id: 'test', key: Buffer.alloc(32, 7) }]);
let testDatabase: TestDatabase;
let database: Database;
let administration: Administration;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase({ url: testDatabase.url, applicationName: 'administration test' });
  administration = createAdministration({
    database: testDatabase.as('admin'),
    clock: { now: () => now },
    sealer,
  });
});
afterAll(async () => {
  await database.end();
  await testDatabase.drop();
});

const unique = (word: string) => `${word} ${randomUUID().slice(0, 8)}`;

async function problemOf(work: Promise<unknown>): Promise<Pick<Problem, 'code' | 'details'>> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return { code: error.code, details: error.details };
    throw error;
  }
  throw new Error('it was not refused');
}

async function lastAudit(subject: string) {
  const { rows } = await database.query<{ actor: string; action: string; details: unknown }>(
    'select e.actor, e.action, e.details from audit_events as e where e.subject = $1 order by e.event_id desc limit 1',
    [subject],
  );
  return rows[0];
}

async function enterCertificate() {
  const { accountId } = await administration.createAccount({ name: unique('Account') });
  const { authorityId } = await administration.createAuthority({
    name: unique('CA'),
    baseUri: 'https://ca.example/csc/v1/',
    clientId: 'platform',
    clientSecret: 'the secret of the CA',
  });
  const certificate = await administration.createCertificate({
    account: accountId,
    authority: authorityId,
    alias: 'Seal',
    subject: 'CN=Seal',
    issuer: 'CN=Root',
    serial: '01',
    notAfter: '2028-01-01T00:00:00+01:00',
    credentialId: unique('credential'),
    caAccount: 'client@example.test',
  });
  return certificate;
}

/** A grant that lasts an hour from `effectiveAt`. */
async function insertGrant(
  { accountId, certificateId }: { accountId: string; certificateId: string },
  effectiveAt: Date,
): Promise<string> {
  const { operatorId } = await administration.createOperator({
    account: accountId,
    email: `${randomUUID()}@operators.example`,
    name: 'Ana',
  });
  const grantId = randomUUID();
  const expiresAt = new Date(effectiveAt.getTime() + 3_600_000);
  await database.query(
    `insert into renewals (renewal_id, certificate_id, account_id, operator_id, state, started_at, deadline_at, state_hash,
       browser_hash, sealed_verifier, tries_left, outcome, ended_at)
     values ($1, $2, $3, $4, 'granted', $5, $6, $7, $7, '', 3, 'granted', $5)`,
    [grantId, certificateId, accountId, operatorId, effectiveAt, expiresAt, hashSecret(grantId)],
  );
  await database.query(
    `insert into access_grants (grant_id, certificate_id, account_id, granted_by, effective_at, expires_at, allowance, binding_limit)
     values ($1, $2, $3, $4, $5, $6, 1000, 'ca')`,
    [grantId, certificateId, accountId, operatorId, effectiveAt, expiresAt],
  );
  return grantId;
}

describe('accounts', () => {
  it('are entered with the defaults of the product and audited', async () => {
    const name = unique('Demonstração, Lda.');
    const account = await administration.createAccount({ name });
    expect(account).toMatchObject({
      name,
      timeZone: 'Europe/Lisbon',
      reminderHour: 9,
      locale: 'pt-PT',
    });
    expect(await administration.listAccounts()).toContainEqual(account);
    expect(await lastAudit(`account:${account.accountId}`)).toMatchObject({
      actor: 'admin',
      action: 'account_created',
    });
  });

  it('of the same name, in whatever case, are refused', async () => {
    const name = unique('Twice');
    await administration.createAccount({ name });
    const problem = await problemOf(administration.createAccount({ name: name.toUpperCase() }));
    expect(problem).toEqual({ code: 'already_exists', details: { field: 'name' } });
  });

  it('that came to have one name are told apart by their id alone', async () => {
    const name = unique('Renamed');
    const one = await administration.createAccount({ name });
    const other = await administration.createAccount({ name: unique('Other') });
    await administration.updateAccount(other.accountId, { name });
    const problem = await problemOf(administration.updateAccount(name, { reminderHour: 7 }));
    expect(problem).toEqual({
      code: 'invalid_request',
      details: {
        faults: [
          { path: 'account', message: 'several accounts have this name: give the id of one' },
        ],
      },
    });
    await administration.updateAccount(one.accountId, { reminderHour: 7 });
    const accounts = await administration.listAccounts();
    expect(accounts.filter((account) => account.name === name)).toEqual(
      expect.arrayContaining([
        { ...one, reminderHour: 7 },
        { ...other, name },
      ]),
    );
  });

  it.each([
    [{ timeZone: 'Europe/Atlantis' }, 'timeZone'],
    [{ reminderHour: 24 }, 'reminderHour'],
    [{ reminderHour: -1 }, 'reminderHour'],
    [{ reminderHour: 9.5 }, 'reminderHour'],
    [{ reminderHour: Number.NaN }, 'reminderHour'],
    [{ locale: 'xx' as 'en' }, 'locale'],
    [{ name: ' ' }, 'name'],
  ])('with %j are refused, naming the field', async (settings, path) => {
    const problem = await problemOf(
      administration.createAccount({ name: unique('Account'), ...settings }),
    );
    expect(problem.code).toBe('invalid_request');
    expect(problem.details['faults']).toMatchObject([{ path }]);
  });

  it('that change let the workflow of each open grant look again', async () => {
    const certificate = await enterCertificate();
    const grantId = await insertGrant(certificate, new Date('2026-05-04T09:30:00Z'));
    const changed = await administration.updateAccount(certificate.accountId, {
      timeZone: 'Atlantic/Azores',
      reminderHour: 0,
    });
    expect(changed).toMatchObject({
      timeZone: 'Atlantic/Azores',
      reminderHour: 0,
      locale: 'pt-PT',
    });
    expect(await administration.listAccounts()).toContainEqual(changed);
    const { rows } = await database.query(
      `select o.written_by, o.name from outbox as o where o.destination = 'temporal' and o.subject = $1`,
      [grantId],
    );
    expect(rows).toEqual([{ written_by: 'admin', name: 'accountChanged' }]);
  });
});

describe('operators', () => {
  const person = () => ({ email: `${randomUUID()}@operators.example`, name: 'Rui' });

  it('get a password that is shown once and kept as an Argon2id hash', async () => {
    const { accountId } = await administration.createAccount({ name: unique('Account') });
    const { operatorId, password = '' } = await administration.createOperator({
      account: accountId,
      ...person(),
    });
    const { rows } = await database.query<{ password_hash: string }>(
      'select o.password_hash from operators as o where o.operator_id = $1',
      [operatorId],
    );
    const hash = rows[0]?.password_hash ?? '';
    expect(hash).toMatch(/^\$argon2id\$/);
    expect(await verifyPassword(hash, password, 'known')).toBe(true);
    expect(await verifyPassword(hash, `${password}x`, 'known')).toBe(false);
    expect(JSON.stringify(await lastAudit(`operator:${operatorId}`))).not.toContain(password);
  });

  it('with a password of their own are not told it again', async () => {
    const { accountId } = await administration.createAccount({ name: unique('Account') });
    const result = await administration.createOperator({
      account: accountId,
      ...person(),
      password: 'twelve chars',
    });
    expect(result.password).toBeUndefined();
  });

  it('with a short password are refused without repeating it', async () => {
    const { accountId } = await administration.createAccount({ name: unique('Account') });
    const problem = await problemOf(
      administration.createOperator({ account: accountId, ...person(), password: 'eleven char' }),
    );
    expect(problem.code).toBe('invalid_request');
    expect(JSON.stringify(problem)).not.toContain('eleven char');
  });

  it('of another account keep their password and are added to this one, once', async () => {
    const first = await administration.createAccount({ name: unique('Account') });
    const second = await administration.createAccount({ name: unique('Account') });
    const someone = person();
    const there = await administration.createOperator({ account: first.accountId, ...someone });
    const again = { ...someone, email: someone.email.toUpperCase(), role: 'viewer' as const };
    const here = await administration.createOperator({ account: second.name, ...again });
    expect(here).toEqual({
      operatorId: there.operatorId,
      accountId: second.accountId,
      role: 'viewer',
    });
    const problem = await problemOf(
      administration.createOperator({ account: second.accountId, ...again }),
    );
    expect(problem).toEqual({ code: 'already_exists', details: { field: 'email' } });
  });

  it.each([
    [`${'x'.repeat(64)}@operators.example`, true],
    [`${'x'.repeat(65)}@operators.example`, false],
    [`x@${'y'.repeat(63)}.example`, true],
    [`x@${'y'.repeat(64)}.example`, false],
    ['x@one-two.example', true],
    ['x@one-.example', false],
    ['x@-one.example', false],
    ['x..y@operators.example', false],
    ['x@operators.e', false],
  ])('are entered by an address that mail servers take: %s is one: %s', async (email, isOne) => {
    const { accountId } = await administration.createAccount({ name: unique('Account') });
    const entering = administration.createOperator({ account: accountId, email, name: 'Rui' });
    const outcome = isOne ? await entering.then(() => 'entered') : await problemOf(entering);
    expect(outcome).toEqual(
      isOne
        ? 'entered'
        : {
            code: 'invalid_request',
            details: { faults: [{ path: 'email', message: 'an e-mail address is expected' }] },
          },
    );
  });

  it('who were invited and have chosen no password get the one that is made here, others do not', async () => {
    const first = await administration.createAccount({ name: unique('Account') });
    const second = await administration.createAccount({ name: unique('Account') });
    const third = await administration.createAccount({ name: unique('Account') });
    const someone = person();
    const there = await administration.createOperator({ account: first.accountId, ...someone });
    await database.query(
      `update operators as o set password_hash = 'of nobody', password_set = false where o.operator_id = $1`,
      [there.operatorId],
    );
    const here = await administration.createOperator({ account: second.accountId, ...someone });
    expect(here.operatorId).toBe(there.operatorId);
    await administration.createOperator({ account: third.accountId, ...someone });
    const { rows } = await database.query<{ password_hash: string; password_set: boolean }>(
      'select o.password_hash, o.password_set from operators as o where o.operator_id = $1',
      [there.operatorId],
    );
    expect(rows[0]?.password_set).toBe(true);
    expect(await verifyPassword(rows[0]?.password_hash ?? '', here.password ?? '', 'known')).toBe(
      true,
    );
  });

  it('change their role', async () => {
    const { accountId } = await administration.createAccount({ name: unique('Account') });
    const someone = person();
    const { operatorId } = await administration.createOperator({ account: accountId, ...someone });
    await administration.setRole(accountId, someone.email, 'admin');
    expect(await administration.listOperators(accountId)).toMatchObject([{ role: 'admin' }]);
    expect(await lastAudit(`operator:${operatorId}`)).toMatchObject({
      action: 'operator_role_changed',
      details: { from: 'operator', to: 'admin' },
    });
  });

  it('who are removed have no session any more', async () => {
    const { accountId } = await administration.createAccount({ name: unique('Account') });
    const { operatorId } = await administration.createOperator({ account: accountId, ...person() });
    await database.query(
      `insert into sessions (session_hash, session_id, operator_id, created_at, last_seen_at) values ($1, $2, $3, $4, $4)`,
      [hashSecret(operatorId), operatorId, operatorId, now],
    );
    await administration.removeOperator(accountId, operatorId);
    expect(await administration.listOperators(accountId)).toEqual([]);
    const { rows } = await database.query(
      'select s.ended_at from sessions as s where s.operator_id = $1',
      [operatorId],
    );
    expect(rows).toEqual([{ ended_at: now }]);
    const problem = await problemOf(administration.removeOperator(accountId, operatorId));
    expect(problem).toEqual({ code: 'not_found', details: { what: 'operator' } });
  });
});

describe('certificate authorities', () => {
  it('keep their client secret sealed for their own row', async () => {
    const { authorityId } = await enterCertificate();
    const { rows } = await database.query<{ sealed: string }>(
      'select ca.sealed_client_secret as sealed from certificate_authorities as ca where ca.authority_id = $1',
      [authorityId],
    );
    const sealed = rows[0]?.sealed ?? '';
    expect(sealer.open(sealed, authorityId)).toBe('the secret of the CA');
    expect(() => sealer.open(sealed, 'another row')).toThrow();
    expect(JSON.stringify(await administration.listAuthorities())).not.toContain(sealed);
  });

  it('take another client secret, which is audited without it', async () => {
    const [{ authorityId }, other] = [await enterCertificate(), await enterCertificate()];
    await administration.setClientSecret(authorityId, 'another secret');
    const secretOf = async (id: string) => {
      const { rows } = await database.query<{ sealed: string }>(
        'select ca.sealed_client_secret as sealed from certificate_authorities as ca where ca.authority_id = $1',
        [id],
      );
      return sealer.open(rows[0]?.sealed ?? '', id);
    };
    expect(await secretOf(authorityId)).toBe('another secret');
    expect(await secretOf(other.authorityId)).toBe('the secret of the CA');
    expect(await lastAudit(`certificate_authority:${authorityId}`)).toEqual({
      actor: 'admin',
      action: 'authority_secret_changed',
      details: {},
    });
    const none = await problemOf(administration.setClientSecret('nowhere', 'a secret'));
    expect(none).toEqual({ code: 'not_found', details: { what: 'certificate authority' } });
    expect(await problemOf(administration.setClientSecret(authorityId, ''))).toMatchObject({
      code: 'invalid_request',
      details: { faults: [{ path: 'clientSecret' }] },
    });
  });
});

describe('certificates and client services', () => {
  it('of an account are listed', async () => {
    const { accountId, certificateId } = await enterCertificate();
    const service = await administration.createClientService({ certificateId, alias: 'Invoices' });
    expect(await administration.listCertificates(accountId)).toMatchObject([
      { certificateId, alias: 'Seal', notAfter: new Date('2027-12-31T23:00:00Z') },
    ]);
    expect(await administration.listClientServices(certificateId)).toEqual([
      {
        clientServiceId: service.clientServiceId,
        certificateId,
        alias: 'Invoices',
        status: 'active',
      },
    ]);
  });

  it('may share no credential of a CA', async () => {
    const certificate = await enterCertificate();
    const { accountId, authorityId, credentialId } = certificate;
    const problem = await problemOf(
      administration.createCertificate({
        account: accountId,
        authority: authorityId,
        alias: 'Another',
        subject: 'CN=Seal',
        issuer: 'CN=Root',
        serial: '01',
        notAfter: '2028-01-01T00:00:00Z',
        credentialId,
        caAccount: 'client@example.test',
      }),
    );
    expect(problem).toEqual({ code: 'already_exists', details: { field: 'credentialId' } });
  });

  it('on a lapsed certificate are entered inactive only', async () => {
    const certificate = await enterCertificate();
    const { certificateId } = certificate;
    await insertGrant(certificate, new Date('2026-05-04T09:00:00Z'));
    const problem = await problemOf(
      administration.createClientService({ certificateId, alias: 'Late' }),
    );
    expect(problem).toEqual({ code: 'access_blocked', details: { reason: 'grant_expired' } });
    await administration.createClientService({ certificateId, alias: 'Late', status: 'inactive' });
    expect(await administration.listClientServices(certificateId)).toMatchObject([
      { status: 'inactive' },
    ]);
  });

  it('on a certificate in its last second are entered active', async () => {
    const certificate = await enterCertificate();
    await insertGrant(certificate, new Date('2026-05-04T09:00:01Z'));
    const { certificateId } = certificate;
    const service = await administration.createClientService({ certificateId, alias: 'In time' });
    expect(service.status).toBe('active');
  });
});

describe('API keys', () => {
  it('are kept as SHA-256 only', async () => {
    const { accountId, certificateId } = await enterCertificate();
    const { apiKey, apiKeyId } = await administration.createApiKey({
      account: accountId,
      name: 'signer',
      certificateIds: [certificateId],
    });
    expect(apiKey).toMatch(/^ca_[\w-]{43}$/);
    const { rows } = await database.query(
      'select k.key_hash, k.certificate_ids from api_keys as k where k.api_key_id = $1',
      [apiKeyId],
    );
    expect(rows).toEqual([{ key_hash: hashSecret(apiKey), certificate_ids: [certificateId] }]);
    expect(JSON.stringify(await administration.listApiKeys(accountId))).not.toContain(apiKey);
  });

  it('cannot be limited to a certificate of somebody else', async () => {
    const mine = await enterCertificate();
    const theirs = await enterCertificate();
    const problem = await problemOf(
      administration.createApiKey({
        account: mine.accountId,
        name: 'signer',
        certificateIds: [mine.certificateId, theirs.certificateId],
      }),
    );
    expect(problem).toEqual({ code: 'not_found', details: { what: 'certificate' } });
  });

  it('are revoked once, and their name can then be used again', async () => {
    const { accountId } = await enterCertificate();
    const stranger = await enterCertificate();
    const { apiKeyId } = await administration.createApiKey({ account: accountId, name: 'signer' });
    const foreign = await problemOf(administration.revokeApiKey(apiKeyId, stranger.accountId));
    expect(foreign.code).toBe('not_found');
    await administration.revokeApiKey(apiKeyId);
    expect((await problemOf(administration.revokeApiKey(apiKeyId))).code).toBe('not_found');
    await administration.createApiKey({ account: accountId, name: 'Signer' });
    expect(await administration.listApiKeys(accountId)).toMatchObject([
      { revokedAt: now },
      { revokedAt: undefined },
    ]);
  });
});
