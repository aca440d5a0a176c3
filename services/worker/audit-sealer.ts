import { sealAudit } from '../../infra/postgres/audit-sealing.ts';
import type { Head } from '../../infra/postgres/audit-chain.ts';
import type { Database } from '../../infra/postgres/pool.ts';
import type { Logger } from '../shared/log.ts';
import { startPeriodic } from '../shared/periodic.ts';

const everyMs = 1_000;
const minuteMs = 60_000;

/**
 * Seals the audit every second. Where the chain ends is logged when it has moved, at most once a minute and at the end: somebody who cuts the end of the chain off
 * the database cannot take it out of the log too (`audit verify --expect`).
 */
export function startAuditSealer({
  database,
  log,
}: {
  readonly database: Database;
  readonly log: Logger;
}): { stop(): Promise<void> } {
  let untold: Head | undefined;
  let toldAtMs = -Infinity;
  const tell = (): void => {
    if (untold === undefined) return;
    const { position, hash } = untold;
    log.info({ position, hash: hash.toString('hex') }, 'the audit is sealed up to here');
    untold = undefined;
    toldAtMs = performance.now();
  };
  const periodic = startPeriodic({
    name: 'sealing of the audit',
    everyMs,
    log,
    async work() {
      untold = (await sealAudit(database)) ?? untold;
      if (performance.now() - toldAtMs >= minuteMs) tell();
    },
  });
  return {
    async stop() {
      await periodic.stop();
      tell();
    },
  };
}
