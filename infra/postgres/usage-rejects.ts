import type { RejectReason } from '../../domain/signature-event.ts';
import { inTransaction, type Database, type Queryable } from './pool.ts';

/** Headers of a record; a name may come several times. */
type RecordHeaders = Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;

/** A record that could not be counted, as it came. */
export type RejectedRecord = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: RejectReason;
  /** For people; holds nothing of the record. */
  readonly detail: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: RecordHeaders;
};

export async function insertRejects(
  tx: Queryable,
  rejects: readonly RejectedRecord[],
  now: Date,
): Promise<void> {
  for (const { topic, partition, offset, reason, detail, key, value, headers } of rejects) {
    await tx.query(
      `insert into usage_rejects
         (topic, partition, record_offset, reason, detail, record_key, record_value, record_headers, rejected_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (topic, partition, record_offset) do nothing`,
      [
        ...[topic, partition, offset, reason, detail, key, value],
        JSON.stringify(headersToRow(headers)),
        now,
      ],
    );
  }
}

/** Values are bytes, kept as base64. A name is text, but JSON in PostgreSQL cannot hold a NUL. */
function headersToRow(headers: RecordHeaders): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.replaceAll('\0', '\uFFFD'),
      [value ?? []].flat().map((each) => Buffer.from(each).toString('base64')),
    ]),
  );
}

function headersFromRow(row: Readonly<Record<string, readonly string[]>>): RecordHeaders {
  return Object.fromEntries(
    Object.entries(row).map(([name, values]) => [
      name,
      values.map((value) => Buffer.from(value, 'base64')),
    ]),
  );
}

type RejectRow = {
  partition: number;
  record_offset: number;
  reason: RejectReason;
  detail: string;
  record_key: Buffer | null;
  record_value: Buffer | null;
  record_headers: Record<string, string[]>;
};

const publishedAtOnce = 20;

/**
 * Publishes rejects of the topic that were not published yet, oldest first, and records it. At least once: after a crash between the two a reject goes out
 * again. Several processes may do it at the same time: each takes other rows. Answers how many went out; throws when not one did.
 */
export function publishRejects(
  database: Database,
  topic: string,
  publish: (rejected: RejectedRecord) => Promise<void>,
  now: () => Date,
): Promise<number> {
  return inTransaction(database, async (tx) => {
    const { rows } = await tx.query<RejectRow>(
      `select r.partition, r.record_offset, r.reason, r.detail, r.record_key, r.record_value, r.record_headers
       from usage_rejects as r where r.topic = $1 and r.published_at is null
       order by r.rejected_at, r.partition, r.record_offset limit $2 for update skip locked`,
      [topic, publishedAtOnce],
    );
    const rejects = rows.map((row) => rejectFromRow(topic, row));
    const results = await Promise.allSettled(rejects.map(publish));
    const published = rejects.filter((_, index) => results[index]?.status === 'fulfilled');
    const failure = results.find((result) => result.status === 'rejected');
    if (published.length === 0 && failure !== undefined) throw failure.reason;
    await tx.query(
      `update usage_rejects as r set published_at = $4
       from unnest($2::integer[], $3::bigint[]) as d (partition, record_offset)
       where r.topic = $1 and r.partition = d.partition and r.record_offset = d.record_offset`,
      [
        topic,
        published.map(({ partition }) => partition),
        published.map(({ offset }) => offset),
        now(),
      ],
    );
    return published.length;
  });
}

const rejectFromRow = (topic: string, row: RejectRow): RejectedRecord => ({
  topic,
  partition: row.partition,
  offset: row.record_offset,
  reason: row.reason,
  detail: row.detail,
  key: row.record_key,
  value: row.record_value,
  headers: headersFromRow(row.record_headers),
});
