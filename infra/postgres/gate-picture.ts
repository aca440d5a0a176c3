import type { ClientServiceStatus } from '../../domain/client-service.ts';
import type { Grant } from '../../domain/grant.ts';
import { findGoodSecrets, type GoodSecret } from './api-keys.ts';
import { grantColumns, grantFromRow, type GrantRow } from './grants.ts';
import { inTransaction, type Database } from './pool.ts';

/** What the gate knows of a certificate. */
export type CertificateAccess = {
  readonly certificateId: string;
  readonly accountId: string;
  /** Undefined: never granted. */
  readonly latest:
    { readonly grantId: string; readonly grant: Grant; readonly used: number } | undefined;
  readonly clientServices: readonly {
    readonly clientServiceId: string;
    readonly alias: string;
    readonly status: ClientServiceStatus;
  }[];
};

export type GatePicture = {
  readonly certificates: ReadonlyMap<string, CertificateAccess>;
  /** By the SHA-256 of the secret, in hex. */
  readonly secrets: ReadonlyMap<string, GoodSecret>;
};

/** Everything that the gate answers from, as of one instant. A replaced secret that ends by `now` is left out. */
export function readGatePicture(database: Database, now: Date): Promise<GatePicture> {
  return inTransaction(database, async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only');
    const { rows: certificates } = await tx.query<{ certificate_id: string; account_id: string }>(
      'select c.certificate_id, c.account_id from certificates as c',
    );
    const { rows: grants } = await tx.query<GrantRow>(
      `select ${grantColumns} from access_grants as g
       left join usage_counters as u on u.grant_id = g.grant_id
       where g.successor_id is null`,
    );
    const { rows: services } = await tx.query<{
      client_service_id: string;
      certificate_id: string;
      alias: string;
      status: ClientServiceStatus;
    }>('select s.client_service_id, s.certificate_id, s.alias, s.status from client_services as s');
    const secrets = await findGoodSecrets(tx, now);

    const latestByCertificate = new Map(
      grants.map((row) => {
        const { grantId, certificateId, grant, used } = grantFromRow(row);
        return [certificateId, { grantId, grant, used }];
      }),
    );
    const servicesByCertificate = new Map<string, CertificateAccess['clientServices'][number][]>();
    for (const row of services) {
      const { client_service_id: clientServiceId, alias, status } = row;
      const ofCertificate = servicesByCertificate.get(row.certificate_id) ?? [];
      ofCertificate.push({ clientServiceId, alias, status });
      servicesByCertificate.set(row.certificate_id, ofCertificate);
    }
    return {
      certificates: new Map(
        certificates.map(({ certificate_id: certificateId, account_id: accountId }) => [
          certificateId,
          {
            certificateId,
            accountId,
            latest: latestByCertificate.get(certificateId),
            clientServices: servicesByCertificate.get(certificateId) ?? [],
          },
        ]),
      ),
      secrets: new Map(secrets.map((secret) => [secret.keyHash.toString('hex'), secret])),
    };
  });
}
