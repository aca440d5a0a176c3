import type { ClientServiceStatus } from '../../domain/client-service.ts';
import { recordAudit } from './audit.ts';
import type { LockedCertificate } from './certificate-lock.ts';
import { publishAccessChange } from './outbox.ts';
import type { Queryable } from './pool.ts';

export type ClientService = {
  readonly clientServiceId: string;
  readonly alias: string;
  readonly status: ClientServiceStatus;
  /** The newest suspension that was not lifted. */
  readonly suspension: { readonly reason: string; readonly placedAt: Date } | undefined;
};

type ServiceRow = {
  client_service_id: string;
  alias: string;
  status: ClientServiceStatus;
  reason: string | null;
  placed_at: Date | null;
};

/** The services of a certificate by name. */
export async function listClientServices(
  queryable: Queryable,
  certificateId: string,
): Promise<ClientService[]> {
  const { rows } = await queryable.query<ServiceRow>(
    `select s.client_service_id, s.alias, s.status, p.reason, p.placed_at
     from client_services as s
     left join lateral (
       select x.reason, x.placed_at from suspensions as x
       where x.client_service_id = s.client_service_id and x.lifted_at is null
       order by x.placed_at desc limit 1
     ) as p on true
     where s.certificate_id = $1 order by lower(s.alias)`,
    [certificateId],
  );
  return rows.map((row) => ({
    clientServiceId: row.client_service_id,
    alias: row.alias,
    status: row.status,
    suspension:
      row.reason === null || row.placed_at === null
        ? undefined
        : { reason: row.reason, placedAt: row.placed_at },
  }));
}

/** The certificate of a service; undefined when there is no such service. */
export async function findCertificateOfService(
  queryable: Queryable,
  clientServiceId: string,
): Promise<string | undefined> {
  const { rows } = await queryable.query<{ certificate_id: string }>(
    'select s.certificate_id from client_services as s where s.client_service_id = $1',
    [clientServiceId],
  );
  return rows[0]?.certificate_id;
}

export type ServiceChange = {
  readonly certificate: LockedCertificate;
  readonly clientServiceId: string;
  readonly operatorId: string;
  /** Read under the certificate's lock. */
  readonly now: Date;
};

/**
 * Sets a service active or inactive by an operator's hand, and lifts what suspended it. The caller holds the certificate's lock and has found that it may
 * be done. Undefined when the certificate has no such service; a service that is so already is left as it is, without a trace.
 */
export async function setServiceByHand(
  tx: Queryable,
  status: 'active' | 'inactive',
  { certificate, clientServiceId, operatorId, now }: ServiceChange,
  grantId: string | undefined,
): Promise<ClientServiceStatus | undefined> {
  const { certificateId, accountId } = certificate;
  const { rows } = await tx.query<{ status: ClientServiceStatus; alias: string }>(
    `select s.status, s.alias from client_services as s
     where s.client_service_id = $1 and s.certificate_id = $2`,
    [clientServiceId, certificateId],
  );
  const before = rows[0];
  if (before === undefined) return undefined;
  if (before.status === status) return status;
  await tx.query('update client_services as s set status = $2 where s.client_service_id = $1', [
    clientServiceId,
    status,
  ]);
  await tx.query(
    `update suspensions as x set lifted_at = $2, lifted_by = $3
     where x.client_service_id = $1 and x.lifted_at is null`,
    [clientServiceId, now, operatorId],
  );
  if (status === 'active') {
    await publishAccessChange(tx, 'backoffice', {
      type: 'activated',
      certificateId,
      at: now.toISOString(),
      ...(grantId !== undefined && { grantId }),
      clientServiceId,
      clientServiceAlias: before.alias,
    });
  }
  await recordAudit(tx, {
    at: now,
    actor: `operator:${operatorId}`,
    action: status === 'active' ? 'client_service_activated' : 'client_service_deactivated',
    accountId,
    certificateId,
    subject: `client_service:${clientServiceId}`,
    details: { clientService: before.alias, before: before.status },
  });
  return status;
}
