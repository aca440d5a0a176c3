import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { knownNow } from '../../domain/clock.ts';
import type {
  LogBounds,
  SignatureSource,
  SourceHandlers,
} from '../../infra/kafka/signature-source.ts';
import {
  flushUsage,
  loadPositions,
  type FlushResult,
  type PartitionFlush,
  type UsageStore,
} from '../../infra/postgres/usage.ts';
import {
  goesOnFrom,
  newBacklog,
  putBack,
  skipTo,
  takeBatch,
  takeFlush,
  type Backlog,
} from './backlog.ts';
import { startPeriodic, type Periodic } from '../shared/periodic.ts';

export type CounterOptions = {
  readonly source: SignatureSource;
  readonly store: UsageStore;
  readonly topic: string;
  readonly log: Logger;
  readonly flushEveryMs: number;
  /** So many events are flushed at once, before their time. */
  readonly flushEvents: number;
  /** Beyond so many, or so many bytes of rejects, nothing more is read until a flush has come through. */
  readonly mostPendingEvents: number;
  readonly mostPendingBytes?: number;
  readonly onFlush?: (result: FlushResult, seconds: number) => void;
  readonly onFlushFailed?: () => void;
  /** The source has ended for good: the process has to be started again. */
  readonly onFailed: (error: Error) => void;
};

type PartitionState = {
  readonly partition: number;
  readonly lag: number;
  /** Undefined while the time is not known. */
  readonly lagSeconds: number | undefined;
};

export type Counter = {
  /** Begins to read, as soon as Kafka and the database are there. */
  start(): void;
  /** Counts what was read and leaves the group. */
  stop(): Promise<void>;
  /** Of the partitions that are ours. */
  partitions(): PartitionState[];
  pendingEvents(): number;
  /** Whether Kafka has given us our share of the partitions, be it none. */
  hasJoined(): boolean;
  /** Partitions whose log ends before our position: it was cut or made anew, and counting on would be guessing. */
  stalled(): readonly number[];
};

const retryMs = 1_000;
const checkLogsEveryMs = 10_000;

/**
 * Reads signature events and counts them exactly once (reference/kafka.md 2.2). What was read waits in memory, partition by partition, and a flush counts it
 * and moves the positions in one transaction. Nothing here decides what has been counted: positions in the database do, so a second reader, a
 * replayed batch or a process that was thought dead can cost work but never a wrong count.
 */
export function createCounter(options: CounterOptions): Counter {
  const { source, store, topic, log } = options;
  const { mostPendingEvents, mostPendingBytes = 16_777_216 } = options;
  const backlogs = new Map<number, Backlog>();
  const aligning = new Set<number>();
  const stalled = new Set<number>();
  let assigned: ReadonlySet<number> | undefined;
  let isFull = false;
  const stopping = new AbortController();
  let flushing: Periodic | undefined;
  let checking: Periodic | undefined;

  const isOurs = (partition: number) => assigned?.has(partition) ?? false;
  const isReading = (partition: number) =>
    isOurs(partition) && !aligning.has(partition) && !stalled.has(partition);
  const pendingEvents = () => sum([...backlogs.values()].map(({ events }) => events.length));
  const pendingBytes = () => sum([...backlogs.values()].map(({ bytes }) => bytes));

  const handlers: SourceHandlers = {
    assigned(partitions) {
      assigned = new Set(partitions);
      log.info({ partitions }, 'partitions assigned');
      for (const partition of [...backlogs.keys(), ...stalled]) {
        if (isOurs(partition)) continue;
        backlogs.delete(partition);
        stalled.delete(partition);
      }
      const [known, unknown] = split(partitions, (partition) => backlogs.has(partition));
      // The group begins anew at positions of its own.
      for (const partition of known) seekToNext(partition);
      source[isFull ? 'pause' : 'resume'](known.filter(isReading));
      align(unknown);
    },
    batch(batch) {
      const backlog = backlogs.get(batch.partition);
      if (stopping.signal.aborted || !isReading(batch.partition)) return;
      const now = knownNow(store.clock);
      if (now === undefined || backlog === undefined || !goesOnFrom(backlog, batch)) {
        align([batch.partition]);
        return;
      }
      takeBatch(backlog, batch, topic, now);
      if (pendingEvents() >= options.flushEvents) flushing?.soon();
      limitBacklog();
    },
    failed: options.onFailed,
  };

  const seekToNext = (partition: number) => {
    const backlog = backlogs.get(partition);
    if (backlog !== undefined) source.seek(partition, backlog.next);
  };

  /** Memory is bounded: with the database away, or slower than Kafka, reading waits. */
  const limitBacklog = () => {
    const wasFull = isFull;
    isFull = pendingEvents() >= mostPendingEvents || pendingBytes() >= mostPendingBytes;
    if (isFull === wasFull) return;
    log[isFull ? 'warn' : 'info']({ pendingEvents: pendingEvents(), isFull }, 'backlog');
    source[isFull ? 'pause' : 'resume']([...(assigned ?? [])].filter(isReading));
  };

  /** Makes reading go on where the database, or what was read since, says. Meanwhile the partition is paused. */
  const align = (partitions: readonly number[]) => {
    const todo = partitions.filter(isReading);
    if (todo.length === 0) return;
    todo.forEach((partition) => aligning.add(partition));
    source.pause(todo);
    void alignUntilDone(todo).finally(() => {
      todo.forEach((partition) => aligning.delete(partition));
      if (!isFull) source.resume(todo.filter(isReading));
    });
  };

  const alignUntilDone = async (partitions: readonly number[]) => {
    for (let isTold = false; !stopping.signal.aborted; isTold = true) {
      try {
        await alignOnce(partitions.filter(isOurs));
        return;
      } catch (error) {
        if (!isTold) log.warn({ partitions, err: error }, 'positions not known, goes on trying');
        await pause(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  };

  const alignOnce = async (partitions: readonly number[]) => {
    if (partitions.length === 0) return;
    // While the time is not known nothing is taken: a record without a timestamp would be judged by a wrong one.
    store.clock.now();
    const [known, unknown] = split(partitions, (partition) => backlogs.has(partition));
    const nextBefore = new Map(known.map((each) => [each, backlogs.get(each)?.next ?? 0]));
    const bounds = await source.bounds();
    const starts = new Map(unknown.map((each) => [each, boundsOf(bounds, each).start]));
    const positions =
      starts.size === 0 ? new Map<number, number>() : await loadPositions(store, topic, starts);
    for (const partition of partitions) {
      if (!isOurs(partition)) continue;
      const inLog = boundsOf(bounds, partition);
      const position = positions.get(partition);
      if (position !== undefined && !backlogs.has(partition)) {
        backlogs.set(partition, newBacklog(partition, position, inLog.end));
      }
      compareWithLog(partition, nextBefore.get(partition), inLog);
      seekToNext(partition);
    }
  };

  /** `nextBefore` is where we stood before the log was asked; undefined where that is not known, so that its end says nothing. */
  const compareWithLog = (partition: number, nextBefore: number | undefined, inLog: LogBounds) => {
    const backlog = backlogs.get(partition);
    if (backlog === undefined) return;
    backlog.end = Math.max(inLog.end, backlog.next);
    if (inLog.start > backlog.next) {
      const from = backlog.next;
      const lost = skipTo(backlog, inLog.start);
      // Their signatures are not counted and cannot be any more: the CA's own count is what is left.
      log.error({ topic, partition, from, lost }, 'records were deleted before they were counted');
      source.seek(partition, backlog.next);
    }
    if (nextBefore === undefined) return;
    if (inLog.end < nextBefore && !stalled.has(partition)) {
      stalled.add(partition);
      source.pause([partition]);
      // Offsets below our position were counted once already: to go on by itself would count twice or leave out.
      log.error(
        { topic, partition, position: nextBefore, end: inLog.end },
        'the log ends before what was counted: it was cut or made anew; see docs/operations',
      );
    } else if (inLog.end >= nextBefore && stalled.delete(partition)) {
      log.info({ topic, partition }, 'the log reaches our position again');
      align([partition]);
    }
  };

  const checkLogs = async () => {
    const nextBefore = new Map([...backlogs].map(([partition, { next }]) => [partition, next]));
    const bounds = await source.bounds();
    for (const [partition, next] of nextBefore) {
      if (aligning.has(partition)) continue;
      const inLog = bounds.get(partition);
      if (inLog !== undefined) compareWithLog(partition, next, inLog);
    }
  };

  const flush = async () => {
    const taken: [Backlog, PartitionFlush][] = [];
    for (const backlog of backlogs.values()) {
      const part = takeFlush(backlog);
      if (part !== undefined) taken.push([backlog, part]);
    }
    if (taken.length === 0) return;
    const startedAt = performance.now();
    let result: FlushResult;
    try {
      const parts = taken.map(([, part]) => part);
      result = await flushUsage(store, topic, parts);
    } catch (error) {
      // It may have been committed: then the next attempt is told that all of it is fenced.
      taken.forEach(([backlog, part]) => {
        putBack(backlog, part);
      });
      limitBacklog();
      options.onFlushFailed?.();
      throw error;
    }
    finishFlush(taken, result);
    options.onFlush?.(result, (performance.now() - startedAt) / 1000);
  };

  const finishFlush = (taken: readonly [Backlog, PartitionFlush][], result: FlushResult) => {
    const moved = new Map<number, number>();
    const fenced: number[] = [];
    for (const [backlog, { partition, to }] of taken) {
      if (!result.fenced.includes(partition)) {
        backlog.flushed = to;
        moved.set(partition, to);
      } else if (backlogs.get(partition) === backlog) {
        backlogs.delete(partition);
        fenced.push(partition);
      }
    }
    for (const crossing of result.crossings) log.info(crossing, 'usage threshold reached');
    if (fenced.length > 0) log.info({ partitions: fenced }, 'counted elsewhere, reading again');
    align(fenced);
    source.commit(moved).catch((error: unknown) => {
      log.debug({ err: error }, 'offsets not told to the group');
    });
    limitBacklog();
  };

  const startUntilDone = async () => {
    for (let isTold = false; !stopping.signal.aborted; isTold = true) {
      try {
        await source.start(handlers);
        return;
      } catch (error) {
        if (!isTold) log.warn({ topic, err: error }, 'cannot read from Kafka yet, goes on trying');
        await pause(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  };

  return {
    start() {
      void startUntilDone();
      const { flushEveryMs } = options;
      flushing = startPeriodic({ name: 'flush', everyMs: flushEveryMs, log, work: flush });
      checking = startPeriodic({
        name: 'check of the logs',
        everyMs: checkLogsEveryMs,
        log,
        work: checkLogs,
      });
    },
    async stop() {
      stopping.abort();
      await Promise.all([checking?.stop(), flushing?.stop()]);
      await flush().catch((error: unknown) => {
        log.warn({ err: error }, 'what was read last is left for the next start');
      });
      await source.stop();
    },
    partitions: () =>
      [...backlogs.values()].map(({ partition, flushed, end, readUntil }) => {
        const lag = Math.max(0, end - flushed);
        const now = knownNow(store.clock);
        if (now === undefined) return { partition, lag, lagSeconds: undefined };
        const behindMs = readUntil === undefined ? 0 : now.getTime() - readUntil.getTime();
        return { partition, lag, lagSeconds: lag === 0 ? 0 : Math.max(0, behindMs / 1000) };
      }),
    pendingEvents,
    hasJoined: () => assigned !== undefined,
    stalled: () => [...stalled],
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

function split<T>(values: readonly T[], test: (value: T) => boolean): [T[], T[]] {
  return [values.filter(test), values.filter((value) => !test(value))];
}

function boundsOf(bounds: ReadonlyMap<number, LogBounds>, partition: number): LogBounds {
  const found = bounds.get(partition);
  if (found === undefined) throw new Error(`Kafka does not know partition ${partition}`);
  return found;
}
