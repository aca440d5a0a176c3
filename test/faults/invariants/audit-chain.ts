import type { Evidence } from '../evidence.ts';

/** The worker seals every second; with all healed nothing waits much longer than that. */
const sealedWithinMs = 5_000;

/** Every audit event is in the chain, and the chain is as it was sealed. */
export function auditChain({ auditChain: chain, lookedAt }: Evidence): string[] {
  const { broken, oldestUnsealedAt } = chain;
  const waitsSince = oldestUnsealedAt?.getTime() ?? Infinity;
  return [
    ...(broken === undefined
      ? []
      : [`${broken.kind} at position ${broken.position}, event ${broken.eventId}`]),
    ...(lookedAt.getTime() - waitsSince > sealedWithinMs ? ['events are not sealed'] : []),
  ];
}
