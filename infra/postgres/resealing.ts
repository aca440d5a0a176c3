import type { Queryable } from './pool.ts';
import { sealedColumns, type SealedColumn } from './sealed-columns.ts';
import type { Sealer } from './sealing.ts';

export type SealedCount = {
  readonly table: string;
  readonly column: string;
  /** Of the key; undefined where a value is no sealed one. */
  readonly keyId: string | undefined;
  readonly count: number;
};

/** The id of the key in an envelope `v1.<key id>.<bytes>`; null for what is none. */
const keyIdIn = (column: string) => String.raw`substring(t.${column} from '^v1\.([^.]+)\.')`;

/** How many values each key has sealed, column by column. */
export async function countSealed(
  queryable: Queryable,
  columns: readonly SealedColumn[] = sealedColumns,
): Promise<SealedCount[]> {
  const counts: SealedCount[] = [];
  for (const { table, column } of columns) {
    const { rows } = await queryable.query<{ keyId: string | null; count: number }>(
      `select ${keyIdIn(column)} as "keyId", count(*) as count from ${table} as t
       where t.${column} is not null group by 1 order by 1`,
    );
    for (const { keyId, count } of rows) {
      counts.push({ table, column, keyId: keyId ?? undefined, count });
    }
  }
  return counts;
}

/** Those that cannot be opened with these keys. */
export const unopenable = (
  counts: readonly SealedCount[],
  keyIds: readonly string[],
): SealedCount[] => counts.filter(({ keyId }) => keyId === undefined || !keyIds.includes(keyId));

/** A value whose key is not in the keyring, or that is no sealed value at all. */
export type Unopenable = {
  readonly table: string;
  readonly column: string;
  readonly id: string;
  readonly keyId: string | undefined;
};

/** The first such value of each column. */
export async function findUnopenable(
  queryable: Queryable,
  keyIds: readonly string[],
): Promise<Unopenable[]> {
  const found: Unopenable[] = [];
  for (const { table, id, column } of sealedColumns) {
    const { rows } = await queryable.query<{ id: string; keyId: string | null }>(
      `select t.${id} as id, ${keyIdIn(column)} as "keyId" from ${table} as t
       where t.${column} is not null and coalesce(${keyIdIn(column)} <> all ($1::text[]), true)
       order by t.${id} limit 1`,
      [keyIds],
    );
    for (const row of rows)
      found.push({ table, column, id: row.id, keyId: row.keyId ?? undefined });
  }
  return found;
}

export type Resealed = {
  readonly table: string;
  readonly column: string;
  readonly resealed: number;
  /** Written by others between the reading and the writing, or gone: left as they are. */
  readonly changedMeanwhile: number;
  /** Values that were changed, or belong to another row: left as they are. */
  readonly unopened: readonly { readonly id: string; readonly reason: string }[];
};

/**
 * Seals everything in the column with the newest key that is not. Each value is a statement of its own that writes only where what was read still stands, so that
 * nobody waits for long, and nothing that others write meanwhile is lost. May be broken off and begun again at any point.
 */
export async function resealColumn(
  queryable: Queryable,
  sealer: Sealer,
  { table, id, column }: SealedColumn,
  {
    limit = 200,
    onBatch,
  }: { readonly limit?: number; readonly onBatch?: (resealed: number) => void } = {},
): Promise<Resealed> {
  let after = '';
  let resealed = 0;
  let changedMeanwhile = 0;
  const unopened: { id: string; reason: string }[] = [];
  for (;;) {
    const { rows } = await queryable.query<{ id: string; sealed: string }>(
      `select t.${id} as id, t.${column} as sealed from ${table} as t
       where t.${column} is not null and t.${id} > $1 and ${keyIdIn(column)} is distinct from $2
       order by t.${id} limit $3`,
      [after, sealer.keyIds[0], limit],
    );
    for (const row of rows) {
      after = row.id;
      let fresh: string;
      try {
        fresh = sealer.seal(sealer.open(row.sealed, row.id), row.id);
      } catch (error) {
        unopened.push({ id: row.id, reason: (error as Error).message });
        continue;
      }
      const { rowCount } = await queryable.query(
        `update ${table} as t set ${column} = $3 where t.${id} = $1 and t.${column} = $2`,
        [row.id, row.sealed, fresh],
      );
      if (rowCount === 1) resealed += 1;
      else changedMeanwhile += 1;
    }
    if (rows.length > 0) onBatch?.(resealed);
    if (rows.length < limit) return { table, column, resealed, changedMeanwhile, unopened };
  }
}
