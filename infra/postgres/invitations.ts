import type { InvitationFacts } from '../../domain/invitation.ts';
import type { Role } from '../../domain/roles.ts';
import type { Queryable } from './pool.ts';

/** With a token for somebody who has to choose a password; without one it only tells of the account. */
export type NewInvitation = {
  readonly invitationId: string;
  readonly accountId: string;
  readonly operatorId: string;
  readonly invitedBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly token: { readonly hash: Buffer; readonly sealed: string } | undefined;
};

export async function insertInvitation(tx: Queryable, invitation: NewInvitation): Promise<void> {
  await tx.query(
    `insert into invitations
       (invitation_id, account_id, operator_id, invited_by, created_at, expires_at, token_hash, sealed_token)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      invitation.invitationId,
      invitation.accountId,
      invitation.operatorId,
      invitation.invitedBy,
      invitation.createdAt,
      invitation.expiresAt,
      invitation.token?.hash ?? null,
      invitation.token?.sealed ?? null,
    ],
  );
}

/** Voids the tokens that this operator has for this account. One that is being used at this moment is waited for, and stays used. */
export async function endInvitations(
  tx: Queryable,
  accountId: string,
  operatorId: string,
  reason: 'replaced' | 'removed',
  now: Date,
): Promise<void> {
  await tx.query(
    `update invitations as i set ended_at = $3, end_reason = $4, sealed_token = null
     where i.account_id = $1 and i.operator_id = $2 and i.token_hash is not null and i.ended_at is null`,
    [accountId, operatorId, now, reason],
  );
}

export type InvitationOfOperator = InvitationFacts & {
  readonly operatorId: string;
  readonly createdAt: Date;
};

/** The last invitation of each operator of the account who has no password yet. */
export async function listInvitations(
  queryable: Queryable,
  accountId: string,
): Promise<InvitationOfOperator[]> {
  const { rows } = await queryable.query<{
    operator_id: string;
    created_at: Date;
    expires_at: Date;
    sent_at: Date | null;
    refused_at: Date | null;
    ended_at: Date | null;
  }>(
    `select distinct on (i.operator_id) i.operator_id, i.created_at, i.expires_at, i.sent_at, i.refused_at, i.ended_at
     from invitations as i join operators as o on o.operator_id = i.operator_id
     where i.account_id = $1 and i.token_hash is not null and not o.password_set
     order by i.operator_id, i.created_at desc`,
    [accountId],
  );
  return rows.map((row) => ({
    operatorId: row.operator_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    sentAt: row.sent_at ?? undefined,
    refusedAt: row.refused_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
  }));
}

export type OpenInvitation = {
  readonly name: string;
  readonly email: string;
  readonly locale: string;
  readonly accountName: string;
  readonly invitedBy: string;
  readonly expiresAt: Date;
};

/** What the holder of a token is invited to; undefined when it is not good (any more). */
export async function findOpenInvitation(
  queryable: Queryable,
  tokenHash: Buffer,
  now: Date,
): Promise<OpenInvitation | undefined> {
  const { rows } = await queryable.query<OpenInvitation>(
    `select o.name, o.email, o.locale, a.name as "accountName", b.name as "invitedBy", i.expires_at as "expiresAt"
     from invitations as i
     join operators as o on o.operator_id = i.operator_id
     join accounts as a on a.account_id = i.account_id
     join operators as b on b.operator_id = i.invited_by
     where i.token_hash = $1 and i.ended_at is null and i.expires_at > $2 and not o.password_set`,
    [tokenHash, now],
  );
  return rows[0];
}

export type AcceptedInvitation = {
  readonly invitationId: string;
  readonly operatorId: string;
  readonly accountId: string;
};

/** Uses a token up and sets the password, where the token is good; undefined when it is not, and then nothing was changed. */
export async function acceptInvitation(
  tx: Queryable,
  tokenHash: Buffer,
  passwordHash: string,
  now: Date,
): Promise<AcceptedInvitation | undefined> {
  const { rows } = await tx.query<AcceptedInvitation>(
    `with used as (
       update invitations as i set ended_at = $2, end_reason = 'accepted', sealed_token = null
       where i.token_hash = $1 and i.ended_at is null and i.expires_at > $2
       returning i.invitation_id, i.operator_id, i.account_id
     )
     update operators as o set password_hash = $3, password_set = true
     from used as u where o.operator_id = u.operator_id and not o.password_set
     returning u.invitation_id as "invitationId", u.operator_id as "operatorId", u.account_id as "accountId"`,
    [tokenHash, now, passwordHash],
  );
  return rows[0];
}

/** A mail that waits: an invitation with its sealed token, or without one the notice of a further account. */
export type WaitingInvitation = {
  readonly invitationId: string;
  readonly accountId: string;
  readonly operatorId: string;
  readonly email: string;
  readonly name: string;
  readonly locale: string;
  readonly role: Role;
  readonly account: { readonly name: string; readonly timeZone: string };
  readonly invitedBy: string;
  readonly expiresAt: Date;
  /** Belongs to the invitation's id. */
  readonly sealedToken: string | undefined;
};

/** Undefined when there is nothing to send (any more): it was sent, used, replaced or withdrawn, or has ended. Then the token is not kept either. */
export async function findWaitingInvitation(
  queryable: Queryable,
  invitationId: string,
  now: Date,
): Promise<WaitingInvitation | undefined> {
  const { rows } = await queryable.query<{
    account_id: string;
    operator_id: string;
    email: string;
    name: string;
    locale: string;
    role: Role;
    account_name: string;
    time_zone: string;
    invited_by: string;
    expires_at: Date;
    sealed_token: string | null;
  }>(
    `select i.account_id, i.operator_id, o.email, o.name, o.locale, m.role, a.name as account_name, a.time_zone, b.name as invited_by,
       i.expires_at, i.sealed_token
     from invitations as i
     join operators as o on o.operator_id = i.operator_id
     join accounts as a on a.account_id = i.account_id
     join operators as b on b.operator_id = i.invited_by
     join account_operators as m on m.account_id = i.account_id and m.operator_id = i.operator_id
     where i.invitation_id = $1 and i.sent_at is null and i.refused_at is null and i.ended_at is null and i.expires_at > $2
       and (i.token_hash is null or (i.sealed_token is not null and not o.password_set))`,
    [invitationId, now],
  );
  const row = rows[0];
  if (row === undefined) {
    await queryable.query(
      'update invitations as i set sealed_token = null where i.invitation_id = $1',
      [invitationId],
    );
    return undefined;
  }
  return {
    invitationId,
    accountId: row.account_id,
    operatorId: row.operator_id,
    email: row.email,
    name: row.name,
    locale: row.locale,
    role: row.role,
    account: { name: row.account_name, timeZone: row.time_zone },
    invitedBy: row.invited_by,
    expiresAt: row.expires_at,
    sealedToken: row.sealed_token ?? undefined,
  };
}

/** Records what the mail relay answered, once, and forgets the token. Answers whether this call did it. */
export async function recordInvitationMail(
  tx: Queryable,
  invitationId: string,
  result: 'accepted' | 'refused',
  now: Date,
): Promise<boolean> {
  const column = result === 'accepted' ? 'sent_at' : 'refused_at';
  const { rowCount } = await tx.query(
    `update invitations as i set ${column} = $2, sealed_token = null
     where i.invitation_id = $1 and i.sent_at is null and i.refused_at is null`,
    [invitationId, now],
  );
  return rowCount === 1;
}

/**
 * Removes invitations, and notices of further accounts, that were over before. The last one of somebody who has no password yet stays: the list of operators tells
 * of it.
 */
export async function removeOldInvitations(queryable: Queryable, overBefore: Date): Promise<void> {
  await queryable.query(
    `delete from invitations as i
     where i.expires_at <= $1 and (
       i.token_hash is null
       or exists (select from operators as o where o.operator_id = i.operator_id and o.password_set)
       or exists (
         select from invitations as n
         where n.account_id = i.account_id and n.operator_id = i.operator_id and n.token_hash is not null
           and n.created_at > i.created_at
       )
     )`,
    [overBefore],
  );
}
