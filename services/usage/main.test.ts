import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { freePort } from '../../infra/development/ports.ts';
import { waitUntil } from '../../infra/development/wait-until.ts';
import { createKafka } from '../../infra/kafka/client.ts';
import { ensureTopics } from '../../infra/kafka/topics.ts';
import { openDatabase, type Database } from '../../infra/postgres/pool.ts';
import { openDoor } from '../../test/support/door.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { testParts } from '../../test/support/parts.ts';
import { insertCertificate, insertGrant, usedOf } from '../../test/support/usage-fixtures.ts';

const { kafkaBrokers: brokers, temporalAddress, temporalNamespace } = testParts();
const writer = createKafka({
  ...{ brokers, clientId: 'test', log: pino({ level: 'silent' }) },
}).producer();
let testDatabase: TestDatabase;
let database: Database;
const children: ChildProcess[] = [];

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase({ url: testDatabase.url, applicationName: 'usage test' });
  await writer.connect();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await writer.disconnect();
  await database.end();
  await testDatabase.drop();
});

async function makeTopic(): Promise<string> {
  const topic = `test-${randomUUID()}`;
  const rejects = { topic: `${topic}.dlq`, partitions: 1 };
  await ensureTopics(brokers, [{ topic, partitions: 4 }, rejects]);
  return topic;
}

async function startUsage(topic: string, overrides: Record<string, string> = {}) {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('./main.ts', import.meta.url))],
    {
      env: {
        NODE_ENV: 'test',
        LOG_LEVEL: 'info',
        DATABASE_URL: testDatabase.urlAs('usage'),
        KAFKA_BROKERS: brokers.join(','),
        KAFKA_SIGNATURES_TOPIC: topic,
        KAFKA_REJECTS_TOPIC: `${topic}.dlq`,
        USAGE_GROUP_ID: topic,
        USAGE_SESSION_TIMEOUT_MS: '6000',
        USAGE_FLUSH_MS: '50',
        USAGE_PORT: String(port),
        TEMPORAL_ADDRESS: temporalAddress,
        TEMPORAL_NAMESPACE: temporalNamespace,
        ...overrides,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  children.push(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  return {
    child,
    get,
    output: () => output,
    ready: () =>
      waitUntil(async () => (await get('/readyz')).status === 200, {
        what: `usage was not ready: ${output}`,
        deadlineMs: 30_000,
      }),
    async end(signal: NodeJS.Signals): Promise<number | null> {
      const ended = once(child, 'exit') as Promise<[number | null]>;
      child.kill(signal);
      return (await ended)[0];
    },
  };
}

async function write(topic: string, certificateId: string, events: number): Promise<void> {
  const messages = Array.from({ length: events }, () => ({
    value: JSON.stringify({ id: randomUUID(), certificateId, time: '2026-01-05T10:00:00Z' }),
  }));
  await writer.send({ topic, messages });
}

it('killed in the middle of the stream and started again, usage has counted every signature once', async () => {
  const topic = await makeTopic();
  const certificateId = await insertCertificate(database);
  const grantId = await insertGrant(database, {
    ...{ certificateId, effectiveAt: '2026-01-01T00:00:00Z' },
  });
  const used = async () => (await usedOf(database, grantId)) ?? 0;
  const total = 12_000;
  const writing = (async () => {
    for (let sent = 0; sent < total; sent += 300) await write(topic, certificateId, 300);
  })();
  const first = await startUsage(topic);
  await waitUntil(async () => (await used()) > 0, { what: 'nothing counted', deadlineMs: 30_000 });
  await first.end('SIGKILL');
  const whenKilled = await used();
  await writing;
  await write(topic, certificateId, 300);
  const second = await startUsage(topic);
  await waitUntil(async () => (await used()) >= total + 300, {
    what: 'the rest was not counted',
    deadlineMs: 45_000,
  });
  expect(whenKilled).toBeLessThan(total + 300);
  expect(await used()).toBe(total + 300);
  const { rows } = await database.query(
    `select sum(p.counted)::bigint as counted, sum(p.duplicate)::bigint as duplicate from usage_positions as p where p.topic = $1`,
    [topic],
  );
  expect(rows).toEqual([{ counted: total + 300, duplicate: 0 }]);
  expect(await second.end('SIGTERM')).toBe(0);
}, 100_000);

it('usage tells the grant’s workflow of its thresholds, shows its figures, and stops in order', async () => {
  const topic = await makeTopic();
  const certificateId = await insertCertificate(database);
  const grantId = await insertGrant(database, {
    ...{ certificateId, effectiveAt: '2026-01-01T00:00:00Z', allowance: 100 },
  });
  const unhurried = { USAGE_SESSION_TIMEOUT_MS: '120000' };
  const usage = await startUsage(topic, unhurried);
  await usage.ready();
  await writer.send({ topic, messages: [{ value: 'poison' }] });
  await write(topic, 'somebody unknown', 3);
  await write(topic, certificateId, 100);
  await waitUntil(
    async () => {
      const { rowCount } = await database.query(
        'select from outbox as o where o.subject = $1 and o.delivered_at is not null',
        [grantId],
      );
      return rowCount === 2;
    },
    { what: 'the signals were not delivered', deadlineMs: 20_000 },
  );
  await waitUntil(
    async () => /usage_suspense_signatures\{[^}]*\} 3/.test((await usage.get('/metrics')).text),
    { what: 'suspense does not show', deadlineMs: 20_000 },
  );
  const { text } = await usage.get('/metrics');
  expect(text).toMatch(/usage_events_total\{outcome="counted",service="usage"\} 103/);
  expect(text).toMatch(/usage_events_total\{outcome="rejected",service="usage"\} 1/);
  expect(text).toMatch(/usage_thresholds_total\{percent="90",service="usage"\} 1/);
  expect(text).toMatch(/usage_lag_records\{partition="3",service="usage"\} 0/);
  expect(text).toMatch(/usage_suspense_age_seconds\{service="usage"\} [1-9]/);
  expect(text).toContain('usage_flush_duration_seconds_bucket');
  expect(await usage.end('SIGTERM')).toBe(0);

  // It left the group: its successor is ready long before it would count as dead.
  const successor = await startUsage(topic, unhurried);
  await successor.ready();
  expect(await successor.end('SIGTERM')).toBe(0);
}, 60_000);

it('usage counts though Temporal cannot be reached, and stops in order', async () => {
  const topic = await makeTopic();
  const certificateId = await insertCertificate(database);
  const grantId = await insertGrant(database, {
    ...{ certificateId, effectiveAt: '2026-01-01T00:00:00Z', allowance: 100 },
  });
  const nowhere = `127.0.0.1:${await freePort()}`;
  const usage = await startUsage(topic, { TEMPORAL_ADDRESS: nowhere });
  await usage.ready();
  await write(topic, certificateId, 100);
  await waitUntil(async () => (await usedOf(database, grantId)) === 100, {
    what: 'not counted',
    deadlineMs: 20_000,
  });
  expect(await usage.end('SIGTERM')).toBe(0);
}, 60_000);

it('usage, told to stop while it counts, counts what it has read and leaves the positions right', async () => {
  const topic = await makeTopic();
  const certificateId = await insertCertificate(database);
  const grantId = await insertGrant(database, {
    ...{ certificateId, effectiveAt: '2026-01-01T00:00:00Z' },
  });
  const usage = await startUsage(topic);
  await usage.ready();
  const holder = await database.connect();
  await holder.query('begin');
  await waitUntil(
    async () => {
      const held = 'select from usage_positions as p where p.topic = $1 for update';
      return (await holder.query(held, [topic])).rowCount === 4;
    },
    { what: 'there are no positions', deadlineMs: 20_000 },
  );
  await write(topic, certificateId, 50);
  await waitUntil(
    async () => {
      const { rowCount } = await database.query(
        `select from pg_stat_activity as a
         where a.application_name = 'usage' and a.wait_event_type = 'Lock' and a.datname = current_database()`,
      );
      return rowCount === 1;
    },
    { what: 'nothing is being counted', deadlineMs: 20_000 },
  );
  const ended = usage.end('SIGTERM');
  await waitUntil(() => usage.output().includes('usage is stopping'), {
    what: 'it does not stop',
    deadlineMs: 10_000,
  });
  expect(usage.child.exitCode).toBeNull();
  await holder.query('commit');
  holder.release();
  expect(await ended).toBe(0);
  expect(await usedOf(database, grantId)).toBe(50);
  const { rows } = await database.query<{ read: number; counted: number }>(
    `select sum(p.next_offset - p.start_offset)::bigint as read, sum(p.counted)::bigint as counted
     from usage_positions as p where p.topic = $1`,
    [topic],
  );
  expect(rows).toEqual([{ read: 50, counted: 50 }]);
}, 60_000);

it('usage, told to stop while Kafka and Temporal hang, ends in order', async () => {
  const topic = await makeTopic();
  const silent = await openDoor();
  const address = `127.0.0.1:${silent.port}`;
  const usage = await startUsage(topic, { KAFKA_BROKERS: address, TEMPORAL_ADDRESS: address });
  await waitUntil(async () => (await usage.get('/healthz')).status === 200, {
    what: 'not alive',
    deadlineMs: 20_000,
  });
  await silent.called;
  expect(await usage.end('SIGTERM')).toBe(0);
  await silent.close();
}, 60_000);

it('usage starts while Kafka is away, says so, and stops in order', async () => {
  const topic = await makeTopic();
  const nowhere = `127.0.0.1:${await freePort()}`;
  const usage = await startUsage(topic, { KAFKA_BROKERS: nowhere });
  await waitUntil(async () => (await usage.get('/healthz')).status === 200, {
    what: 'not alive',
    deadlineMs: 20_000,
  });
  expect((await usage.get('/readyz')).status).toBe(503);
  expect(await usage.end('SIGTERM')).toBe(0);
}, 60_000);
