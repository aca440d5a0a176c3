import {
  NativeConnection,
  Runtime,
  Worker,
  makeTelemetryFilterString,
  type ActivityInterceptorsFactory,
} from '@temporalio/worker';
import { setTimeout as pause } from 'node:timers/promises';
import type { GrantActivities } from '../../activities/grant-activities.ts';
import type { Temporal } from '../../infra/temporal/client.ts';
import { ensureSearchAttributes } from '../../infra/temporal/search-attributes.ts';
import { workflowCode } from '../../infra/temporal/workflow-bundle.ts';
import type { Logger } from '../shared/log.ts';

export type TemporalWorkerOptions = {
  readonly address: string;
  readonly temporal: Pick<Temporal, 'connection' | 'namespace'>;
  readonly taskQueue: string;
  readonly identity: string;
  readonly activities: GrantActivities;
  readonly bundleDir: string;
  /** What is under way gets this long when the process is told to stop. */
  readonly graceSeconds: number;
  readonly log: Logger;
};

export type TemporalWorker = {
  isRunning(): boolean;
  stop(): Promise<void>;
};

const firstPauseMs = 500;
const longestPauseMs = 10_000;

/** Runs the workflows and activities, now or as soon as Temporal can be reached, and again when a run ends by itself. */
export function runTemporalWorker(options: TemporalWorkerOptions): TemporalWorker {
  const { log, address } = options;
  const stopping = new AbortController();
  let worker: Worker | undefined;
  const running = (async () => {
    forwardLogs(log);
    let pauseMs = firstPauseMs;
    let waiting = false;
    while (!stopping.signal.aborted) {
      let connection: NativeConnection | undefined;
      try {
        connection = await NativeConnection.connect({ address });
        worker = await createWorker(options, connection);
        if (waiting) log.info({ address }, 'Temporal is back');
        [waiting, pauseMs] = [false, firstPauseMs];
        await runUnless(stopping.signal, worker);
      } catch (error) {
        if (!waiting) log.warn({ address, err: error }, 'waiting for Temporal');
        waiting = true;
      } finally {
        worker = undefined;
        await connection?.close().catch(() => undefined);
      }
      await pause(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      pauseMs = Math.min(longestPauseMs, 2 * pauseMs);
    }
  })();
  return {
    isRunning: () => worker?.getState() === 'RUNNING',
    async stop() {
      stopping.abort();
      if (worker?.getState() === 'RUNNING') worker.shutdown();
      await running;
    },
  };
}

/** A worker that was told to stop while it was being made does not run, but has to be shut down all the same. */
async function runUnless(stopping: AbortSignal, worker: Worker): Promise<void> {
  const ended = worker.run();
  if (stopping.aborted) worker.shutdown();
  await ended;
}

async function createWorker(
  { temporal, taskQueue, identity, activities, bundleDir, graceSeconds }: TemporalWorkerOptions,
  connection: NativeConnection,
): Promise<Worker> {
  await ensureSearchAttributes(temporal.connection, temporal.namespace);
  const graceMs = Math.max(1, graceSeconds - 3) * 1000;
  return Worker.create({
    connection,
    namespace: temporal.namespace,
    taskQueue,
    identity,
    ...(await workflowCode(bundleDir)),
    activities,
    interceptors: { activity: [showLife] },
    // A grant sleeps for days: the cache serves the second task of a wake-up and the two minutes of a code.
    maxCachedWorkflows: 1_000,
    // What waits in Temporal waits better than what waits here for a connection to PostgreSQL or for its turn at the mail server.
    maxConcurrentActivityTaskExecutions: 40,
    shutdownGraceTime: Math.max(500, graceMs - 2_000),
    shutdownForceTime: graceMs,
  });
}

const heartbeatMs = 3_000;

/** Every step that takes long says that it is still under way, so that the silence of a killed worker is noticed soon (workflows/access-grant.ts). */
const showLife: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    async execute(input, next) {
      const timer = setInterval(() => {
        context.heartbeat();
      }, heartbeatMs);
      try {
        return await next(input);
      } finally {
        clearInterval(timer);
      }
    },
  },
});

/** The SDK's own log goes into ours; once per process. */
function forwardLogs(log: Logger): void {
  const child = log.child({ component: 'temporal-sdk' });
  const say = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: object) => {
    child[level](fields ?? {}, message);
  };
  Runtime.install({
    logger: {
      log: (level, message, fields) => {
        say(level === 'ERROR' ? 'error' : level === 'WARN' ? 'warn' : 'debug', message, fields);
      },
      trace: () => undefined,
      debug: () => undefined,
      // The SDK's informative lines are about itself.
      info: (message, fields) => {
        say('debug', message, fields);
      },
      warn: (message, fields) => {
        say('warn', message, fields);
      },
      error: (message, fields) => {
        say('error', message, fields);
      },
    },
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) },
    },
    shutdownSignals: [],
  });
}
