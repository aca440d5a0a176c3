import { Problem } from '../../domain/errors.ts';
import type { Queryable } from './pool.ts';

export type LockedCertificate = {
  readonly certificateId: string;
  readonly accountId: string;
  readonly alias: string;
  readonly notAfter: Date;
};

/**
 * Locks the certificate's row until the transaction ends. Every fact about a certificate's grants, renewals or services is written under this lock, and the
 * clock is read after it is taken: whoever waited for the lock compares with the time it got it (DESIGN 2.2). Throws `not_found`.
 */
export async function lockCertificate(
  tx: Queryable,
  certificateId: string,
): Promise<LockedCertificate> {
  const { rows } = await tx.query<{ account_id: string; alias: string; not_after: Date }>(
    `select c.account_id, c.alias, c.not_after from certificates as c
     where c.certificate_id = $1 for no key update`,
    [certificateId],
  );
  const row = rows[0];
  if (row === undefined) throw new Problem('not_found');
  return { certificateId, accountId: row.account_id, alias: row.alias, notAfter: row.not_after };
}
