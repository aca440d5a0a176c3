import { isOpen, type RenewalState } from '../../../domain/renewal.ts';
import { behindFacts } from '../behind.ts';
import type { Evidence } from '../evidence.ts';

/** Every grant obtained at the CA is recorded, or its renewal says that the outcome is unknown; and none is recorded that the CA did not give. */
export function everyGrantAccountedFor({ grantedAtCa, renewals, grants }: Evidence): string[] {
  const stateOf = new Map(renewals.map(({ renewalId, state }) => [renewalId, state]));
  const lost = grantedAtCa.flatMap((renewalId) => {
    const state = stateOf.get(renewalId);
    return state === undefined || state === 'granted' || state === 'outcome_unknown'
      ? []
      : [`the CA granted ${renewalId}, which is ${state}`];
  });
  const obtained = new Set(grantedAtCa);
  const invented = grants.flatMap(({ grantId }) =>
    obtained.has(grantId) ? [] : [`the CA never granted ${grantId}`],
  );
  return [...lost, ...invented];
}

/** What an operator was told of a renewal is how it ended. */
export function everyOperatorToldTheTruth({ record, renewals }: Evidence): string[] {
  const stateOf = new Map(renewals.map(({ renewalId, state }) => [renewalId, state]));
  return record.renewals.flatMap(({ renewalId, told }) => {
    const state = stateOf.get(renewalId ?? '');
    if (told === 'granted' && state !== 'granted') {
      return [`${renewalId} was told granted and is ${state}`];
    }
    if (told === 'outcome_unknown' && state !== 'granted' && state !== 'outcome_unknown') {
      return [`${renewalId} was told outcome_unknown and is ${state}`];
    }
    return [];
  });
}

/** Nothing is stuck: no open renewal, no outbox row undelivered or set aside, no workflow behind its facts. */
export function nothingStuck(evidence: Evidence): string[] {
  const { renewals, outbox, facts, workflows, policy, lookedAt } = evidence;
  const workflowOf = new Map(workflows.map((workflow) => [workflow.grantId, workflow]));
  return [
    ...renewals.flatMap(({ renewalId, state }) =>
      isOpen(state as RenewalState) ? [`${renewalId} is still ${state}`] : [],
    ),
    ...outbox.map(({ subject, name, state }) => `outbox row ${name} for ${subject} is ${state}`),
    ...facts.flatMap((each) => {
      const behind = behindFacts(each, workflowOf.get(each.grantId), lookedAt, policy);
      return behind === undefined ? [] : [behind];
    }),
  ];
}
