import type { SignatureEvent } from '../../domain/signature-event.ts';
import { parseSignatureRecord } from '../../infra/kafka/signature-event.ts';
import type { SourceBatch } from '../../infra/kafka/signature-source.ts';
import type { PartitionFlush } from '../../infra/postgres/usage.ts';
import type { RejectedRecord } from '../../infra/postgres/usage-rejects.ts';

/** What was read of one partition and is not in the database yet. */
export type Backlog = {
  readonly partition: number;
  /** Where the database stands. */
  flushed: number;
  /** Where reading goes on. */
  next: number;
  /** One after the last record of the log, as far as is known. */
  end: number;
  /** When the last record read came. */
  readUntil: Date | undefined;
  events: SignatureEvent[];
  rejects: RejectedRecord[];
  /** Of the rejects: they are kept whole. */
  bytes: number;
  skipped: number;
};

export const newBacklog = (partition: number, position: number, end: number): Backlog => ({
  partition,
  flushed: position,
  next: position,
  end,
  readUntil: undefined,
  events: [],
  rejects: [],
  bytes: 0,
  skipped: 0,
});

/** True when nothing countable lies between where we stand and the first record of the batch. */
export const goesOnFrom = (backlog: Backlog, batch: SourceBatch): boolean =>
  batch.fetchedOffset <= backlog.next && backlog.next <= batch.firstOffset;

/** Takes a batch that goes on from where we stand. */
export function takeBatch(backlog: Backlog, batch: SourceBatch, topic: string, now: Date): void {
  const { partition, records, nextOffset, endOffset } = batch;
  for (const record of records) {
    const parsed = parseSignatureRecord(record, now);
    if ('event' in parsed) {
      backlog.events.push(parsed.event);
      continue;
    }
    const { offset, key, value, headers } = record;
    backlog.rejects.push({ topic, partition, offset, ...parsed.reject, key, value, headers });
    backlog.bytes += (key?.length ?? 0) + (value?.length ?? 0);
  }
  backlog.skipped += nextOffset - backlog.next - records.length;
  backlog.next = nextOffset;
  backlog.end = Math.max(endOffset, nextOffset);
  backlog.readUntil = records.at(-1)?.timestamp ?? backlog.readUntil;
}

/** Goes on from `offset`, beyond records that are not in the log any more. Answers how many. */
export function skipTo(backlog: Backlog, offset: number): number {
  const lost = offset - backlog.next;
  backlog.skipped += lost;
  backlog.next = offset;
  return lost;
}

/** Takes out what there is to flush, if anything; `putBack` undoes it. */
export function takeFlush(backlog: Backlog): PartitionFlush | undefined {
  const { partition, flushed: from, next: to, events, rejects, skipped } = backlog;
  if (from === to) return undefined;
  Object.assign(backlog, { events: [], rejects: [], bytes: 0, skipped: 0 });
  return { partition, from, to, events, rejects, skipped };
}

export function putBack(backlog: Backlog, flush: PartitionFlush): void {
  backlog.events = [...flush.events, ...backlog.events];
  backlog.rejects = [...flush.rejects, ...backlog.rejects];
  backlog.bytes += flush.rejects.reduce(
    (sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0),
    0,
  );
  backlog.skipped += flush.skipped;
}
