import type { Evidence } from '../evidence.ts';

/** Every audit event is in the chain, and the chain is as it was sealed. */
export function auditChain({ auditChain: { broken, unsealedCount } }: Evidence): string[] {
  return [
    ...(broken === undefined
      ? []
      : [`${broken.kind} at position ${broken.position}, event ${broken.eventId}`]),
    ...(unsealedCount === 0 ? [] : [`${unsealedCount} events are not sealed`]),
  ];
}
