import { Counter as Figure, Gauge, Histogram, type Registry } from 'prom-client';
import type { FlushResult, UsageFigures } from '../../infra/postgres/usage.ts';
import type { Counter } from './counter.ts';

export type UsageMetrics = {
  flushed(result: FlushResult, seconds: number): void;
  flushFailed(): void;
  figures(figures: UsageFigures, now: Date): void;
  /** Reads its gauges from the counter. */
  watch(counter: Counter): void;
};

export function createUsageMetrics(registry: Registry): UsageMetrics {
  const registers = [registry];
  const events = new Figure({
    name: 'usage_events_total',
    help: 'Records read, by what became of them.',
    labelNames: ['outcome'],
    registers,
  });
  const signatures = new Figure({
    name: 'usage_signatures_total',
    help: 'Signatures counted, those in suspense included.',
    registers,
  });
  const fenced = new Figure({
    name: 'usage_fenced_total',
    help: 'Partitions of a flush that somebody else had counted.',
    registers,
  });
  const thresholds = new Figure({
    name: 'usage_thresholds_total',
    help: 'Thresholds found reached.',
    labelNames: ['percent'],
    registers,
  });
  const failures = new Figure({
    name: 'usage_flush_failures_total',
    help: 'Flushes that did not come through and are tried again.',
    registers,
  });
  const duration = new Histogram({
    name: 'usage_flush_duration_seconds',
    help: 'Time of a flush, from taking the backlog to the commit.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const suspended = new Gauge({
    name: 'usage_suspense_signatures',
    help: 'Signatures for which there is no grant (yet).',
    registers,
  });
  const suspendedFor = new Gauge({
    name: 'usage_suspense_age_seconds',
    help: 'Time since the oldest signature in suspense was made.',
    registers,
  });
  const unpublished = new Gauge({
    name: 'usage_rejects_unpublished',
    help: 'Rejected records that wait to be published.',
    registers,
  });

  return {
    flushed(result, seconds) {
      duration.observe(seconds);
      for (const outcome of ['counted', 'duplicate', 'rejected', 'skipped'] as const) {
        events.inc({ outcome }, result[outcome]);
      }
      signatures.inc(result.signatures);
      fenced.inc(result.fenced.length);
      for (const { percent } of result.crossings) thresholds.inc({ percent: String(percent) });
    },
    flushFailed() {
      failures.inc();
    },
    figures({ suspendedSignatures, oldestSuspendedAt, unpublishedRejects }, now) {
      suspended.set(suspendedSignatures);
      const ageMs = oldestSuspendedAt === undefined ? 0 : now.getTime() - +oldestSuspendedAt;
      suspendedFor.set(Math.max(0, ageMs / 1000));
      unpublished.set(unpublishedRejects);
    },
    watch(counter) {
      gaugeByPartition(registry, counter, {
        name: 'usage_lag_records',
        help: 'Records of the log that are not in the database yet.',
        value: ({ lag }) => lag,
      });
      gaugeByPartition(registry, counter, {
        name: 'usage_lag_seconds',
        help: 'Age of the last record read, while there are records to come.',
        value: ({ lagSeconds }) => lagSeconds,
      });
      new Gauge({
        name: 'usage_pending_events',
        help: 'Events read and not flushed yet.',
        registers,
        collect() {
          this.set(counter.pendingEvents());
        },
      });
      new Gauge({
        name: 'usage_stalled_partitions',
        help: 'Partitions whose log ends before our position: somebody has to look.',
        registers,
        collect() {
          this.set(counter.stalled().length);
        },
      });
    },
  };
}

function gaugeByPartition(
  registry: Registry,
  counter: Counter,
  {
    name,
    help,
    value,
  }: {
    readonly name: string;
    readonly help: string;
    readonly value: (state: ReturnType<Counter['partitions']>[number]) => number | undefined;
  },
): void {
  new Gauge({
    name,
    help,
    labelNames: ['partition'],
    registers: [registry],
    collect() {
      // Partitions that went to others disappear.
      this.reset();
      for (const state of counter.partitions()) {
        const figure = value(state);
        if (figure !== undefined) this.set({ partition: String(state.partition) }, figure);
      }
    },
  });
}
