import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { developmentClientSecret, startSimulator } from '../../infra/ca/csc-simulator/server.ts';
import {
  createGuardian,
  type GuardedProcess,
  type Guardian,
} from '../../infra/development/guardian.ts';
import { describeExit, startPart } from '../../infra/development/part.ts';
import { freePort } from '../../infra/development/ports.ts';
import { ensureTopics, productTopics, type TopicNames } from '../../infra/kafka/topics.ts';
import { startMailbox } from '../../infra/mail/mailbox/server.ts';
import { mailboxReader } from '../../infra/mail/testing/support.ts';
import { followDatabaseClock } from '../../infra/postgres/clock.ts';
import { createDatabase, dropDatabase } from '../../infra/postgres/development-server.ts';
import { openDatabase } from '../../infra/postgres/pool.ts';
import { createSealer } from '../../infra/postgres/sealing.ts';
import { connectTemporal } from '../../infra/temporal/client.ts';
import { createAdministration, type Administration } from '../../services/shared/administration.ts';
import { testParts } from './parts.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const startDeadlineMs = 60_000;

export type Environment = Readonly<Record<string, string>>;

export type SystemOptions = {
  /** Names the folder of its logs. */
  readonly name: string;
  /** Variables of all services, such as figures of the policy. */
  readonly env?: Environment;
  /** Begins with a database without tables and brings them in with `npm run admin -- migrate`. */
  readonly fromNothing?: boolean;
};

/** A backoffice beside the first, on the same database. */
export type Backoffice = {
  readonly url: string;
  /** SIGKILL: nothing is finished. */
  kill(): Promise<void>;
  stop(): Promise<void>;
};

/** The whole product as processes of its own, between a CA and a mailbox that belong to it alone, on the parts of the test run. */
export type System = {
  readonly urls: Readonly<Record<'backoffice' | 'gate' | 'usage' | 'worker' | 'simulator', string>>;
  readonly administration: Administration;
  readonly mailbox: ReturnType<typeof mailboxReader>;
  readonly temporal: Client;
  readonly kafka: { readonly brokers: readonly string[]; readonly topics: TopicNames };
  readonly caClientSecret: string;
  /** `npm run admin -- ...args`; answers what it printed, parsed. */
  runAdmin(args: readonly string[], secret?: string): Promise<unknown>;
  /** With its own figures; PUBLIC_URL and port are found. */
  startBackoffice(name: string, env: Environment): Promise<Backoffice>;
  /** Everything that the services wrote to their logs so far, by process. */
  readLogs(): Promise<Readonly<Record<string, string>>>;
  /** Ends everything; throws when a service had ended by itself. */
  stop(): Promise<void>;
};

/** Starts the real services and waits until each is ready. Shows their logs when a test of the file failed (see failure-environment.ts). */
export async function startSystem({
  name,
  env = {},
  fromNothing = false,
}: SystemOptions): Promise<System> {
  const parts = testParts();
  const unique = randomBytes(4).toString('hex');
  const logDirectory = join(parts.directory, `${name}-${unique}`);
  const topics: TopicNames = {
    signatures: `signatures-${unique}`,
    rejects: `signatures-${unique}.dlq`,
    accessChanges: `certificate-access-${unique}`,
  };
  const databaseName = `system_${unique}`;
  const guardian = createGuardian();
  /** Last opened first. */
  const closings: (() => unknown)[] = [];
  const deaths: string[] = [];

  try {
    const template = fromNothing ? undefined : parts.templateDatabase;
    const databaseUrl = await createDatabase(parts.postgresUrl, databaseName, template);
    closings.unshift(() => dropDatabase(parts.postgresUrl, databaseName));
    const simulator = await startSimulator({ port: 0, withDefaultCredentials: false });
    closings.unshift(() => simulator.close());
    const mailbox = await startMailbox({ smtpPort: 0, httpPort: 0 });
    closings.unshift(() => mailbox.close());
    await ensureTopics(parts.kafkaBrokers, productTopics(topics));
    const backofficePort = await freePort();
    const gatePort = await freePort();
    const usagePort = await freePort();
    const workerPort = await freePort();
    const at = (port: number): string => `http://127.0.0.1:${port}`;
    const sealingKey = randomBytes(32);
    const serviceEnv: Environment = {
      NODE_ENV: 'test',
      // The more they say, the more a secret among it would show.
      LOG_LEVEL: 'debug',
      SHUTDOWN_GRACE_SECONDS: '5',
      HTTP_HOST: '127.0.0.1',
      BACKOFFICE_PORT: String(backofficePort),
      GATE_PORT: String(gatePort),
      USAGE_PORT: String(usagePort),
      WORKER_HTTP_PORT: String(workerPort),
      PUBLIC_URL: at(backofficePort),
      DATABASE_URL: databaseUrl,
      SEALING_KEYS: `test:${sealingKey.toString('base64')}`,
      TEMPORAL_ADDRESS: parts.temporalAddress,
      TEMPORAL_NAMESPACE: parts.temporalNamespace,
      TEMPORAL_TASK_QUEUE: `access-grants-${unique}`,
      KAFKA_BROKERS: parts.kafkaBrokers.join(','),
      KAFKA_SIGNATURES_TOPIC: topics.signatures,
      KAFKA_REJECTS_TOPIC: topics.rejects,
      KAFKA_ACCESS_TOPIC: topics.accessChanges,
      USAGE_GROUP_ID: `usage-${unique}`,
      SMTP_URL: `smtp://127.0.0.1:${mailbox.smtpPort}`,
      ...env,
    };
    const runAdmin = (args: readonly string[], secret?: string): Promise<unknown> =>
      runNpmAdmin(args, serviceEnv, secret);
    if (fromNothing) await runAdmin(['migrate']);

    const start = (
      service: string,
      port: number,
      processName: string = service,
      overrides: Environment = {},
    ): Promise<GuardedProcess> =>
      startService(guardian, {
        service,
        processName,
        readyUrl: `${at(port)}/readyz`,
        env: { ...serviceEnv, ...overrides },
        logFile: join(logDirectory, `${processName}.log`),
      });
    const expected = new Set<GuardedProcess>();
    const watch = (process: GuardedProcess): GuardedProcess => {
      void process.exited.then((exit) => {
        if (!expected.has(process)) deaths.push(`${process.name} ended (${describeExit(exit)})`);
      });
      return process;
    };
    const running = await Promise.all([
      start('worker', workerPort),
      start('usage', usagePort),
      start('backoffice', backofficePort),
      start('gate', gatePort),
    ]);
    running.forEach(watch);

    const database = openDatabase({ url: databaseUrl, applicationName: 'test', maxConnections: 2 });
    closings.unshift(() => database.end());
    const clock = await followDatabaseClock(database);
    closings.unshift(() => {
      clock.stop();
    });
    const sealer = createSealer([{ id: 'test', key: sealingKey }]);
    const temporal = connectTemporal({
      address: parts.temporalAddress,
      namespace: parts.temporalNamespace,
      identity: 'test',
    });
    closings.unshift(() => temporal.close());

    return {
      urls: {
        ...{ backoffice: at(backofficePort), gate: at(gatePort), simulator: simulator.url },
        ...{ usage: at(usagePort), worker: at(workerPort) },
      },
      administration: createAdministration({ database, clock, sealer }),
      mailbox: mailboxReader(mailbox.url),
      temporal: temporal.client,
      kafka: { brokers: parts.kafkaBrokers, topics },
      caClientSecret: developmentClientSecret,
      runAdmin,
      async startBackoffice(processName, overrides) {
        const port = await freePort();
        const process = watch(
          await start('backoffice', port, processName, {
            BACKOFFICE_PORT: String(port),
            PUBLIC_URL: at(port),
            ...overrides,
          }),
        );
        return {
          url: at(port),
          async kill() {
            expected.add(process);
            global.process.kill(process.pid, 'SIGKILL');
            await process.exited;
          },
          async stop() {
            expected.add(process);
            await process.stop();
          },
        };
      },
      readLogs: () => readLogs(logDirectory),
      async stop() {
        const diedBefore = [...deaths];
        await guardian.close();
        for (const close of closings) await close();
        if (diedBefore.length > 0 || hasFailedTests()) await showLogs(name, logDirectory);
        if (diedBefore.length > 0) throw new Error(diedBefore.join('; '));
      },
    };
  } catch (error) {
    await guardian.close();
    for (const close of closings) await close();
    throw error;
  }
}

type ServiceToStart = {
  readonly service: string;
  readonly processName: string;
  readonly readyUrl: string;
  readonly env: Environment;
  readonly logFile: string;
};

function startService(guardian: Guardian, toStart: ServiceToStart): Promise<GuardedProcess> {
  const { service, processName, readyUrl, env, logFile } = toStart;
  return startPart(
    guardian,
    {
      name: processName,
      command: process.execPath,
      args: ['--import', 'tsx', `services/${service}/main.ts`],
      cwd: root,
      env,
      logFile,
    },
    {
      deadlineMs: startDeadlineMs,
      async ready() {
        const response = await fetch(readyUrl, { signal: AbortSignal.timeout(5_000) });
        await response.body?.cancel();
        return response.ok;
      },
    },
  );
}

async function runNpmAdmin(
  args: readonly string[],
  env: Environment,
  secret = '',
): Promise<unknown> {
  const child = spawn('npm', ['run', '--silent', 'admin', '--', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  child.stdin.end(secret);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [output, complaint, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exited,
  ]);
  if (code !== 0) throw new Error(`npm run admin -- ${args.join(' ')}: ${complaint}`);
  return JSON.parse(output);
}

async function readLogs(directory: string): Promise<Record<string, string>> {
  const files = await readdir(directory);
  return Object.fromEntries(
    await Promise.all(
      files.map(async (file) => [file, await readFile(join(directory, file), 'utf8')] as const),
    ),
  );
}

declare global {
  // Set by failure-environment.ts.
  var hasFailedTests: boolean | undefined;
}
const hasFailedTests = (): boolean => globalThis.hasFailedTests === true;

const shownLines = 25;

/** Of each process what it warned of, and the last it said. */
async function showLogs(name: string, directory: string): Promise<void> {
  for (const [file, log] of Object.entries(await readLogs(directory))) {
    const lines = log.trimEnd().split('\n');
    const last = new Set(lines.slice(-shownLines));
    const shown = lines.filter(
      (line) => last.has(line) || /"level":(?:[456]0|"(?:warn|error|fatal)")/.test(line),
    );
    process.stderr.write(`--- ${name}: ${file}\n${shown.slice(-3 * shownLines).join('\n')}\n`);
  }
}
