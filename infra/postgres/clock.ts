import { performance } from 'node:perf_hooks';
import type { Clock } from '../../domain/clock.ts';
import type { Database } from './pool.ts';

export type FollowingClock = Clock & {
  /** How far the host's own clock is from PostgreSQL's, in ms: positive when the host is behind. */
  skewMs(): number;
  stop(): void;
};

const measurements = 3;

/**
 * A clock that follows PostgreSQL's by a measured offset. It runs on the monotonic clock of the process, so a step of the host's clock does not move it.
 * Measured at once (throws when the database cannot be asked), then every `intervalMs`; while it cannot be measured again the last offset holds.
 */
export async function followDatabaseClock(
  database: Database,
  { intervalMs = 10_000 }: { intervalMs?: number } = {},
): Promise<FollowingClock> {
  let offsetMs = await measureOffset(database);
  const timer = setInterval(() => {
    measureOffset(database).then(
      (measured) => {
        offsetMs = measured;
      },
      () => undefined,
    );
  }, intervalMs);
  timer.unref();
  const nowMs = () => performance.now() + offsetMs;
  return {
    now: () => new Date(nowMs()),
    skewMs: () => nowMs() - Date.now(),
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** The difference to `performance.now()`, from the quickest of a few questions: half its way there and back is the error at most. */
async function measureOffset(database: Database): Promise<number> {
  let best: { roundTripMs: number; offsetMs: number } | undefined;
  for (let i = 0; i < measurements; i += 1) {
    const askedAt = performance.now();
    const { rows } = await database.query<{ now_ms: number }>(
      'select extract(epoch from clock_timestamp())::float8 * 1000 as now_ms',
    );
    const answeredAt = performance.now();
    const roundTripMs = answeredAt - askedAt;
    const serverMs = rows[0]?.now_ms ?? Number.NaN;
    const offsetMs = serverMs - (askedAt + roundTripMs / 2);
    if (best === undefined || roundTripMs < best.roundTripMs) best = { roundTripMs, offsetMs };
  }
  if (best === undefined || Number.isNaN(best.offsetMs)) throw new Error('no time from PostgreSQL');
  return best.offsetMs;
}
