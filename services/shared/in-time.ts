import type { Logger } from './log.ts';

/** For connections to close in order; a part that is away is not waited for. */
export const closingMs = 500;

/**
 * Waits for work that is being ended, but no longer than this. What is not done by then, or fails, is said: it is left for whoever comes next, as when the
 * process is killed.
 */
export async function inTime(work: Promise<unknown>, ms: number, log: Logger): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      log.warn({ ms }, 'what did not end in time is left for whoever comes next');
      resolve();
    }, ms);
  });
  const ended = work.catch((err: unknown) => {
    log.warn({ err }, 'what could not be ended in order is left for whoever comes next');
  });
  await Promise.race([ended, over]);
  clearTimeout(timer);
}
