import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { sealAudit } from '../../infra/postgres/audit-sealing.ts';
import { createDatabase, dropDatabase } from '../../infra/postgres/development-server.ts';
import { openDatabase, type Database } from '../../infra/postgres/pool.ts';
import { createSealer } from '../../infra/postgres/sealing.ts';
import { databaseUrlAs } from '../../test/support/database.ts';
import { testParts } from '../../test/support/parts.ts';
import { faultOf, runAdmin } from './run.ts';

const sealingKey = randomBytes(32);
const databaseName = `test_admin_${randomBytes(6).toString('hex')}`;
let environment: Record<string, string>;
let ownersEnvironment: Record<string, string>;
let superusersEnvironment: Record<string, string>;
let database: Database;

beforeAll(async () => {
  const url = await createDatabase(testParts().postgresUrl, databaseName);
  environment = {
    DATABASE_URL: databaseUrlAs(url, 'admin'),
    SEALING_KEYS: `k1:${sealingKey.toString('base64')}`,
  };
  ownersEnvironment = { DATABASE_URL: databaseUrlAs(url, 'migrations') };
  superusersEnvironment = { DATABASE_URL: url };
  database = openDatabase({ url, applicationName: 'admin test' });
});
afterAll(async () => {
  await database.end();
  await dropDatabase(testParts().postgresUrl, databaseName);
});

type Run = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

async function admin(
  args: readonly string[],
  { stdin = '', env = environment }: { stdin?: string; env?: Record<string, string> } = {},
): Promise<Run> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'services/admin/main.ts', ...args], {
    env,
  });
  child.stdin.end(stdin);
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    closed,
  ]);
  return { code, stdout, stderr };
}

/** The same without a process of its own, which costs a second each. */
async function refusalOf(args: readonly string[], env = environment): Promise<string> {
  try {
    await runAdmin({ args, env, readStdin: () => Promise.resolve('') });
  } catch (error) {
    return faultOf(error);
  }
  throw new Error('it was not refused');
}

async function answerOf<T>(...call: Parameters<typeof admin>): Promise<T> {
  const { code, stdout, stderr } = await admin(...call);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

describe('npm run admin', () => {
  it('says that the tables are missing before they are made', async () => {
    expect(await admin(['account', 'list'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'The database has no tables yet: run "npm run admin -- migrate" first.\n',
    });
  });

  it('takes an empty database to an account with everything a signing service needs', async () => {
    // A password that is given is set: the run's own, since its other tests use these roles too.
    const password = { DATABASE_PASSWORD_GATE: testParts().rolePasswords.gate };
    expect(await answerOf(['roles'], { env: { ...superusersEnvironment, ...password } })).toEqual({
      created: [],
      passwordsSet: ['certificate_access_gate'],
      handedOver: [],
    });
    const asOwner = { env: ownersEnvironment };
    const { applied } = await answerOf<{ applied: string[] }>(['migrate'], asOwner);
    expect(applied[0]).toBe('0001_facts.sql');
    expect(await answerOf(['migrate'], asOwner)).toEqual({ applied: [] });

    const account = await answerOf<{ accountId: string }>([
      ...['account', 'create', '--name', 'Customer', '--time-zone', 'Atlantic/Azores'],
      ...['--reminder-hour', '7', '--locale', 'en'],
    ]);
    const operator = await answerOf<{ password?: string }>(
      [
        ...['operator', 'create', '--account', 'Customer', '--email', 'rui@operators.example'],
        ...['--name', 'Rui', '--role', 'admin', '--password-stdin'],
      ],
      { stdin: 'given by standard input\n' },
    );
    expect(operator.password).toBeUndefined();
    const ca = await answerOf<{ authorityId: string }>(
      [
        ...['ca', 'create', '--name', 'CA', '--base-uri', 'https://ca.example/csc/v1/'],
        ...['--client-id', 'platform', '--client-secret-stdin'],
      ],
      { stdin: 'the secret of the CA' },
    );
    const certificate = await answerOf<{ certificateId: string; notAfter: string }>([
      ...['certificate', 'create', '--account', 'Customer', '--authority', 'CA', '--alias', 'Seal'],
      ...['--subject', 'CN=Seal', '--issuer', 'CN=Root', '--serial', '01'],
      ...['--not-after', '2028-01-01T00:00:00Z', '--credential-id', 'c-1'],
      ...['--ca-account', 'client@example.test'],
    ]);
    expect(certificate.notAfter).toBe('2028-01-01T00:00:00.000Z');
    await answerOf([
      ...['client-service', 'create', '--certificate-id', certificate.certificateId],
      ...['--alias', 'Invoices'],
    ]);
    const key = await answerOf<{ apiKey: string; apiKeyId: string }>([
      ...['api-key', 'create', '--account', account.accountId, '--name', 'signer'],
      ...['--certificate-id', certificate.certificateId],
    ]);
    expect(key.apiKey).toMatch(/^ca_/);
    const rotated = await answerOf<{ apiKey: string; oldSecretEndsAt: string }>([
      ...['api-key', 'rotate', '--api-key-id', key.apiKeyId, '--overlap-hours', '2'],
    ]);
    expect(rotated.apiKey).toMatch(/^ca_/);
    expect(rotated.apiKey).not.toBe(key.apiKey);
    expect(await answerOf(['api-key', 'list'])).toMatchObject([
      { name: 'signer', oldSecret: { endsAt: rotated.oldSecretEndsAt } },
    ]);

    const { rows } = await database.query<{ time_zone: string; email: string; sealed: string }>(
      `select a.time_zone, o.email, ca.sealed_client_secret as sealed
       from accounts as a
       join account_operators as m on m.account_id = a.account_id and m.role = 'admin'
       join operators as o on o.operator_id = m.operator_id
       join certificates as c on c.account_id = a.account_id
       join certificate_authorities as ca on ca.authority_id = c.authority_id
       join client_services as s on s.certificate_id = c.certificate_id and s.status = 'active'
       join api_keys as k on k.account_id = a.account_id`,
    );
    expect(rows).toMatchObject([{ time_zone: 'Atlantic/Azores', email: 'rui@operators.example' }]);
    const sealer = createSealer([{ id: 'k1', key: sealingKey }]);
    expect(sealer.open(rows[0]?.sealed ?? '', ca.authorityId)).toBe('the secret of the CA');

    const audit = await database.query<{ action: string; actor: string }>(
      'select e.action, e.actor from audit_events as e order by e.event_id',
    );
    expect(audit.rows.map(({ action }) => action)).toEqual([
      'account_created',
      'operator_added',
      'authority_created',
      'certificate_created',
      'client_service_created',
      'api_key_created',
      'api_key_rotated',
    ]);
    expect(new Set(audit.rows.map(({ actor }) => actor))).toEqual(new Set(['admin']));
  });

  it.each([
    [['account', 'crate'], 'There is no command "account crate": see --help.'],
    [['account', 'create'], '--name must be given.'],
    [['account', 'create', '--name', 'X', '--colour', 'red'], "Unknown option '--colour'."],
    [
      ['account', 'create', '--name', 'X', '--time-zone', 'Mars/Olympus'],
      '--time-zone: an IANA time zone is expected, such as Europe/Lisbon.',
    ],
    [['operator', 'list', '--account', 'Nobody'], 'There is no such account.'],
    [
      ['audit', 'verify', '--expect', '17'],
      '--expect: <position>:<hash> is expected, as the worker logged it.',
    ],
    [
      ['api-key', 'rotate', '--api-key-id', 'x', '--overlap-hours', 'soon'],
      '--overlap-hours: a whole number of hours from 0 to 168 is expected.',
    ],
    [['api-key', 'rotate', '--api-key-id', 'x'], 'There is no such API key.'],
    [
      ['ca', 'create', '--name', 'X', '--base-uri', 'https://x.example/', '--client-id', 'y'],
      'The OAuth client secret that the CA gave this platform must be given: pass --client-secret-stdin and write it to standard input, or set CA_CLIENT_SECRET.',
    ],
  ])('refuses %j in one sentence', async (args, sentence) => {
    expect(await refusalOf(args)).toBe(sentence);
  });

  it('never repeats a secret that it refuses', async () => {
    const args = ['operator', 'create', '--account', 'Customer', '--email', 'x@operators.example'];
    const env = { ...environment, OPERATOR_PASSWORD: 'tooshort' };
    expect(await refusalOf([...args, '--name', 'X'], env)).toBe(
      '--password: at least 12 characters are expected.',
    );
  });

  it.each([
    ['migrate', {}],
    ['roles', { DATABASE_PASSWORD_GATE: 'a password long enough'.replaceAll(' ', '-') }],
  ])('%s says who may do it', async (command, env) => {
    expect(await refusalOf([command], { ...environment, ...env })).toMatch(
      /^The role of DATABASE_URL may not do that \(.+\): "roles" is for somebody who may create roles, "migrate" for the migrations’ role, /,
    );
  });

  it('does not set a password that is short', async () => {
    const env = { ...superusersEnvironment, DATABASE_PASSWORD_GATE: 'short' };
    const refusal = await refusalOf(['roles'], env);
    expect(refusal).toContain('DATABASE_PASSWORD_GATE: at least 16 printable ASCII characters');
    expect(refusal).not.toContain('short');
  });

  it('enters another client secret of a CA, which is read from the environment', async () => {
    const env = { ...environment, CA_CLIENT_SECRET: 'the secret of the CA' };
    const output = await runAdmin({
      args: ['ca', 'set-secret', '--authority', 'ca'],
      env,
      readStdin: () => Promise.resolve(''),
    });
    expect(JSON.parse(output)).toEqual({ done: true });
    expect(await refusalOf(['ca', 'set-secret', '--authority', 'none'], env)).toBe(
      'There is no such certificate authority.',
    );
  });

  it('names the database when it cannot be reached', async () => {
    const env = { ...environment, DATABASE_URL: 'postgres://nobody:hidden@127.0.0.1:1/none' };
    expect(await refusalOf(['account', 'list'], env)).toBe(
      'The database cannot be used (ECONNREFUSED): check DATABASE_URL.',
    );
  });

  describe('when a newer key is put before the one that sealed', () => {
    const newKey = `k2:${randomBytes(32).toString('base64')}`;
    const withKeys = (keys: string) => ({ ...environment, SEALING_KEYS: keys });
    const said: unknown[] = [];
    const run = async (args: string[], keys: string): Promise<unknown> =>
      JSON.parse(
        await runAdmin({
          args,
          env: withKeys(keys),
          readStdin: () => Promise.resolve(''),
          progress: (one) => said.push(one),
        }),
      );
    const both = () => `${newKey},${environment['SEALING_KEYS'] ?? ''}`;
    const secrets = { table: 'certificate_authorities', column: 'sealed_client_secret', count: 1 };

    it('tells which key opens what, and that the older one is in use', async () => {
      expect(await run(['sealing', 'status'], both())).toEqual({
        newest: 'k2',
        keyring: ['k2', 'k1'],
        sealed: [{ ...secrets, keyId: 'k1' }],
        unopenable: [],
        removable: [],
      });
    });

    it('refuses to touch anything when a key is missing, and names the key and the row', async () => {
      const { rows } = await database.query<{ id: string; sealed: string }>(
        'select authority_id as id, sealed_client_secret as sealed from certificate_authorities',
      );
      const place = `certificate_authorities.sealed_client_secret of row ${rows[0]?.id ?? ''}`;
      const sentence = `${place} is sealed with the key "k1", which is not in SEALING_KEYS. Nothing was changed.`;
      expect(await refusalOf(['sealing', 'rotate'], withKeys(newKey))).toBe(sentence);
      expect(await refusalOf(['sealing', 'status'], withKeys(newKey))).toBe(sentence);
      const { rows: after } = await database.query(
        'select authority_id as id, sealed_client_secret as sealed from certificate_authorities',
      );
      expect(after).toEqual(rows);
    });

    it('reseals, says so while it does, audits it, and tells that the older key may be removed', async () => {
      const rotated = await run(['sealing', 'rotate'], both());
      expect(rotated).toMatchObject({
        newest: 'k2',
        sealed: [{ ...secrets, keyId: 'k2' }],
        unopened: [],
        removable: ['k1'],
      });
      expect((rotated as { resealed: unknown[] }).resealed).toContainEqual({
        table: 'certificate_authorities',
        column: 'sealed_client_secret',
        resealed: 1,
        changedMeanwhile: 0,
      });
      const { count: _, ...column } = secrets;
      expect(said).toEqual([{ ...column, resealed: 1 }]);
      const { rows } = await database.query(
        `select e.actor, e.subject, e.details ->> 'certificate_authorities.sealed_client_secret' as resealed
         from audit_events as e where e.action = 'secrets_resealed'`,
      );
      expect(rows).toEqual([{ actor: 'admin', subject: 'sealing_key:k2', resealed: '1' }]);
      expect(await run(['sealing', 'status'], newKey)).toMatchObject({ unopenable: [] });
    });

    it('does and audits nothing when there is nothing left to do', async () => {
      await run(['sealing', 'rotate'], both());
      const { rows } = await database.query(
        `select from audit_events as e where e.action = 'secrets_resealed'`,
      );
      expect(rows).toHaveLength(1);
    });
  });

  it('says when events wait for a sealer that does not run', async () => {
    const unsealed = async () => {
      const verified = await runAdmin({
        args: ['audit', 'verify'],
        env: environment,
        readStdin: () => Promise.resolve(''),
      });
      return JSON.parse(verified) as object;
    };
    expect(await unsealed()).toMatchObject({
      intact: true,
      head: { position: 0 },
      unsealed: { count: 9 },
    });
    await sealAudit(database);
    const write = (age: string) =>
      database.query(
        `insert into audit_events (at, actor, action, subject) values (now() - $1::interval, 'admin', 'account_changed', 'account:x')`,
        [age],
      );
    await write('31 s');
    expect(await unsealed()).toMatchObject({ unsealed: { count: 1, isOverdue: true } });
    await sealAudit(database);
    await write('0 s');
    expect(await unsealed()).toMatchObject({ unsealed: { count: 1, isOverdue: false } });
  });

  it('verifies the audit: what was entered is intact, and a change by the database’s owner is named', async () => {
    const head = await sealAudit(database);
    const kept = `${head?.position ?? 0}:${head?.hash.toString('hex') ?? ''}`;
    expect(await answerOf(['audit', 'verify', '--expect', kept])).toEqual({
      intact: true,
      head: { position: 11, hash: head?.hash.toString('hex') },
      broken: null,
      unsealed: { count: 0, oldestAgeSeconds: null, isOverdue: false },
    });
    const tamper = await database.connect();
    await tamper.query('set session_replication_role = replica');
    await tamper.query(`update audit_events set actor = 'operator:x' where event_id = 2`);
    tamper.release(true);
    const { code, stdout, stderr } = await admin(['audit', 'verify']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        'The audit chain is broken at position 2, event 2: the event that stands there is not the one that was sealed.\n',
    });
    expect(JSON.parse(stdout)).toMatchObject({
      intact: false,
      head: { position: 1 },
      broken: { position: 2, eventId: 2, kind: 'event_changed' },
    });
  });

  it('explains itself', async () => {
    const general = await admin(['--help']);
    expect(general.code).toBe(0);
    expect(general.stdout).toContain('client-service create');
    const one = await admin(['ca', 'create', '--help'], { env: {} });
    expect(one.code).toBe(0);
    expect(one.stdout).toContain('--client-secret-stdin');
  });
});
