import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';
import { rights, serviceRoles } from './rights.ts';

/** The roles of the database: one for each process, and the owner of the schema. */
export const databaseRoles = ['migrations', ...serviceRoles] as const;
export type DatabaseRole = (typeof databaseRoles)[number];

/** Of the roles that are to get one. */
export type RolePasswords = Readonly<Partial<Record<DatabaseRole, string | undefined>>>;

export const roleName = (role: DatabaseRole): string => `certificate_access_${role}`;

/** The same database as another role sees it. */
export function urlAs(databaseUrl: string, role: DatabaseRole, password: string): string {
  const url = new URL(databaseUrl);
  url.username = roleName(role);
  url.password = encodeURIComponent(password);
  return url.href;
}

/** One for each role, of 192 bits, fit for a URL as they are. */
export function newRolePasswords(): Record<DatabaseRole, string> {
  const make = () => randomBytes(24).toString('hex');
  return {
    migrations: make(),
    backoffice: make(),
    gate: make(),
    usage: make(),
    worker: make(),
    admin: make(),
  };
}

/** A sentence for whoever runs the platform about what stands in the way, with what to do. */
export class RolesFault extends Error {
  override readonly name = 'RolesFault';
}

export type RolesSetUp = {
  readonly created: readonly string[];
  readonly passwordsSet: readonly string[];
  /** Tables and functions that now belong to the migrations' role. */
  readonly handedOver: readonly string[];
};

/**
 * Creates the roles that are missing, gives those named here their passwords, and hands the database and what is in it to the migrations' role. Run by a
 * superuser, or by whoever owns all of it and may create roles. Safe to repeat, also at once for several databases of a server, whose roles they share.
 * All or nothing; throws a RolesFault for a database that holds other things too, or roles that may too much.
 */
export async function setUpRoles(
  databaseUrl: string,
  passwords: RolePasswords,
): Promise<RolesSetUp> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'roles' });
  // A connection that breaks between two statements is told by the next; without a listener Node would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (let triesLeft = 5; ; triesLeft -= 1) {
      try {
        await client.query('begin');
        const created = await createMissing(client);
        await requirePlainRoles(client);
        const passwordsSet = await setPasswords(client, passwords);
        const handedOver = await handOver(client);
        await client.query('commit');
        return { created, passwordsSet, handedOver };
      } catch (error) {
        await client.query('rollback');
        if (triesLeft === 0 || !isOfAnotherRun(error)) throw error;
      }
    }
  } finally {
    await client.end();
  }
}

async function createMissing(client: pg.Client): Promise<string[]> {
  const missing = await missingRoles(client);
  for (const name of missing) await client.query(createStatement(name));
  return missing;
}

const createStatement = (name: string): string =>
  `create role ${name} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls`;

async function missingRoles(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select n.name from unnest($1::text[]) with ordinality as n (name, place)
     where not exists (select from pg_roles as r where r.rolname = n.name) order by n.place`,
    [databaseRoles.map(roleName)],
  );
  return rows.map(({ name }) => name);
}

/** Two databases of a server that are set up at once create and alter the same roles. */
function isOfAnotherRun(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  const [duplicateObject, uniqueViolation] = ['42710', '23505'];
  return (
    error.code === duplicateObject ||
    error.code === uniqueViolation ||
    error.message === 'tuple concurrently updated'
  );
}

/** Throws a RolesFault when one of the roles could do more than its rights say. */
async function requirePlainRoles(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string; excess: string }>(
    `select r.rolname as name, concat_ws(', ',
       case when r.rolsuper then 'superuser' end, case when r.rolcreaterole then 'createrole' end,
       case when r.rolcreatedb then 'createdb' end, case when r.rolreplication then 'replication' end,
       case when r.rolbypassrls then 'bypassrls' end,
       (select string_agg('member of ' || o.rolname, ', ' order by o.rolname) from pg_roles as o
        where o.rolname = any ($1) and o.oid <> r.oid and not r.rolsuper and pg_has_role(r.oid, o.oid, 'member'))) as excess
     from pg_roles as r where r.rolname = any ($1) order by r.rolname`,
    [databaseRoles.map(roleName)],
  );
  const tooMuch = rows.filter(({ excess }) => excess !== '');
  if (tooMuch.length === 0) return;
  throw new RolesFault(
    `Roles may more than they need: ${tooMuch.map(({ name, excess }) => `${name} (${excess})`).join('; ')}. Take that from them and run this again.`,
  );
}

/** Throws a RolesFault unless all roles are there, as they should be. */
export async function requireRoles(client: pg.Client): Promise<void> {
  const missing = await missingRoles(client);
  if (missing.length > 0) {
    throw new RolesFault(
      `Roles are missing. Run "npm run admin -- roles" as somebody who may create roles, or there: ${missing.map((name) => `${createStatement(name)};`).join(' ')}`,
    );
  }
  await requirePlainRoles(client);
}

async function setPasswords(client: pg.Client, passwords: RolePasswords): Promise<string[]> {
  const set: string[] = [];
  for (const role of databaseRoles) {
    const password = passwords[role];
    if (password === undefined) continue;
    // Never the password itself: the server may log statements.
    const verifier = pg.escapeLiteral(scramVerifier(password));
    await client.query(`alter role ${roleName(role)} password ${verifier}`);
    set.push(roleName(role));
  }
  return set;
}

/** What PostgreSQL keeps of a password (RFC 5803), made here. For passwords of printable ASCII, which SASLprep (RFC 4013) leaves as they are. */
function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const keyed = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(keyed('Client Key')).digest('base64');
  const serverKey = keyed('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

/** Makes the migrations' role the owner of the database and of all that migrations have made in it. */
async function handOver(client: pg.Client): Promise<string[]> {
  const owner = roleName('migrations');
  await requireOwnDatabase(client);
  const { rows } = await client.query<{ statement: string; name: string }>(
    `select 'table' as kind, c.oid::regclass::text as name, format('alter table %s owner to ${owner}', c.oid::regclass) as statement
     from pg_class as c
     where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and pg_get_userbyid(c.relowner) <> '${owner}'
     union all
     select 'function', p.oid::regprocedure::text, format('alter function %s owner to ${owner}', p.oid::regprocedure)
     from pg_proc as p
     where p.pronamespace = 'public'::regnamespace and pg_get_userbyid(p.proowner) <> '${owner}'
       and not exists (select from pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
     order by 1 desc, 2`,
  );
  const { rows: databases } = await client.query<{ name: string }>(
    `select quote_ident(d.datname) as name from pg_database as d
     where d.datname = current_database() and pg_get_userbyid(d.datdba) <> '${owner}'`,
  );
  const statements = [
    ...databases.map(({ name }) => `alter database ${name} owner to ${owner}`),
    ...rows.map(({ statement }) => statement),
  ];
  if (statements.length > 0) {
    await asMemberOf(client, owner, async () => {
      for (const statement of statements) await client.query(statement);
    });
  }
  return rows.map(({ name }) => name);
}

/** Whoever gives something to a role must be able to become it (PostgreSQL 16); whoever created a role may make themselves a member. */
async function asMemberOf(
  client: pg.Client,
  role: string,
  work: () => Promise<void>,
): Promise<void> {
  const { rows } = await client.query<{ may: boolean }>(
    `select pg_has_role(current_user, $1, 'set') as may`,
    [role],
  );
  const mayAlready = rows[0]?.may === true;
  if (!mayAlready) await client.query(`grant ${role} to current_user with set true, inherit true`);
  await work();
  if (!mayAlready) await client.query(`revoke ${role} from current_user`);
}

/** What else lies in a database would be taken from its users. */
async function requireOwnDatabase(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class as c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relname <> all ($1)
     order by c.relname`,
    [Object.keys(rights)],
  );
  if (rows.length === 0) return;
  throw new RolesFault(
    `The database holds tables that this release does not know (${rows.map(({ name }) => name).join(', ')}): Certificate Access needs a database of its own, and its newest release for this.`,
  );
}
