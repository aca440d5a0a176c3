import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { pino } from 'pino';
import { testParts } from '../../test/support/parts.ts';
import { freePort } from '../development/ports.ts';
import { waitUntil } from '../development/wait-until.ts';
import { cutLog } from '../../test/support/usage-fixtures.ts';
import { createKafka } from './client.ts';
import { createProducer, RecordTooLarge } from './producer.ts';
import { createSignatureSource, type SourceBatch } from './signature-source.ts';
import { ensureTopics, productTopics } from './topics.ts';

const brokers = testParts().kafkaBrokers;
const log = pino({ level: 'silent' });
const kafka = createKafka({ brokers, clientId: 'test', log });
const admin = kafka.admin();
const producer = createProducer({ brokers, clientId: 'test', log });

afterAll(async () => {
  await Promise.all([admin.disconnect(), producer.stop()]);
});

async function makeTopic(partitions = 1): Promise<string> {
  const topic = `test-${randomUUID()}`;
  await ensureTopics(brokers, [{ topic, partitions }]);
  return topic;
}

/** Reads the partition from its first offset until `isDone`. */
async function readBatches(topic: string, isDone: (batches: SourceBatch[]) => boolean) {
  const batches: SourceBatch[] = [];
  const source = createSignatureSource({ brokers, clientId: 'test', log, topic, groupId: topic });
  await source.start({
    assigned: (partitions) => {
      for (const partition of partitions) source.seek(partition, 0);
    },
    batch: (batch) => {
      batches.push(batch);
    },
    failed: (error) => {
      throw error;
    },
  });
  try {
    await waitUntil(() => isDone(batches), {
      what: 'the records were not read',
      deadlineMs: 20_000,
    });
    return batches;
  } finally {
    await source.stop();
  }
}

describe('topics', () => {
  it('are made where they are missing, and left alone where they are', async () => {
    await admin.connect();
    const prefix = `test-${randomUUID()}`;
    const names = {
      signatures: `${prefix}-signatures`,
      rejects: `${prefix}-signatures.dlq`,
      accessChanges: `${prefix}-certificate-access`,
    };
    const topics = productTopics(names);
    await ensureTopics(brokers, [{ topic: names.rejects, partitions: 3 }]);
    const made = await ensureTopics(brokers, topics);
    expect(made).toEqual([names.signatures, names.accessChanges]);
    expect(await ensureTopics(brokers, topics)).toEqual([]);
    const { topics: found } = await admin.fetchTopicMetadata({ topics: Object.values(names) });
    const partitions = new Map(found.map(({ name, partitions: all }) => [name, all.length]));
    expect(partitions.get(names.signatures)).toBe(8);
    expect(partitions.get(names.rejects)).toBe(3);
  });

  it('are made by one of two processes that start at once, and the other goes on', async () => {
    const topic = `test-${randomUUID()}`;
    await Promise.all([1, 2, 3].map(() => ensureTopics(brokers, [{ topic, partitions: 1 }])));
    expect(await ensureTopics(brokers, [{ topic, partitions: 1 }])).toEqual([]);
  });
});

describe('the producer', () => {
  it('delivers key, value and headers as they are', async () => {
    const topic = await makeTopic();
    await producer.send(topic, 'key', Buffer.from([1, 0, 255]), { name: [Buffer.from('a'), 'b'] });
    await producer.send(topic, null, null);
    const batches = await readBatches(topic, (all) => all.flatMap((b) => b.records).length === 2);
    const [first, second] = batches.flatMap(({ records }) => records);
    expect(first).toMatchObject({ key: Buffer.from('key'), value: Buffer.from([1, 0, 255]) });
    expect(first?.headers['name']).toEqual([Buffer.from('a'), Buffer.from('b')]);
    expect(second).toMatchObject({ key: null, value: null });
  });

  it('says that a record is too large for its topic', async () => {
    const topic = await makeTopic();
    const tooLarge = producer.send(topic, null, Buffer.alloc(1_100_000));
    await expect(tooLarge).rejects.toBeInstanceOf(RecordTooLarge);
  });

  it('does not make topics of misspelt names', async () => {
    const hasty = createProducer({ brokers, clientId: 'test', log, deadlineMs: 1_000 });
    await expect(hasty.send('no-such-topic', null, 'x')).rejects.toThrow();
    await hasty.stop();
    await admin.connect();
    expect(await admin.listTopics()).not.toContain('no-such-topic');
  });

  it('gives up at its deadline while no broker is there, and stops', async () => {
    const nowhere = [`127.0.0.1:${await freePort()}`];
    const hasty = createProducer({ brokers: nowhere, clientId: 'test', log, deadlineMs: 300 });
    await expect(hasty.send('any', null, 'x')).rejects.toThrow('within 0.3 s');
    await hasty.stop();
  });
});

describe('the signature source', () => {
  it('says of every batch where it lies, control records and aborted transactions left out', async () => {
    const topic = await makeTopic();
    const transactional = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1 });
    await transactional.connect();
    const write = async (value: string, end: 'commit' | 'abort') => {
      const transaction = await transactional.transaction();
      await transaction.send({ topic, messages: [{ value }] });
      await transaction[end]();
    };
    await write('aborted 1', 'abort');
    await write('kept 1', 'commit');
    await write('aborted 2', 'abort');
    await write('kept 2', 'commit');
    await write('aborted 3', 'abort');
    await transactional.disconnect();
    await producer.send(topic, null, 'last');

    const batches = await readBatches(topic, (all) => (all.at(-1)?.nextOffset ?? 0) >= 11);
    const values = batches.flatMap(({ records }) => records.map(({ value }) => String(value)));
    expect(values).toEqual(['kept 1', 'kept 2', 'last']);
    let next = 0;
    for (const { fetchedOffset, firstOffset, nextOffset } of batches) {
      expect(fetchedOffset).toBeLessThanOrEqual(next);
      expect(firstOffset).toBeGreaterThanOrEqual(next);
      next = nextOffset;
    }
    expect(next).toBe(11);
  });

  it('goes on beyond a stretch of nothing but control records', async () => {
    const topic = await makeTopic();
    const transactional = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1 });
    await transactional.connect();
    const transaction = await transactional.transaction();
    await transaction.send({ topic, messages: [{ value: 'aborted' }] });
    await transaction.abort();
    await transactional.disconnect();
    const batches = await readBatches(topic, (all) =>
      all.some(({ nextOffset }) => nextOffset === 2),
    );
    expect(batches).toEqual([
      { partition: 0, fetchedOffset: 0, firstOffset: 0, nextOffset: 2, endOffset: 2, records: [] },
    ]);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('reads batches compressed with %s', async (codec) => {
    const topic = `test-${randomUUID()}`;
    // The broker compresses anew, as its own clients do.
    await ensureTopics(brokers, [
      { topic, partitions: 1, settings: { 'compression.type': codec } },
    ]);
    const writer = kafka.producer();
    await writer.connect();
    const values = Array.from({ length: 2_000 }, (_, each) => `value ${each} ${randomUUID()}`);
    await writer.send({ topic, messages: values.map((value) => ({ value })) });
    await writer.disconnect();
    const batches = await readBatches(topic, (all) => (all.at(-1)?.nextOffset ?? 0) >= 2_000);
    const read = batches.flatMap(({ records }) => records.map(({ value }) => String(value)));
    expect(read).toEqual(values);
  });

  it('knows the bounds of the log', async () => {
    const topic = await makeTopic(2);
    for (const value of ['a', 'b', 'c']) await producer.send(topic, 'same', value);
    const source = createSignatureSource({ brokers, clientId: 'test', log, topic, groupId: topic });
    try {
      const before = await source.bounds();
      expect([...before.values()].map(({ end }) => end).sort()).toEqual([0, 3]);
      const [partition] = [...before].find(([, { end }]) => end === 3) ?? [0];
      await cutLog(topic, partition, 2);
      expect((await source.bounds()).get(partition)).toEqual({ start: 2, end: 3 });
    } finally {
      await source.stop();
    }
  });
});

it('the idle loop of kafkajs is patched, so that nothing is looked for while nothing waits', async () => {
  const { setTimeout: original } = globalThis;
  let timers = 0;
  globalThis.setTimeout = ((...args: Parameters<typeof original>) => {
    timers += 1;
    return original(...args);
  }) as typeof original;
  try {
    const idle = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
    const connected = idle.producer();
    await connected.connect();
    timers = 0;
    await new Promise((resolve) => original(resolve, 200));
    expect(timers).toBeLessThan(5);
    await connected.disconnect();
  } finally {
    globalThis.setTimeout = original;
  }
});
