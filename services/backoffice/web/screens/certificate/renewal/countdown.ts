/** Seconds left at which the countdown is said aloud. */
const announcedAt = [60, 30, 10, 0] as const;

/** Whole seconds until an instant by the server's clock, rounded up so that 0 means over; 0 for none. */
export function secondsUntil(instant: string | null, nowMs: number): number {
  if (instant === null) return 0;
  return Math.max(0, Math.ceil((Date.parse(instant) - nowMs) / 1000));
}

/** What is to be said when the seconds left went from one figure to another: the lowest mark that was passed, or nothing. */
export function markPassed(before: number, after: number): number | undefined {
  return announcedAt.filter((mark) => before > mark && after <= mark).at(-1);
}
