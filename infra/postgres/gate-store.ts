import { isInScope } from '../../domain/api-key.ts';
import {
  accessRefusal,
  type AccessRefusal,
  type ClientServiceStatus,
} from '../../domain/client-service.ts';
import { localDateOf } from '../../domain/calendar.ts';
import type { Clock } from '../../domain/clock.ts';
import { Problem } from '../../domain/errors.ts';
import { standingOf } from '../../domain/grant.ts';
import type { Policy } from '../../domain/policy.ts';
import { findGoodSecrets } from './api-keys.ts';
import { recordAudit } from './audit.ts';
import { lockCertificate } from './certificate-lock.ts';
import { actorOf, tallyRefusal, type GateCaller } from './gate-limits.ts';
import { findGrant, findLatestGrant, type StoredGrant } from './grants.ts';
import { signalGrant } from './outbox.ts';
import { inTransaction, type Database, type Queryable } from './pool.ts';
import { suspendClientServices } from './suspensions.ts';

export type GateStore = {
  readonly database: Database;
  readonly clock: Clock;
  readonly policy: Policy;
};

/** Secrets of a grant, as sealed in the database for its id. */
export type SealedActivation = {
  readonly sealedSad: string;
  readonly sealedTokens: string;
  readonly tokensExpireAt: Date;
};

export type HandOut =
  | { readonly kind: 'refused'; readonly reason: AccessRefusal }
  /** It may sign, but its tokens are to be refreshed first: nothing was handed out, and nothing audited. */
  | { readonly kind: 'refresh_first'; readonly grantId: string }
  | { readonly kind: 'allowed'; readonly stored: StoredGrant; readonly sealed: SealedActivation };

type Asked = {
  readonly certificateId: string;
  readonly clientService: string;
  readonly caller: GateCaller;
};

/**
 * Whether a client service may have what it needs to sign, decided on the facts themselves and not on the gate's picture. Each yes is audited, and each no, where
 * those of one minute to one key for one reason share an event with their count. `areGood` tells whether the tokens can be handed out as they are. Throws
 * `not_found` when the certificate has no such client service, and what `lockFor` throws.
 */
export function handOutActivation(
  store: GateStore,
  asked: Asked,
  areGood: (sealed: SealedActivation) => boolean,
): Promise<HandOut> {
  return inTransaction(store.database, async (tx) => {
    const { now, accountId } = await lockFor(tx, store, asked);
    const service = await findService(tx, asked);
    const latest = await findLatestGrant(tx, asked.certificateId);
    const standing = standingOf(latest?.grant, latest?.used ?? 0, now, store.policy);
    const sealed = latest && (await findSealed(tx, latest.grantId));
    const reason = accessRefusal(standing, service.status);
    const subject = `client_service:${service.clientServiceId}`;
    const audit = (action: string, details: Record<string, unknown>): Promise<void> =>
      recordAudit(tx, {
        at: now,
        actor: actorOf(asked.caller),
        action,
        accountId,
        certificateId: asked.certificateId,
        subject,
        details,
      });
    if (reason !== undefined || latest === undefined || sealed === undefined) {
      // Sealed values are only removed once the grant is over, so a grant in force has them.
      const refusal = reason ?? 'never_granted';
      const tallied = { apiKeyId: asked.caller.apiKeyId, subject, reason: refusal };
      const count = await tallyRefusal(tx, tallied, now);
      if (count !== undefined) await audit('activation_refused', { reason: refusal, count });
      return { kind: 'refused', reason: refusal };
    }
    if (!areGood(sealed)) return { kind: 'refresh_first', grantId: latest.grantId };
    await audit('activation_handed_out', { grantId: latest.grantId });
    return { kind: 'allowed', stored: latest, sealed };
  });
}

/**
 * Locks the certificate and then looks whether the caller's secret is still good and the certificate in its scope: from the moment in which a revocation is
 * committed nothing more is decided for that key, however old a gate's picture is. Throws `api_key_refused` and `not_found`.
 */
async function lockFor(
  tx: Queryable,
  { clock }: GateStore,
  { certificateId, caller }: Pick<Asked, 'certificateId' | 'caller'>,
): Promise<{ now: Date; accountId: string }> {
  const certificate = await lockCertificate(tx, certificateId);
  const now = clock.now();
  const [key] = await findGoodSecrets(tx, now, caller.keyHash);
  if (key === undefined) throw new Problem('api_key_refused');
  if (!isInScope(key, certificate)) throw new Problem('not_found');
  return { now, accountId: certificate.accountId };
}

async function findService(
  tx: Queryable,
  { certificateId, clientService }: Pick<Asked, 'certificateId' | 'clientService'>,
): Promise<{ clientServiceId: string; status: ClientServiceStatus }> {
  const { rows } = await tx.query<{ client_service_id: string; status: ClientServiceStatus }>(
    `select s.client_service_id, s.status from client_services as s
     where s.certificate_id = $1 and (s.client_service_id = $2 or lower(s.alias) = lower($2))`,
    [certificateId, clientService],
  );
  const row = rows[0];
  if (row === undefined) throw new Problem('not_found');
  return { clientServiceId: row.client_service_id, status: row.status };
}

async function findSealed(tx: Queryable, grantId: string): Promise<SealedActivation | undefined> {
  const { rows } = await tx.query<{
    sealed_sad: string | null;
    sealed_tokens: string | null;
    tokens_expire_at: Date | null;
  }>(
    `select g.sealed_sad, g.sealed_tokens, g.tokens_expire_at from access_grants as g
     where g.grant_id = $1`,
    [grantId],
  );
  const row = rows[0];
  if (row?.sealed_sad == null || row.sealed_tokens === null || row.tokens_expire_at === null) {
    return undefined;
  }
  return {
    sealedSad: row.sealed_sad,
    sealedTokens: row.sealed_tokens,
    tokensExpireAt: row.tokens_expire_at,
  };
}

/**
 * Runs `refresh` with the grant's row locked, so that one process at a time uses a refresh token that may be good for one use only, and stores what it
 * answers. Whoever waited for the lock is given what the one before stored. Does nothing when the grant has no secrets any more.
 */
export function withTokensLocked(
  { database }: GateStore,
  grantId: string,
  refresh: (sealed: SealedActivation) => Promise<SealedActivation>,
): Promise<void> {
  return inTransaction(database, async (tx) => {
    await tx.query('select from access_grants as g where g.grant_id = $1 for no key update', [
      grantId,
    ]);
    const sealed = await findSealed(tx, grantId);
    if (sealed === undefined) return;
    const refreshed = await refresh(sealed);
    if (refreshed !== sealed) {
      await tx.query(
        'update access_grants as g set sealed_tokens = $2, tokens_expire_at = $3 where g.grant_id = $1',
        [grantId, refreshed.sealedTokens, refreshed.tokensExpireAt],
      );
    }
  });
}

/** The CA said for good that the grant's session is over: the grant ends, and what lapses is suspended in the same transaction. */
export function endByCa(store: GateStore, grantId: string, certificateId: string): Promise<void> {
  return inTransaction(store.database, async (tx) => {
    const { accountId } = await lockCertificate(tx, certificateId);
    const now = store.clock.now();
    const endedAt = new Date(Math.floor(now.getTime() / 1000) * 1000);
    const { rowCount } = await tx.query(
      `update access_grants as g set ended_at = greatest($2, g.effective_at), end_reason = 'ended_by_ca'
       where g.grant_id = $1 and g.ended_at is null and g.successor_id is null and g.expires_at > $2`,
      [grantId, endedAt],
    );
    if (rowCount === 0) return;
    await recordAudit(tx, {
      at: now,
      actor: 'process:gate',
      action: 'grant_ended_by_ca',
      accountId,
      certificateId,
      subject: `access_grant:${grantId}`,
    });
    const stored = await findGrant(tx, grantId);
    if (stored !== undefined && stored.servicesSuspendedAt === undefined) {
      await suspendClientServices(tx, stored, 'ended_by_ca', now, store.policy, 'gate');
    }
    const signal = { name: 'revoked', payload: { reason: 'ended_by_ca' } } as const;
    await signalGrant(tx, 'gate', grantId, signal, now);
  });
}

/**
 * A signer was refused by the CA: audited, those of one minute together, and told to the operators once on each of the account's days, however often a signer
 * comes back with it. Throws `not_found` for a grant of another certificate, and what `lockFor` throws.
 */
export function reportRefusal(
  store: GateStore,
  report: {
    readonly certificateId: string;
    readonly grantId: string;
    readonly caError: string;
    readonly caller: GateCaller;
  },
): Promise<void> {
  return inTransaction(store.database, async (tx) => {
    const { now, accountId } = await lockFor(tx, store, report);
    const { rows } = await tx.query<{ refusal_reported_at: Date | null; time_zone: string }>(
      `select g.refusal_reported_at, a.time_zone
       from access_grants as g join accounts as a on a.account_id = g.account_id
       where g.grant_id = $1 and g.certificate_id = $2`,
      [report.grantId, report.certificateId],
    );
    const before = rows[0];
    if (before === undefined) throw new Problem('not_found');
    const subject = `access_grant:${report.grantId}`;
    const tallied = { apiKeyId: report.caller.apiKeyId, subject, reason: 'ca_refusal' };
    const count = await tallyRefusal(tx, tallied, now);
    if (count !== undefined) {
      await recordAudit(tx, {
        at: now,
        actor: actorOf(report.caller),
        action: 'ca_refusal_reported',
        accountId,
        certificateId: report.certificateId,
        subject,
        details: { caError: report.caError, count },
      });
    }
    const dayOf = (at: Date) => localDateOf(at, before.time_zone);
    const { refusal_reported_at: reportedAt } = before;
    // A signer may report at every signature it tries: each signal would stay in the history of the grant's workflow.
    if (reportedAt !== null && dayOf(reportedAt) === dayOf(now)) return;
    await tx.query('update access_grants as g set refusal_reported_at = $2 where g.grant_id = $1', [
      report.grantId,
      now,
    ]);
    await signalGrant(tx, 'gate', report.grantId, { name: 'refusalReported', payload: {} }, now);
  });
}
