import type pg from 'pg';
import { ownObjects } from './own-objects.ts';
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
  const objects = await ownObjects(tx);
  const callable = objects.filter(
    ({ kind, name }) => kind === 'function' && callableFunctions.includes(name),
  );
  const statements = [
    `revoke all on database ${database} from public, ${services}`,
    `grant connect on database ${database} to ${services}`,
    `revoke all on schema public from public, ${services}`,
    `grant usage on schema public to ${services}`,
    // Foreign keys are checked in the name of the table's owner, who in a copy of the database need not be the database's.
    `grant all on schema public to ${roleName('migrations')}`,
    'alter default privileges revoke execute on functions from public',
    ...objects.map(
      ({ kind, reference }) => `revoke all on ${kind} ${reference} from public, ${services}`,
    ),
    ...callable.map(({ reference }) => `grant execute on function ${reference} to ${services}`),
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
