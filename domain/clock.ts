/**
 * The one clock: PostgreSQL's, followed by each process (DESIGN 2); tests inject theirs. `now` throws `unavailable` while the time is not known, so that
 * nothing is decided by a wrong one.
 */
export type Clock = { now(): Date };

/** The instant, or undefined while the time is not known: for what has to go on all the same. */
export function knownNow(clock: Clock): Date | undefined {
  try {
    return clock.now();
  } catch {
    return undefined;
  }
}
