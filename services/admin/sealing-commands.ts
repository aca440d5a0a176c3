import { recordAudit } from '../../infra/postgres/audit.ts';
import {
  countSealed,
  findUnopenable,
  resealColumn,
  unopenable,
  type Resealed,
  type SealedCount,
  type Unopenable,
} from '../../infra/postgres/resealing.ts';
import { sealedColumns } from '../../infra/postgres/sealed-columns.ts';
import type { Sealer } from '../../infra/postgres/sealing.ts';
import { BadFinding, type Command, type CommandParts } from './command.ts';

export const sealingCommands: Readonly<Record<string, Command>> = {
  'sealing status': {
    summary:
      'Count the sealed values by the key that opens them, and tell which keys may be removed',
    options: {},
    seals: true,
    async run(_administration, _given, parts) {
      const { database } = parts;
      const sealer = sealerOf(parts);
      const status = present(sealer, await countSealed(database));
      if (status.unopenable.length === 0) return status;
      throw unopenableFinding(status, await findUnopenable(database, sealer.keyIds));
    },
  },
  'sealing rotate': {
    summary: 'Seal everything with the newest key that is sealed with an older one; safe to repeat',
    options: {},
    seals: true,
    async run(_administration, _given, parts) {
      const sealer = sealerOf(parts);
      const found = await findUnopenable(parts.database, sealer.keyIds);
      if (found.length > 0) throw unopenableFinding({ resealed: [] }, found);
      return rotate(sealer, parts);
    },
  },
};

async function rotate(sealer: Sealer, { database, clock, progress }: CommandParts) {
  const resealed: Resealed[] = [];
  for (const sealedColumn of sealedColumns) {
    const { table, column } = sealedColumn;
    const onBatch = (count: number): void => {
      progress({ table, column, resealed: count });
    };
    resealed.push(await resealColumn(database, sealer, sealedColumn, { onBatch }));
  }
  const status = present(sealer, await countSealed(database));
  const unopened = resealed.flatMap(({ table, column, unopened: values }) =>
    values.map(({ id, reason }) => ({ table, column, id, reason })),
  );
  if (resealed.some(({ resealed: count }) => count > 0)) {
    await recordAudit(database, {
      at: clock.now(),
      actor: 'admin',
      action: 'secrets_resealed',
      subject: `sealing_key:${status.newest}`,
      details: Object.fromEntries(
        resealed.map(({ table, column, resealed: count }) => [`${table}.${column}`, count]),
      ),
    });
  }
  const result = {
    resealed: resealed.map(({ unopened: _, ...counts }) => counts),
    unopened,
    ...status,
  };
  const [first] = unopened;
  if (first === undefined) return result;
  throw new BadFinding(
    result,
    `${unopened.length} values do not open and were left as they are, the first of them ${placeOf(first)} (${first.reason}). The others were resealed.`,
  );
}

/** What each key still has to open. A key of the keyring that opens nothing may be removed, except the newest. */
function present({ keyIds }: Sealer, counts: readonly SealedCount[]) {
  const inUse = new Set(counts.map(({ keyId }) => keyId));
  return {
    newest: keyIds[0] ?? '',
    keyring: keyIds,
    sealed: counts.map(withNull),
    unopenable: unopenable(counts, keyIds).map(withNull),
    removable: keyIds.slice(1).filter((keyId) => !inUse.has(keyId)),
  };
}

const withNull = ({ keyId, ...rest }: SealedCount) => ({ ...rest, keyId: keyId ?? null });

function unopenableFinding(result: unknown, [first, ...others]: readonly Unopenable[]): BadFinding {
  const more = others.length === 0 ? '' : ' It is not the only one.';
  const whose =
    first?.keyId === undefined
      ? 'is no sealed value'
      : `is sealed with the key "${first.keyId}", which is not in SEALING_KEYS`;
  return new BadFinding(
    result,
    `${first === undefined ? 'A value' : placeOf(first)} ${whose}.${more} Nothing was changed.`,
  );
}

const placeOf = (value: { readonly table: string; readonly column: string; readonly id: string }) =>
  `${value.table}.${value.column} of row ${value.id}`;

function sealerOf({ sealer }: CommandParts): Sealer {
  if (sealer === undefined) throw new Error('this command needs a sealer');
  return sealer;
}
