import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from './canonical-json.ts';

/** All that a row of `audit_events` holds, as it goes into the chain. */
export type ChainedEvent = {
  readonly eventId: number;
  /** RFC 3339 in UTC with the microseconds that PostgreSQL keeps. */
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly accountId: string | null;
  readonly certificateId: string | null;
  readonly subject: string;
  readonly details: Json;
};

/** The columns of `audit_events as e` by the names of the canonical form. */
export const eventColumns = `e.event_id as "eventId", to_char(e.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
  e.actor, e.action, e.account_id as "accountId", e.certificate_id as "certificateId", e.subject, e.details`;

/** How far a chain reaches: its last position and that link's hash. */
export type Head = { readonly position: number; readonly hash: Buffer };
export type Link = Head & { readonly eventId: number };

export const emptyChain: Head = { position: 0, hash: Buffer.alloc(32) };

/** SHA-256 over the hash before (32 bytes, zeros before the first) and the event as canonical JSON (RFC 8785) in UTF-8. */
export function chainHash(before: Buffer, event: ChainedEvent): Buffer {
  const { eventId, at, actor, action, accountId, certificateId, subject, details } = event;
  const form = { eventId, at, actor, action, accountId, certificateId, subject, details };
  return createHash('sha256').update(before).update(canonicalJson(form)).digest();
}

/** The links that put these events after the head, in their order. */
export function linksAfter(head: Head, events: readonly ChainedEvent[]): Link[] {
  const links: Link[] = [];
  let last = head;
  for (const event of events) {
    const { position, hash } = last;
    const link = {
      position: position + 1,
      eventId: event.eventId,
      hash: chainHash(hash, event),
    };
    links.push(link);
    last = link;
  }
  return links;
}

/** A link as it is read back; without an event where that is gone. */
export type FoundLink = Link & { readonly event: ChainedEvent | undefined };

export type BreakKind =
  | 'position_missing'
  | 'event_missing'
  | 'event_changed'
  | 'hash_changed'
  | 'event_twice'
  | 'event_unchained'
  | 'other_chain';

/** The first place where what is stored is not what was sealed. */
export type Break = {
  readonly kind: BreakKind;
  /** Null for an event that has no link. */
  readonly position: number | null;
  /** Null where the link is gone that would name it. */
  readonly eventId: number | null;
};

/**
 * What is wrong with the link that follows `head`, or undefined. `next` is the link after it, which tells a changed hash from a changed event: it was made of
 * the hash as it was. Of the last link, which has none after it, a change of either counts as one of the event.
 */
export function breakOf(
  head: Head,
  link: FoundLink,
  isRepeated: boolean,
  next: FoundLink | undefined,
): Break | undefined {
  const { position, eventId, event } = link;
  const expectedPosition = head.position + 1;
  if (position !== expectedPosition) {
    return { kind: 'position_missing', position: expectedPosition, eventId: null };
  }
  const found = (kind: BreakKind): Break => ({ kind, position, eventId });
  if (isRepeated) return found('event_twice');
  if (event === undefined) return found('event_missing');
  const sealed = chainHash(head.hash, event);
  if (sealed.equals(link.hash)) return undefined;
  const isHashAsItWas = next?.event && chainHash(sealed, next.event).equals(next.hash);
  return found(isHashAsItWas ? 'hash_changed' : 'event_changed');
}
