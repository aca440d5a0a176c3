import type { Clock } from '../../domain/clock.ts';
import { Problem } from '../../domain/errors.ts';
import { lapseReason, type LapseReason } from '../../domain/grant.ts';
import type { Policy } from '../../domain/policy.ts';
import { recordAudit } from './audit.ts';
import { lockCertificate } from './certificate-lock.ts';
import { findLatestGrant } from './grants.ts';
import { signalGrant } from './outbox.ts';
import { inTransaction, type Database } from './pool.ts';
import { suspendClientServices } from './suspensions.ts';

export type Revocation = {
  readonly certificateId: string;
  readonly operatorId: string;
  /** In the administrator's words, for the audit. */
  readonly reason: string;
};

/**
 * The emergency stop: ends the grant in force and suspends what signs with it in one transaction, and has what is sealed revoked at the CA at once. A grant
 * that lapsed before stays as it ended; its revocation at the CA is brought forward. Throws `no_grant`.
 */
export function revokeGrant(
  { database, clock, policy }: { database: Database; clock: Clock; policy: Policy },
  { certificateId, operatorId, reason }: Revocation,
): Promise<{ grantId: string; lapseReason: LapseReason; suspended: number }> {
  return inTransaction(database, async (tx) => {
    const { accountId } = await lockCertificate(tx, certificateId);
    const now = clock.now();
    const latest = await findLatestGrant(tx, certificateId);
    if (latest === undefined) throw new Problem('no_grant');
    const { grantId } = latest;
    const lapsedBefore = lapseReason(latest.grant, latest.used, now);
    // Whole seconds, rounded down: over from this moment on.
    const endedAt = new Date(
      Math.max(Math.floor(now.getTime() / 1000) * 1000, latest.grant.effectiveAt.getTime()),
    );
    await tx.query(
      `update access_grants as g set revoke_at = least(g.revoke_at, $2),
         ended_at = case when $3 then $4 else g.ended_at end,
         end_reason = case when $3 then 'revoked' else g.end_reason end,
         ended_by = case when $3 then $5 else g.ended_by end
       where g.grant_id = $1`,
      [grantId, now, lapsedBefore === undefined, endedAt, operatorId],
    );
    const ended = lapsedBefore ?? 'revoked';
    const suspended = await suspendClientServices(tx, latest, ended, now, policy, 'backoffice');
    const payload = { reason: 'revoked' } as const;
    await signalGrant(tx, 'backoffice', grantId, { name: 'revoked', payload }, now);
    await recordAudit(tx, {
      at: now,
      actor: `operator:${operatorId}`,
      action: 'access_revoked',
      accountId,
      certificateId,
      subject: `access_grant:${grantId}`,
      details: { reason, lapseReason: ended },
    });
    return { grantId, lapseReason: ended, suspended };
  });
}
