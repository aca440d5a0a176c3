import { grantStandingName, type GrantFacts } from '../../domain/facts.ts';
import { nextStep } from '../../domain/next-step.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Evidence } from './evidence.ts';

/** In what the workflow of a grant is not what the facts say by now, or undefined where it is. */
export function behindFacts(
  facts: GrantFacts,
  workflow: Evidence['workflows'][number] | undefined,
  now: Date,
  policy: Policy,
): string | undefined {
  const { grantId } = facts;
  const step = nextStep(facts, now, policy);
  if (step.kind === 'act') return `${grantId} owes ${step.action}`;
  const status = workflow?.status;
  if (step.kind === 'end') {
    const isRight = status === 'COMPLETED' && workflow?.result === step.outcome;
    return isRight ? undefined : `${grantId} is over (${step.outcome}), its workflow is ${status}`;
  }
  if (status !== 'RUNNING') return `${grantId} goes on, its workflow is ${status}`;
  const standing = grantStandingName(facts, now, policy);
  if (workflow?.standing === standing) return undefined;
  return `${grantId} is ${standing}, its workflow says ${workflow?.standing}`;
}
