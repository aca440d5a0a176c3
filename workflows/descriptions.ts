import type { GrantFacts } from '../domain/facts.ts';
import type { GrantSignal } from '../domain/messages.ts';
import type { Action, Step } from '../domain/next-step.ts';

/** What ops read in Temporal's UI. Ids, instants and counts only. */
export const signalDescriptions: Record<GrantSignal['name'], string> = {
  requested: 'The renewal was opened or moved on. Only makes the workflow look at the facts again.',
  codeRequested: 'A code window was opened. Only makes the workflow look at the facts again.',
  granted: 'The renewal was granted. Only makes the workflow look at the facts again.',
  renewalFailed:
    'The renewal ended without a grant. Only makes the workflow look at the facts again.',
  usageReached: 'A usage threshold was reached. Only makes the workflow look at the facts again.',
  superseded:
    'A later grant took the place of this one. Only makes the workflow look at the facts again.',
  accountChanged:
    'Hour, zone or operators of the account changed. Only makes the workflow look at the facts again.',
  revoked:
    'The grant was revoked, or ended by the CA. Only makes the workflow look at the facts again.',
  refusalReported:
    'A signing service reported a refusal of the CA. Only makes the workflow look at the facts again.',
  foundOverdue:
    'Something is overdue. Send it to make the workflow look at the facts again; it does no harm.',
};

const actionNames: Record<Action, string> = {
  closeCodeWindow: 'end of the code window',
  closeRenewal: 'end of the renewal attempt',
  suspendClientServices: 'expiry, suspension of the client services',
  announceLapse: 'mail: access ended',
  revokeAtCa: 'revocation at the CA',
  announceUsage: 'mail: usage warning',
  announceRefusal: 'mail: refusal of the CA',
  remindOperators: 'reminder',
};

type Wait = Extract<Step, { kind: 'wait' }>;

export function waitSummary(facts: GrantFacts, step: Wait, delayed: boolean): string {
  if (step.for === undefined || step.until === undefined) return 'a signal';
  const name = actionNames[step.for];
  return delayed ? `another try: ${name}` : `${name}${daysLeft(facts, step.for, step.until)}`;
}

export function actionSummary(facts: GrantFacts, action: Action, at: Date): string {
  return `${actionNames[action]}${daysLeft(facts, action, at)}`;
}

/** Whole days from then to the expiry, for what is said before it. */
function daysLeft({ grant }: GrantFacts, action: Action, at: Date): string {
  if (action !== 'remindOperators' || grant === undefined) return '';
  const days = Math.floor((new Date(grant.expiresAt).getTime() - at.getTime()) / 86_400_000);
  if (days < 1) return ', less than a day left';
  return days === 1 ? ', 1 day left' : `, ${days} days left`;
}
