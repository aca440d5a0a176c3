import type { Clock } from '../../domain/clock.ts';
import { admit } from '../../domain/rate-limit.ts';
import { countRefusal } from '../../domain/refusal-tally.ts';
import type { GoodSecret } from './api-keys.ts';
import { recordAudit } from './audit.ts';
import { inTransaction, type Database, type Queryable } from './pool.ts';

/** Whoever asks the gate, by the secret that was sent. */
export type GateCaller = Pick<GoodSecret, 'apiKeyId' | 'accountId' | 'keyHash'>;

/** As the audit names a signing service. */
export const actorOf = ({ apiKeyId }: Pick<GateCaller, 'apiKeyId'>): string =>
  `api_key:${apiKeyId}`;

/** Calls that go to the database; each has a rate of its own, so that whoever reports refusals can still ask for an activation. */
type LimitedCall = 'activation' | 'refusal';

/**
 * Takes one call out of what the key may make in a minute, over all gates together: the key's row is locked, then the clock is read. Answers in how many ms
 * the next call is admitted, or undefined when this one is. Refusals are audited, those of one minute together with their count.
 */
export function takeCall(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  { apiKeyId, accountId }: GateCaller,
  call: LimitedCall,
  perMinute: number,
): Promise<number | undefined> {
  return inTransaction(database, async (tx) => {
    const bucket = await lockBucket(tx, apiKeyId, call);
    const now = clock.now();
    const answer = admit(bucket, now, perMinute);
    if (answer.admitted) {
      await tx.query(
        'update gate_rates as r set tokens = $3, as_of = $4 where r.api_key_id = $1 and r.call = $2',
        [apiKeyId, call, answer.bucket.tokens, answer.bucket.asOf],
      );
      return undefined;
    }
    const subject = actorOf({ apiKeyId });
    const count = await tallyRefusal(tx, { apiKeyId, subject, reason: `${call}_rate` }, now);
    if (count !== undefined) {
      const action = 'calls_limited';
      const details = { call, perMinute, count };
      await recordAudit(tx, { at: now, actor: subject, action, accountId, subject, details });
    }
    return answer.retryAfterMs;
  });
}

/** Undefined: the key's first call. Its row is made, so that the next caller waits until this one is done. */
async function lockBucket(
  tx: Queryable,
  apiKeyId: string,
  call: LimitedCall,
): Promise<{ tokens: number; asOf: Date } | undefined> {
  const read = async () =>
    (
      await tx.query<{ tokens: number; asOf: Date }>(
        `select r.tokens, r.as_of as "asOf" from gate_rates as r
         where r.api_key_id = $1 and r.call = $2 for no key update`,
        [apiKeyId, call],
      )
    ).rows[0];
  const bucket = await read();
  if (bucket !== undefined) return bucket;
  const { rowCount } = await tx.query(
    `insert into gate_rates (api_key_id, call, tokens, as_of) values ($1, $2, 0, 'epoch')
     on conflict do nothing`,
    [apiKeyId, call],
  );
  return rowCount === 1 ? undefined : read();
}

/**
 * Counts a refusal, and answers for how many an audit event is to be written now, if one is. The caller holds a lock under which all refusals of this subject
 * come one after the other.
 */
export async function tallyRefusal(
  tx: Queryable,
  refusal: { readonly apiKeyId: string; readonly subject: string; readonly reason: string },
  now: Date,
): Promise<number | undefined> {
  const { apiKeyId, subject, reason } = refusal;
  const { rows } = await tx.query<{ toldAt: Date; untold: number }>(
    `select t.told_at as "toldAt", t.untold from gate_refusals as t
     where t.api_key_id = $1 and t.subject = $2 and t.reason = $3`,
    [apiKeyId, subject, reason],
  );
  const { tally, told } = countRefusal(rows[0], now);
  await tx.query(
    `insert into gate_refusals (api_key_id, subject, reason, told_at, untold) values ($1, $2, $3, $4, $5)
     on conflict (api_key_id, subject, reason) do update set told_at = excluded.told_at, untold = excluded.untold`,
    [apiKeyId, subject, reason, tally.toldAt, tally.untold],
  );
  return told;
}
