import type { GrantFacts } from '../../domain/facts.ts';
import { lapseReason } from '../../domain/grant.ts';
import { recordAudit } from './audit.ts';
import { findGrant, loadFacts } from './grants.ts';
import type { Queryable } from './pool.ts';
import {
  endRenewal,
  findRenewal,
  overdueOutcome,
  withRenewalLocked,
  type LockedRenewal,
  type RenewalStore,
} from './renewals.ts';
import { suspendClientServices } from './suspensions.ts';

const actor = 'process:worker';

export type Consequences = {
  findFacts(grantId: string): Promise<GrantFacts | undefined>;
  closeCodeWindow(grantId: string): Promise<void>;
  closeRenewal(grantId: string): Promise<void>;
  suspendClientServices(grantId: string): Promise<void>;
};

/**
 * What time and usage bring about, done by the worker. Each locks the certificate first, then reads the clock, then compares (DESIGN 2.2), and does
 * nothing when it is not its time: a caller whose own clock is ahead comes back.
 */
export function createConsequences(store: RenewalStore): Consequences {
  const { database, clock, policy } = store;

  /** Runs under the lock of the certificate; nothing is done for an id that nobody knows. */
  const locked = async (
    grantId: string,
    work: (tx: Queryable, locked: LockedRenewal) => Promise<void>,
  ): Promise<void> => {
    const renewal = await findRenewal(database, grantId);
    if (renewal !== undefined) await withRenewalLocked(store, renewal, work);
  };

  return {
    findFacts: (grantId) => loadFacts(database, grantId, clock.now(), policy),

    /** Closes a code window that is over. The renewal goes on: a new code may be asked for until the deadline. */
    closeCodeWindow: (grantId) =>
      locked(grantId, async (tx, { renewal: { accountId, certificateId }, now }) => {
        const { rowCount } = await tx.query(
          `update renewals as r set code_window_ends_at = null
           where r.renewal_id = $1 and r.state = 'awaiting_code' and r.code_window_ends_at <= $2`,
          [grantId, now],
        );
        if (rowCount === 0) return;
        const subject = `renewal:${grantId}`;
        const action = 'code_window_closed';
        await recordAudit(tx, { at: now, actor, action, accountId, certificateId, subject });
      }),

    /** Closes a renewal whose deadline has passed, or whose answer from the CA counts as lost. */
    closeRenewal: (grantId) =>
      locked(grantId, async (tx, { renewal, now }) => {
        const outcome = overdueOutcome(renewal, now);
        if (outcome === undefined) return;
        await endRenewal(tx, renewal, { outcome, now, actor, writtenBy: 'worker' });
      }),

    /** Suspends the client services of a grant that lapsed and has no successor. */
    suspendClientServices: (grantId) =>
      locked(grantId, async (tx, { now }) => {
        const stored = await findGrant(tx, grantId);
        if (stored === undefined || stored.successorId !== undefined) return;
        const reason = lapseReason(stored.grant, stored.used, now);
        if (reason === undefined) return;
        await suspendClientServices(tx, stored, reason, now, policy, 'worker');
      }),
  };
}
