import type { Clock } from '../../domain/clock.ts';
import { dueAt } from '../../domain/next-step.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Database } from '../../infra/postgres/pool.ts';
import { listFactsThatMayBeDue, listOpenGrantIds } from '../../infra/postgres/sweep.ts';
import type { GrantWorkflows } from '../../infra/temporal/grant-workflows.ts';
import { Undeliverable } from '../../infra/temporal/undeliverable.ts';
import type { Logger } from '../shared/log.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

type SweepParts = {
  readonly database: Database;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly workflows: GrantWorkflows;
  readonly log: Logger;
  /** A workflow that does its work needs no reminding: what is overdue by less is left to it. */
  readonly overdueMs?: number;
};

export type Sweep = {
  /** Makes the workflow of everything that is overdue look again. Answers how many. */
  signalOverdue(): Promise<number>;
  /** Sees that everything open has its workflow. Answers how many there are. */
  startOpen(): Promise<number>;
};

/**
 * Heals from PostgreSQL what Temporal lost: signals, or everything (DESIGN 5). A grant that stays overdue (mail server down) is signalled at growing
 * intervals, a minute to an hour, so that its history stays small.
 */
export function createSweep({
  database,
  clock,
  policy,
  workflows,
  log,
  overdueMs = minuteMs,
}: SweepParts): Sweep {
  const signalled = new Map<string, { readonly at: number; readonly pauseMs: number }>();
  return {
    async signalOverdue() {
      const now = clock.now();
      const overdue = new Set<string>();
      let count = 0;
      for await (const facts of listFactsThatMayBeDue(database, now, policy)) {
        const due = dueAt(facts, policy);
        if (due === undefined || now.getTime() - due.getTime() < overdueMs) continue;
        const { grantId } = facts;
        overdue.add(grantId);
        const last = signalled.get(grantId);
        if (last !== undefined && now.getTime() - last.at < last.pauseMs) continue;
        try {
          await workflows.signal(grantId, 'foundOverdue', {});
        } catch (error) {
          if (!(error instanceof Undeliverable)) throw error;
          // Its own trouble: those after it are looked after all the same.
          log.error({ grantId, err: error }, 'an overdue workflow takes no signal');
        }
        const pauseMs = last === undefined ? overdueMs : Math.min(hourMs, 2 * last.pauseMs);
        signalled.set(grantId, { at: now.getTime(), pauseMs });
        count += 1;
      }
      for (const grantId of signalled.keys()) {
        if (!overdue.has(grantId)) signalled.delete(grantId);
      }
      return count;
    },

    async startOpen() {
      let count = 0;
      for await (const grantId of listOpenGrantIds(database)) {
        await workflows.ensureStarted(grantId);
        count += 1;
      }
      return count;
    },
  };
}

type RunningSweepParts = SweepParts & {
  /** Sees that Temporal is set up; answers true when it was not, so that it is new or was wiped. */
  readonly ensureSetUp: () => Promise<boolean>;
  readonly intervalMs: number;
};

/**
 * Sweeps at once, then at the interval: what is overdue each time, what is open each hour and when Temporal was found wiped. While a part is away it says so
 * once and goes on trying.
 */
export function runSweep(parts: RunningSweepParts): { stop(): Promise<void> } {
  const { log, ensureSetUp, intervalMs } = parts;
  const sweep = createSweep(parts);
  let stopped = false;
  let failing = false;
  let openSweptAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  const round = async (): Promise<void> => {
    try {
      const wiped = await ensureSetUp();
      if (wiped || performance.now() - openSweptAt >= hourMs) {
        const open = await sweep.startOpen();
        openSweptAt = performance.now();
        log.info({ open }, 'every open grant and renewal has its workflow');
      }
      const overdue = await sweep.signalOverdue();
      if (overdue > 0) log.warn({ overdue }, 'workflows were overdue and told to look again');
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'the sweep was broken off and goes on later');
      failing = true;
      openSweptAt = -Infinity;
    }
  };
  let running = Promise.resolve();
  const next = (): void => {
    running = round().then(() => {
      // Sooner while something is away: what was lost shall not wait for long once it is back.
      if (!stopped) timer = setTimeout(next, failing ? intervalMs / 12 : intervalMs);
    });
  };
  next();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
