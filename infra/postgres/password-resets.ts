import type { Queryable } from './pool.ts';

/** Whoever signs in with this address and is an operator of some account. */
export async function findResettable(
  queryable: Queryable,
  email: string,
): Promise<string | undefined> {
  const { rows } = await queryable.query<{ operator_id: string }>(
    `select o.operator_id from operators as o
     where lower(o.email) = lower($1)
       and exists (select from account_operators as m where m.operator_id = o.operator_id)`,
    [email],
  );
  return rows[0]?.operator_id;
}

export type NewPasswordReset = {
  readonly resetId: string;
  readonly operatorId: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly token: { readonly hash: Buffer; readonly sealed: string };
};

export async function insertPasswordReset(tx: Queryable, reset: NewPasswordReset): Promise<void> {
  await tx.query(
    `insert into password_resets (reset_id, operator_id, created_at, expires_at, token_hash, sealed_token)
     values ($1, $2, $3, $4, $5, $6)`,
    [
      reset.resetId,
      reset.operatorId,
      reset.createdAt,
      reset.expiresAt,
      reset.token.hash,
      reset.token.sealed,
    ],
  );
}

export type OpenPasswordReset = {
  readonly operatorId: string;
  readonly name: string;
  readonly email: string;
  readonly locale: string;
  readonly expiresAt: Date;
};

const open = `r.ended_at is null and r.expires_at > $2
  and exists (select from account_operators as m where m.operator_id = r.operator_id)`;

/** Whose password the holder of a token may choose; undefined when it is not good (any more). */
export async function findOpenPasswordReset(
  queryable: Queryable,
  tokenHash: Buffer,
  now: Date,
): Promise<OpenPasswordReset | undefined> {
  const { rows } = await queryable.query<OpenPasswordReset>(
    `select o.operator_id as "operatorId", o.name, o.email, o.locale, r.expires_at as "expiresAt"
     from password_resets as r join operators as o on o.operator_id = r.operator_id
     where r.token_hash = $1 and ${open}`,
    [tokenHash, now],
  );
  return rows[0];
}

/**
 * Uses a token up, where it is good; undefined when it is not, and then nothing was changed. Locks the operator's row first: of two tokens that are used at once
 * the second is void by then.
 */
export async function usePasswordReset(
  tx: Queryable,
  tokenHash: Buffer,
  now: Date,
): Promise<{ resetId: string; operatorId: string } | undefined> {
  await tx.query(
    `select from operators as o
     where o.operator_id = (select r.operator_id from password_resets as r where r.token_hash = $1)
     for no key update`,
    [tokenHash],
  );
  const { rows } = await tx.query<{ resetId: string; operatorId: string }>(
    `update password_resets as r set ended_at = $2, end_reason = 'used', sealed_token = null
     where r.token_hash = $1 and ${open}
     returning r.reset_id as "resetId", r.operator_id as "operatorId"`,
    [tokenHash, now],
  );
  return rows[0];
}

/** Voids the tokens that this operator has. */
export async function voidPasswordResets(
  tx: Queryable,
  operatorId: string,
  now: Date,
): Promise<void> {
  await tx.query(
    `update password_resets as r set ended_at = $2, end_reason = 'voided', sealed_token = null
     where r.operator_id = $1 and r.ended_at is null`,
    [operatorId, now],
  );
}

/** Whom a mail about the password goes to; times are told in the zone of their first account. */
export type PasswordMailRecipient = {
  readonly email: string;
  readonly name: string;
  readonly locale: string;
  readonly timeZone: string;
};

const recipient = `o.email, o.name, o.locale, coalesce((
    select a.time_zone from account_operators as m join accounts as a on a.account_id = m.account_id
    where m.operator_id = o.operator_id order by lower(a.name) limit 1
  ), 'UTC') as "timeZone"`;

export async function findPasswordMailRecipient(
  queryable: Queryable,
  operatorId: string,
): Promise<PasswordMailRecipient | undefined> {
  const { rows } = await queryable.query<PasswordMailRecipient>(
    `select ${recipient} from operators as o where o.operator_id = $1`,
    [operatorId],
  );
  return rows[0];
}

/** A mail that waits. */
export type WaitingPasswordReset = {
  readonly operatorId: string;
  readonly to: PasswordMailRecipient;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** Belongs to the reset's id. */
  readonly sealedToken: string;
};

/** Undefined when there is nothing to send (any more): it was sent, used or voided, or has ended. Then the token is not kept either. */
export async function findWaitingPasswordReset(
  queryable: Queryable,
  resetId: string,
  now: Date,
): Promise<WaitingPasswordReset | undefined> {
  const { rows } = await queryable.query<PasswordMailRecipient & Omit<WaitingPasswordReset, 'to'>>(
    `select r.operator_id as "operatorId", r.created_at as "createdAt", r.expires_at as "expiresAt", r.sealed_token as "sealedToken",
       ${recipient}
     from password_resets as r join operators as o on o.operator_id = r.operator_id
     where r.reset_id = $1 and r.sealed_token is not null and ${open}`,
    [resetId, now],
  );
  if (rows[0] === undefined) {
    await queryable.query(
      'update password_resets as r set sealed_token = null where r.reset_id = $1',
      [resetId],
    );
    return undefined;
  }
  const { operatorId, createdAt, expiresAt, sealedToken, ...to } = rows[0];
  return { operatorId, to, createdAt, expiresAt, sealedToken };
}

/** Records what the mail relay answered, once, and forgets the token. Answers whether this call did it. */
export async function recordPasswordResetMail(
  tx: Queryable,
  resetId: string,
  result: 'accepted' | 'refused',
  now: Date,
): Promise<boolean> {
  const column = result === 'accepted' ? 'sent_at' : 'refused_at';
  const { rowCount } = await tx.query(
    `update password_resets as r set ${column} = $2, sealed_token = null
     where r.reset_id = $1 and r.sent_at is null and r.refused_at is null`,
    [resetId, now],
  );
  return rowCount === 1;
}

export async function removeOldPasswordResets(
  queryable: Queryable,
  expiredBefore: Date,
): Promise<void> {
  await queryable.query('delete from password_resets as r where r.expires_at <= $1', [
    expiredBefore,
  ]);
}
