import { ApplicationFailure } from '@temporalio/common';
import type { GrantFacts } from '../domain/facts.ts';
import type { Action } from '../domain/next-step.ts';
import { revokeDue } from './revoke-due.ts';
import type { GrantPorts } from './ports.ts';
import { tellOperators } from './tell-operators.ts';

/** Each answers with the facts as they are after it. */
export type GrantActivities = Record<
  Action | 'loadGrant',
  (grantId: string) => Promise<GrantFacts>
>;

/**
 * What the workflow has done for it. Every one checks the facts again before it acts, may run twice without harm, and does nothing when it is not
 * (or no longer) its time. `loadGrant` of an id that nobody knows fails for good.
 */
export function createGrantActivities<Content>(ports: GrantPorts<Content>): GrantActivities {
  const { grants } = ports;
  const loadGrant = async (grantId: string): Promise<GrantFacts> => {
    const facts = await grants.findFacts(grantId);
    if (facts === undefined) {
      throw ApplicationFailure.nonRetryable(
        `There is no renewal with the id ${grantId} in the database.`,
        'RenewalUnknown',
      );
    }
    return facts;
  };
  const then =
    (act: (grantId: string) => Promise<void>) =>
    async (grantId: string): Promise<GrantFacts> => {
      await act(grantId);
      return loadGrant(grantId);
    };
  return {
    loadGrant,
    closeCodeWindow: then((grantId) => grants.closeCodeWindow(grantId)),
    closeRenewal: then((grantId) => grants.closeRenewal(grantId)),
    suspendClientServices: then((grantId) => grants.suspendClientServices(grantId)),
    announceLapse: then((grantId) => tellOperators(ports, grantId, 'lapsed')),
    announceUsage: then((grantId) => tellOperators(ports, grantId, 'usage_warning')),
    announceRefusal: then((grantId) => tellOperators(ports, grantId, 'ca_refusal')),
    remindOperators: then((grantId) => tellOperators(ports, grantId, 'reminder')),
    revokeAtCa: then((grantId) => revokeDue(ports, grantId)),
  };
}
