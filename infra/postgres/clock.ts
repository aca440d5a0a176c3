import type { Clock } from '../../domain/clock.ts';
import { Problem } from '../../domain/errors.ts';
import { hostClock, startStopwatch, type HostClock } from './host-clock.ts';
import type { Database, Queryable } from './pool.ts';

/** What is known of the clock, for figures and readiness. */
type ClockFigures = {
  /** How far the host's own clock is from PostgreSQL's: positive when the host is behind. */
  readonly skewSeconds: number;
  /** Since the last measurement that succeeded. */
  readonly measuredAgeSeconds: number;
  /** How often the time was found to have jumped: the machine slept, or one of the clocks was set. */
  readonly jumps: number;
  /** Whether PostgreSQL answered when it was last asked. */
  readonly reachable: boolean;
  /** Why `now` refuses, if it does: goes on from "the clock ...". */
  readonly fault: string | undefined;
};

export type FollowingClock = Clock & {
  figures(): ClockFigures;
  stop(): void;
};

type ClockLog = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

export type ClockOptions = {
  readonly log?: ClockLog;
  /** Beyond this age of the last measurement no instant is given any more. */
  readonly unmeasuredMs?: number;
  /** Between two measurements. */
  readonly intervalMs?: number;
  readonly host?: HostClock;
};

const measurements = 3;
/** While it cannot be measured it is tried this often. */
const retryMs = 1_000;
/** An answer that took longer says the time no better than to a second. */
const longestRoundTripMs = 2_000;
/** Clocks that are steered move by less than this between two measurements; what is more is a jump, and worth being said. */
const toleranceMs = 1_000;

type Measurement = {
  /** To the monotonic clock. */
  readonly offsetMs: number;
  /** Since it began. */
  readonly age: () => number;
  /** Between the host's two clocks when it began. */
  readonly apartMs: number;
};

/**
 * A clock that follows PostgreSQL's by a measured offset to the monotonic clock of the process, so a host whose clock is wrong, or is set, does not move it.
 * Measured at once (rejects when the database cannot be asked), then every `intervalMs`. `now` throws `unavailable` when it was not measured for
 * `unmeasuredMs`, or when the host's two clocks moved apart since, as they do while a machine sleeps: an instant that may be wrong decides nothing.
 */
export async function followDatabaseClock(
  database: Database,
  options: ClockOptions = {},
): Promise<FollowingClock> {
  const { log, unmeasuredMs = 30_000, host = hostClock } = options;
  const { intervalMs = Math.min(10_000, unmeasuredMs / 3) } = options;
  const voice = createVoice(log);
  let current = await measure(database, host);
  let [jumps, reachable, stopped] = [0, true, false];
  let timer: NodeJS.Timeout | undefined;
  let measuring: Promise<void> | undefined;

  const nowMs = () => host.monotonicMs() + current.offsetMs;
  const skewMs = () => nowMs() - host.wallMs();
  const faultNow = (): string | undefined => {
    const ageMs = current.age();
    if (ageMs > unmeasuredMs) return `was not measured for ${(ageMs / 1000).toFixed(0)} s`;
    const movedMs = Math.abs(apartMs(host) - current.apartMs);
    return movedMs > toleranceMs ? 'jumped and is measured again' : undefined;
  };
  voice.measured(skewMs());

  const accept = (measured: Measurement) => {
    const jumpMs = measured.offsetMs - current.offsetMs;
    if (Math.abs(jumpMs) > toleranceMs) {
      jumps += 1;
      voice.jumped(jumpMs);
    }
    current = measured;
    reachable = true;
    voice.measured(skewMs());
  };
  const fail = (error: unknown) => {
    reachable = false;
    const fault = faultNow();
    if (fault !== undefined) voice.refuses(fault, error);
  };
  const measureNow = (): void => {
    clearTimeout(timer);
    measuring ??= measure(database, host)
      .then(accept, fail)
      .finally(() => {
        measuring = undefined;
        if (!stopped) again(reachable ? intervalMs : retryMs);
      });
  };
  const again = (ms: number): void => {
    timer = setTimeout(measureNow, ms);
    timer.unref();
  };
  again(intervalMs);

  return {
    now() {
      const fault = faultNow();
      if (fault === undefined) return new Date(nowMs());
      // At once after a jump; a database that does not answer is not asked more often because many want to know the time.
      if (reachable) measureNow();
      throw new Problem('unavailable', {}, { cause: new Error(`The clock ${fault}.`) });
    },
    figures: () => ({
      skewSeconds: skewMs() / 1000,
      measuredAgeSeconds: current.age() / 1000,
      ...{ jumps, reachable, fault: faultNow() },
    }),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Says each change once. */
function createVoice(log: ClockLog | undefined) {
  let [isSkewed, isRefusing] = [false, false];
  return {
    jumped(ms: number): void {
      const fields = { seconds: ms / 1000 };
      log?.warn(fields, 'the time jumped: this machine slept, or the clock of PostgreSQL was set');
    },
    measured(skewMs: number): void {
      if (isRefusing) log?.info({}, 'the clock is measured again');
      isRefusing = false;
      const wasSkewed = isSkewed;
      isSkewed = Math.abs(skewMs) > toleranceMs;
      const fields = { skewSeconds: skewMs / 1000 };
      if (isSkewed && !wasSkewed) {
        log?.warn(fields, "this host's clock is wrong; the time of PostgreSQL is used");
      } else if (!isSkewed && wasSkewed) {
        log?.info(fields, "this host's clock is right again");
      }
    },
    refuses(fault: string, err: unknown): void {
      if (isRefusing) return;
      isRefusing = true;
      log?.warn({ err, fault }, 'the clock cannot be measured: nothing is decided until it can');
    },
  };
}

const apartMs = (host: HostClock): number => host.wallMs() - host.monotonicMs();

/** From the quickest of a few questions: half its way there and back is the error at most. */
async function measure(database: Database, host: HostClock): Promise<Measurement> {
  // One connection for all questions: waiting for it is not part of an answer's way.
  const client = await database.connect();
  let broken: Error | undefined;
  try {
    const begun = { age: startStopwatch(host), apartMs: apartMs(host) };
    let best = await ask(client, host);
    for (let i = 1; i < measurements; i += 1) {
      const next = await ask(client, host);
      if (next.roundTripMs < best.roundTripMs) best = next;
    }
    if (best.roundTripMs > longestRoundTripMs) {
      throw new Error('PostgreSQL answers too slowly to tell the time');
    }
    return { ...begun, offsetMs: best.offsetMs };
  } catch (error) {
    broken = error as Error;
    throw error;
  } finally {
    client.release(broken);
  }
}

type Answer = { readonly offsetMs: number; readonly roundTripMs: number };

async function ask(queryable: Queryable, host: HostClock): Promise<Answer> {
  const askedAtMs = host.monotonicMs();
  const { rows } = await queryable.query<{ now_ms: number }>(
    'select extract(epoch from clock_timestamp())::float8 * 1000 as now_ms',
  );
  const roundTripMs = host.monotonicMs() - askedAtMs;
  const serverMs = rows[0]?.now_ms;
  if (serverMs === undefined) throw new Error('no time from PostgreSQL');
  return { roundTripMs, offsetMs: serverMs - (askedAtMs + roundTripMs / 2) };
}
