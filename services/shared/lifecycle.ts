import type { Logger } from 'pino';

export type Running = { stop(): Promise<void> };
export type ServiceOptions = {
  readonly name: string;
  readonly log: Logger;
  readonly start: () => Promise<Running>;
  /** How long stopping may take before the process ends all the same. */
  readonly graceSeconds?: number;
  /** Stop too when standard input closes, so that nothing outlives the development stack that started it. */
  readonly parentWatch?: boolean;
};

/**
 * Runs a service until it is told to stop: exit code 0 after an orderly stop, also where it was told while it was starting; 1 when it did not start, failed,
 * was overdue or was told twice. Called by `main.ts` only, as its last act.
 */
export const runService = async (options: ServiceOptions): Promise<void> => {
  const { name, log, start, graceSeconds = 10, parentWatch = false } = options;
  let starting: Promise<Running> | undefined;
  let isStopping = false;
  const isToldToStop = (): boolean => isStopping;

  const fail = (error: unknown, message: string): never => {
    log.fatal({ err: error }, message);
    process.exit(1);
  };
  const stop = async (reason: string): Promise<void> => {
    if (isStopping) fail(undefined, `${name} was told to stop twice and ends at once`);
    isStopping = true;
    log.info({ reason }, `${name} is stopping`);
    setTimeout(() => {
      fail(undefined, `${name} did not stop within ${String(graceSeconds)} s`);
    }, graceSeconds * 1000).unref();
    // A start that fails now leaves nothing to be stopped.
    const running = await starting?.catch((err: unknown) => {
      log.warn({ err }, `${name} was told to stop before it had started`);
    });
    try {
      await running?.stop();
    } catch (error) {
      fail(error, `${name} did not stop cleanly`);
    }
    log.info(`${name} has stopped`);
    process.exit(0);
  };

  process.on('uncaughtException', (error) => fail(error, `${name} failed`));
  process.on('unhandledRejection', (error) => fail(error, `${name} failed`));
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
  if (parentWatch) {
    process.stdin.resume();
    // A parent that stops its services in order closes stdin too: that is not a second order.
    process.stdin.once('close', () => {
      if (!isStopping) void stop('parent is gone');
    });
  }

  const startedAt = performance.now();
  try {
    starting = start();
    await starting;
    log.info({ ms: Math.round(performance.now() - startedAt) }, `${name} has started`);
  } catch (error) {
    if (!isToldToStop()) fail(error, `${name} did not start`);
  }
};
