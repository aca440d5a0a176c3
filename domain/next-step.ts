import { lapsesAt, usageWarningOwed, type GrantFacts } from './facts.ts';
import type { Policy } from './policy.ts';
import { isOpen, type EndedRenewalState } from './renewal.ts';

/** What the workflow has done for it, each by an activity that checks the facts again before it acts. */
export const actions = [
  'closeCodeWindow',
  'closeRenewal',
  'suspendClientServices',
  'announceLapse',
  'revokeAtCa',
  'announceUsage',
  'announceRefusal',
  'remindOperators',
] as const;
export type Action = (typeof actions)[number];

export type GrantOutcome = Exclude<EndedRenewalState, 'granted'> | 'superseded';

export type Step =
  | { readonly kind: 'act'; readonly action: Action }
  | { readonly kind: 'wait'; readonly until: Date | undefined; readonly for: Action | undefined }
  | { readonly kind: 'end'; readonly outcome: GrantOutcome };

/** Actions that did not move the facts, and when each may be tried again. */
export type Postponed = Partial<Readonly<Record<Action, Date>>>;

type Owed = { readonly action: Action; readonly dueAt: Date };

/**
 * The next thing to do for a grant, from the facts alone: level-triggered, so it does not matter which signals came, or how often, or in which order.
 * Actions come in the order of `actions` when several are due: what stops a service before what writes a mail.
 */
export function nextStep(
  facts: GrantFacts,
  now: Date,
  policy: Policy,
  postponed: Postponed = {},
): Step {
  const outcome = outcomeOf(facts);
  if (outcome !== undefined) return { kind: 'end', outcome };

  const owed = owedActions(facts, policy).map(({ action, dueAt }) => {
    const notBefore = postponed[action];
    return { action, dueAt: notBefore !== undefined && notBefore > dueAt ? notBefore : dueAt };
  });
  const due = owed.find(({ dueAt }) => dueAt <= now);
  if (due !== undefined) return { kind: 'act', action: due.action };

  const soonest = owed.reduce<Owed | undefined>(
    (first, next) => (first === undefined || next.dueAt < first.dueAt ? next : first),
    undefined,
  );
  return { kind: 'wait', until: soonest?.dueAt, for: soonest?.action };
}

/** Whether this is owed by now. Still so right after it was done means that it did not take effect. */
export function isDue(facts: GrantFacts, action: Action, now: Date, policy: Policy): boolean {
  return (
    outcomeOf(facts) === undefined &&
    owedActions(facts, policy).some((owed) => owed.action === action && owed.dueAt <= now)
  );
}

/** When the earliest thing that this grant owes is due: what the worker's sweep compares with the clock. */
export function dueAt(facts: GrantFacts, policy: Policy): Date | undefined {
  const instants = owedActions(facts, policy).map((owed) => owed.dueAt.getTime());
  return instants.length === 0 ? undefined : new Date(Math.min(...instants));
}

function outcomeOf(facts: GrantFacts): GrantOutcome | undefined {
  if (facts.superseded) return 'superseded';
  const { state } = facts.renewal;
  return isOpen(state) || state === 'granted' ? undefined : state;
}

/** In the order of `actions`. */
function owedActions(facts: GrantFacts, policy: Policy): Owed[] {
  return facts.grant === undefined ? owedByRenewal(facts) : owedByGrant(facts, policy);
}

function owedByRenewal({ renewal }: GrantFacts): Owed[] {
  const owed: Owed[] = [];
  if (renewal.state === 'authorizing') {
    // While the CA is being asked the deadline waits (DESIGN 6.3).
    owed.push({
      action: 'closeRenewal',
      dueAt: new Date(renewal.authorizationEndsAt ?? renewal.deadlineAt),
    });
    return owed;
  }
  if (renewal.state === 'awaiting_code' && renewal.codeWindowEndsAt !== undefined) {
    owed.push({ action: 'closeCodeWindow', dueAt: new Date(renewal.codeWindowEndsAt) });
  }
  owed.push({ action: 'closeRenewal', dueAt: new Date(renewal.deadlineAt) });
  return owed;
}

function owedByGrant(facts: GrantFacts, policy: Policy): Owed[] {
  const owed: Owed[] = [];
  const over = lapsesAt(facts);
  if (over === undefined || facts.grant === undefined) return owed;
  const effectiveAt = new Date(facts.grant.effectiveAt);
  const expiresAt = new Date(facts.grant.expiresAt);
  if (!facts.done.servicesSuspended) {
    owed.push({ action: 'suspendClientServices', dueAt: over });
  } else if (!facts.done.lapseAnnounced) {
    owed.push({ action: 'announceLapse', dueAt: over });
  }
  if (facts.revokeAt !== undefined) {
    owed.push({ action: 'revokeAtCa', dueAt: new Date(facts.revokeAt) });
  }
  const lapsed = facts.done.servicesSuspended === true || over < expiresAt;
  if (!lapsed) {
    if (usageWarningOwed(facts, policy)) owed.push({ action: 'announceUsage', dueAt: effectiveAt });
  }
  if (facts.refusalReported) owed.push({ action: 'announceRefusal', dueAt: effectiveAt });
  if (!lapsed && facts.reminderAt !== undefined) {
    const reminderAt = new Date(facts.reminderAt);
    // A warning that came too late is not given any more: from the expiry on, the lapse itself is what there is to tell.
    if (reminderAt < expiresAt) owed.push({ action: 'remindOperators', dueAt: reminderAt });
  }
  return owed;
}
