import type pg from 'pg';
import { ownObjects, type OwnObject } from './own-objects.ts';
import { rights } from './rights.ts';
import { roleName, RolesFault } from './roles.ts';

/**
 * Makes the migrations' role the owner of the database and of all that migrations have made in it; answers the names of what was another's. Throws a
 * RolesFault for a database that holds other tables too: they would be taken from those who use them.
 */
export async function handOver(client: pg.Client): Promise<string[]> {
  const owner = roleName('migrations');
  const objects = (await ownObjects(client)).filter(({ kind }) => kind !== 'sequence');
  requireKnown(objects);
  const others = objects.filter((object) => object.owner !== owner);
  const { rows: databases } = await client.query<{ name: string }>(
    `select quote_ident(d.datname) as name from pg_database as d
     where d.datname = current_database() and pg_get_userbyid(d.datdba) <> $1`,
    [owner],
  );
  const statements = [
    ...databases.map(({ name }) => `alter database ${name} owner to ${owner}`),
    // Sequences of identity columns go with their tables.
    ...others.map(({ kind, reference }) => `alter ${kind} ${reference} owner to ${owner}`),
  ];
  if (statements.length > 0) {
    await asMemberOf(client, owner, async () => {
      for (const statement of statements) await client.query(statement);
    });
  }
  return others.map(({ reference }) => reference);
}

function requireKnown(objects: readonly OwnObject[]): void {
  const unknown = objects.filter(({ kind, name }) => kind === 'table' && !(name in rights));
  if (unknown.length === 0) return;
  throw new RolesFault(
    `The database holds tables that this release does not know (${unknown.map(({ name }) => name).join(', ')}): Certificate Access needs a database of its own, and its newest release for this.`,
  );
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
