import { randomUUID } from 'node:crypto';
import type { LapseReason } from '../../domain/grant.ts';
import type { Policy } from '../../domain/policy.ts';
import { recordAudit } from './audit.ts';
import type { StoredGrant } from './grants.ts';
import { publishAccessChange, type Writer } from './outbox.ts';
import type { Queryable } from './pool.ts';

/**
 * Suspends every active client service of the certificate because its grant lapsed, once per grant. The caller holds the certificate's lock, has read
 * the clock under it and found the grant lapsed. Services that are inactive, or of other certificates, are left alone. Returns how many were suspended.
 */
export async function suspendClientServices(
  tx: Queryable,
  { grantId, certificateId, accountId, grant }: StoredGrant,
  reason: LapseReason,
  now: Date,
  policy: Policy,
  writtenBy: Writer,
): Promise<number> {
  const overSince =
    reason === 'grant_expired' || reason === 'certificate_ended' ? grant.expiresAt : now;
  // The emergency stop revokes at the CA at once; otherwise signatures in flight get time to end (DESIGN 6.4).
  const revokeDelayMs = reason === 'revoked' ? 0 : policy.revocationDelaySeconds * 1000;
  const { rowCount } = await tx.query(
    `update access_grants as g
     set lapse_reason = $2, services_suspended_at = $3, revoke_at = coalesce(g.revoke_at, $4)
     where g.grant_id = $1 and g.services_suspended_at is null`,
    [grantId, reason, now, new Date(overSince.getTime() + revokeDelayMs)],
  );
  if (rowCount === 0) return 0;
  const { rows: services } = await tx.query<{ client_service_id: string; alias: string }>(
    `update client_services as s set status = 'suspended'
     where s.certificate_id = $1 and s.status = 'active'
     returning s.client_service_id, s.alias`,
    [certificateId],
  );
  const at = now.toISOString();
  await publishAccessChange(tx, writtenBy, { type: 'lapsed', certificateId, at, grantId, reason });
  for (const service of services) {
    await tx.query(
      `insert into suspensions (suspension_id, client_service_id, grant_id, reason, placed_at)
       values ($1, $2, $3, $4, $5)`,
      [randomUUID(), service.client_service_id, grantId, reason, now],
    );
    await publishAccessChange(tx, writtenBy, {
      type: 'suspended',
      certificateId,
      at,
      grantId,
      reason,
      clientServiceId: service.client_service_id,
      clientServiceAlias: service.alias,
    });
  }
  await recordAudit(tx, {
    at: now,
    actor: `process:${writtenBy}`,
    action: 'client_services_suspended',
    accountId,
    certificateId,
    subject: `access_grant:${grantId}`,
    details: { reason, clientServices: services.map(({ alias }) => alias) },
  });
  return services.length;
}
