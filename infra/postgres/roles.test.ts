import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createGuardian, type Guardian } from '../development/guardian.ts';
import { freePort } from '../development/ports.ts';
import { createDatabase, startPostgres } from './development-server.ts';
import { migrate } from './migrate.ts';
import { setUpRoles } from './role-setup.ts';
import { databaseRoles, newRolePasswords, roleName, urlAs } from './roles.ts';

const folder = mkdtempSync(join(tmpdir(), 'roles-'));
const logFile = join(folder, 'postgres.log');
const passwords = {
  ...newRolePasswords(),
  gate: `p@ss:w/o?r#d%25'"\\${randomBytes(4).toString('hex')}`,
};
let guardian: Guardian;
let serverUrl: string;

// A server of its own, without roles: they belong to the server, and other tests use those of the run's.
beforeAll(async () => {
  chmodSync(folder, 0o755);
  guardian = createGuardian();
  ({ url: serverUrl } = await startPostgres({
    guardian,
    dataDir: join(folder, 'postgres'),
    port: await freePort(),
    logFile,
    temporary: true,
  }));
  await query(serverUrl, `alter system set log_statement = 'all'`);
  await query(serverUrl, 'select pg_reload_conf()');
});
afterAll(async () => {
  await guardian.close();
  rmSync(folder, { recursive: true, force: true });
});

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

const userOf = async (url: string) =>
  (await query<{ name: string }>(url, 'select current_user::text as name'))[0]?.name;

const ownersOf = (url: string) =>
  query<{ owner: string }>(
    url,
    `select distinct pg_get_userbyid(c.relowner)::text as owner from pg_class as c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'S')
     union
     select pg_get_userbyid(d.datdba)::text from pg_database as d where d.datname = current_database()`,
  );

const databaseUrl = (name: string): string => {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
};

const missing =
  /^Roles are missing\. Run "npm run admin -- roles" .*: create role certificate_access_migrations login nosuperuser.*;$/;

describe('the roles of a server', () => {
  it('are asked for by name, with the statements, before anything is migrated', async () => {
    const url = await createDatabase(serverUrl, 'without_roles');
    await expect(migrate(url)).rejects.toThrow(missing);
    expect(await query(url, `select from pg_tables where schemaname = 'public'`)).toEqual([]);
  });

  it('are made by somebody who is no superuser but may create roles, for several databases at once', async () => {
    await query(serverUrl, `create role platform login createrole createdb password 'platform'`);
    const platform = new URL(serverUrl);
    platform.username = platform.password = 'platform';
    const names = ['first', 'second', 'third', 'fourth'];
    const urls = await Promise.all(names.map((name) => createDatabase(platform.href, name)));
    const results = await Promise.all(urls.map((url) => setUpRoles(url, passwords)));
    const created = results.flatMap((result) => result.created);
    expect(created.sort()).toEqual(databaseRoles.map(roleName).sort());
    for (const { passwordsSet } of results)
      expect(passwordsSet).toEqual(databaseRoles.map(roleName));

    for (const name of names) {
      const url = databaseUrl(name);
      expect(await migrate(urlAs(url, 'migrations', passwords.migrations))).toContain(
        '0001_facts.sql',
      );
      expect(await ownersOf(url)).toEqual([{ owner: roleName('migrations') }]);
    }
    for (const role of databaseRoles) {
      expect(await userOf(urlAs(urls[0] ?? '', role, passwords[role]))).toBe(roleName(role));
    }
    // Whoever set it up is left with no way into it.
    const memberships = `select from pg_auth_members as m where m.member = 'platform'::regrole and (m.set_option or m.inherit_option)`;
    expect(await query(serverUrl, memberships)).toEqual([]);
  });

  it('keep their passwords when these are not given again, and no log has ever held one', async () => {
    const url = await createDatabase(serverUrl, 'again');
    expect(await setUpRoles(url, {})).toEqual({ created: [], passwordsSet: [], handedOver: [] });
    expect(await userOf(urlAs(url, 'gate', passwords.gate))).toBe(roleName('gate'));
    await expect(userOf(urlAs(url, 'gate', 'another one'))).rejects.toThrow(
      'password authentication failed',
    );
    const log = readFileSync(logFile, 'utf8');
    expect(log).toContain('alter role certificate_access_usage password');
    for (const password of Object.values(passwords)) expect(log).not.toContain(password);
  });

  it('take over an installation of a superuser, data and all', async () => {
    const url = await createDatabase(serverUrl, 'old_installation');
    await migrate(url);
    // Of an extension that the platform wants there: left as it is.
    await query(url, 'create extension pg_stat_statements');
    await query(
      url,
      `insert into accounts (account_id, name, created_at) values ('a', 'Kept', now())`,
    );
    const asOwner = urlAs(url, 'migrations', passwords.migrations);
    await expect(migrate(asOwner)).rejects.toMatchObject({ code: '42501' });

    const { handedOver } = await setUpRoles(url, {});
    expect(handedOver).toEqual(
      expect.arrayContaining(['access_grants', 'refuse_change()', 'migrations']),
    );
    expect(await ownersOf(url)).toEqual([{ owner: roleName('migrations') }]);
    expect((await setUpRoles(url, {})).handedOver).toEqual([]);
    expect(await migrate(asOwner)).toEqual([]);
    const asAdmin = urlAs(url, 'admin', passwords.admin);
    expect(await query(asAdmin, 'select a.name from accounts as a')).toEqual([{ name: 'Kept' }]);
    const toPublic = `select from information_schema.role_table_grants where table_name = 'pg_stat_statements' and grantee = 'PUBLIC'`;
    expect(await query(url, toPublic)).toHaveLength(1);
    // What comes later can be migrated, in tables that others have made.
    await query(asOwner, 'alter table accounts add column later text');
  });

  it('take nothing from a database that holds other things', async () => {
    const url = await createDatabase(serverUrl, 'of_others');
    await query(url, 'create table invoices (id int)');
    await expect(setUpRoles(url, {})).rejects.toThrow(
      /^The database holds tables that this release does not know \(invoices\)/,
    );
    expect(await ownersOf(url)).toEqual([{ owner: 'postgres' }]);
  });

  it.each([
    [
      'superuser',
      `alter role ${roleName('gate')} superuser`,
      `alter role ${roleName('gate')} nosuperuser`,
    ],
    [
      `member of ${roleName('migrations')}`,
      `grant ${roleName('migrations')} to ${roleName('gate')}`,
      `revoke ${roleName('migrations')} from ${roleName('gate')}`,
    ],
  ])('are refused when one is %s', async (excess, give, take) => {
    const url = urlAs(databaseUrl('first'), 'migrations', passwords.migrations);
    await query(serverUrl, give);
    try {
      const sentence = `Roles may more than they need: ${roleName('gate')} (${excess}). Take that from them and run this again.`;
      await expect(migrate(url)).rejects.toThrow(sentence);
      await expect(setUpRoles(databaseUrl('first'), {})).rejects.toThrow(sentence);
    } finally {
      await query(serverUrl, take);
    }
    expect(await migrate(url)).toEqual([]);
  });
});
