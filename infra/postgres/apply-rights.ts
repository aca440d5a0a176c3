import type pg from 'pg';
import { callableFunctions, rights, serviceRoles, type TableRights } from './rights.ts';
import { roleName } from './roles.ts';

/**
 * Makes the database give what `rights` says and nothing else: to the roles of the services, and to everybody (PUBLIC) not even a connection. Part of the
 * caller's transaction, so that nobody is without their rights in between. Run as the owner of the database and of all tables.
 */
export async function applyRights(tx: pg.Client): Promise<void> {
  const services = serviceRoles.map(roleName).join(', ');
  const { rows } = await tx.query<{ database: string }>(
    'select quote_ident(current_database()) as database',
  );
  const database = rows[0]?.database ?? '';
  const functions = await ownFunctions(tx);
  const statements = [
    `revoke all on database ${database} from public, ${services}`,
    `grant connect on database ${database} to ${services}`,
    `revoke all on schema public from public, ${services}`,
    `grant usage on schema public to ${services}`,
    // Foreign keys are checked in the name of the table's owner, who in a copy of the database need not be the database's.
    `grant all on schema public to ${roleName('migrations')}`,
    `revoke all on all tables in schema public from public, ${services}`,
    `revoke all on all sequences in schema public from public, ${services}`,
    ...functions.map(
      ({ signature }) => `revoke all on function ${signature} from public, ${services}`,
    ),
    ...functions
      .filter(({ name }) => callableFunctions.includes(name))
      .map(({ signature }) => `grant execute on function ${signature} to ${services}`),
    'alter default privileges revoke execute on functions from public',
    ...grants(),
  ];
  await tx.query(statements.join(';\n'));
}

function grants(): string[] {
  return Object.entries(rights).flatMap(([table, byRole]) =>
    serviceRoles.flatMap((role) =>
      privilegesOf(byRole[role] ?? {}).map(
        (privilege) => `grant ${privilege} on table ${table} to ${roleName(role)}`,
      ),
    ),
  );
}

function privilegesOf({ delete: mayDelete, ...byColumns }: TableRights): string[] {
  const columnwise = Object.entries(byColumns).map(([privilege, columns]) =>
    columns === '*' ? privilege : `${privilege} (${columns})`,
  );
  return mayDelete === true ? [...columnwise, 'delete'] : columnwise;
}

/** Those of the migrations; not those of extensions, which belong to whoever PostgreSQL says. */
async function ownFunctions(tx: pg.Client): Promise<{ name: string; signature: string }[]> {
  const { rows } = await tx.query<{ name: string; signature: string }>(
    `select p.proname as name, p.oid::regprocedure::text as signature from pg_proc as p
     where p.pronamespace = 'public'::regnamespace
       and not exists (select from pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')`,
  );
  return rows;
}
