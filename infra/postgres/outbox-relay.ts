import type { Writer } from './outbox.ts';
import type { Queryable } from './pool.ts';

export type Destination = 'temporal' | 'kafka' | 'mail' | 'password_mail';

export type OutboxRow = {
  readonly outboxId: number;
  readonly destination: Destination;
  /** Grant id for Temporal, certificate id for Kafka, invitation id for mail, reset or operator id for mail about passwords. */
  readonly subject: string;
  /** Name of the signal, of the topic as the product calls it, or of the kind of mail. */
  readonly name: string;
  readonly payload: unknown;
  readonly attempts: number;
};

export type ClaimOptions = {
  readonly destination: Destination;
  readonly writtenBy: readonly Writer[] | 'all';
  readonly now: Date;
  /** Rows younger than this are left to whoever wrote them. */
  readonly minAgeMs: number;
  /** Nobody else gets the rows for this long; longer than a delivery may take. */
  readonly leaseMs: number;
  readonly limit: number;
};

/**
 * Takes rows that are to be delivered now, oldest first, and leases them. For Kafka only the first undelivered row of each certificate, so that they leave
 * in order; a row that was set aside holds nobody up. A relay that dies in between loses nothing: the lease ends.
 */
export async function claimOutboxRows(
  queryable: Queryable,
  { destination, writtenBy, now, minAgeMs, leaseMs, limit }: ClaimOptions,
): Promise<OutboxRow[]> {
  const { rows } = await queryable.query<{
    outbox_id: number;
    subject: string;
    name: string;
    payload: unknown;
    attempts: number;
  }>(
    `with eligible as (
       select o.outbox_id from outbox as o
       where o.destination = $1 and o.delivered_at is null and o.set_aside_at is null
         and o.next_attempt_at <= $2 and o.created_at <= $3
         and ($4::text[] is null or o.written_by = any ($4))
         and ($1 <> 'kafka' or not exists (
           select from outbox as e
           where e.destination = o.destination and e.subject = o.subject and e.outbox_id < o.outbox_id
             and e.delivered_at is null and e.set_aside_at is null
         ))
       order by o.outbox_id
       limit $5
       for update of o skip locked
     )
     update outbox as o set attempts = o.attempts + 1, next_attempt_at = $6
     from eligible as e where o.outbox_id = e.outbox_id
     returning o.outbox_id, o.subject, o.name, o.payload, o.attempts`,
    [
      destination,
      now,
      new Date(now.getTime() - minAgeMs),
      writtenBy === 'all' ? null : writtenBy,
      limit,
      new Date(now.getTime() + leaseMs),
    ],
  );
  return rows
    .map(({ outbox_id, ...row }) => ({ outboxId: outbox_id, destination, ...row }))
    .sort((a, b) => a.outboxId - b.outboxId);
}

export async function markDelivered(
  queryable: Queryable,
  outboxId: number,
  now: Date,
): Promise<void> {
  await queryable.query(
    'update outbox as o set delivered_at = $2 where o.outbox_id = $1 and o.delivered_at is null',
    [outboxId, now],
  );
}

/** Keeps a row that can never be delivered, with the reason, for a person to look at. */
export async function setAside(
  queryable: Queryable,
  outboxId: number,
  reason: string,
  now: Date,
): Promise<void> {
  await queryable.query(
    `update outbox as o set set_aside_at = $2, set_aside_reason = $3
     where o.outbox_id = $1 and o.delivered_at is null and o.set_aside_at is null`,
    [outboxId, now, reason.slice(0, 500)],
  );
}

export async function postponeOutboxRow(
  queryable: Queryable,
  outboxId: number,
  nextAttemptAt: Date,
): Promise<void> {
  await queryable.query(
    'update outbox as o set next_attempt_at = $2 where o.outbox_id = $1 and o.delivered_at is null',
    [outboxId, nextAttemptAt],
  );
}
