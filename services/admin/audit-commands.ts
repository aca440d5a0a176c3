import type { BreakKind, Head } from '../../infra/postgres/audit-chain.ts';
import { verifyAudit, type Verification } from '../../infra/postgres/audit-verification.ts';
import { BadFinding, optional, UsageError, type Command } from './command.ts';

/** Events are sealed within seconds: one that waits longer than this waits for a sealer that does not run. */
const overdueSeconds = 30;

export const auditCommands: Readonly<Record<string, Command>> = {
  'audit verify': {
    summary: 'Walk the audit chain and name the first place that was changed',
    options: {
      expect: optional(
        'a head that was kept, <position>:<hash>: shows an end that was cut off and a chain that was made anew',
      ),
    },
    async run(_, given, { database, clock }) {
      const kept = parseHead(given.optional('expect'));
      const verification = await verifyAudit(database, { kept });
      const result = present(verification, clock.now());
      if (result.broken === null) return result;
      throw new BadFinding(result, sentenceOf(result.broken));
    },
  },
};

const wrong: Readonly<Record<BreakKind, string>> = {
  position_missing: 'the link that belongs there is missing',
  event_missing: 'the event was removed',
  event_changed: 'the event that stands there is not the one that was sealed',
  hash_changed: 'the hash was changed, the event was not',
  event_twice: 'the event stands in the chain a second time',
  event_unchained:
    'the event has no link and does not wait for one: its link was taken away, or it was entered around the trigger',
  other_chain: 'the hash is not the one that was kept: the chain was made anew',
};

function present({ head, broken, sealing }: Verification, now: Date) {
  const { unsealedCount: count, oldestUnsealedAt: oldest } = sealing;
  const oldestAgeSeconds =
    oldest === undefined ? null : Math.max(0, (now.getTime() - oldest.getTime()) / 1000);
  return {
    intact: broken === undefined,
    /** The last link that holds. */
    head: { position: head.position, hash: head.hash.toString('hex') },
    broken: broken === undefined ? null : { ...broken, what: wrong[broken.kind] },
    unsealed: { count, oldestAgeSeconds, isOverdue: (oldestAgeSeconds ?? 0) > overdueSeconds },
  };
}

function sentenceOf({
  position,
  eventId,
  what,
}: NonNullable<ReturnType<typeof present>['broken']>) {
  const place = [
    ...(position === null ? [] : [`position ${position}`]),
    ...(eventId === null ? [] : [`event ${eventId}`]),
  ];
  return `The audit chain is broken at ${place.join(', ')}: ${what}.`;
}

/** Throws a UsageError. */
function parseHead(text: string | undefined): Head | undefined {
  if (text === undefined) return undefined;
  const [, position, hash] = /^(\d{1,15}):([0-9a-f]{64})$/i.exec(text) ?? [];
  if (position === undefined || hash === undefined) {
    throw new UsageError('--expect: <position>:<hash> is expected, as the worker logged it.');
  }
  return { position: Number(position), hash: Buffer.from(hash, 'hex') };
}
