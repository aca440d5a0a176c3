import { setTimeout as pause } from 'node:timers/promises';

export type WaitOptions = {
  /** Ends the sentence "… within 10 s". */
  readonly what: string;
  readonly deadlineMs: number;
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
};

/** Asks `probe` until it answers something other than false, undefined or an error, and returns that. Throws after the deadline, with the last error as cause. */
export async function waitUntil<T>(
  probe: () => Promise<T | false | undefined> | T | false | undefined,
  { what, deadlineMs, intervalMs = 50, signal }: WaitOptions,
): Promise<T> {
  const endsAt = performance.now() + deadlineMs;
  let cause: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const answer = await probe();
      if (answer !== false && answer !== undefined) return answer;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= endsAt) {
      throw new Error(`${what} within ${deadlineMs / 1000} s`, { cause });
    }
    await pause(intervalMs);
  }
}
