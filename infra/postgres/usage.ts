import type { Clock } from '../../domain/clock.ts';
import type { Policy } from '../../domain/policy.ts';
import type { SignatureEvent } from '../../domain/signature-event.ts';
import { inTransaction, type Database, type Queryable } from './pool.ts';
import { chargeGrants, type Crossing } from './usage-counters.ts';
import { insertRejects, type RejectedRecord } from './usage-rejects.ts';
import { attribute, insertSuspense, type Attributable } from './usage-suspense.ts';

/** What was read of one partition since its last flush, and the offsets it lies between. */
export type PartitionFlush = {
  readonly partition: number;
  /** Where the database has to stand, or nothing of this counts. */
  readonly from: number;
  readonly to: number;
  readonly events: readonly SignatureEvent[];
  readonly rejects: readonly RejectedRecord[];
  /** Offsets between the two that held nothing to count. */
  readonly skipped: number;
};

export type FlushResult = {
  /** Partitions whose position was moved by somebody else: what was read of them is to be dropped and read again. */
  readonly fenced: readonly number[];
  /** Events by what became of them; those in suspense are counted ones. */
  readonly counted: number;
  readonly duplicate: number;
  readonly rejected: number;
  readonly skipped: number;
  readonly signatures: number;
  /** Signatures for which there is no grant yet. */
  readonly suspended: number;
  readonly crossings: readonly Crossing[];
};

export type UsageStore = {
  readonly database: Database;
  readonly policy: Policy;
  readonly clock: Clock;
};

/**
 * Where to read each partition from. A partition that was never read begins at the start of its log. Callers name the start of every partition's log.
 */
export async function loadPositions(
  { database, clock }: UsageStore,
  topic: string,
  starts: ReadonlyMap<number, number>,
): Promise<Map<number, number>> {
  const partitions = [...starts.keys()];
  await database.query(
    `insert into usage_positions (topic, partition, next_offset, start_offset, updated_at)
     select $1, s.partition, s.start_offset, s.start_offset, $4
     from unnest($2::integer[], $3::bigint[]) as s (partition, start_offset)
     order by s.partition
     on conflict (topic, partition) do nothing`,
    [topic, partitions, [...starts.values()], clock.now()],
  );
  const { rows } = await database.query<{ partition: number; next_offset: number }>(
    `select p.partition, p.next_offset from usage_positions as p
     where p.topic = $1 and p.partition = any($2::integer[])`,
    [topic, partitions],
  );
  return new Map(rows.map((row) => [row.partition, row.next_offset]));
}

/**
 * Counts what was read, exactly once, in one transaction (reference/kafka.md 2.2): offsets move on by compare-and-set, and only what belongs to those that
 * moved is counted. When it throws it may have committed all the same; called again with the same it then answers that all is fenced.
 */
export function flushUsage(
  store: UsageStore,
  topic: string,
  flushes: readonly PartitionFlush[],
): Promise<FlushResult> {
  return inTransaction(store.database, async (tx) => {
    const moved = await movePositions(tx, topic, flushes, store.clock);
    const now = store.clock.now();
    const owned = flushes.filter(({ partition }) => moved.has(partition));
    const { fresh, duplicates } = await dropDuplicates(tx, owned, now);
    await recountDuplicates(tx, topic, duplicates);

    const { charges, unattributed } = await attribute(tx, bySecond(fresh));
    const crossings = await chargeGrants(tx, charges, { policy: store.policy, now });
    await insertSuspense(tx, unattributed);
    const rejects = owned.flatMap((flush) => flush.rejects);
    await insertRejects(tx, rejects, now);

    return {
      fenced: flushes.map(({ partition }) => partition).filter((each) => !moved.has(each)),
      counted: fresh.length,
      duplicate: [...duplicates.values()].reduce((sum, each) => sum + each, 0),
      rejected: rejects.length,
      skipped: owned.reduce((sum, each) => sum + each.skipped, 0),
      signatures: fresh.reduce((sum, each) => sum + each.count, 0),
      suspended: unattributed.reduce((sum, each) => sum + each.signatures, 0),
      crossings,
    };
  });
}

/** Answers the partitions that stood where the reader thought. Events count as counted here; duplicates among them are not known before the offsets are ours. */
async function movePositions(
  tx: Queryable,
  topic: string,
  flushes: readonly PartitionFlush[],
  clock: Clock,
): Promise<ReadonlySet<number>> {
  const partitions = flushes.map(({ partition }) => partition);
  // Locked in order first, so that two readers of the same partitions do not wait for each other.
  await tx.query(
    `select from usage_positions as p
     where p.topic = $1 and p.partition = any($2::integer[]) order by p.partition for no key update`,
    [topic, partitions],
  );
  const { rows } = await tx.query<{ partition: number }>(
    `update usage_positions as p
     set next_offset = n.next_offset, counted = p.counted + n.events, rejected = p.rejected + n.rejects,
       skipped = p.skipped + n.skipped, updated_at = $8
     from unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
       as n (partition, previous_offset, next_offset, events, rejects, skipped)
     where p.topic = $1 and p.partition = n.partition and p.next_offset = n.previous_offset
     returning p.partition`,
    [
      topic,
      partitions,
      flushes.map(({ from }) => from),
      flushes.map(({ to }) => to),
      flushes.map(({ events }) => events.length),
      flushes.map(({ rejects }) => rejects.length),
      flushes.map(({ skipped }) => skipped),
      clock.now(),
    ],
  );
  return new Set(rows.map(({ partition }) => partition));
}

type Deduplicated = {
  readonly fresh: readonly SignatureEvent[];
  readonly duplicates: ReadonlyMap<number, number>;
};

/** Of each (certificate, id) the first event is fresh, unless one was counted before; the index waits for whoever is just counting the same. */
async function dropDuplicates(
  tx: Queryable,
  owned: readonly PartitionFlush[],
  now: Date,
): Promise<Deduplicated> {
  const firsts = new Map<string, SignatureEvent>();
  for (const { events } of owned) {
    for (const event of events) {
      const key = keyOf(event.certificateId, event.id);
      if (!firsts.has(key)) firsts.set(key, event);
    }
  }
  const unique = [...firsts.values()];
  const { rows } = await tx.query<{ certificate_id: string; event_id: string }>(
    `insert into usage_event_ids (certificate_id, event_id, seen_at)
     select e.certificate_id, e.event_id, $3 from unnest($1::text[], $2::text[]) as e (certificate_id, event_id)
     order by e.certificate_id, e.event_id
     on conflict (certificate_id, event_id) do nothing
     returning certificate_id, event_id`,
    [unique.map(({ certificateId }) => certificateId), unique.map(({ id }) => id), now],
  );
  const unseen = new Set(rows.map((row) => keyOf(row.certificate_id, row.event_id)));
  const duplicates = new Map<number, number>();
  const fresh: SignatureEvent[] = [];
  for (const { partition, events } of owned) {
    for (const event of events) {
      // Taken out of the set: a second one in the same flush is a duplicate.
      if (unseen.delete(keyOf(event.certificateId, event.id))) fresh.push(event);
      else duplicates.set(partition, (duplicates.get(partition) ?? 0) + 1);
    }
  }
  return { fresh, duplicates };
}

/** Neither part holds control characters. */
const keyOf = (certificateId: string, eventId: string): string => `${certificateId}\n${eventId}`;

async function recountDuplicates(
  tx: Queryable,
  topic: string,
  duplicates: ReadonlyMap<number, number>,
): Promise<void> {
  if (duplicates.size === 0) return;
  await tx.query(
    `update usage_positions as p
     set counted = p.counted - d.events, duplicate = p.duplicate + d.events
     from unnest($2::integer[], $3::bigint[]) as d (partition, events)
     where p.topic = $1 and p.partition = d.partition`,
    [topic, [...duplicates.keys()], [...duplicates.values()]],
  );
}

/** Grants begin and end at whole seconds, so events of one second belong together. */
function bySecond(events: readonly SignatureEvent[]): Attributable[] {
  const sums = new Map<string, { -readonly [K in keyof Attributable]: Attributable[K] }>();
  for (const { certificateId, grantId, at, count } of events) {
    const second = Math.floor(at.getTime() / 1000);
    const key = `${certificateId}\n${grantId ?? ''}\n${second}`;
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { certificateId, grantId, second, signatures: count });
    else sum.signatures += count;
  }
  return [...sums.values()];
}

/** Forgets ids that were seen before `seenBefore`, oldest first, at most `most` of them; answers how many. */
export async function forgetEventIds(
  database: Database,
  seenBefore: Date,
  most = 10_000,
): Promise<number> {
  const { rowCount } = await database.query(
    `delete from usage_event_ids as e
     where e.ctid = any(array(
       select o.ctid from usage_event_ids as o where o.seen_at < $1 order by o.seen_at limit $2
       for update skip locked
     ))`,
    [seenBefore, most],
  );
  return rowCount ?? 0;
}

export type UsageFigures = {
  readonly suspendedSignatures: number;
  /** Second of the oldest signature in suspense. */
  readonly oldestSuspendedAt: Date | undefined;
  readonly unpublishedRejects: number;
};

export async function loadUsageFigures(database: Database, topic: string): Promise<UsageFigures> {
  const { rows } = await database.query<{
    suspended: number;
    oldest: Date | null;
    unpublished: number;
  }>(
    `select coalesce(sum(s.signatures), 0)::bigint as suspended, min(s.event_second) as oldest,
       (select count(*) from usage_rejects as r where r.topic = $1 and r.published_at is null) as unpublished
     from usage_suspense as s where s.settled_at is null`,
    [topic],
  );
  const row = rows[0];
  return {
    suspendedSignatures: row?.suspended ?? 0,
    oldestSuspendedAt: row?.oldest ?? undefined,
    unpublishedRejects: row?.unpublished ?? 0,
  };
}
