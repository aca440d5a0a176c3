import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  breakOf,
  chainHash,
  emptyChain,
  linksAfter,
  type ChainedEvent,
  type FoundLink,
} from './audit-chain.ts';
import { createIdSet } from './id-set.ts';

const event = (eventId: number, changes: Partial<ChainedEvent> = {}): ChainedEvent => ({
  eventId,
  at: '2026-05-04T10:00:00.123456Z',
  actor: 'operator:o-1',
  action: 'access_granted',
  accountId: 'a-1',
  certificateId: null,
  subject: `renewal:r-${eventId}`,
  details: { factors: ['otp', 'pin'], allowance: 1_000_000_000 },
  ...changes,
});

/** A chain over events 1 to 5, as it is read back. */
const chain = (): FoundLink[] => {
  const events = [1, 2, 3, 4, 5].map((id) => event(id));
  return linksAfter(emptyChain, events).map((link, index) => ({ ...link, event: events[index] }));
};

/** The kind and place of the first break, walking as the command does. */
const firstBreak = (links: readonly FoundLink[]): string => {
  const met = createIdSet();
  let head = emptyChain;
  for (const [index, link] of links.entries()) {
    const broken = breakOf(head, link, !met.addNew(link.eventId), links[index + 1]);
    if (broken) return `${broken.kind} ${broken.position} ${broken.eventId}`;
    head = link;
  }
  return 'intact';
};
/** With the link of one position changed. */
const changed = (links: FoundLink[], position: number, changes: Partial<FoundLink>): FoundLink[] =>
  links.map((link) => (link.position === position ? { ...link, ...changes } : link));

describe('the audit chain', () => {
  it('hashes the hash before and the canonical form of the event, so that anybody can do it again', () => {
    const written =
      '{"accountId":"a-1","action":"access_granted","actor":"operator:o-1","at":"2026-05-04T10:00:00.123456Z","certificateId":null,' +
      '"details":{"allowance":1000000000,"factors":["otp","pin"]},"eventId":1,"subject":"renewal:r-1"}';
    const first = createHash('sha256').update(Buffer.alloc(32)).update(written, 'utf8').digest();
    expect(chainHash(emptyChain.hash, event(1))).toEqual(first);
    // As Python says it.
    expect(first.toString('hex')).toBe(
      '2ffe19babbfe8532ecf7a347a0d21dce86eed24d344af930fe1a9e4e1e800ba7',
    );
    const second = createHash('sha256')
      .update(first)
      .update(written.replace('"eventId":1', '"eventId":2').replace('r-1', 'r-2'))
      .digest();
    expect(linksAfter(emptyChain, [event(1), event(2)])).toEqual([
      { position: 1, eventId: 1, hash: first },
      { position: 2, eventId: 2, hash: second },
    ]);
  });

  it.each<[keyof ChainedEvent, Partial<ChainedEvent>]>([
    ['eventId', { eventId: 2 }],
    ['at', { at: '2026-05-04T10:00:00.123457Z' }],
    ['actor', { actor: 'operator:o-2' }],
    ['action', { action: 'access_revoked' }],
    ['accountId', { accountId: null }],
    ['certificateId', { certificateId: 'c-1' }],
    ['subject', { subject: 'renewal:r-2' }],
    ['details', { details: { factors: ['otp', 'pin'], allowance: 1_000_000_001 } }],
  ])('has another hash when the %s is another', (_, changes) => {
    expect(chainHash(emptyChain.hash, event(1, changes))).not.toEqual(
      chainHash(emptyChain.hash, event(1)),
    );
  });

  it('goes on from where it ended, as if it had been made at once', () => {
    const events = [1, 2, 3, 4, 5].map((id) => event(id));
    const [one] = linksAfter(emptyChain, events.slice(0, 1));
    expect([one, ...linksAfter(one ?? emptyChain, events.slice(1))]).toEqual(
      chain().map(({ position, eventId, hash }) => ({ position, eventId, hash })),
    );
  });

  it('is intact as it was sealed', () => {
    expect(firstBreak(chain())).toBe('intact');
    expect(firstBreak([])).toBe('intact');
  });

  it.each<[string, (links: FoundLink[]) => FoundLink[], string]>([
    [
      'an event was changed',
      (all) => changed(all, 2, { event: event(2, { actor: 'admin' }) }),
      'event_changed 2 2',
    ],
    ['an event is gone', (all) => changed(all, 2, { event: undefined }), 'event_missing 2 2'],
    [
      'a hash was changed',
      (all) => changed(all, 2, { hash: Buffer.alloc(32, 9) }),
      'hash_changed 2 2',
    ],
    [
      'a link is gone',
      (all) => all.filter(({ position }) => position !== 2),
      'position_missing 2 null',
    ],
    ['the first link is gone', (all) => all.slice(1), 'position_missing 1 null'],
    [
      'a link names another event',
      (all) => changed(all, 2, { eventId: 9, event: event(9) }),
      'event_changed 2 9',
    ],
    [
      'the last event was changed',
      (all) => changed(all, 5, { event: event(5, { actor: 'admin' }) }),
      'event_changed 5 5',
    ],
  ])('names the first place where %s', (_, tamper, named) => {
    expect(firstBreak(tamper(chain()))).toBe(named);
  });

  it('names an event that was sealed a second time, however rightly the hashes go on', () => {
    const links = chain();
    const again = linksAfter(links.at(-1) ?? emptyChain, [event(3)]);
    const repeated = again.map((link) => ({ ...link, event: event(3) }));
    expect(firstBreak([...links, ...repeated])).toBe('event_twice 6 3');
  });

  it('does not hold when two events changed places, even next to each other', () => {
    const [one, two, three, ...rest] = chain() as [FoundLink, FoundLink, FoundLink];
    const swapped = [
      one,
      { ...two, eventId: three.eventId, event: three.event },
      { ...three, eventId: two.eventId, event: two.event },
      ...rest,
    ];
    expect(firstBreak(swapped)).toBe('event_changed 2 3');
  });
});

describe('a set of ids', () => {
  it('knows each id once, near and far apart', () => {
    const ids = [0, 1, 7, 8, 9, 262_143, 262_144, 5_000_000_000, 2 ** 53 - 1, -1];
    const met = createIdSet();
    expect(ids.map((id) => met.addNew(id))).toEqual(ids.map(() => true));
    expect(ids.map((id) => met.addNew(id))).toEqual(ids.map(() => false));
    expect(met.addNew(10)).toBe(true);
  });
});
