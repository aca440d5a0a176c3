import {
  emptyChain,
  eventColumns,
  linksAfter,
  type ChainedEvent,
  type Head,
} from './audit-chain.ts';
import { inTransaction, type Database, type Queryable } from './pool.ts';

/** Any number, the same in every process: who holds it seals. */
const sealingLock = 7_203_002;
const batchSize = 500;

/** Where the chain ends. */
export async function readHead(queryable: Queryable): Promise<Head> {
  const { rows } = await queryable.query<Head>(
    'select l.position, l.hash from audit_links as l order by l.position desc limit 1',
  );
  return rows[0] ?? emptyChain;
}

/**
 * Puts the committed events that have no link yet into the chain, in batches, each in a transaction of its own that takes no lock on anything that writers of
 * events need. Several processes may call it at once: one seals, the others do nothing. Answers the new head, or undefined when there was nothing to do.
 */
export async function sealAudit(database: Database, limit = batchSize): Promise<Head | undefined> {
  let head: Head | undefined;
  for (;;) {
    const sealed = await inTransaction(database, (tx) => sealBatch(tx, limit));
    if (sealed === undefined) return head;
    head = sealed;
  }
}

async function sealBatch(tx: Queryable, limit: number): Promise<Head | undefined> {
  // A statement of its own: what follows sees what the holder before committed. Should two get here all the same, they claim the same position and one fails.
  const { rows: locks } = await tx.query<{ isMine: boolean }>(
    'select pg_try_advisory_xact_lock($1) as "isMine"',
    [sealingLock],
  );
  if (locks[0]?.isMine !== true) return undefined;
  const { rows: events } = await tx.query<ChainedEvent & { isLinked: boolean }>(
    // Only after a data-only restore is one linked and still here: the trigger put it here as it came in.
    `select ${eventColumns}, exists (select from audit_links as l where l.event_id = u.event_id) as "isLinked"
     from audit_unsealed as u join audit_events as e on e.event_id = u.event_id
     order by u.event_id limit $1`,
    [limit],
  );
  if (events.length === 0) return undefined;
  const head = await readHead(tx);
  const links = linksAfter(
    head,
    events.filter(({ isLinked }) => !isLinked),
  );
  await tx.query(
    `insert into audit_links (position, event_id, hash)
     select n.position, n.event_id, n.hash
     from unnest($1::bigint[], $2::bigint[], $3::bytea[]) as n (position, event_id, hash)`,
    [
      links.map(({ position }) => position),
      links.map(({ eventId }) => eventId),
      links.map(({ hash }) => hash),
    ],
  );
  await tx.query('delete from audit_unsealed as u where u.event_id = any($1::bigint[])', [
    events.map(({ eventId }) => eventId),
  ]);
  return links.at(-1) ?? head;
}

export type SealingFigures = {
  readonly position: number;
  readonly unsealedCount: number;
  /** Of the event that was written first among them. */
  readonly oldestUnsealedAt: Date | undefined;
};

export async function readSealingFigures(queryable: Queryable): Promise<SealingFigures> {
  const { rows } = await queryable.query<{ position: number; count: number; oldest: Date | null }>(
    `select coalesce((select max(l.position) from audit_links as l), 0) as position,
       (select count(*) from audit_unsealed) as count,
       (select e.at from audit_unsealed as u join audit_events as e on e.event_id = u.event_id
        order by u.event_id limit 1) as oldest`,
  );
  const row = rows[0];
  return {
    position: row?.position ?? 0,
    unsealedCount: row?.count ?? 0,
    oldestUnsealedAt: row?.oldest ?? undefined,
  };
}
