import {
  breakOf,
  emptyChain,
  eventColumns,
  type Break,
  type ChainedEvent,
  type FoundLink,
  type Head,
} from './audit-chain.ts';
import { readSealingFigures, type SealingFigures } from './audit-sealing.ts';
import { createIdSet } from './id-set.ts';
import type { Queryable } from './pool.ts';

export type Verification = {
  /** The last link that holds. */
  readonly head: Head;
  readonly broken: Break | undefined;
  readonly sealing: SealingFigures;
};

const pageSize = 2_000;

/**
 * Walks the chain from its first link and stops at the first that does not hold. `kept` is a head that was kept outside the database: it shows a chain whose
 * end was cut off, or that was made anew. Reads in pages without a lock, while events are written and sealed.
 */
export async function verifyAudit(
  queryable: Queryable,
  { kept, limit = pageSize }: { readonly kept?: Head | undefined; readonly limit?: number } = {},
): Promise<Verification> {
  const { head, broken } = await walk(queryable, kept, limit);
  return {
    head,
    broken: broken ?? (await findUnchained(queryable, limit)),
    sealing: await readSealingFigures(queryable),
  };
}

async function walk(
  queryable: Queryable,
  kept: Head | undefined,
  limit: number,
): Promise<Pick<Verification, 'head' | 'broken'>> {
  const met = createIdSet();
  let head = emptyChain;
  for (;;) {
    // One more than is judged, since a link is judged with the one after it.
    const links = await readLinks(queryable, head.position, limit + 1);
    for (const [index, link] of links.slice(0, limit).entries()) {
      const broken = breakOf(head, link, !met.addNew(link.eventId), links[index + 1]);
      if (broken !== undefined) return { head, broken };
      if (kept?.position === link.position && !kept.hash.equals(link.hash)) {
        const { position, eventId } = link;
        return { head, broken: { kind: 'other_chain', position, eventId } };
      }
      head = { position: link.position, hash: link.hash };
    }
    if (links.length > limit) continue;
    const isCutOff = kept !== undefined && kept.position > head.position;
    const position = head.position + 1;
    return {
      head,
      broken: isCutOff ? { kind: 'position_missing', position, eventId: null } : undefined,
    };
  }
}

type LinkRow = Omit<ChainedEvent, 'eventId'> & {
  position: number;
  linkedId: number;
  hash: Buffer;
  eventId: number | null;
};

async function readLinks(queryable: Queryable, after: number, limit: number): Promise<FoundLink[]> {
  const { rows } = await queryable.query<LinkRow>(
    `select l.position, l.event_id as "linkedId", l.hash, ${eventColumns}
     from (select * from audit_links where position > $1 order by position limit $2) as l
     left join audit_events as e on e.event_id = l.event_id
     order by l.position`,
    [after, limit],
  );
  return rows.map(({ position, linkedId, hash, eventId, ...event }) => ({
    position,
    hash,
    eventId: linkedId,
    event: eventId === null ? undefined : { eventId, ...event },
  }));
}

/**
 * At each moment an event has its link or waits for it, and nothing waits that is no event: otherwise a link was taken away, an event removed before it was
 * sealed, or one entered around the trigger.
 */
async function findUnchained(queryable: Queryable, limit: number): Promise<Break | undefined> {
  const { rows: removed } = await queryable.query<{ eventId: number }>(
    `select u.event_id as "eventId" from audit_unsealed as u
     where not exists (select from audit_events as e where e.event_id = u.event_id)
     order by u.event_id limit 1`,
  );
  if (removed[0]) return { kind: 'event_missing', position: null, eventId: removed[0].eventId };
  let after = Number.MIN_SAFE_INTEGER;
  for (;;) {
    const { last, unchained } = await readUnchained(queryable, after, limit);
    if (unchained !== null) return { kind: 'event_unchained', position: null, eventId: unchained };
    if (last === null) return undefined;
    after = last;
  }
}

/** The last of the events that follow `after`, and the first of them that has no link and waits for none. */
async function readUnchained(
  queryable: Queryable,
  after: number,
  limit: number,
): Promise<{ last: number | null; unchained: number | null }> {
  const { rows } = await queryable.query<{ last: number | null; unchained: number | null }>(
    `select max(e.event_id) as last,
       min(e.event_id) filter (
         where not exists (select from audit_links as l where l.event_id = e.event_id)
           and not exists (select from audit_unsealed as u where u.event_id = e.event_id)
       ) as unchained
     from (select event_id from audit_events where event_id > $1 order by event_id limit $2) as e`,
    [after, limit],
  );
  return rows[0] ?? { last: null, unchained: null };
}
