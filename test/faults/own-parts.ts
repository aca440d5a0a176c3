import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Guardian } from '../../infra/development/guardian.ts';
import { freePort } from '../../infra/development/ports.ts';
import { installKafka, startKafka } from '../../infra/kafka/development-broker.ts';
import {
  removePostgresData,
  startPostgres,
  type RunningPostgres,
} from '../../infra/postgres/development-server.ts';
import { startTemporal } from '../../infra/temporal/development-server.ts';
import { testParts } from '../support/parts.ts';

/** A part of one test file's own: the run's parts serve other tests at the same time and are never stopped. It keeps its data and its port. */
type OwnPart = {
  start(): Promise<void>;
  stop(): Promise<void>;
};

export type OwnPostgres = {
  /** Of the database `postgres`, as superuser. */
  readonly url: string;
  /** As it runs now, or ran last. */
  readonly exited: Promise<unknown>;
  start(): Promise<void>;
  /** Ends it at once, without a checkpoint and a word to its clients; it recovers from its log when it is started. */
  crash(): Promise<void>;
  remove(): Promise<void>;
};

/** With data that is written as in production: what was committed is there after a crash. */
export async function startOwnPostgres(
  guardian: Guardian,
  folder: string = ownFolder('postgres'),
): Promise<OwnPostgres> {
  const dataDir = join(folder, 'data');
  const logFile = `${ownFolder('postgres')}.log`;
  const port = await freePort();
  const startIt = () => startPostgres({ guardian, dataDir, port, logFile });
  let running: RunningPostgres = await startIt();
  return {
    url: running.url,
    get exited() {
      return running.exited;
    },
    async start() {
      running = await startIt();
    },
    async crash() {
      process.kill(running.pid, 'SIGQUIT');
      await running.exited;
    },
    remove: () => removePostgresData(dataDir),
  };
}

const localDir = fileURLToPath(new URL('../../.local/', import.meta.url));

const ownFolder = (part: string): string =>
  join(testParts().directory, `${part}-${randomBytes(4).toString('hex')}`);

type Running = { stop(): Promise<void> };

/** Starts it at once. */
async function ownPart(startIt: () => Promise<Running>): Promise<OwnPart> {
  let running = await startIt();
  return {
    async start() {
      running = await startIt();
    },
    stop: () => running.stop(),
  };
}

export type OwnTemporal = OwnPart & {
  readonly address: string;
  /** Removes all that the stopped server knew. */
  wipe(): Promise<void>;
};

export async function startOwnTemporal(guardian: Guardian): Promise<OwnTemporal> {
  const { temporalTestServerPath, temporalNamespace: namespace } = testParts();
  const folder = ownFolder('temporal');
  const port = await freePort();
  const part = await ownPart(() =>
    startTemporal({
      ...{ guardian, port, namespace, retentionDays: 1 },
      cli: join(dirname(temporalTestServerPath), 'temporal'),
      databaseFile: join(folder, 'temporal.db'),
      logFile: `${folder}.log`,
    }),
  );
  return {
    ...part,
    address: `127.0.0.1:${port}`,
    wipe: () => rm(folder, { recursive: true }),
  };
}

export type OwnKafka = OwnPart & { readonly brokers: readonly string[] };

export async function startOwnKafka(guardian: Guardian): Promise<OwnKafka> {
  const folder = ownFolder('kafka');
  const port = await freePort();
  const jars = await installKafka(guardian, localDir);
  const part = await ownPart(() =>
    startKafka({ guardian, jars, port, dataDir: folder, logFile: `${folder}.log` }),
  );
  return { ...part, brokers: [`127.0.0.1:${port}`] };
}
