import type { Queryable } from './pool.ts';

/** What a sign-in is tried against. */
export type SignInSubject = {
  /** The address as it is compared: without case, as the database has it. */
  readonly address: string;
  readonly operator: { readonly operatorId: string; readonly passwordHash: string } | undefined;
};

export async function findSignIn(queryable: Queryable, email: string): Promise<SignInSubject> {
  const { rows } = await queryable.query<{
    address: string;
    operator_id: string | null;
    password_hash: string | null;
  }>(
    `select typed.address, o.operator_id, o.password_hash
     from (select lower($1) as address) as typed
     left join operators as o on lower(o.email) = typed.address`,
    [email],
  );
  const { address = '', operator_id: operatorId, password_hash: passwordHash } = rows[0] ?? {};
  return {
    address,
    operator: operatorId && passwordHash ? { operatorId, passwordHash } : undefined,
  };
}

export async function findPasswordHash(
  queryable: Queryable,
  operatorId: string,
): Promise<string | undefined> {
  const { rows } = await queryable.query<{ password_hash: string }>(
    'select o.password_hash from operators as o where o.operator_id = $1',
    [operatorId],
  );
  return rows[0]?.password_hash;
}

/**
 * Counts a try to sign in from a browser that is not known, as long as fewer than `most` are counted; answers how many are now, undefined when this one was not.
 * Without an operator it does as much and counts nothing.
 */
export async function countUnknownBrowser(
  tx: Queryable,
  operatorId: string | undefined,
  most: number,
): Promise<number | undefined> {
  const { rows } = await tx.query<{ failed_sign_ins: number }>(
    `update operators as o set failed_sign_ins = o.failed_sign_ins + 1
     where o.operator_id = $1 and o.failed_sign_ins < $2 returning o.failed_sign_ins`,
    [operatorId ?? '', most],
  );
  return rows[0]?.failed_sign_ins;
}

/**
 * That the password which was right a moment ago still is the operator's; locks the operator's row, so that what is begun with the password in this transaction
 * is seen, and ended, by whoever changes it. The count of failures begins anew.
 */
export async function confirmPassword(
  tx: Queryable,
  operatorId: string,
  passwordHash: string,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update operators as o set failed_sign_ins = 0
     where o.operator_id = $1 and o.password_hash = $2`,
    [operatorId, passwordHash],
  );
  return rowCount === 1;
}

export async function replacePassword(
  tx: Queryable,
  operatorId: string,
  passwordHash: string,
): Promise<void> {
  await tx.query(
    `update operators as o set password_hash = $2, password_set = true, failed_sign_ins = 0
     where o.operator_id = $1`,
    [operatorId, passwordHash],
  );
}
