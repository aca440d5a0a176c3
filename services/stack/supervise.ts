import { setTimeout as pause } from 'node:timers/promises';
import type { Say } from './progress.ts';

/** A part or service that runs until it ends. */
export type Supervised = { readonly exited: Promise<unknown> };

export type SuperviseOptions<T extends Supervised> = {
  readonly name: string;
  /** Starts it and resolves when it is ready. */
  readonly start: () => Promise<T>;
  readonly say: Say;
  /** Aborted when everything is to end: what ends then is left alone. */
  readonly ending: AbortSignal;
  readonly firstPauseMs?: number;
  readonly longestPauseMs?: number;
};

/** After so long without trouble, the next trouble is the first again. */
const calmMs = 60_000;

/**
 * Starts something and resolves when it is ready, or throws when it cannot be started. Whenever it ends later it is named and started again, after a
 * second, then two, four, ... thirty.
 */
export async function supervise<T extends Supervised>(options: SuperviseOptions<T>): Promise<T> {
  const running = await options.start();
  void keepRunning(options, running);
  return running;
}

async function keepRunning(
  options: SuperviseOptions<Supervised>,
  first: Supervised,
): Promise<void> {
  const { name, start, say, ending, firstPauseMs = 1_000, longestPauseMs = 30_000 } = options;
  let running: Supervised | undefined = first;
  let pauseMs = firstPauseMs;
  const isEnding = (): boolean => ending.aborted;
  while (!isEnding()) {
    if (running !== undefined) {
      const startedAt = performance.now();
      const exit = await running.exited;
      if (isEnding()) return;
      if (performance.now() - startedAt > calmMs) pauseMs = firstPauseMs;
      say(`${name} has ended${describe(exit)}; it is started again in ${pauseMs / 1000} s`);
    }
    try {
      await pause(pauseMs, undefined, { signal: ending });
    } catch {
      return;
    }
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    try {
      running = await start();
      say(`${name} runs again`);
    } catch (error) {
      running = undefined;
      if (isEnding()) return;
      say(`${(error as Error).message}\n  ${name} is started again in ${pauseMs / 1000} s`);
    }
  }
}

function describe(exit: unknown): string {
  if (typeof exit !== 'object' || exit === null || !('code' in exit)) return '';
  const { code, signal } = exit as { code: number | null; signal?: string | null };
  return signal ? ` (${signal})` : ` (exit code ${code ?? 'unknown'})`;
}
