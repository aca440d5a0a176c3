import type { Role } from '../../domain/roles.ts';
import type { Queryable } from './pool.ts';

type Membership = {
  readonly accountId: string;
  readonly name: string;
  readonly timeZone: string;
  readonly role: Role;
};
export type Operator = {
  readonly operatorId: string;
  readonly name: string;
  readonly email: string;
  readonly locale: string;
  readonly accounts: readonly Membership[];
};

/** The operator with the accounts and roles of now; undefined when there is none any more. */
export async function findOperator(
  queryable: Queryable,
  operatorId: string,
): Promise<Operator | undefined> {
  const { rows } = await queryable.query<{ name: string; email: string; locale: string }>(
    'select o.name, o.email, o.locale from operators as o where o.operator_id = $1',
    [operatorId],
  );
  const { rows: memberships } = await queryable.query<{
    account_id: string;
    name: string;
    time_zone: string;
    role: Role;
  }>(
    `select a.account_id, a.name, a.time_zone, m.role from account_operators as m
     join accounts as a on a.account_id = m.account_id
     where m.operator_id = $1 order by lower(a.name)`,
    [operatorId],
  );
  const accounts = memberships.map((row) => ({
    accountId: row.account_id,
    name: row.name,
    timeZone: row.time_zone,
    role: row.role,
  }));
  return rows[0] && { operatorId, ...rows[0], accounts };
}

/** The operator's role in an account at this moment; undefined for somebody else's account. */
export async function findRole(
  queryable: Queryable,
  operatorId: string,
  accountId: string,
): Promise<Role | undefined> {
  const { rows } = await queryable.query<{ role: Role }>(
    'select m.role from account_operators as m where m.operator_id = $1 and m.account_id = $2',
    [operatorId, accountId],
  );
  return rows[0]?.role;
}
