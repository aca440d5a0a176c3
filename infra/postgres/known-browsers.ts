import type { Queryable } from './pool.ts';

/** A browser that was not used to sign in for this long is not known any more; its cookie lasts as long. */
export const knownBrowserSeconds = 180 * 86_400;
/** Of one operator; the one that was used longest ago gives way. */
const mostOfOperator = 20;

/** Whether the browser with this secret has signed in as this operator before. */
export async function isKnownBrowser(
  queryable: Queryable,
  secretHash: Buffer,
  operatorId: string,
  now: Date,
): Promise<boolean> {
  const { rows } = await queryable.query(
    `select from known_browsers as k
     where k.secret_hash = $1 and k.operator_id = $2 and k.last_used_at > $3`,
    [secretHash, operatorId, usedSince(now)],
  );
  return rows.length === 1;
}

/** The browser with this secret is known from now on, or still. */
export async function rememberBrowser(
  tx: Queryable,
  secretHash: Buffer,
  operatorId: string,
  now: Date,
): Promise<void> {
  await tx.query(
    `insert into known_browsers as k (secret_hash, operator_id, created_at, last_used_at) values ($1, $2, $3, $3)
     on conflict (secret_hash) do update set last_used_at = greatest(k.last_used_at, $3)`,
    [secretHash, operatorId, now],
  );
  await tx.query(
    `delete from known_browsers as k where k.secret_hash in (
       select o.secret_hash from known_browsers as o where o.operator_id = $1
       order by o.last_used_at desc, o.secret_hash offset $2
     )`,
    [operatorId, mostOfOperator],
  );
}

/** None is known any more as one that has signed in as this operator. */
export async function forgetBrowsers(tx: Queryable, operatorId: string): Promise<void> {
  await tx.query('delete from known_browsers as k where k.operator_id = $1', [operatorId]);
}

export async function removeUnusedBrowsers(queryable: Queryable, now: Date): Promise<void> {
  await queryable.query('delete from known_browsers as k where k.last_used_at <= $1', [
    usedSince(now),
  ]);
}

const usedSince = (now: Date): Date => new Date(now.getTime() - knownBrowserSeconds * 1000);
