import type { ClientServiceStatus } from '../../domain/client-service.ts';
import type { Grant } from '../../domain/grant.ts';
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

/** Who may ask: a key, known by its hash. */
export type ApiKeyScope = {
  readonly apiKeyId: string;
  readonly accountId: string;
  /** Undefined: all certificates of the account. */
  readonly certificateIds: ReadonlySet<string> | undefined;
};

export type GatePicture = {
  readonly certificates: ReadonlyMap<string, CertificateAccess>;
  /** By the SHA-256 of the key, in hex. */
  readonly apiKeys: ReadonlyMap<string, ApiKeyScope>;
};

/** Everything that the gate answers from, as of one instant. */
export function readGatePicture(database: Database): Promise<GatePicture> {
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
    const { rows: keys } = await tx.query<{
      key_hash: Buffer;
      api_key_id: string;
      account_id: string;
      certificate_ids: string[] | null;
    }>(
      `select k.key_hash, k.api_key_id, k.account_id, k.certificate_ids
       from api_keys as k where k.revoked_at is null`,
    );

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
      apiKeys: new Map(
        keys.map((row) => [
          row.key_hash.toString('hex'),
          {
            apiKeyId: row.api_key_id,
            accountId: row.account_id,
            certificateIds: row.certificate_ids === null ? undefined : new Set(row.certificate_ids),
          },
        ]),
      ),
    };
  });
}
