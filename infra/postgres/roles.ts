import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { serviceRoles } from './rights.ts';

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

/** Throws a RolesFault unless all roles are there, as they should be. */
export async function requireRoles(client: pg.Client): Promise<void> {
  const missing = await missingRoles(client);
  if (missing.length > 0) {
    throw new RolesFault(
      `Roles are missing. Run "npm run admin -- roles" as somebody who may create roles, or have them say: ${missing.map((name) => `${createStatement(name)};`).join(' ')}`,
    );
  }
  await requirePlainRoles(client);
}

export async function missingRoles(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select n.name from unnest($1::text[]) with ordinality as n (name, place)
     where not exists (select from pg_roles as r where r.rolname = n.name) order by n.place`,
    [databaseRoles.map(roleName)],
  );
  return rows.map(({ name }) => name);
}

export const createStatement = (name: string): string =>
  `create role ${name} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls`;

/** Throws a RolesFault when one of the roles could do more than its rights say. */
export async function requirePlainRoles(client: pg.Client): Promise<void> {
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
