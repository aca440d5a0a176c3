import { lapseReason, newGrant, type GrantTerms, type NewGrant } from '../../domain/grant.ts';
import type { FactorName } from '../../domain/renewal.ts';
import { recordAudit } from './audit.ts';
import { findGrant, findLatestGrant, type StoredGrant } from './grants.ts';
import { publishAccessChange, signalGrant } from './outbox.ts';
import type { Queryable } from './pool.ts';
import {
  endRenewal,
  withRenewalLocked,
  type LockedRenewal,
  type RenewalStore,
  type StoredRenewal,
} from './renewals.ts';
import { suspendClientServices } from './suspensions.ts';

/** What the CA gave; the sealed values belong to the grant's id, which is the renewal's. */
export type ObtainedGrant = Pick<GrantTerms, 'calledAt' | 'expiresInSeconds' | 'allowance'> & {
  readonly sealedSad: string;
  readonly sealedTokens: string;
  readonly tokensExpireAt: Date;
  /** Names of what was sent, for the audit. */
  readonly factorNames: readonly FactorName[];
};

export type RecordedGrant =
  /** Stored, now or by a call before whose answer was lost. */
  | { readonly kind: 'recorded'; readonly grant: StoredGrant }
  /** The renewal was closed before the answer came: the grant is not in force here. */
  | { readonly kind: 'too_late' }
  /** The certificate ended, or the CA authorised for no time at all. */
  | { readonly kind: 'nothing_left'; readonly outcome: 'certificate_ended' | 'ca_refused' };

/**
 * The one transaction in which a renewal becomes a grant (DESIGN 6.3), only from `authorizing`: suspends for a grant that lapsed unnoticed, ends the old
 * grant, inserts the new one with its sealed SAD, and tells workflows and the world. May be called again when it is not known whether it committed.
 */
export function recordGrant(
  store: RenewalStore,
  renewal: Pick<StoredRenewal, 'renewalId' | 'certificateId'>,
  obtained: ObtainedGrant,
): Promise<RecordedGrant> {
  return withRenewalLocked(store, renewal, async (tx, locked) => {
    if (locked.renewal.state === 'granted') return recorded(tx, renewal.renewalId);
    if (locked.renewal.state !== 'authorizing') {
      await audit(tx, locked, 'grant_obtained_too_late', { renewalState: locked.renewal.state });
      return { kind: 'too_late' };
    }
    const old = await findLatestGrant(tx, renewal.certificateId);
    const grant = grantAfter(store, locked, old, obtained);
    if (grant === undefined) return endWithoutGrant(tx, locked);
    if (old !== undefined) await suspendIfLapsed(tx, store, locked, old);
    await insertGrant(tx, store, locked, { grant, obtained, old });
    await tellOfGrant(tx, locked, { grant, obtained, old });
    return recorded(tx, renewal.renewalId);
  });
}

async function recorded(tx: Queryable, grantId: string): Promise<RecordedGrant> {
  const grant = await findGrant(tx, grantId);
  if (grant === undefined) throw new Error(`grant ${grantId} is gone`);
  return { kind: 'recorded', grant };
}

/** As the CA's terms say; it begins no earlier than the grant before it did, or was ended by us, so that spans never overlap. */
function grantAfter(
  { policy }: RenewalStore,
  { certificate }: LockedRenewal,
  old: StoredGrant | undefined,
  obtained: ObtainedGrant,
): NewGrant | undefined {
  const grant = newGrant({ ...obtained, certificateNotAfter: certificate.notAfter }, policy);
  if (grant === undefined || old === undefined) return grant;
  const { effectiveAt, endedAt } = old.grant;
  const notBefore = endedAt ?? effectiveAt;
  if (grant.effectiveAt >= notBefore) return grant;
  return notBefore < grant.expiresAt ? { ...grant, effectiveAt: notBefore } : undefined;
}

async function endWithoutGrant(
  tx: Queryable,
  { renewal, certificate, now }: LockedRenewal,
): Promise<RecordedGrant> {
  const outcome = now >= certificate.notAfter ? 'certificate_ended' : 'ca_refused';
  await endRenewal(tx, renewal, {
    outcome,
    now,
    actor: `operator:${renewal.operatorId}`,
    writtenBy: 'backoffice',
  });
  return { kind: 'nothing_left', outcome };
}

/** However late its workflow is, a lapse always suspends. */
async function suspendIfLapsed(
  tx: Queryable,
  { policy }: RenewalStore,
  { now }: LockedRenewal,
  old: StoredGrant,
): Promise<void> {
  const reason = lapseReason(old.grant, old.used, now);
  if (reason === undefined || old.servicesSuspendedAt !== undefined) return;
  await suspendClientServices(tx, old, reason, now, policy, 'backoffice');
}

type Succession = {
  readonly grant: NewGrant;
  readonly obtained: ObtainedGrant;
  readonly old: StoredGrant | undefined;
};

async function insertGrant(
  tx: Queryable,
  { policy }: RenewalStore,
  { renewal, now }: LockedRenewal,
  { grant, obtained, old }: Succession,
): Promise<void> {
  // One statement: the old grant names its successor, and there is never a second latest one nor an overlap. Its part runs first because the insert reads
  // from it; the foreign key is judged at the end, when both are there.
  await tx.query(
    `with ended as (
       update access_grants as g
       set successor_id = $1,
         ended_at = case when g.ended_at is null and $4::timestamptz < g.expires_at then $4 else g.ended_at end,
         end_reason = case when g.ended_at is null and $4::timestamptz < g.expires_at then 'superseded' else g.end_reason end,
         revoke_at = coalesce(g.revoke_at, $14)
       where g.certificate_id = $2 and g.successor_id is null
       returning g.grant_id
     )
     insert into access_grants
       (grant_id, certificate_id, account_id, granted_by, effective_at, expires_at, allowance, ends_with_certificate, binding_limit,
        sealed_sad, sealed_tokens, tokens_expire_at)
     select $1, $2, $3, $13, $4, $5, $6, $7, $8, $9, $10, $11
     where (select count(*) from ended) = $12`,
    [
      renewal.renewalId,
      renewal.certificateId,
      renewal.accountId,
      grant.effectiveAt,
      grant.expiresAt,
      grant.allowance,
      grant.endsWithCertificate,
      grant.bindingLimit,
      obtained.sealedSad,
      obtained.sealedTokens,
      obtained.tokensExpireAt,
      old === undefined ? 0 : 1,
      renewal.operatorId,
      new Date(now.getTime() + policy.revocationDelaySeconds * 1000),
    ],
  );
  await tx.query('insert into usage_counters (grant_id, used) values ($1, 0)', [renewal.renewalId]);
  await tx.query(
    `update renewals as r
     set state = 'granted', outcome = 'granted', ended_at = $2, sealed_tokens = null, authorization_ends_at = null, notice = null
     where r.renewal_id = $1`,
    [renewal.renewalId, now],
  );
}

async function tellOfGrant(
  tx: Queryable,
  locked: LockedRenewal,
  { grant, obtained, old }: Succession,
): Promise<void> {
  const { renewal, now } = locked;
  const grantId = renewal.renewalId;
  const expiresAt = grant.expiresAt.toISOString();
  await signalGrant(tx, 'backoffice', grantId, { name: 'granted', payload: { expiresAt } }, now);
  if (old !== undefined) {
    const superseded = { name: 'superseded', payload: { by: grantId } } as const;
    await signalGrant(tx, 'backoffice', old.grantId, superseded, now);
  }
  await publishAccessChange(tx, 'backoffice', {
    type: 'granted',
    certificateId: renewal.certificateId,
    at: grant.effectiveAt.toISOString(),
    grantId,
    expiresAt,
    allowance: grant.allowance,
  });
  await audit(tx, locked, 'access_granted', {
    effectiveAt: grant.effectiveAt.toISOString(),
    expiresAt,
    allowance: grant.allowance,
    bindingLimit: grant.bindingLimit,
    factors: obtained.factorNames,
    ...(old && { supersedes: old.grantId }),
  });
}

async function audit(
  tx: Queryable,
  { renewal, now }: LockedRenewal,
  action: string,
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  await recordAudit(tx, {
    at: now,
    actor: `operator:${renewal.operatorId}`,
    action,
    accountId: renewal.accountId,
    certificateId: renewal.certificateId,
    subject: `renewal:${renewal.renewalId}`,
    details,
  });
}
