import { randomUUID } from 'node:crypto';
import type { Queryable } from '../../infra/postgres/pool.ts';
import { hashSecret, newSecret, type Sealer } from '../../infra/postgres/sealing.ts';

/** A grant for tests, as the renewal's transaction would have stored it. */
export type TestGrant = {
  readonly certificateId: string;
  readonly accountId: string;
  readonly operatorId: string;
  readonly effectiveAt: Date;
  readonly expiresAt: Date;
  readonly allowance?: number;
  readonly used?: number;
  readonly sad?: string;
  readonly tokens?: { readonly accessToken: string; readonly refreshToken?: string };
  readonly tokensExpireAt?: Date;
};

const toSecond = (at: Date): Date => new Date(Math.floor(at.getTime() / 1000) * 1000);

/** Stores the grant and answers its id; instants are cut to whole seconds. */
export async function insertGrant(
  database: Queryable,
  sealer: Sealer,
  grant: TestGrant,
): Promise<string> {
  const grantId = randomUUID();
  const effectiveAt = toSecond(grant.effectiveAt);
  await database.query(
    `insert into renewals (renewal_id, certificate_id, account_id, operator_id, state, started_at, deadline_at, state_hash, browser_hash,
       sealed_verifier, tries_left, outcome, ended_at)
     values ($1, $2, $3, $4, 'granted', $5::timestamptz, $5::timestamptz + interval '15 minutes', $6, $7, 'used', 3, 'granted', $5::timestamptz)`,
    [
      grantId,
      grant.certificateId,
      grant.accountId,
      grant.operatorId,
      effectiveAt,
      hashSecret(newSecret()),
      hashSecret(newSecret()),
    ],
  );
  const tokens = grant.tokens ?? { accessToken: 'access-token-of-a-test' };
  await database.query(
    `insert into access_grants (grant_id, certificate_id, account_id, granted_by, effective_at, expires_at, allowance, binding_limit,
       sealed_sad, sealed_tokens, tokens_expire_at)
     values ($1, $2, $3, $4, $5, $6, $7, 'policy_time', $8, $9, $10)`,
    [
      grantId,
      grant.certificateId,
      grant.accountId,
      grant.operatorId,
      effectiveAt,
      toSecond(grant.expiresAt),
      grant.allowance ?? 1_000_000_000,
      sealer.seal(grant.sad ?? 'sad-of-a-test', grantId),
      sealer.seal(JSON.stringify(tokens), grantId),
      grant.tokensExpireAt ?? grant.expiresAt,
    ],
  );
  await database.query('insert into usage_counters (grant_id, used) values ($1, $2)', [
    grantId,
    grant.used ?? 0,
  ]);
  return grantId;
}
