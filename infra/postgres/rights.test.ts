import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { databaseUrlAs } from '../../test/support/database.ts';
import { testParts } from '../../test/support/parts.ts';
import { createDatabase, dropDatabase } from './development-server.ts';
import { migrate } from './migrate.ts';
import { rights, serviceRoles, type ServiceRole } from './rights.ts';
import { setUpRoles } from './role-setup.ts';
import { databaseRoles, roleName, type DatabaseRole } from './roles.ts';

const denied = '42501';
const raised = 'P0001';
const name = `test_rights_${randomBytes(6).toString('hex')}`;
let owner: pg.Client;
let superuser: pg.Client;
let services: Record<ServiceRole, pg.Client>;
/** From the catalogue, so that a table or column that is new is tried as well. */
let columnsOf: Map<string, string[]>;
let allowed: Record<ServiceRole, string[]>;

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

async function forEachRole<T>(
  work: (role: ServiceRole) => Promise<T>,
): Promise<Record<ServiceRole, T>> {
  const results = serviceRoles.map(async (role) => [role, await work(role)] as const);
  return Object.fromEntries(await Promise.all(results)) as Record<ServiceRole, T>;
}

beforeAll(async () => {
  const url = await createDatabase(testParts().postgresUrl, name);
  await setUpRoles(url, {});
  await migrate(databaseUrlAs(url, 'migrations'));
  superuser = await connect(url);
  owner = await connect(databaseUrlAs(url, 'migrations'));
  services = await forEachRole((role) => connect(databaseUrlAs(url, role)));
  const { rows } = await owner.query<{ name: string; columns: string[] }>(
    `select c.relname::text as name, array_agg(a.attname::text order by a.attnum) as columns
     from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
     group by c.relname`,
  );
  columnsOf = new Map(rows.map((table) => [table.name, table.columns]));
  allowed = await forEachRole(tryEverything);
});

afterAll(async () => {
  await Promise.all([superuser, owner, ...Object.values(services)].map((client) => client.end()));
  await dropDatabase(testParts().postgresUrl, name);
});

/** The SQLSTATE with which a statement is refused, or undefined when it is carried out. */
async function codeOf(client: pg.Client, sql: string): Promise<string | undefined> {
  try {
    await client.query(sql);
    return undefined;
  } catch (error) {
    return (error as pg.DatabaseError).code;
  }
}

/** What the role was allowed when it tried everything on every table; no row is touched. */
async function tryEverything(role: ServiceRole): Promise<string[]> {
  const tries: (readonly [string, string])[] = [...columnsOf].flatMap(([table, columns]) => [
    ...columns.flatMap((column) => [
      [`select ${table}.${column}`, `select ${column} from ${table} limit 0`] as const,
      [
        `insert ${table}.${column}`,
        `insert into ${table} (${column}) overriding system value select null where false`,
      ] as const,
      [`update ${table}.${column}`, `update ${table} set ${column} = default where false`] as const,
    ]),
    [`delete ${table}`, `delete from ${table} where false`] as const,
    [`truncate ${table}`, `truncate ${table} cascade`] as const,
  ]);
  const allowed: string[] = [];
  for (const [what, sql] of tries) {
    const code = await codeOf(services[role], sql);
    if (code === undefined) allowed.push(what);
    else if (code !== denied) throw new Error(`${sql}: ${code}`);
  }
  return allowed.sort();
}

/** The same as rights.ts has it. */
function listed(role: ServiceRole): string[] {
  return Object.entries(rights)
    .flatMap(([table, byRole]) => {
      const { delete: mayDelete, ...columnwise } = byRole[role] ?? {};
      const ofColumns = Object.entries(columnwise).flatMap(([privilege, columns]) =>
        (columns === '*' ? (columnsOf.get(table) ?? []) : columns.split(', ')).map(
          (column) => `${privilege} ${table}.${column}`,
        ),
      );
      return mayDelete === true ? [...ofColumns, `delete ${table}`] : ofColumns;
    })
    .sort();
}

describe('each service has a role of its own', () => {
  it('and every table has its line in rights.ts', () => {
    expect([...columnsOf.keys()].sort()).toEqual(Object.keys(rights).sort());
  });

  it.each(serviceRoles)(
    '%s may do what rights.ts says and nothing else, on every column of every table',
    (role) => {
      expect(allowed[role]).toEqual(listed(role));
    },
  );

  it.each(serviceRoles)('%s may do nothing beyond its rows', async (role) => {
    const others = databaseRoles.filter((other) => other !== role).map(roleName);
    const statements = [
      'create table mine (id int)',
      'create temporary table mine (id int)',
      'create schema mine',
      'create view mine as select 1',
      "create function mine() returns int language sql as 'select 1'",
      'alter table audit_events disable trigger audit_events__append_only',
      'alter table audit_events disable trigger all',
      'drop trigger audit_events__append_only on audit_events',
      'create trigger mine before insert on audit_events execute function refuse_change()',
      'alter table operators add column mine int',
      'alter table operators owner to current_user',
      'drop table usage_rejects',
      'drop function notify_screens(text, text)',
      'create index on audit_events (at)',
      'do $$ begin lock table audit_events in access exclusive mode; end $$',
      "select nextval('outbox_outbox_id_seq')",
      "select setval('audit_events_event_id_seq', 1)",
      'select from pg_authid',
      'create role mine',
      'create database mine',
      `alter role ${roleName(role)} superuser`,
      `grant select on operators to ${roleName(role)}`,
      'set session_replication_role = replica',
      "copy migrations to '/tmp/mine'",
      "select pg_read_file('PG_VERSION')",
      "select pg_terminate_backend(a.pid) from pg_stat_activity as a where a.usename = 'postgres'",
      ...others.map((other) => `set role ${other}`),
      'set role postgres',
    ];
    const carriedOut: [string, string | undefined][] = [];
    for (const sql of statements) {
      const code = await codeOf(services[role], sql);
      if (code !== denied) carriedOut.push([sql, code]);
    }
    expect(carriedOut).toEqual([]);
  });

  it('keeps every secret from those who do not need it', () => {
    const secrets = [...columnsOf].flatMap(([table, columns]) =>
      columns
        .filter((column) => /sealed|hash|password|body$/.test(column))
        .map((column) => `${table}.${column}`),
    );
    const readersOf = (column: string) =>
      serviceRoles.filter((role) => allowed[role].includes(`select ${column}`));
    expect(Object.fromEntries(secrets.map((column) => [column, readersOf(column)]))).toEqual({
      'operators.password_hash': ['backoffice'],
      // Whether there is a password.
      'operators.password_set': ['backoffice', 'worker', 'admin'],
      // What is sealed is read by those with a use for it, and by the command that seals it anew.
      'certificate_authorities.sealed_client_secret': ['backoffice', 'gate', 'worker', 'admin'],
      'renewals.state_hash': ['backoffice'],
      'renewals.browser_hash': ['backoffice'],
      'renewals.sealed_verifier': ['backoffice', 'admin'],
      'renewals.sealed_tokens': ['backoffice', 'worker', 'admin'],
      'access_grants.sealed_sad': ['gate', 'worker', 'admin'],
      'access_grants.sealed_tokens': ['gate', 'worker', 'admin'],
      'mails.text_body': ['backoffice'],
      'mails.html_body': ['backoffice'],
      'sessions.session_hash': ['backoffice'],
      // Of random secrets of 256 bits: nothing comes of reading them. Those who give a key another secret keep the hash of the one before.
      'api_keys.key_hash': ['backoffice', 'gate', 'admin'],
      'api_key_old_secrets.key_hash': ['backoffice', 'gate', 'admin'],
      'api_key_uses.key_hash': ['backoffice', 'gate', 'admin'],
      'invitations.token_hash': ['backoffice', 'worker', 'admin'],
      'invitations.sealed_token': ['worker', 'admin'],
      'password_resets.token_hash': ['backoffice', 'worker'],
      'password_resets.sealed_token': ['worker', 'admin'],
      'known_browsers.secret_hash': ['backoffice'],
      'door_budgets.budget_hash': ['backoffice'],
      // Of the audit's chain.
      'audit_links.hash': ['worker', 'admin'],
    });
  });

  it('has operators, keys, CAs and certificates written by those alone with whom they are entered', () => {
    const writing =
      /^(insert|update|delete) (accounts|operators|account_operators|sessions|api_keys|certificate_authorities|certificates)\b/;
    const writers = serviceRoles.filter((role) =>
      allowed[role].some((what) => writing.test(what) && what !== 'update certificates.created_at'),
    );
    expect(writers).toEqual(['backoffice', 'admin']);
  });

  it('lets nobody else into the database', async () => {
    const stranger = `test_stranger_${randomBytes(4).toString('hex')}`;
    await superuser.query(`create role ${stranger} login password 'a long enough password'`);
    try {
      const url = new URL(testParts().postgresUrl);
      url.pathname = `/${name}`;
      url.username = stranger;
      url.password = encodeURIComponent('a long enough password');
      await expect(connect(url.href)).rejects.toMatchObject({ code: denied });
    } finally {
      await superuser.query(`drop role ${stranger}`);
    }
  });

  it('has one function to call, and one trigger that works with the rights of its owner', async () => {
    const { rows } = await owner.query<{ name: string; isTrigger: boolean; isOwners: boolean }>(
      `select p.oid::regprocedure::text as name, p.prorettype = 'trigger'::regtype as "isTrigger", p.prosecdef as "isOwners"
       from pg_proc as p
       where p.pronamespace = 'public'::regnamespace and pg_get_userbyid(p.proowner) = current_user
         and (p.prosecdef or p.prorettype <> 'trigger'::regtype)
       order by 1`,
    );
    expect(rows).toEqual([
      { name: 'notify_screens(text,text)', isTrigger: false, isOwners: false },
      { name: 'queue_for_sealing()', isTrigger: true, isOwners: true },
    ]);
    for (const role of serviceRoles) {
      await services[role].query(`select notify_screens('certificate', 'grant')`);
    }
  });
});

describe('audit rows', () => {
  const insert = `insert into audit_events (at, actor, action, subject) values (now(), 'process:test', 'tested', 'test:1')`;
  const changes = [
    `update audit_events set actor = 'somebody else'`,
    'delete from audit_events',
    'truncate audit_events',
  ];

  it('can be inserted by every service and changed by none', async () => {
    for (const role of serviceRoles) {
      await services[role].query(insert);
      for (const sql of changes) expect(await codeOf(services[role], sql)).toBe(denied);
    }
    const { rows } = await owner.query<{ actor: string }>('select e.actor from audit_events as e');
    expect(rows).toEqual(serviceRoles.map(() => ({ actor: 'process:test' })));
  });

  it('cannot be changed by the owner of the table or a superuser either, as long as its trigger is there', async () => {
    await owner.query(insert);
    for (const client of [owner, superuser]) {
      for (const sql of changes) expect(await codeOf(client, sql)).toBe(raised);
    }
  });

  it('get their number from the database alone', async () => {
    const forged = `insert into audit_events (event_id, at, actor, action, subject) overriding system value values (1, now(), 'a', 'b', 'c')`;
    expect(await codeOf(services.backoffice, forged)).toBe(denied);
  });
});

describe('migrating', () => {
  const asOwner = () => migrate(databaseUrlAs(databaseUrl(), 'migrations'));
  const databaseUrl = (): string => {
    const url = new URL(testParts().postgresUrl);
    url.pathname = `/${name}`;
    return url.href;
  };
  const may = async (role: DatabaseRole & ServiceRole, sql: string) =>
    (await codeOf(services[role], sql)) === undefined;

  it('gives back what is missing and takes away what is too much', async () => {
    await owner.query(`
      grant all on operators, audit_events to ${roleName('usage')};
      grant select (key_hash) on api_keys to ${roleName('usage')};
      grant usage on sequence outbox_outbox_id_seq to ${roleName('usage')};
      grant select on sessions to public;
      grant create on schema public to public;
      revoke all on usage_counters from ${roleName('usage')}`);
    expect(await may('usage', 'select password_hash from operators')).toBe(true);
    expect(await may('usage', 'create table mine (id int)')).toBe(true);
    expect(await may('usage', 'select from usage_counters')).toBe(false);
    await services.usage.query('drop table mine');

    expect(await asOwner()).toEqual([]);
    expect(await tryEverything('usage')).toEqual(listed('usage'));
    expect(await may('usage', `select nextval('outbox_outbox_id_seq')`)).toBe(false);
    expect(await may('usage', 'create table mine (id int)')).toBe(false);
  });

  it('leaves the rights alone where a newer release has been', async () => {
    await owner.query(`insert into migrations (name) values ('9999_of_a_newer_release.sql')`);
    await owner.query(`grant select on accounts to ${roleName('usage')}`);
    await asOwner();
    expect(await may('usage', 'select name from accounts')).toBe(true);

    await owner.query(`delete from migrations where name = '9999_of_a_newer_release.sql'`);
    await asOwner();
    expect(await may('usage', 'select name from accounts')).toBe(false);
  });

  it('can be done by nobody but the owner', async () => {
    await expect(migrate(databaseUrlAs(databaseUrl(), 'admin'))).rejects.toMatchObject({
      code: denied,
    });
  });
});
