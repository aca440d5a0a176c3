import { Gauge, type Registry } from 'prom-client';
import { knownNow } from '../../domain/clock.ts';
import { followDatabaseClock, type FollowingClock } from '../../infra/postgres/clock.ts';
import type { Database } from '../../infra/postgres/pool.ts';
import { NotReady, type Dependencies } from './health.ts';
import type { Logger } from './log.ts';

/** Figures of the connections to PostgreSQL, by the name of the pool. */
export function watchPools(registry: Registry, pools: Readonly<Record<string, Database>>): void {
  const registers = [registry];
  new Gauge({
    name: 'postgres_pool_connections',
    help: 'Connections to PostgreSQL, by pool and state: idle or busy.',
    labelNames: ['pool', 'state'],
    registers,
    collect() {
      for (const [pool, { idleCount, totalCount }] of Object.entries(pools)) {
        this.set({ pool, state: 'idle' }, idleCount);
        this.set({ pool, state: 'busy' }, totalCount - idleCount);
      }
    },
  });
  new Gauge({
    name: 'postgres_pool_waiting',
    help: 'How many wait for a connection to PostgreSQL, by pool.',
    labelNames: ['pool'],
    registers,
    collect() {
      for (const [pool, { waitingCount }] of Object.entries(pools))
        this.set({ pool }, waitingCount);
    },
  });
}

/** The clock on this database with its figures, and the dependencies that every service has. Rejects when PostgreSQL cannot be asked. */
export async function followFacts(
  database: Database,
  {
    config,
    log,
    metrics,
  }: {
    readonly config: { readonly CLOCK_STALE_SECONDS: number };
    readonly log: Logger;
    readonly metrics: Registry;
  },
): Promise<{ readonly clock: FollowingClock; readonly dependencies: Dependencies }> {
  const clock = await followDatabaseClock(database, {
    log,
    unmeasuredMs: config.CLOCK_STALE_SECONDS * 1000,
  });
  watchClock(metrics, clock);
  return {
    clock,
    dependencies: {
      async postgres() {
        await database.query('select 1');
        return undefined;
      },
      clock() {
        // Asked for the time it is measured anew where it has to be.
        knownNow(clock);
        const { fault, measuredAgeSeconds, skewSeconds } = clock.figures();
        if (fault !== undefined) return Promise.reject(new NotReady(`the clock ${fault}`));
        const [age, skew] = [measuredAgeSeconds.toFixed(0), skewSeconds.toFixed(1)];
        return Promise.resolve(`measured ${age} s ago, this host's own is off by ${skew} s`);
      },
    },
  };
}

function watchClock(registry: Registry, clock: FollowingClock): void {
  const figure = (name: string, help: string, read: () => number): void => {
    new Gauge({
      ...{ name, help, registers: [registry] },
      collect() {
        this.set(read());
      },
    });
  };
  figure(
    'clock_skew_seconds',
    "PostgreSQL's time less that of this host's own clock.",
    () => clock.figures().skewSeconds,
  );
  figure(
    'clock_measured_age_seconds',
    "Since the offset to PostgreSQL's clock was last measured.",
    () => clock.figures().measuredAgeSeconds,
  );
  figure(
    'clock_jumps',
    "How often the time jumped since the process started: the machine slept, or PostgreSQL's clock was set.",
    () => clock.figures().jumps,
  );
  figure(
    'postgres_reachable',
    '1 when PostgreSQL answered when the time was last asked of it, else 0.',
    () => (clock.figures().reachable ? 1 : 0),
  );
}
