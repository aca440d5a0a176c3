import { randomUUID } from 'node:crypto';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { regulationPolicy } from '../../domain/policy.ts';
import { waitUntil } from '../../infra/development/wait-until.ts';
import { createKafka } from '../../infra/kafka/client.ts';
import { createProducer } from '../../infra/kafka/producer.ts';
import { createSignatureSource } from '../../infra/kafka/signature-source.ts';
import { ensureTopics } from '../../infra/kafka/topics.ts';
import { openDatabase, type Database } from '../../infra/postgres/pool.ts';
import type { FlushResult } from '../../infra/postgres/usage.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { testParts } from '../../test/support/parts.ts';
import {
  cutLog,
  insertCertificate,
  insertGrant,
  usedOf,
} from '../../test/support/usage-fixtures.ts';
import { createCounter, type CounterOptions } from './counter.ts';
import { startUpkeep } from './upkeep.ts';

const brokers = testParts().kafkaBrokers;
const lines: { level: number; msg: string }[] = [];
const log = pino(
  { level: 'info' },
  { write: (line: string) => lines.push(JSON.parse(line) as { level: number; msg: string }) },
);
const quiet = pino({ level: 'silent' });
const kafka = createKafka({ brokers, clientId: 'test', log: quiet });
const writer = kafka.producer();
const producer = createProducer({ brokers, clientId: 'test', log: quiet });
const clock = { now: () => new Date() };
const madeAt = '2026-01-05T10:00:00Z';
let testDatabase: TestDatabase;
let database: Database;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase({ url: testDatabase.url, applicationName: 'usage test' });
  await writer.connect();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
  lines.length = 0;
});
afterAll(async () => {
  await Promise.all([writer.disconnect(), producer.stop()]);
  await database.end();
  await testDatabase.drop();
});

async function makeTopic(partitions = 3): Promise<string> {
  const topic = `test-${randomUUID()}`;
  await ensureTopics(brokers, [
    { topic, partitions },
    { topic: `${topic}.dlq`, partitions: 1 },
  ]);
  return topic;
}

async function grantOf(certificateId: string, overrides: object = {}): Promise<string> {
  return insertGrant(database, {
    ...{ certificateId, effectiveAt: '2026-01-01T00:00:00Z', ...overrides },
  });
}

type Totals = Record<'counted' | 'duplicate' | 'rejected' | 'skipped' | 'fenced', number>;

function startCounter(
  topic: string,
  overrides: Partial<CounterOptions & { groupId: string }> = {},
) {
  const { groupId = topic, ...options } = overrides;
  const source = createSignatureSource({
    ...{ brokers, clientId: 'usage test', log: quiet, topic, groupId, sessionTimeoutMs: 6_000 },
  });
  const totals: Totals = { counted: 0, duplicate: 0, rejected: 0, skipped: 0, fenced: 0 };
  const counter = createCounter({
    source,
    store: { database: testDatabase.as('usage'), policy: regulationPolicy, clock },
    topic,
    log,
    flushEveryMs: 50,
    flushEvents: 500,
    mostPendingEvents: 50_000,
    onFlush(result: FlushResult) {
      for (const name of ['counted', 'duplicate', 'rejected', 'skipped'] as const)
        totals[name] += result[name];
      totals.fenced += result.fenced.length;
    },
    onFailed(error) {
      throw error;
    },
    ...options,
  });
  running.push(counter);
  counter.start();
  return { counter, totals, source };
}

type Message = {
  key?: string;
  value: string | Buffer;
  headers?: Record<string, string>;
  partition?: number;
};

/** Records of one signature each, with ids of their own. */
function buildMessages(certificateIds: readonly string[], each: number): Message[] {
  return certificateIds.flatMap((certificateId) =>
    Array.from({ length: each }, () => ({
      key: certificateId,
      value: JSON.stringify({ id: randomUUID(), certificateId, time: madeAt }),
    })),
  );
}

async function write(topic: string, messages: Message[]): Promise<void> {
  for (let from = 0; from < messages.length; from += 200) {
    await writer.send({ topic, messages: messages.slice(from, from + 200) });
  }
}

async function recordsAccountedFor(topic: string): Promise<number> {
  const { rows } = await database.query<{ records: number }>(
    `select coalesce(sum(p.counted + p.duplicate + p.rejected + p.skipped), 0)::bigint as records
     from usage_positions as p where p.topic = $1`,
    [topic],
  );
  return rows[0]?.records ?? 0;
}

const untilAccounted = (topic: string, records: number) =>
  waitUntil(async () => (await recordsAccountedFor(topic)) >= records, {
    what: `${records} records were not accounted for`,
    deadlineMs: 30_000,
  });

/** A way to the database that can be cut. */
async function startProxy(url: string) {
  const target = new URL(url);
  const port = Number(target.port);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((inner) => {
    const outer = connect(port, target.hostname);
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
    if (isCut) inner.destroy();
    inner.pipe(outer).pipe(inner);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  target.port = String((server.address() as AddressInfo).port);
  return {
    url: target.href,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('counting', () => {
  it('takes every event once, in every form, keyed or not, and rejects what can never be counted', async () => {
    const topic = await makeTopic();
    const certificateId = await insertCertificate(database);
    const grantId = await grantOf(certificateId);
    const attributes = {
      ...{ specversion: '1.0', type: 'pt.signstash.signature.applied.v1', source: '/signer' },
      ...{ subject: certificateId, time: madeAt },
    };
    const repeated = JSON.stringify({ id: 'repeated', certificateId, time: madeAt, count: 1000 });
    const poison: Message = {
      ...{ key: 'k', value: Buffer.from([123, 255, 0]), headers: { trace: 'abc' }, partition: 1 },
    };
    await write(topic, [
      ...buildMessages([certificateId], 500),
      { value: JSON.stringify({ id: 'unkeyed', certificateId, time: madeAt, count: 20 }) },
      { value: JSON.stringify({ ...attributes, id: 'structured', data: { count: 300 } }) },
      {
        value: JSON.stringify({ count: 4000 }),
        headers: Object.fromEntries(
          Object.entries({ ...attributes, id: 'binary' }).map(([name, text]) => [
            `ce_${name}`,
            text,
          ]),
        ),
      },
      { value: repeated, partition: 0 },
      { value: repeated, partition: 0 },
      { value: repeated, partition: 2 },
      poison,
      { value: JSON.stringify({ id: 'x', certificateId, time: madeAt, count: 0 }), partition: 1 },
      { value: JSON.stringify({ id: 'y', certificateId, time: madeAt, count: 7 }), partition: 1 },
    ]);
    const { totals } = startCounter(topic);
    await untilAccounted(topic, 509);
    expect(await usedOf(database, grantId)).toBe(500 + 20 + 300 + 4000 + 1000 + 7);
    expect(totals).toEqual({ counted: 505, duplicate: 2, rejected: 2, skipped: 0, fenced: 0 });

    running.push(
      startUpkeep({
        ...{
          store: { database: testDatabase.as('usage'), policy: regulationPolicy, clock },
          topic,
          log,
          producer,
        },
        ...{ rejectsTopic: `${topic}.dlq`, eventIdDays: 7, onFigures: () => undefined },
      }),
    );
    const letters = await readAll(`${topic}.dlq`, 2);
    const [badCount, malformed] = letters.sort((a, b) => a.reason.localeCompare(b.reason));
    expect(malformed).toMatchObject({
      ...{ key: 'k', value: Buffer.from([123, 255, 0]), trace: 'abc', partition: '1' },
      ...{ topic, reason: 'malformed_json' },
    });
    expect(badCount).toMatchObject({ key: undefined, reason: 'bad_count', partition: '1' });
  });

  it('goes on where the database stands when the group starts anew', async () => {
    const topic = await makeTopic();
    const certificateId = await insertCertificate(database);
    const grantId = await grantOf(certificateId);
    await write(topic, buildMessages([certificateId], 100));
    const first = startCounter(topic);
    await untilAccounted(topic, 100);
    await first.counter.stop();
    await write(topic, buildMessages([certificateId], 50));
    // A group that knows nothing: the offsets told to Kafka are not what counts.
    const second = startCounter(topic, { groupId: `${topic}-other` });
    await untilAccounted(topic, 150);
    expect(second.totals).toMatchObject({ counted: 50, duplicate: 0 });
    expect(await usedOf(database, grantId)).toBe(150);
  });

  it('is exact with two readers racing over the same partitions', async () => {
    const topic = await makeTopic();
    const certificates = await Promise.all([1, 2, 3, 4].map(() => insertCertificate(database)));
    const grants = await Promise.all(certificates.map((each) => grantOf(each)));
    const racers = ['a', 'b'].map((name) =>
      startCounter(topic, { groupId: `${topic}-${name}`, flushEveryMs: 20 }),
    );
    for (let round = 0; round < 10; round += 1) {
      await write(topic, buildMessages(certificates, 50));
    }
    await untilAccounted(topic, 2_000);
    const used = await Promise.all(grants.map((each) => usedOf(database, each)));
    expect(used).toEqual([500, 500, 500, 500]);
    // They did race, and what the loser had read it read again.
    expect(racers.reduce((sum, { totals }) => sum + totals.fenced, 0)).toBeGreaterThan(0);
    expect(racers.reduce((sum, { totals }) => sum + totals.duplicate, 0)).toBe(0);
  });

  it('is exact while members join and leave the group', async () => {
    const topic = await makeTopic(4);
    const certificates = await Promise.all([1, 2, 3, 4].map(() => insertCertificate(database)));
    const grants = await Promise.all(certificates.map((each) => grantOf(each)));
    const first = startCounter(topic);
    await write(topic, buildMessages(certificates, 100));
    const second = startCounter(topic);
    await write(topic, buildMessages(certificates, 100));
    await waitUntil(() => second.counter.partitions().length > 0, {
      what: 'the second member has no partition',
      deadlineMs: 30_000,
    });
    await write(topic, buildMessages(certificates, 100));
    await first.counter.stop();
    await write(topic, buildMessages(certificates, 100));
    await untilAccounted(topic, 1_600);
    const used = await Promise.all(grants.map((each) => usedOf(database, each)));
    expect(used).toEqual([400, 400, 400, 400]);
  });
});

describe('a log that is not what it was', () => {
  it('has its deleted records accounted for as skipped, with an error, and never counts again', async () => {
    const topic = await makeTopic(1);
    const certificateId = await insertCertificate(database);
    const grantId = await grantOf(certificateId);
    await write(topic, buildMessages([certificateId], 10));
    const first = startCounter(topic);
    await untilAccounted(topic, 10);
    await first.counter.stop();
    await write(topic, buildMessages([certificateId], 30));
    await cutLog(topic, 0, 25);
    const second = startCounter(topic);
    await untilAccounted(topic, 40);
    expect(second.totals).toMatchObject({ counted: 15, skipped: 15 });
    expect(await usedOf(database, grantId)).toBe(25);
    expect(lines.filter(({ level }) => level >= 50)).toMatchObject([{ lost: 15, partition: 0 }]);
  });

  it('stops the partition when it was made anew, until somebody looks', async () => {
    const topic = await makeTopic(1);
    const certificateId = await insertCertificate(database);
    const grantId = await grantOf(certificateId);
    await write(topic, buildMessages([certificateId], 10));
    await database.query(
      `insert into usage_positions (topic, partition, next_offset, start_offset, counted, updated_at)
       values ($1, 0, 100, 0, 100, now())`,
      [topic],
    );
    const { counter } = startCounter(topic);
    await waitUntil(() => counter.stalled().length === 1, {
      what: 'the partition was not stopped',
      deadlineMs: 20_000,
    });
    expect(await usedOf(database, grantId)).toBe(0);
    expect(lines.filter(({ level }) => level >= 50)).toHaveLength(1);
  });
});

describe('without the database', () => {
  it('reading waits with bounded memory, and goes on when it is back', async () => {
    const topic = await makeTopic(1);
    const certificateId = await insertCertificate(database);
    const grantId = await grantOf(certificateId);
    const proxy = await startProxy(testDatabase.urlAs('usage'));
    const cuttable = openDatabase({ url: proxy.url, applicationName: 'usage test' });
    const { counter } = startCounter(topic, {
      store: { database: cuttable, policy: regulationPolicy, clock },
      mostPendingEvents: 100,
    });
    try {
      await write(topic, buildMessages([certificateId], 10));
      await untilAccounted(topic, 10);
      proxy.cut();
      await write(topic, buildMessages([certificateId], 150));
      await waitUntil(() => counter.pendingEvents() >= 100, {
        what: 'nothing was read',
        deadlineMs: 20_000,
      });
      const held = counter.pendingEvents();
      await write(topic, buildMessages([certificateId], 1_000));
      // Several fetches long.
      const since = performance.now();
      await waitUntil(() => performance.now() - since > 700, { what: 'time', deadlineMs: 5_000 });
      expect(counter.pendingEvents()).toBeLessThanOrEqual(Math.max(held, 150));
      proxy.mend();
      await untilAccounted(topic, 1_160);
      expect(await usedOf(database, grantId)).toBe(1_160);
    } finally {
      await counter.stop();
      await cuttable.end();
      await proxy.stop();
    }
  });
});

type DeadLetter = {
  key: string | undefined;
  value: Buffer | null;
  reason: string;
  trace: string | undefined;
  topic: string | undefined;
  partition: string | undefined;
  offset: string | undefined;
};

/** Reads dead letters until there are enough of them. */
async function readAll(topic: string, atLeast: number) {
  const consumer = kafka.consumer({ groupId: `${topic}-reader` });
  const found: DeadLetter[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message: { key, value, headers = {} } }) => {
      const header = (name: string) => headers[name]?.toString();
      found.push({
        key: key?.toString(),
        value,
        trace: header('trace'),
        topic: header('__connect.errors.topic'),
        partition: header('__connect.errors.partition'),
        offset: header('__connect.errors.offset'),
        reason: header('usage.error.reason') ?? '',
      });
      return Promise.resolve();
    },
  });
  try {
    await waitUntil(() => found.length >= atLeast, { what: 'not read', deadlineMs: 20_000 });
    return found;
  } finally {
    await consumer.disconnect();
  }
}
