import {
  stateOfOutcome,
  type Factor,
  type RenewalNotice,
  type RenewalOutcome,
  type RenewalState,
} from '../../domain/renewal.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Policy } from '../../domain/policy.ts';
import { recordAudit } from './audit.ts';
import { lockCertificate, type LockedCertificate } from './certificate-lock.ts';
import { signalGrant, type Writer } from './outbox.ts';
import { inTransaction, type Database, type Queryable } from './pool.ts';

/** What every step of a renewal needs to be written down. */
export type RenewalStore = {
  readonly database: Database;
  readonly clock: Clock;
  readonly policy: Policy;
};

/** One attempt as stored. Sealed values belong to the renewal's id. */
export type StoredRenewal = {
  readonly renewalId: string;
  readonly certificateId: string;
  readonly certificateAlias: string;
  readonly accountId: string;
  readonly accountName: string;
  readonly accountTimeZone: string;
  readonly operatorId: string;
  readonly operatorName: string;
  readonly state: RenewalState;
  readonly startedAt: Date;
  readonly deadlineAt: Date;
  readonly stateUsedAt: Date | undefined;
  readonly sealedTokens: string | undefined;
  /** Undefined until the CA was asked what it wants. */
  readonly factors: readonly Factor[] | undefined;
  readonly multisign: number | undefined;
  readonly codeWindowEndsAt: Date | undefined;
  readonly resendAllowedAt: Date | undefined;
  readonly triesLeft: number;
  readonly authorizationEndsAt: Date | undefined;
  readonly notice: RenewalNotice | undefined;
  readonly outcome: RenewalOutcome | undefined;
  readonly endedAt: Date | undefined;
};

/** With what the way back from the CA is checked by, which nobody needs but who takes that way. */
export type ReturnedRenewal = StoredRenewal & {
  readonly browserHash: Buffer;
  readonly sealedVerifier: string;
};

type RenewalRow = {
  renewal_id: string;
  certificate_id: string;
  certificate_alias: string;
  account_id: string;
  account_name: string;
  account_time_zone: string;
  operator_id: string;
  operator_name: string;
  state: RenewalState;
  started_at: Date;
  deadline_at: Date;
  state_used_at: Date | null;
  sealed_tokens: string | null;
  factors: Factor[] | null;
  multisign: number | null;
  code_window_ends_at: Date | null;
  resend_allowed_at: Date | null;
  tries_left: number;
  authorization_ends_at: Date | null;
  notice: RenewalNotice | null;
  outcome: RenewalOutcome | null;
  ended_at: Date | null;
};

const renewalColumns = `
  r.renewal_id, r.certificate_id, c.alias as certificate_alias, r.account_id, a.name as account_name, a.time_zone as account_time_zone,
  r.operator_id, o.name as operator_name, r.state, r.started_at, r.deadline_at, r.state_used_at, r.sealed_tokens, r.factors, r.multisign,
  r.code_window_ends_at, r.resend_allowed_at, r.tries_left, r.authorization_ends_at, r.notice, r.outcome, r.ended_at`;
const renewalTables = `
  renewals as r
  join operators as o on o.operator_id = r.operator_id
  join certificates as c on c.certificate_id = r.certificate_id
  join accounts as a on a.account_id = r.account_id`;

function renewalFromRow(row: RenewalRow): StoredRenewal {
  return {
    renewalId: row.renewal_id,
    certificateId: row.certificate_id,
    certificateAlias: row.certificate_alias,
    accountId: row.account_id,
    accountName: row.account_name,
    accountTimeZone: row.account_time_zone,
    operatorId: row.operator_id,
    operatorName: row.operator_name,
    state: row.state,
    startedAt: row.started_at,
    deadlineAt: row.deadline_at,
    stateUsedAt: row.state_used_at ?? undefined,
    sealedTokens: row.sealed_tokens ?? undefined,
    factors: row.factors ?? undefined,
    multisign: row.multisign ?? undefined,
    codeWindowEndsAt: row.code_window_ends_at ?? undefined,
    resendAllowedAt: row.resend_allowed_at ?? undefined,
    triesLeft: row.tries_left,
    authorizationEndsAt: row.authorization_ends_at ?? undefined,
    notice: row.notice ?? undefined,
    outcome: row.outcome ?? undefined,
    endedAt: row.ended_at ?? undefined,
  };
}

async function selectOne(
  queryable: Queryable,
  condition: string,
  value: unknown,
): Promise<StoredRenewal | undefined> {
  const { rows } = await queryable.query<RenewalRow>(
    `select ${renewalColumns} from ${renewalTables} where ${condition}`,
    [value],
  );
  return rows[0] && renewalFromRow(rows[0]);
}

export const findRenewal = (
  queryable: Queryable,
  renewalId: string,
): Promise<StoredRenewal | undefined> => selectOne(queryable, 'r.renewal_id = $1', renewalId);

/** By SHA-256 of the OAuth `state`. */
export async function findRenewalByState(
  queryable: Queryable,
  stateHash: Buffer,
): Promise<ReturnedRenewal | undefined> {
  const { rows } = await queryable.query<
    RenewalRow & { browser_hash: Buffer; sealed_verifier: string }
  >(
    `select ${renewalColumns}, r.browser_hash, r.sealed_verifier from ${renewalTables}
     where r.state_hash = $1`,
    [stateHash],
  );
  const row = rows[0];
  return (
    row && {
      ...renewalFromRow(row),
      browserHash: row.browser_hash,
      sealedVerifier: row.sealed_verifier,
    }
  );
}

export const findOpenRenewal = (
  queryable: Queryable,
  certificateId: string,
): Promise<StoredRenewal | undefined> =>
  selectOne(queryable, 'r.certificate_id = $1 and r.ended_at is null', certificateId);

/** The newest renewals of the operator's accounts in these states. */
export async function listRenewals(
  queryable: Queryable,
  operatorId: string,
  states: readonly RenewalState[],
  limit: number,
): Promise<StoredRenewal[]> {
  const { rows } = await queryable.query<RenewalRow>(
    `select ${renewalColumns} from ${renewalTables}
     join account_operators as m on m.account_id = r.account_id and m.operator_id = $1
     where r.state = any($2) order by r.started_at desc, r.renewal_id limit $3`,
    [operatorId, states, limit],
  );
  return rows.map(renewalFromRow);
}

export type LockedRenewal = {
  readonly renewal: StoredRenewal;
  readonly certificate: LockedCertificate;
  /** Read under the lock. */
  readonly now: Date;
};

/** One transaction under the lock of the renewal's certificate, with the renewal as it is under that lock. */
export function withRenewalLocked<T>(
  { database, clock }: RenewalStore,
  { certificateId, renewalId }: Pick<StoredRenewal, 'certificateId' | 'renewalId'>,
  work: (tx: Queryable, locked: LockedRenewal) => Promise<T>,
): Promise<T> {
  return inTransaction(database, async (tx) => {
    const certificate = await lockCertificate(tx, certificateId);
    const now = clock.now();
    const renewal = await findRenewal(tx, renewalId);
    if (renewal === undefined) throw new Error(`renewal ${renewalId} is gone`);
    return work(tx, { renewal, certificate, now });
  });
}

export type RenewalEnding = {
  readonly outcome: Exclude<RenewalOutcome, 'granted'>;
  readonly now: Date;
  readonly actor: string;
  readonly writtenBy: Writer;
  /** For the audit; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
};

/**
 * Ends an open renewal without a grant, and with it all that was sealed for it; the grant before it stays as it is. The caller holds the certificate's
 * lock. False when it had ended already: then nothing is written.
 */
export async function endRenewal(
  tx: Queryable,
  renewal: Pick<StoredRenewal, 'renewalId' | 'certificateId' | 'accountId'>,
  { outcome, now, actor, writtenBy, details = {} }: RenewalEnding,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update renewals as r
     set state = $2, outcome = $3, ended_at = $4, sealed_tokens = null, code_window_ends_at = null, authorization_ends_at = null
     where r.renewal_id = $1 and r.ended_at is null`,
    [renewal.renewalId, stateOfOutcome[outcome], outcome, now],
  );
  if (rowCount === 0) return false;
  await signalGrant(
    tx,
    writtenBy,
    renewal.renewalId,
    { name: 'renewalFailed', payload: { reason: outcome } },
    now,
  );
  await recordAudit(tx, {
    at: now,
    actor,
    action: 'renewal_ended',
    accountId: renewal.accountId,
    certificateId: renewal.certificateId,
    subject: `renewal:${renewal.renewalId}`,
    details: { ...details, outcome },
  });
  return true;
}

/** The outcome of an open renewal whose time is over, or undefined while it has time. While the CA is being asked the deadline waits (DESIGN 6.3). */
export function overdueOutcome(
  renewal: Pick<StoredRenewal, 'state' | 'endedAt' | 'deadlineAt' | 'authorizationEndsAt'>,
  now: Date,
): 'deadline_passed' | 'answer_lost' | undefined {
  if (renewal.endedAt !== undefined) return undefined;
  if (renewal.state === 'authorizing') {
    return now >= (renewal.authorizationEndsAt ?? renewal.deadlineAt) ? 'answer_lost' : undefined;
  }
  return now >= renewal.deadlineAt ? 'deadline_passed' : undefined;
}
