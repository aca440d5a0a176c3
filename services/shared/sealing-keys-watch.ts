import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../../infra/postgres/pool.ts';
import { countSealed, unopenable, type SealedCount } from '../../infra/postgres/resealing.ts';
import { sealedColumns, type KeyHolder } from '../../infra/postgres/sealed-columns.ts';
import type { Sealer } from '../../infra/postgres/sealing.ts';
import type { Logger } from './log.ts';
import { startPeriodic } from './periodic.ts';

const everyMs = 600_000;

export type SealingKeysWatch = {
  /** The remark for /readyz. It never makes the process unready: what its keys open goes on. */
  readonly remark: () => Promise<string>;
  stop(): Promise<void>;
};

/**
 * Looks at the start and every ten minutes whether the process has the key of everything that it opens, and says so as an error when it has not. It starts all the
 * same: what the other keys open goes on, and a restart shall not make one lost key an outage for everybody.
 */
export function watchSealingKeys(
  holder: KeyHolder,
  parts: {
    readonly database: Database;
    readonly sealer: Sealer;
    readonly log: Logger;
    readonly metrics: Registry;
  },
): SealingKeysWatch {
  const { database, sealer, log, metrics } = parts;
  const { keyIds } = sealer;
  const columns = sealedColumns.filter(({ openedBy }) => openedBy.includes(holder));
  let missing: readonly SealedCount[] | undefined;
  new Gauge({
    name: 'sealed_values_without_key',
    help: 'Sealed values that this process opens and whose key is not in its keyring.',
    registers: [metrics],
    collect() {
      this.set(sumOf(missing));
    },
  });
  const periodic = startPeriodic({
    name: 'look for keys that are missing',
    everyMs,
    log,
    async work() {
      const found = unopenable(await countSealed(database, columns), keyIds);
      if (sumOf(found) !== sumOf(missing)) {
        if (found.length > 0) {
          log.error(
            { keyring: keyIds, missing: found },
            'values are sealed with keys that are not in SEALING_KEYS: what needs them fails',
          );
        } else log.info('the keys of all sealed values are there');
      }
      missing = found;
    },
  });
  periodic.soon();
  return {
    remark() {
      if (missing === undefined) return Promise.resolve('not looked at yet');
      const names = [...new Set(missing.map(({ keyId }) => keyId))];
      const lacking = names.map((name) => {
        const count = sumOf(missing?.filter(({ keyId }) => keyId === name));
        return `${count} with ${name ?? 'none'}`;
      });
      return Promise.resolve(
        lacking.length === 0
          ? `newest ${keyIds[0] ?? ''}`
          : `sealed with other keys: ${lacking.join(', ')}`,
      );
    },
    stop: () => periodic.stop(),
  };
}

const sumOf = (counts: readonly SealedCount[] = []): number =>
  counts.reduce((sum, { count }) => sum + count, 0);
