import type { Clock } from '../../domain/clock.ts';
import {
  claimOutboxRows,
  markDelivered,
  postponeOutboxRow,
  setAside,
  type Destination,
  type OutboxRow,
} from '../postgres/outbox-relay.ts';
import { listenTo } from '../postgres/listen.ts';
import type { Writer } from '../postgres/outbox.ts';
import type { Database } from '../postgres/pool.ts';
import type { GrantWorkflows } from './grant-workflows.ts';
import { Undeliverable } from './undeliverable.ts';

/** Rejects with `Undeliverable` for what can never be delivered; any other error is an outage, and tried again. Bounded by `deliveryMs`. */
export type Deliver = (row: Pick<OutboxRow, 'subject' | 'name' | 'payload'>) => Promise<void>;

export type RelayLog = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export type RelayOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: RelayLog;
  /** Whose rows; all unless told. */
  readonly writtenBy?: readonly Writer[] | 'all';
  /** Rows younger than this are left to their writer's own relay. */
  readonly minAgeMs?: number;
  readonly deliverTo: Readonly<Partial<Record<Destination, Deliver>>>;
  /** Nobody else gets a row for this long: longer than a delivery may take, which is 5 s to Temporal and 8 s to Kafka. */
  readonly leaseMs?: number;
  /** A row that fails again and again is tried no more often than this. */
  readonly longestPauseMs?: number;
  /** How often is looked without being told; being told (NOTIFY) only hastens it. */
  readonly pollMs?: number;
};

export type Relay = { stop(): Promise<void> };

const batch = 50;
const usualLeaseMs = 20_000;
const firstPauseMs = 250;
const usualLongestPauseMs = 15_000;

/**
 * Delivers what the outbox holds, at least once: signals in any order, Kafka records in order per certificate. While a destination cannot be reached its rows
 * wait, with growing pauses; nothing is given up. What can never be delivered is set aside with the reason and holds nobody up.
 */
export function startOutboxRelay(options: RelayOptions): Relay {
  const { database, deliverTo, log, pollMs = 1_000 } = options;
  const stopping = new AbortController();
  const wakers = new Set<() => void>();
  const wake = (): void => {
    for (const waker of wakers) waker();
  };
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        wakers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      wakers.add(done);
      if (stopping.signal.aborted) done();
    });
  const url = database.options.connectionString ?? '';
  const listening = listenTo(
    { url, applicationName: 'outbox-relay', channel: 'outbox_written' },
    wake,
  );
  const loops = (Object.entries(deliverTo) as [Destination, Deliver][]).map(
    async ([destination, deliver]) => {
      let pauseMs = 0;
      let retryAt = 0;
      while (!stopping.signal.aborted) {
        const early = retryAt - performance.now();
        if (early > 0) {
          // Being told of new rows does not make the destination answer any sooner.
          await pause(early);
          continue;
        }
        const round = await deliverRound(options, destination, deliver, pauseMs).catch(
          (error: unknown): Round => {
            log.warn({ destination, err: error }, 'the outbox cannot be read');
            return { delivered: 0, failed: 1 };
          },
        );
        if (round.failed > 0 && round.delivered === 0) {
          pauseMs = Math.min(usualLongestPauseMs, Math.max(firstPauseMs, pauseMs * 2));
          retryAt = performance.now() + pauseMs;
          continue;
        }
        if (round.delivered > 0 && pauseMs > 0)
          log.info({ destination }, 'the outbox is delivered again');
        if (round.delivered > 0) pauseMs = 0;
        if (round.delivered === 0) await pause(pollMs);
      }
    },
  );
  return {
    async stop() {
      stopping.abort();
      wake();
      await Promise.all([...loops, listening.stop()]);
    },
  };
}

/** `delivered` counts what is dealt with, set aside included. */
type Round = { readonly delivered: number; readonly failed: number };

async function deliverRound(
  options: RelayOptions,
  destination: Destination,
  deliver: Deliver,
  pauseMs: number,
): Promise<Round> {
  const { database, clock, log, writtenBy = 'all', minAgeMs = 0 } = options;
  const { leaseMs = usualLeaseMs, longestPauseMs = usualLongestPauseMs } = options;
  const rows = await claimOutboxRows(database, {
    ...{ destination, writtenBy, minAgeMs, leaseMs },
    now: clock.now(),
    // After an outage a few first: a crowd that fails takes a lease each.
    limit: pauseMs > 0 ? 5 : batch,
  });
  const outcomes = await Promise.all(
    rows.map(async (row) => {
      try {
        await deliver(row);
      } catch (error) {
        const { outboxId, name, attempts } = row;
        if (error instanceof Undeliverable) {
          log.error(
            { outboxId, destination, name, reason: error.message },
            'outbox row was set aside',
          );
          await setAside(database, outboxId, error.message, clock.now());
          return true;
        }
        if (attempts === 1 || attempts % 10 === 0) {
          log.warn(
            { outboxId, destination, name, attempts, err: error },
            'outbox row was not delivered, will be tried again',
          );
        }
        const backOffMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempts - 1, 10));
        await postponeOutboxRow(database, outboxId, new Date(clock.now().getTime() + backOffMs));
        return false;
      }
      await markDelivered(database, row.outboxId, clock.now());
      return true;
    }),
  );
  const delivered = outcomes.filter((done) => done).length;
  return { delivered, failed: outcomes.length - delivered };
}

/** Rows for Temporal are signals. */
export function deliverSignals(workflows: GrantWorkflows): Deliver {
  return ({ subject, name, payload }) => workflows.signal(subject, name, payload);
}

/**
 * Rows for Kafka are records with the certificate's id as key. `topics` gives the topic for a row's name; `isUndeliverable` tells which errors of `send`
 * are the record's own.
 */
export function deliverRecords(
  send: (topic: string, key: string, value: string) => Promise<void>,
  topics: Readonly<Record<string, string>>,
  isUndeliverable: (error: unknown) => boolean,
): Deliver {
  return async ({ subject, name, payload }) => {
    const topic = topics[name];
    if (topic === undefined) throw new Undeliverable(`no topic is configured for ${name}`);
    try {
      await send(topic, subject, JSON.stringify(payload));
    } catch (error) {
      if (!isUndeliverable(error)) throw error;
      throw new Undeliverable(error instanceof Error ? error.message : 'refused', { cause: error });
    }
  };
}
