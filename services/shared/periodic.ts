import type { Logger } from 'pino';

export type Periodic = {
  /** Runs as soon as it can, before its time. */
  soon(): void;
  /** No further run begins; resolves when the one under way has ended. */
  stop(): Promise<void>;
};

export type PeriodicOptions = {
  readonly name: string;
  readonly everyMs: number;
  readonly log: Logger;
  readonly work: () => Promise<unknown>;
};

/** Runs the work again and again, never twice at a time. A failure is news once, and so is its end. */
export function startPeriodic({ name, everyMs, log, work }: PeriodicOptions): Periodic {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isWanted = false;
  let isStopped = false;
  let isFailing = false;

  const run = async () => {
    try {
      await work();
      if (isFailing) log.info({ task: name }, 'works again');
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn({ task: name, err: error }, 'failed, goes on trying');
      isFailing = true;
    }
  };
  const begin = () => {
    clearTimeout(timer);
    isWanted = false;
    running = run().finally(() => {
      running = undefined;
      // Asked for meanwhile: at once, but not while failing, or it would never rest.
      schedule(isWanted && !isFailing ? 0 : everyMs);
    });
  };
  const schedule = (delayMs: number) => {
    if (!isStopped) timer = setTimeout(begin, delayMs);
  };
  schedule(everyMs);

  return {
    soon() {
      if (isStopped || isWanted) return;
      isWanted = true;
      if (running !== undefined || isFailing) return;
      clearTimeout(timer);
      schedule(0);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
