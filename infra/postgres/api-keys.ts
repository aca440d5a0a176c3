import { oldSecretEnd, type ApiKeyScope } from '../../domain/api-key.ts';
import { Problem } from '../../domain/errors.ts';
import { found, write } from './administration.ts';
import type { Queryable } from './pool.ts';

export type ApiKey = {
  readonly apiKeyId: string;
  readonly accountId: string;
  readonly name: string;
  /** Undefined: all certificates of the account. */
  readonly certificateIds: readonly string[] | undefined;
  readonly createdAt: Date;
  readonly revokedAt: Date | undefined;
  /** When the gate last saw one of its secrets, to the minute. */
  readonly lastUsedAt: Date | undefined;
  /** The replaced secret that goes on longest, while there is one. */
  readonly oldSecret: OldSecret | undefined;
};

type OldSecret = {
  readonly endsAt: Date;
  /** The last use of any replaced secret that still works. */
  readonly lastUsedAt: Date | undefined;
};

export type NewApiKey = Pick<
  ApiKey,
  'apiKeyId' | 'accountId' | 'name' | 'certificateIds' | 'createdAt'
>;

/** A secret that is good now, and whose key that is. */
export type GoodSecret = ApiKeyScope & {
  readonly keyHash: Buffer;
  readonly apiKeyId: string;
  /** Undefined: the newest one. */
  readonly endsAt: Date | undefined;
};

/** Throws `not_found` when one of the certificates is not the account's. */
export async function insertApiKey(
  tx: Queryable,
  key: NewApiKey & { readonly keyHash: Buffer },
): Promise<void> {
  if (key.certificateIds !== undefined) {
    const { rows } = await tx.query<{ missing: number }>(
      `select count(*) filter (where c.certificate_id is null) as missing
       from unnest($1::text[]) as wanted (certificate_id)
       left join certificates as c on c.certificate_id = wanted.certificate_id and c.account_id = $2`,
      [key.certificateIds, key.accountId],
    );
    if (rows[0]?.missing !== 0) throw new Problem('not_found', { what: 'certificate' });
  }
  await write(
    tx,
    `insert into api_keys (api_key_id, account_id, name, key_hash, certificate_ids, created_at)
     values ($1, $2, $3, $4, $5, $6)`,
    [key.apiKeyId, key.accountId, key.name, key.keyHash, key.certificateIds ?? null, key.createdAt],
    { api_keys__name: 'name' },
  );
}

type ApiKeyRow = {
  apiKeyId: string;
  accountId: string;
  name: string;
  certificateIds: string[] | null;
  createdAt: Date;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
  oldSecretEndsAt: Date | null;
  oldSecretLastUsedAt: Date | null;
};

/** With an id, that key alone. */
export async function listApiKeys(
  queryable: Queryable,
  asked: { readonly accountId?: string | undefined; readonly apiKeyId?: string },
  now: Date,
): Promise<ApiKey[]> {
  const { rows } = await queryable.query<ApiKeyRow>(
    `select k.api_key_id as "apiKeyId", k.account_id as "accountId", k.name, k.certificate_ids as "certificateIds",
       k.created_at as "createdAt", k.revoked_at as "revokedAt", used.last_used_at as "lastUsedAt",
       old.ends_at as "oldSecretEndsAt", old.last_used_at as "oldSecretLastUsedAt"
     from api_keys as k
     left join lateral (
       select max(u.last_used_at) as last_used_at from api_key_uses as u where u.api_key_id = k.api_key_id
     ) as used on true
     left join lateral (
       select max(o.ends_at) as ends_at, max(u.last_used_at) as last_used_at
       from api_key_old_secrets as o left join api_key_uses as u on u.key_hash = o.key_hash
       where o.api_key_id = k.api_key_id and o.ends_at > $3 and k.revoked_at is null
     ) as old on true
     where ($1::text is null or k.account_id = $1) and ($2::text is null or k.api_key_id = $2)
     order by k.account_id, lower(k.name), k.created_at`,
    [asked.accountId ?? null, asked.apiKeyId ?? null, now],
  );
  return rows.map((row) => ({
    apiKeyId: row.apiKeyId,
    accountId: row.accountId,
    name: row.name,
    certificateIds: row.certificateIds ?? undefined,
    createdAt: row.createdAt,
    revokedAt: row.revokedAt ?? undefined,
    lastUsedAt: row.lastUsedAt ?? undefined,
    oldSecret:
      row.oldSecretEndsAt === null
        ? undefined
        : { endsAt: row.oldSecretEndsAt, lastUsedAt: row.oldSecretLastUsedAt ?? undefined },
  }));
}

type Named = { readonly apiKeyId: string; readonly accountId?: string | undefined };

/**
 * Gives the key a new secret. The one before works for `overlapHours` more; those replaced earlier keep the end that they were given, or take this one where
 * it comes sooner: 0 hours end them all. With an account, only a key of that account; throws `not_found` when the key is unknown or revoked.
 */
export async function rotateApiKey(
  tx: Queryable,
  { apiKeyId, accountId }: Named,
  { keyHash, overlapHours }: { readonly keyHash: Buffer; readonly overlapHours: number },
  clockNow: () => Date,
): Promise<{ accountId: string; name: string; endsAt: Date; now: Date }> {
  const { rows } = await tx.query<{ accountId: string; name: string; keyHash: Buffer }>(
    `select k.account_id as "accountId", k.name, k.key_hash as "keyHash" from api_keys as k
     where k.api_key_id = $1 and k.revoked_at is null and ($2::text is null or k.account_id = $2)
     for no key update`,
    [apiKeyId, accountId ?? null],
  );
  const key = found(rows[0], 'API key');
  const now = clockNow();
  const endsAt = oldSecretEnd(now, overlapHours);
  await tx.query(
    `update api_key_old_secrets as o set ends_at = greatest($2, o.replaced_at)
     where o.api_key_id = $1 and o.ends_at > $2`,
    [apiKeyId, endsAt],
  );
  await tx.query(
    `insert into api_key_old_secrets (key_hash, api_key_id, replaced_at, ends_at) values ($1, $2, $3, $4)`,
    [key.keyHash, apiKeyId, now, endsAt],
  );
  await tx.query('update api_keys as k set key_hash = $2 where k.api_key_id = $1', [
    apiKeyId,
    keyHash,
  ]);
  return { accountId: key.accountId, name: key.name, endsAt, now };
}

/** Ends every secret of the key. Answers the key's account; throws `not_found` when the key is unknown or revoked already. */
export async function revokeApiKey(
  tx: Queryable,
  { apiKeyId, accountId }: Named,
  now: Date,
): Promise<{ accountId: string; name: string }> {
  const { rows } = await tx.query<{ accountId: string; name: string }>(
    `update api_keys as k set revoked_at = $2
     where k.api_key_id = $1 and k.revoked_at is null and ($3::text is null or k.account_id = $3)
     returning k.account_id as "accountId", k.name`,
    [apiKeyId, now, accountId ?? null],
  );
  return found(rows[0], 'API key');
}

/** Secrets that are good at `now`: all of them, or the one with this hash. */
export async function findGoodSecrets(
  queryable: Queryable,
  now: Date,
  keyHash?: Buffer,
): Promise<GoodSecret[]> {
  const { rows } = await queryable.query<{
    key_hash: Buffer;
    ends_at: Date | null;
    api_key_id: string;
    account_id: string;
    certificate_ids: string[] | null;
  }>(
    `select s.key_hash, s.ends_at, k.api_key_id, k.account_id, k.certificate_ids
     from (
       select n.key_hash, null as ends_at, n.api_key_id from api_keys as n
       union all
       select o.key_hash, o.ends_at, o.api_key_id from api_key_old_secrets as o where o.ends_at > $1
     ) as s
     join api_keys as k on k.api_key_id = s.api_key_id
     where k.revoked_at is null and ($2::bytea is null or s.key_hash = $2)`,
    [now, keyHash ?? null],
  );
  return rows.map((row) => ({
    keyHash: row.key_hash,
    apiKeyId: row.api_key_id,
    accountId: row.account_id,
    certificateIds: row.certificate_ids === null ? undefined : new Set(row.certificate_ids),
    endsAt: row.ends_at ?? undefined,
  }));
}

export type ApiKeyUse = Pick<GoodSecret, 'keyHash' | 'apiKeyId'> & { readonly at: Date };

/** Several gates tell of the same secrets: the latest use stays. In the order of the hashes, so that two of them do not wait for each other. */
export async function recordApiKeyUses(
  queryable: Queryable,
  uses: readonly ApiKeyUse[],
): Promise<void> {
  const ordered = uses.toSorted((a, b) => a.keyHash.compare(b.keyHash));
  await queryable.query(
    `insert into api_key_uses as u (key_hash, api_key_id, last_used_at)
     select * from unnest($1::bytea[], $2::text[], $3::timestamptz[])
     on conflict (key_hash) do update set last_used_at = greatest(u.last_used_at, excluded.last_used_at)`,
    [
      ordered.map(({ keyHash }) => keyHash),
      ordered.map(({ apiKeyId }) => apiKeyId),
      ordered.map(({ at }) => at),
    ],
  );
}
