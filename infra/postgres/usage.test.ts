import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { regulationPolicy } from '../../domain/policy.ts';
import type { SignatureEvent } from '../../domain/signature-event.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { openDatabase, inTransaction, type Database } from './pool.ts';
import { publishRejects, type RejectedRecord } from './usage-rejects.ts';
import { insertCertificate, insertGrant, usedOf } from '../../test/support/usage-fixtures.ts';
import { settleSuspense } from './usage-suspense.ts';
import {
  flushUsage,
  forgetEventIds,
  loadPositions,
  loadUsageFigures,
  type PartitionFlush,
  type UsageStore,
} from './usage.ts';

let testDatabase: TestDatabase;
let database: Database;
let store: UsageStore;
let topicCount = 0;
let eventCount = 0;
const now = new Date('2026-01-10T12:00:00Z');

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase({ url: testDatabase.url, applicationName: 'usage test' });
  store = {
    database: testDatabase.as('usage'),
    policy: regulationPolicy,
    clock: { now: () => now },
  };
});
afterAll(async () => {
  await database.end();
  await testDatabase.drop();
});

/** A topic with one partition, read from offset 0. */
async function openTopic(partitions = 1): Promise<string> {
  topicCount += 1;
  const topic = `topic-${topicCount}`;
  const starts = new Map(Array.from({ length: partitions }, (_, each) => [each, 0]));
  await loadPositions(store, topic, starts);
  return topic;
}

function buildEvent(overrides: Partial<SignatureEvent> = {}): SignatureEvent {
  eventCount += 1;
  const at = new Date('2026-01-05T00:00:00Z');
  return { id: `event-${eventCount}`, certificateId: 'nobody', at, count: 1, ...overrides };
}

const buildFlush = (
  from: number,
  events: readonly SignatureEvent[],
  overrides: Partial<PartitionFlush> = {},
): PartitionFlush => ({
  partition: 0,
  from,
  to: from + events.length,
  events,
  rejects: [],
  skipped: 0,
  ...overrides,
});

type Position = {
  next_offset: number;
  counted: number;
  duplicate: number;
  rejected: number;
  skipped: number;
};
async function positionOf(topic: string, partition = 0): Promise<Position | undefined> {
  const { rows } = await database.query<Position>(
    `select p.next_offset, p.counted, p.duplicate, p.rejected, p.skipped from usage_positions as p
     where p.topic = $1 and p.partition = $2`,
    [topic, partition],
  );
  return rows[0];
}

async function toldOf(grantId: string) {
  const thresholds = await database.query<{ percent: number; used: number }>(
    'select t.percent, t.used from usage_thresholds as t where t.grant_id = $1 order by t.percent',
    [grantId],
  );
  const signals = await database.query<{ name: string; payload: unknown; written_by: string }>(
    'select o.name, o.payload, o.written_by from outbox as o where o.subject = $1 order by o.outbox_id',
    [grantId],
  );
  const audited = await database.query<{ details: Record<string, unknown> }>(
    `select a.details from audit_events as a
     where a.subject = $1 and a.action = 'usage_threshold_reached' order by a.event_id`,
    [`access_grant:${grantId}`],
  );
  return {
    thresholds: thresholds.rows.map(({ percent }) => percent),
    signals: signals.rows.map(({ name, payload }) => ({ name, payload })),
    audited: audited.rows.map(({ details }) => details),
  };
}

async function suspendedFor(certificateId: string): Promise<number> {
  const { rows } = await database.query<{ open: number }>(
    `select coalesce(sum(s.signatures), 0)::bigint as open from usage_suspense as s
     where s.certificate_id = $1 and s.settled_at is null`,
    [certificateId],
  );
  return rows[0]?.open ?? 0;
}

const grantFromNewYear = (certificateId: string, overrides: object = {}) =>
  insertGrant(database, { certificateId, effectiveAt: '2026-01-01T00:00:00Z', ...overrides });

describe('positions', () => {
  it('begin at the start of the log, once', async () => {
    const topic = await openTopic();
    expect(await loadPositions(store, topic, new Map([[0, 500]]))).toEqual(new Map([[0, 0]]));
    expect(await loadPositions(store, topic, new Map([[1, 70]]))).toEqual(new Map([[1, 70]]));
  });

  it('are moved by one of two readers of the same offsets, and the other counts nothing', async () => {
    const topic = await openTopic();
    const certificateId = await insertCertificate(database);
    const grantId = await grantFromNewYear(certificateId);
    const first = buildFlush(0, [buildEvent({ certificateId }), buildEvent({ certificateId })]);
    const other = buildFlush(0, [buildEvent({ certificateId })]);
    const [a, b] = await Promise.all([
      flushUsage(store, topic, [first]),
      flushUsage(store, topic, [other]),
    ]);
    expect([...a.fenced, ...b.fenced]).toEqual([0]);
    const counted = a.fenced.length === 0 ? 2 : 1;
    expect(await usedOf(database, grantId)).toBe(counted);
    expect(await positionOf(topic)).toMatchObject({ next_offset: counted, counted });
  });

  it('refuse a replay of what was counted', async () => {
    const topic = await openTopic();
    const certificateId = await insertCertificate(database);
    const grantId = await grantFromNewYear(certificateId);
    const flush = buildFlush(0, [buildEvent({ certificateId, count: 5 })]);
    expect((await flushUsage(store, topic, [flush])).fenced).toEqual([]);
    expect(await flushUsage(store, topic, [flush])).toMatchObject({
      fenced: [0],
      counted: 0,
      signatures: 0,
    });
    expect(await usedOf(database, grantId)).toBe(5);
  });

  it('of other partitions move on beside a fenced one', async () => {
    const topic = await openTopic(2);
    const certificateId = await insertCertificate(database);
    const grantId = await grantFromNewYear(certificateId);
    const result = await flushUsage(store, topic, [
      buildFlush(7, [buildEvent({ certificateId })], { partition: 0 }),
      buildFlush(0, [buildEvent({ certificateId })], { partition: 1 }),
    ]);
    expect(result).toMatchObject({ fenced: [0], counted: 1 });
    expect(await usedOf(database, grantId)).toBe(1);
    expect(await positionOf(topic, 0)).toMatchObject({ next_offset: 0 });
    expect(await positionOf(topic, 1)).toMatchObject({ next_offset: 1 });
  });

  it('account for every record: counted, duplicate, rejected or skipped', async () => {
    const topic = await openTopic();
    const event = buildEvent();
    const rejected: RejectedRecord = {
      ...{ topic, partition: 0, offset: 2, reason: 'bad_count', detail: 'count: too large' },
      ...{ key: null, value: Buffer.from('{}'), headers: {} },
    };
    await flushUsage(store, topic, [
      buildFlush(0, [event, event], { to: 8, rejects: [rejected], skipped: 5 }),
    ]);
    expect(await positionOf(topic)).toEqual({
      ...{ next_offset: 8, counted: 1, duplicate: 1, rejected: 1, skipped: 5 },
    });
  });

  it('stay where they are when the sum is wrong', async () => {
    const topic = await openTopic();
    await expect(flushUsage(store, topic, [buildFlush(0, [], { to: 3 })])).rejects.toThrow(
      /usage_positions_check/,
    );
    expect(await positionOf(topic)).toMatchObject({ next_offset: 0 });
  });
});

describe('event ids', () => {
  it('make an event count once, within a flush, between flushes and between partitions', async () => {
    const topic = await openTopic(2);
    const certificateId = await insertCertificate(database);
    const grantId = await grantFromNewYear(certificateId);
    const event = buildEvent({ certificateId, count: 10 });
    await flushUsage(store, topic, [
      buildFlush(0, [event, event]),
      buildFlush(0, [event], { partition: 1 }),
    ]);
    const again = await flushUsage(store, topic, [buildFlush(2, [event])]);
    expect(again).toMatchObject({ counted: 0, duplicate: 1 });
    expect(await usedOf(database, grantId)).toBe(10);
    expect(await positionOf(topic)).toMatchObject({ counted: 1, duplicate: 2 });
    expect(await positionOf(topic, 1)).toMatchObject({ counted: 0, duplicate: 1 });
  });

  it('belong to a certificate', async () => {
    const topic = await openTopic();
    const result = await flushUsage(store, topic, [
      buildFlush(0, [
        buildEvent({ id: 'same', certificateId: 'one' }),
        buildEvent({ id: 'same', certificateId: 'two' }),
      ]),
    ]);
    expect(result).toMatchObject({ counted: 2, duplicate: 0 });
  });

  it('are forgotten when they are old, a portion at a time', async () => {
    const topic = await openTopic();
    const early = new Date('2025-01-01T00:00:00Z');
    const events = ['a', 'b', 'c'].map((id) => buildEvent({ id: `old-${id}` }));
    await flushUsage({ ...store, clock: { now: () => early } }, topic, [buildFlush(0, events)]);
    expect(await forgetEventIds(store.database, early)).toBe(0);
    const later = new Date(early.getTime() + 1);
    expect(await forgetEventIds(store.database, later, 2)).toBe(2);
    expect(await forgetEventIds(store.database, later, 2)).toBe(1);
    expect((await flushUsage(store, topic, [buildFlush(3, events)])).counted).toBe(3);
  });
});

describe('thresholds', () => {
  it('are both told, each once, by one event that jumps over them', async () => {
    const topic = await openTopic();
    const certificateId = await insertCertificate(database);
    const grantId = await grantFromNewYear(certificateId, { allowance: 1000 });
    const flush = (from: number, count: number) =>
      flushUsage(store, topic, [buildFlush(from, [buildEvent({ certificateId, count })])]);
    expect((await flush(0, 5000)).crossings).toEqual([
      { grantId, percent: 90, used: 5000 },
      { grantId, percent: 100, used: 5000 },
    ]);
    expect((await flush(1, 1)).crossings).toEqual([]);
    expect(await toldOf(grantId)).toEqual({
      thresholds: [90, 100],
      signals: [
        { name: 'usageReached', payload: { percent: 90 } },
        { name: 'usageReached', payload: { percent: 100 } },
      ],
      audited: [
        { percent: 90, used: 5000, allowance: 1000 },
        { percent: 100, used: 5000, allowance: 1000 },
      ],
    });
  });

  it.each([
    [899_999_999, 1, []],
    [900_000_000, 1, [90]],
    [999_999_998, 1, [90]],
    [999_999_999, 1, [90, 100]],
  ])('from %d used and %d more are %j', async (used, count, percents) => {
    const topic = await openTopic();
    const certificateId = await insertCertificate(database);
    const grantId = await grantFromNewYear(certificateId, { used });
    await flushUsage(store, topic, [buildFlush(0, [buildEvent({ certificateId, count })])]);
    expect(await usedOf(database, grantId)).toBe(used + count);
    expect((await toldOf(grantId)).thresholds).toEqual(percents);
  });

  it('warn once, though the percentage was configured anew', async () => {
    const topic = await openTopic();
    const certificateId = await insertCertificate(database);
    const grantId = await grantFromNewYear(certificateId, { allowance: 100 });
    const policy = { ...regulationPolicy, usageWarningPercent: 50 };
    const flush = (from: number, with_: UsageStore) =>
      flushUsage(with_, topic, [buildFlush(from, [buildEvent({ certificateId, count: 46 })])]);
    await flush(0, { ...store, policy });
    await flush(1, { ...store, policy });
    await flush(2, store);
    expect((await toldOf(grantId)).thresholds).toEqual([50, 100]);
  });
});

describe('the grant that a signature counts on', () => {
  const renewed = async () => {
    const certificateId = await insertCertificate(database);
    const oldGrant = await grantFromNewYear(certificateId, { allowance: 10 });
    const newGrant = await insertGrant(database, {
      ...{ certificateId, effectiveAt: '2026-01-05T00:00:00Z', supersedes: oldGrant },
    });
    const topic = await openTopic();
    return { certificateId, oldGrant, newGrant, topic };
  };

  it('is the one in force at its second, on both sides of a renewal', async () => {
    const { certificateId, oldGrant, newGrant, topic } = await renewed();
    const at = (text: string, count: number) =>
      buildEvent({ certificateId, at: new Date(text), count });
    await flushUsage(store, topic, [
      buildFlush(0, [at('2026-01-04T23:59:59.999Z', 3), at('2026-01-05T00:00:00.000Z', 4)]),
    ]);
    expect(await usedOf(database, oldGrant)).toBe(3);
    expect(await usedOf(database, newGrant)).toBe(4);
  });

  it('is the one that its signer names, whatever its time', async () => {
    const { certificateId, oldGrant, newGrant, topic } = await renewed();
    const at = new Date('2026-01-06T00:00:00Z');
    await flushUsage(store, topic, [
      buildFlush(0, [buildEvent({ certificateId, at, grantId: oldGrant, count: 7 })]),
    ]);
    expect(await usedOf(database, oldGrant)).toBe(7);
    expect(await usedOf(database, newGrant)).toBe(0);
  });

  it('is never one of another certificate', async () => {
    const { newGrant, certificateId, topic } = await renewed();
    const { oldGrant: strange } = await renewed();
    const at = new Date('2026-01-06T00:00:00Z');
    await flushUsage(store, topic, [
      buildFlush(0, [
        buildEvent({ certificateId, at, grantId: strange, count: 2 }),
        buildEvent({ certificateId, at, grantId: 'no such grant', count: 3 }),
      ]),
    ]);
    expect(await usedOf(database, strange)).toBe(0);
    expect(await usedOf(database, newGrant)).toBe(5);
  });

  it('is the old one for late events, and its limit then is audited as superseded', async () => {
    const { certificateId, oldGrant, newGrant, topic } = await renewed();
    const at = new Date('2026-01-02T00:00:00Z');
    await flushUsage(store, topic, [buildFlush(0, [buildEvent({ certificateId, at, count: 10 })])]);
    expect(await usedOf(database, newGrant)).toBe(0);
    const told = await toldOf(oldGrant);
    expect(told.thresholds).toEqual([90, 100]);
    expect(told.audited).toEqual([
      { percent: 90, used: 10, allowance: 10, superseded: true },
      { percent: 100, used: 10, allowance: 10, superseded: true },
    ]);
    expect((await toldOf(newGrant)).thresholds).toEqual([]);
  });

  it.each([
    ['its last second', '2026-01-19T23:59:59Z', 1],
    ['the second of its end', '2026-01-20T00:00:00Z', 0],
    ['the second before it began', '2025-12-31T23:59:59Z', 0],
  ])('ends with its expiry: %s', async (_, text, used) => {
    const topic = await openTopic();
    const certificateId = await insertCertificate(database);
    const grantId = await grantFromNewYear(certificateId, { expiresAt: '2026-01-20T00:00:00Z' });
    await flushUsage(store, topic, [
      buildFlush(0, [buildEvent({ certificateId, at: new Date(text) })]),
    ]);
    expect(await usedOf(database, grantId)).toBe(used);
    expect(await suspendedFor(certificateId)).toBe(1 - used);
  });
});

describe('suspense', () => {
  it('holds signatures of an unknown certificate until their grant appears, thresholds included', async () => {
    const topic = await openTopic();
    const certificateId = 'certificate to come';
    const flushed = await flushUsage(store, topic, [
      buildFlush(0, [
        buildEvent({ certificateId, count: 95 }),
        buildEvent({ certificateId, count: 1, at: new Date('2025-06-01T00:00:00Z') }),
      ]),
    ]);
    expect(flushed).toMatchObject({ counted: 2, signatures: 96, suspended: 96 });
    expect((await settleSuspense(store)).signatures).toBe(0);

    await insertCertificate(database, certificateId);
    const grantId = await grantFromNewYear(certificateId, { allowance: 100 });
    expect(await settleSuspense(store)).toEqual({
      signatures: 95,
      crossings: [{ grantId, percent: 90, used: 95 }],
    });
    expect((await settleSuspense(store)).signatures).toBe(0);
    expect(await usedOf(database, grantId)).toBe(95);
    expect((await toldOf(grantId)).signals).toHaveLength(1);
    // Made before any grant: it stays, and shows in the figures.
    expect(await suspendedFor(certificateId)).toBe(1);
    const figures = await loadUsageFigures(store.database, topic);
    expect(figures.oldestSuspendedAt).toEqual(new Date('2025-06-01T00:00:00Z'));
  });

  it('is settled once by two processes at the same time', async () => {
    const topic = await openTopic();
    const certificateId = await insertCertificate(database);
    const events = Array.from({ length: 50 }, (_, second) =>
      buildEvent({ certificateId, at: new Date(Date.UTC(2026, 0, 6, 0, 0, second)) }),
    );
    await flushUsage(store, topic, [buildFlush(0, events)]);
    const grantId = await grantFromNewYear(certificateId);
    const settled = await Promise.all([settleSuspense(store), settleSuspense(store)]);
    expect(settled.reduce((sum, { signatures }) => sum + signatures, 0)).toBe(50);
    expect(await usedOf(database, grantId)).toBe(50);
  });
});

describe('transactions beside each other', () => {
  it('count exactly and never deadlock, over the same certificates in any order', async () => {
    const topic = await openTopic(8);
    const certificates = await Promise.all(
      Array.from({ length: 12 }, () => insertCertificate(database)),
    );
    const grants = await Promise.all(
      certificates.map((certificateId) => grantFromNewYear(certificateId)),
    );
    for (let round = 0; round < 5; round += 1) {
      const flushes = Array.from({ length: 8 }, (_, partition) => {
        const order = partition % 2 === 0 ? certificates : certificates.toReversed();
        const events = order.map((certificateId) => buildEvent({ certificateId }));
        return flushUsage(store, topic, [buildFlush(round * 12, events, { partition })]);
      });
      const results = await Promise.all(flushes);
      expect(results.flatMap(({ fenced }) => fenced)).toEqual([]);
    }
    const used = await Promise.all(grants.map((grantId) => usedOf(database, grantId)));
    expect(used).toEqual(grants.map(() => 40));
  });

  it('do not wait for a renewal that holds the certificate and changes its grant', async () => {
    const topic = await openTopic();
    const certificateId = await insertCertificate(database);
    const grantId = await grantFromNewYear(certificateId, { allowance: 1 });
    await inTransaction(database, async (tx) => {
      await tx.query(
        'select from certificates as c where c.certificate_id = $1 for no key update',
        [certificateId],
      );
      await tx.query(
        `update access_grants as g set ended_at = '2026-01-05Z', end_reason = 'superseded' where g.grant_id = $1`,
        [grantId],
      );
      await flushUsage(store, topic, [buildFlush(0, [buildEvent({ certificateId })])]);
      expect(await usedOf(database, grantId)).toBe(1);
    });
    expect((await toldOf(grantId)).thresholds).toEqual([90, 100]);
  });
});

describe('rejects', () => {
  it('are published with what they came with, oldest first, and not again', async () => {
    const topic = await openTopic();
    const reject = (offset: number): RejectedRecord => ({
      ...{ topic, partition: 0, offset, reason: 'malformed_json', detail: 'not JSON' },
      key: Buffer.from([0, 255]),
      value: Buffer.from([123, 0, 200]),
      headers: { trace: [Buffer.from([1, 0]), Buffer.from('two')], 'a\0b': Buffer.from('c') },
    });
    const rejects = Array.from({ length: 25 }, (_, offset) => reject(offset));
    await flushUsage(store, topic, [buildFlush(0, [], { to: 25, rejects })]);
    expect((await loadUsageFigures(store.database, topic)).unpublishedRejects).toBe(25);

    const published: RejectedRecord[] = [];
    let isAway = true;
    const publish = (rejected: RejectedRecord) => {
      if (rejected.offset === 3 && isAway) {
        isAway = false;
        return Promise.reject(new Error('away'));
      }
      published.push(rejected);
      return Promise.resolve();
    };
    const publishAll = () => publishRejects(store.database, topic, publish, () => now);
    expect([await publishAll(), await publishAll(), await publishAll()]).toEqual([19, 6, 0]);
    expect(published.map(({ offset }) => offset).sort((a, b) => a - b)).toEqual(
      rejects.map(({ offset }) => offset),
    );
    expect(published[0]).toEqual({
      ...reject(0),
      headers: {
        trace: [Buffer.from([1, 0]), Buffer.from('two')],
        'a\uFFFDb': [Buffer.from('c')],
      },
    });
  });

  it('wait when none could be published', async () => {
    const topic = await openTopic();
    const rejected: RejectedRecord = {
      ...{ topic, partition: 0, offset: 0, reason: 'bad_time', detail: 'time: bad' },
      ...{ key: null, value: null, headers: {} },
    };
    await flushUsage(store, topic, [buildFlush(0, [], { to: 1, rejects: [rejected] })]);
    const away = () => Promise.reject(new Error('Kafka is away'));
    await expect(publishRejects(store.database, topic, away, () => now)).rejects.toThrow(
      'Kafka is away',
    );
    expect((await loadUsageFigures(store.database, topic)).unpublishedRejects).toBe(1);
  });
});
