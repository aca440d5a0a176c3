import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../domain/clock.ts';
import { readSealingFigures, type SealingFigures } from '../../infra/postgres/audit-sealing.ts';
import type { Database } from '../../infra/postgres/pool.ts';

/** The state of the audit chain, read when it is asked for. Left out while the database cannot be asked, so that the other figures are still answered. */
export function registerAuditMetrics(
  registry: Registry,
  { database, clock }: { readonly database: Database; readonly clock: Clock },
): void {
  let reading: Promise<SealingFigures | undefined> | undefined;
  // One question for all that are asked for together.
  const read = () =>
    (reading ??= readSealingFigures(database)
      .catch(() => undefined)
      .finally(() => {
        reading = undefined;
      }));
  const gauge = (name: string, help: string, value: (figures: SealingFigures) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const figures = await read();
        if (figures === undefined) this.remove();
        else this.set(value(figures));
      },
    });

  gauge('audit_chain_position', 'Last position of the audit chain.', ({ position }) => position);
  gauge(
    'audit_unsealed_events',
    'Audit events that are not in the chain yet.',
    ({ unsealedCount }) => unsealedCount,
  );
  gauge(
    'audit_oldest_unsealed_age_seconds',
    'Age of the audit event that has waited longest to be sealed; 0 when none waits.',
    ({ oldestUnsealedAt }) =>
      oldestUnsealedAt === undefined
        ? 0
        : Math.max(0, (clock.now().getTime() - oldestUnsealedAt.getTime()) / 1000),
  );
}
