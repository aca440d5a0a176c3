/** Refusals of one kind are told at most once in this time. */
const quietMs = 60_000;

/** How many refusals came since the last one that was told, and when that was. */
export type RefusalTally = { readonly toldAt: Date; readonly untold: number };

/**
 * Counts one more refusal. `told` is for how many the audit event to be written now stands: the first one and then, after a minute, all that came since the last
 * event; undefined when this one is only counted. A clock that went back tells again.
 */
export function countRefusal(
  tally: RefusalTally | undefined,
  now: Date,
): { readonly tally: RefusalTally; readonly told: number | undefined } {
  const untold = (tally?.untold ?? 0) + 1;
  const sinceMs = tally === undefined ? quietMs : now.getTime() - tally.toldAt.getTime();
  if (tally !== undefined && sinceMs >= 0 && sinceMs < quietMs) {
    return { tally: { toldAt: tally.toldAt, untold }, told: undefined };
  }
  return { tally: { toldAt: now, untold: 0 }, told: untold };
}
