import type { Clock } from '../../domain/clock.ts';
import { removeFreeBudgets } from '../../infra/postgres/door-budgets.ts';
import { removeOldInvitations } from '../../infra/postgres/invitations.ts';
import { removeUnusedBrowsers } from '../../infra/postgres/known-browsers.ts';
import { removeOldPasswordResets } from '../../infra/postgres/password-resets.ts';
import type { Database } from '../../infra/postgres/pool.ts';
import { removeEndedSessions, type SessionLimits } from '../../infra/postgres/sessions.ts';
import type { Logger } from '../shared/log.ts';
import { startPeriodic } from '../shared/periodic.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** What is over is of use to nobody but to whoever looks into an incident, and the audit tells of it too. */
const keptDays = 30;
const removedAtOnce = 10_000;

type UpkeepParts = {
  readonly database: Database;
  readonly clock: Clock;
  readonly sessionLimits: SessionLimits;
};

/** Removes budgets of tries that are full again: what strangers make up does not stay. */
export async function removeBudgets({ database, clock }: UpkeepParts): Promise<void> {
  while ((await removeFreeBudgets(database, clock.now(), removedAtOnce)) === removedAtOnce);
}

/** Removes what the sign-in has left behind and has been over for a month. */
export async function removeWhatIsOver(parts: UpkeepParts): Promise<void> {
  const { database, clock, sessionLimits } = parts;
  const now = clock.now();
  const overBefore = new Date(now.getTime() - keptDays * dayMs);
  await removeEndedSessions(database, sessionLimits, overBefore);
  await removeOldPasswordResets(database, overBefore);
  await removeOldInvitations(database, overBefore);
  await removeUnusedBrowsers(database, now);
}

/** Keeps the tables of the sign-in small. Several backoffices may do it at once. */
export function startUpkeep(parts: UpkeepParts & { readonly log: Logger }): {
  stop(): Promise<void>;
} {
  const { log } = parts;
  const budgets = startPeriodic({
    ...{ name: 'removing of budgets that are full again', log },
    everyMs: minuteMs,
    work: () => removeBudgets(parts),
  });
  const over = startPeriodic({
    ...{ name: 'removing of what is over', log },
    everyMs: 60 * minuteMs,
    work: () => removeWhatIsOver(parts),
  });
  // Also where no process lives for an hour.
  over.soon();
  return {
    async stop() {
      await Promise.all([budgets.stop(), over.stop()]);
    },
  };
}
