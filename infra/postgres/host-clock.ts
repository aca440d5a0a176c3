/** The two clocks of the machine a process runs on; neither is believed alone. */
export type HostClock = {
  /** Unix time in ms as the machine takes it to be: it may be wrong, and be set. */
  wallMs(): number;
  /** Ms since some instant, never set back; on Linux it stands still while the machine sleeps. */
  monotonicMs(): number;
};

export const hostClock: HostClock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/**
 * Begins to count; the answer tells the ms since. The longer of what both clocks say: a machine that slept and a clock that was set back make nothing
 * younger. A clock that was set ahead makes things look older than they are, which errs on the safe side.
 */
export function startStopwatch(host: HostClock = hostClock): () => number {
  const wall = host.wallMs();
  const monotonic = host.monotonicMs();
  return () => Math.max(host.wallMs() - wall, host.monotonicMs() - monotonic);
}
