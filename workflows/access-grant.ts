import {
  ActivityFailure,
  condition,
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { GrantActivities } from '../activities/grant-activities.ts';
import type { GrantFacts } from '../domain/facts.ts';
import { grantSignalNames } from '../domain/messages.ts';
import { isDue, nextStep, type Action, type GrantOutcome } from '../domain/next-step.ts';
import { regulationPolicy, type Policy } from '../domain/policy.ts';
import { actionSummary, signalDescriptions, waitSummary } from './descriptions.ts';
import { createPublisher } from './publisher.ts';

type AccessGrantInput = {
  readonly grantId: string;
  /**
   * Figures that differ from the regulation's in this installation. They are input and not a worker's option, since a replay has to compare with the
   * figures that the run compared with; what is acted upon is checked again by the activities with the figures of the day.
   */
  readonly policy?: Partial<Policy>;
};

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const boundedMs = 2 * minuteMs;

/** A worker that was killed in the middle of a step says so by its silence; the step is then done by another. */
const heartbeatTimeout = 10_000;

/** Facts, suspension, closing: needed whatever happens, so tried until the database is back. */
const unbounded = proxyActivities<GrantActivities>({
  startToCloseTimeout: minuteMs,
  heartbeatTimeout,
  retry: { initialInterval: 1_000, maximumInterval: minuteMs },
});

/** What depends on others outside (mail, the CA) never holds up what comes after it. */
const bounded = proxyActivities<GrantActivities>({
  startToCloseTimeout: boundedMs - 10_000,
  heartbeatTimeout,
  retry: { initialInterval: 5_000, maximumAttempts: 3 },
});

const boundedActions: ReadonlySet<Action> = new Set([
  'announceLapse',
  'revokeAtCa',
  'announceUsage',
  'announceRefusal',
  'remindOperators',
]);

/** An action that did not take effect: when it is tried again, and the pause that this took. */
type Delay = { readonly until: Date; readonly pauseMs: number };

/**
 * The life of one grant, from the click on Renew until the next grant takes its place (DESIGN 5). Level-triggered: PostgreSQL holds the facts, a signal
 * only makes it look again, and it may be started anew from the id at any time. Answers how it ended.
 */
export async function accessGrant({
  grantId,
  policy: figures,
}: AccessGrantInput): Promise<GrantOutcome> {
  const policy: Policy = { ...regulationPolicy, ...figures };
  const signals: { came: boolean } = { came: false };
  for (const name of grantSignalNames) {
    setHandler(
      defineSignal<[unknown?]>(name),
      () => {
        signals.came = true;
      },
      { description: signalDescriptions[name] },
    );
  }

  const load = (summary: string): Promise<GrantFacts> => {
    // The answer will be younger than every signal that came before the question.
    signals.came = false;
    return unbounded.loadGrant.executeWithOptions({ startToCloseTimeout: minuteMs, summary }, [
      grantId,
    ]);
  };
  const delays = new Map<Action, Delay>();
  const publish = createPublisher(policy);

  let facts = await load('first look');
  for (;;) {
    const now = new Date();
    const step = nextStep(facts, now, policy, postponedOf(delays));
    const delayed = step.kind === 'wait' && step.for !== undefined && delays.has(step.for);
    publish({ facts, step, now, delayed });
    switch (step.kind) {
      case 'end':
        return step.outcome;
      case 'wait': {
        // Signals or not: the new run begins with a look at the facts, and a stream of signals must not fill one history.
        if (workflowInfo().continueAsNewSuggested) {
          await continueAsNew<typeof accessGrant>({
            grantId,
            ...(figures && { policy: figures }),
          });
        }
        if (!signals.came) {
          const came = () => signals.came;
          if (step.until === undefined) await condition(came);
          else {
            const untilMs = Math.max(1, step.until.getTime() - now.getTime());
            await condition(came, untilMs, { summary: waitSummary(facts, step, delayed) });
          }
        }
        if (signals.came) facts = await load('a signal came');
        break;
      }
      case 'act': {
        const { action } = step;
        facts = await take(action);
        const after = new Date();
        if (isDue(facts, action, after, policy)) {
          const lastMs = delays.get(action)?.pauseMs ?? policy.retrySeconds * 500;
          const pauseMs = Math.min(hourMs, 2 * lastMs);
          delays.set(action, { pauseMs, until: new Date(after.getTime() + pauseMs) });
        } else delays.delete(action);
        break;
      }
    }
  }

  async function take(action: Action): Promise<GrantFacts> {
    signals.came = false;
    const summary = actionSummary(facts, action, new Date());
    if (!boundedActions.has(action)) {
      return unbounded[action].executeWithOptions({ startToCloseTimeout: minuteMs, summary }, [
        grantId,
      ]);
    }
    try {
      return await bounded[action].executeWithOptions(
        { scheduleToCloseTimeout: boundedUntilExpiry(facts), summary },
        [grantId],
      );
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      // It may have got some of the way before it failed.
      return load(`after ${action} failed`);
    }
  }
}

/** A mail that is slow gives way when the grant expires. */
function boundedUntilExpiry({ grant }: GrantFacts): number {
  const leftMs = grant === undefined ? 0 : new Date(grant.expiresAt).getTime() - Date.now();
  return leftMs <= 0 ? boundedMs : Math.max(1_000, Math.min(boundedMs, leftMs));
}

function postponedOf(delays: ReadonlyMap<Action, Delay>): Partial<Record<Action, Date>> {
  return Object.fromEntries([...delays].map(([action, { until }]) => [action, until]));
}
