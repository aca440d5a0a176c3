import type { Batch, Consumer, IHeaders } from 'kafkajs';
import { createKafka, type KafkaOptions } from './client.ts';
import { closeInTime } from './deadline.ts';

/** One record as it lies in the log. */
export type SourceRecord = {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
  /** When it was appended, or when its producer says it was made, as the topic is set; undefined where it has none. */
  readonly timestamp: Date | undefined;
};

/** Consecutive records of one partition; offsets that are missing hold nothing to count (control records, aborted transactions). */
export type SourceBatch = {
  readonly partition: number;
  /** Where reading was asked to begin. */
  readonly fetchedOffset: number;
  /** Of the first record, at or after `fetchedOffset`. */
  readonly firstOffset: number;
  /** Where reading goes on. */
  readonly nextOffset: number;
  /** One after the last record of the log. */
  readonly endOffset: number;
  readonly records: readonly SourceRecord[];
};

/** The log's first offset that is still kept, and one after its last. */
export type LogBounds = { readonly start: number; readonly end: number };

export type SourceHandlers = {
  /** The partitions that are ours from now on, all others are not. Called before their first batch; may pause and seek at once. */
  assigned(partitions: readonly number[]): void;
  /** Must not take long and must not wait: heartbeats are sent between batches. */
  batch(batch: SourceBatch): void;
  /** The source has ended for good and does not know how to go on: the process has to be started again. */
  failed(error: Error): void;
};

/** Where signature events come from. Positions are the caller's affair: it says by `seek` where reading begins. */
export type SignatureSource = {
  /** Joins the group; rejects while the broker cannot be reached. */
  start(handlers: SourceHandlers): Promise<void>;
  seek(partition: number, offset: number): void;
  pause(partitions: readonly number[]): void;
  resume(partitions: readonly number[]): void;
  bounds(): Promise<ReadonlyMap<number, LogBounds>>;
  /** Tells the group how far we are. Only a hint for tools that show lag: nothing of ours reads it. */
  commit(offsets: ReadonlyMap<number, number>): Promise<void>;
  /** Leaves the group, so that another member takes over at once. */
  stop(): Promise<void>;
};

export type SourceOptions = KafkaOptions & {
  readonly topic: string;
  readonly groupId: string;
  /** After so long without a heartbeat a member counts as dead and its partitions go to others. */
  readonly sessionTimeoutMs?: number;
  /** After so long without any sign of life of the consumer it is taken for stuck. */
  readonly stuckAfterMs?: number;
};

/**
 * On kafkajs 2.2.4, with the guards of reference/kafka.md 1.3: offsets are not committed by it, an end without restart and a consumer that has gone silent
 * are reported as failed, and every batch says where reading was asked to begin, so that a silent jump in the log is seen.
 */
export function createSignatureSource(options: SourceOptions): SignatureSource {
  const { topic, groupId, sessionTimeoutMs = 10_000, stuckAfterMs = 120_000 } = options;
  const kafka = createKafka(options);
  const admin = kafka.admin();
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: 60_000,
    heartbeatInterval: Math.min(3_000, sessionTimeoutMs / 3),
    // Counting is to lag by well under a second, so a fetch does not wait for much.
    minBytes: 1,
    maxWaitTimeInMs: 250,
    maxBytesPerPartition: 1_048_576,
    maxBytes: 10_485_760,
    readUncommitted: false,
    retry: { retries: 6, restartOnFailure: () => Promise.resolve(true) },
  });
  let watchdog: NodeJS.Timeout | undefined;
  let adminConnected: Promise<void> | undefined;
  let isStopped = false;
  let joined: readonly number[] = [];

  const ours = (partitions: readonly number[]) => {
    const assigned = partitions.filter((partition) => joined.includes(partition));
    return assigned.length === 0 ? [] : [{ topic, partitions: assigned }];
  };

  return {
    async start(handlers) {
      joined = [];
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      // Stopped while brokers were looked for.
      if (isStopped) return;
      const { events } = consumer;
      consumer.on(events.GROUP_JOIN, ({ payload }) => {
        joined = payload.memberAssignment[topic] ?? [];
        handlers.assigned(joined);
      });
      // A batch of control records alone does not reach `eachBatch`; without it the next one would look like a jump.
      consumer.on(events.START_BATCH_PROCESS, ({ payload }) => {
        if (payload.batchSize === 0) handlers.batch(emptyBatch(payload));
      });
      // Stopped to be started again: until it has joined there is nothing to seek or pause.
      consumer.on(events.STOP, () => {
        joined = [];
      });
      consumer.on(events.CRASH, ({ payload }) => {
        if (!payload.restart) handlers.failed(payload.error);
      });
      watchdog = watch(consumer, stuckAfterMs, handlers);
      await consumer.run({
        autoCommit: false,
        partitionsConsumedConcurrently: 1,
        eachBatch(payload) {
          // Stale: a seek is waiting, so this is not what will be read next.
          if (payload.isRunning() && !payload.isStale()) handlers.batch(fromKafka(payload.batch));
          return Promise.resolve();
        },
      });
    },
    seek(partition, offset) {
      if (joined.includes(partition)) consumer.seek({ topic, partition, offset: String(offset) });
    },
    pause(partitions) {
      const wanted = ours(partitions);
      if (wanted.length > 0) consumer.pause(wanted);
    },
    resume(partitions) {
      const wanted = ours(partitions);
      if (wanted.length > 0) consumer.resume(wanted);
    },
    async bounds() {
      adminConnected ??= admin.connect();
      try {
        await adminConnected;
        const offsets = await admin.fetchTopicOffsets(topic);
        return new Map(
          offsets.map((each) => [
            each.partition,
            { start: Number(each.low), end: Number(each.high) },
          ]),
        );
      } catch (error) {
        adminConnected = undefined;
        throw error;
      }
    },
    async commit(offsets) {
      const positions = [...offsets].filter(([partition]) => joined.includes(partition));
      if (positions.length === 0) return;
      await consumer.commitOffsets(
        positions.map(([partition, offset]) => ({ topic, partition, offset: String(offset) })),
      );
    },
    async stop() {
      isStopped = true;
      clearInterval(watchdog);
      joined = [];
      await closeInTime(Promise.allSettled([consumer.disconnect(), admin.disconnect()]));
    },
  };
}

/** kafkajs can go silent without an error; a process that is started again reads on from its position. */
function watch(consumer: Consumer, stuckAfterMs: number, handlers: SourceHandlers): NodeJS.Timeout {
  const { events } = consumer;
  let lastSignAt = performance.now();
  const alive = () => {
    lastSignAt = performance.now();
  };
  // One by one: the type of `on` knows each event by itself only.
  consumer.on(events.FETCH, alive);
  consumer.on(events.HEARTBEAT, alive);
  consumer.on(events.GROUP_JOIN, alive);
  consumer.on(events.REBALANCING, alive);
  consumer.on(events.CRASH, alive);
  return setInterval(() => {
    const silentMs = performance.now() - lastSignAt;
    if (silentMs < stuckAfterMs) return;
    handlers.failed(new Error(`no sign of life of the Kafka consumer for ${stuckAfterMs} ms`));
  }, stuckAfterMs / 4).unref();
}

/** kafkajs keeps where it asked to read from, but does not declare it. */
type FetchedBatch = Batch & { readonly fetchedOffset?: string };

function fromKafka(batch: FetchedBatch): SourceBatch {
  const lastOffset = Number(batch.lastOffset());
  const firstOffset = Number(batch.firstOffset() ?? lastOffset);
  return {
    partition: batch.partition,
    fetchedOffset: Number(batch.fetchedOffset ?? firstOffset),
    firstOffset,
    nextOffset: lastOffset + 1,
    endOffset: Number(batch.highWatermark),
    records: batch.messages.map(({ offset, key, value, headers = {}, timestamp }) => ({
      offset: Number(offset),
      key,
      value,
      headers,
      timestamp: Number(timestamp) > 0 ? new Date(Number(timestamp)) : undefined,
    })),
  };
}

function emptyBatch(payload: {
  readonly partition: number;
  readonly firstOffset: string | null;
  readonly lastOffset: string;
  readonly highWatermark: string;
}): SourceBatch {
  const lastOffset = Number(payload.lastOffset);
  const firstOffset = Number(payload.firstOffset ?? lastOffset);
  return {
    partition: payload.partition,
    fetchedOffset: firstOffset,
    firstOffset,
    nextOffset: lastOffset + 1,
    endOffset: Number(payload.highWatermark),
    records: [],
  };
}
