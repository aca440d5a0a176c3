import type { Clock } from '../../domain/clock.ts';
import { recordAudit } from './audit.ts';
import { lockCertificate } from './certificate-lock.ts';
import { inTransaction, type Database, type Queryable } from './pool.ts';
import { openTokens } from './sealed-tokens.ts';
import type { Sealer } from './sealing.ts';

type CaToken = { readonly kind: 'access_token' | 'refresh_token'; readonly value: string };

/** What is to be revoked at the CA because a grant is over. Holds secrets: for memory only. */
type Revocation = {
  readonly grantId: string;
  readonly certificateId: string;
  readonly sad: string | undefined;
  /** Those that no other grant or renewal of the certificate still needs. */
  readonly tokens: readonly CaToken[];
};

export type Revocations = {
  findDue(grantId: string): Promise<Revocation[]>;
  recordRevoked(revocation: Pick<Revocation, 'grantId' | 'certificateId'>): Promise<void>;
};

type SealedRow = {
  id: string;
  certificate_id: string;
  sealed_sad: string | null;
  sealed_tokens: string | null;
  due: boolean;
};

export function createRevocations(deps: {
  readonly database: Database;
  readonly clock: Clock;
  readonly sealer: Sealer;
}): Revocations {
  const { database, clock, sealer } = deps;
  const tokensOf = ({ id, sealed_tokens }: SealedRow): CaToken[] => {
    if (sealed_tokens === null) return [];
    const { accessToken, refreshToken } = openTokens(sealer, sealed_tokens, id);
    // The refresh token first: its access tokens end with it (reference/csc.md).
    return [
      ...(refreshToken === undefined
        ? []
        : [{ kind: 'refresh_token' as const, value: refreshToken }]),
      { kind: 'access_token', value: accessToken },
    ];
  };

  return {
    /** Every grant of the same certificate whose time for it has come (DESIGN 6.4), whoever of them asks. */
    async findDue(grantId) {
      const rows = await sealedOf(database, grantId, clock.now());
      const needed = new Set(
        rows.filter(({ due }) => !due).flatMap((row) => tokensOf(row).map(({ value }) => value)),
      );
      return rows
        .filter(({ due }) => due)
        .map((row) => ({
          grantId: row.id,
          certificateId: row.certificate_id,
          sad: row.sealed_sad === null ? undefined : sealer.open(row.sealed_sad, row.id),
          tokens: tokensOf(row).filter(({ value }) => !needed.has(value)),
        }));
    },

    /** Nothing of the grant is valid at the CA any more: what was sealed for it is removed. */
    recordRevoked: ({ grantId, certificateId }) =>
      inTransaction(database, async (tx) => {
        const { accountId } = await lockCertificate(tx, certificateId);
        const now = clock.now();
        const { rowCount } = await tx.query(
          `update access_grants as g
           set revoked_at_ca_at = $2, sealed_sad = null, sealed_tokens = null, tokens_expire_at = null
           where g.grant_id = $1 and g.revoke_at <= $2 and g.revoked_at_ca_at is null`,
          [grantId, now],
        );
        if (rowCount === 0) return;
        await recordAudit(tx, {
          at: now,
          actor: 'process:worker',
          action: 'revoked_at_ca',
          accountId,
          certificateId,
          subject: `access_grant:${grantId}`,
        });
      }),
  };
}

/** All that is sealed for the certificate of a grant, its open renewal included: a token that this holds already must live. */
async function sealedOf(queryable: Queryable, grantId: string, now: Date): Promise<SealedRow[]> {
  const { rows } = await queryable.query<SealedRow>(
    `with this as (select r.certificate_id from renewals as r where r.renewal_id = $1)
     select g.grant_id as id, g.certificate_id, g.sealed_sad, g.sealed_tokens, coalesce(g.revoke_at <= $2, false) as due
     from this join access_grants as g on g.certificate_id = this.certificate_id
     where g.revoked_at_ca_at is null
     union all
     select r.renewal_id, r.certificate_id, null, r.sealed_tokens, false
     from this join renewals as r on r.certificate_id = this.certificate_id
     where r.ended_at is null`,
    [grantId, now],
  );
  return rows;
}
