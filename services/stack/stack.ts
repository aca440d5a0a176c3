import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createGuardian } from '../../infra/development/guardian.ts';
import { isAlive, withLock } from '../../infra/development/lock.mjs';
import { requirePort } from '../../infra/development/ports.ts';
import { waitUntil } from '../../infra/development/wait-until.ts';
import { removePostgresData } from '../../infra/postgres/development-server.ts';
import { sealingVariables } from '../shared/common-config.ts';
import { parseConfig } from '../shared/config.ts';
import type { Folders } from './folders.ts';
import { loadKeys, writePrivate } from './keys.ts';
import { presentStack, presentTable } from './present-stack.ts';
import {
  kafkaBrokersOf,
  provideKafka,
  providePostgres,
  provideTemporal,
  temporalAddressOf,
  type StackConfig,
  type StackContext,
} from './parts.ts';
import { createProgress, secondsSince, type Say } from './progress.ts';
import { seed } from './seed.ts';
import { environmentOf, runNode, startOutsideWorld, startService, urlsOf } from './services.ts';
import { signingServiceEnvironment } from './signing-service.ts';

export type StackOptions = {
  readonly config: StackConfig;
  readonly folders: Folders;
  readonly fresh: boolean;
  readonly say: Say;
  /** Aborted by Ctrl-C and the like: everything ends, also half-way through starting. */
  readonly ending: AbortSignal;
};

/** Starts the whole product and runs it until it is told to end. Throws one sentence when it cannot be started; nothing is left running then. */
export function runStack(options: StackOptions): Promise<void> {
  const { folders } = options;
  return withLock(
    folders.lock,
    () => runAlone(options),
    (holder) => {
      throw new Error(
        `A stack runs here already (process ${holder}): use that one, end it, or start another beside it with CERTIFICATE_ACCESS_DATA=<folder> and ports of its own.`,
      );
    },
  );
}

async function runAlone(options: StackOptions): Promise<void> {
  const { config, folders, fresh, say, ending } = options;
  const progress = createProgress(say);
  const startedAt = performance.now();
  await requirePorts(options);
  if (fresh) await progress.step('Removing the data of before', () => removeData(folders));
  await mkdir(folders.logs, { recursive: true });

  const guardian = createGuardian();
  await writeFile(folders.marker, String(guardian.pid ?? ''));
  // Told to end, or failed: from then on nothing is started again.
  const over = new AbortController();
  const context: StackContext = {
    config,
    folders,
    guardian,
    progress,
    ending: over.signal,
    services: new Map(),
  };
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      over.abort();
      resolve();
    };
    if (ending.aborted) end();
    ending.addEventListener('abort', end);
  });
  try {
    const starting = start(context).then((lines) => {
      say(lines);
      say(`Started in ${secondsSince(startedAt)} s. Ctrl-C ends everything; the data is kept.`);
    });
    await Promise.race([starting.then(() => ended), ended]);
    // What is still starting fails when its processes are ended; that is no news.
    starting.catch(() => undefined);
  } finally {
    over.abort();
    if (ending.aborted) say('Ending everything ...');
    // Services first: they say goodbye to the parts, and nobody has to wait for them at the next start.
    await Promise.all([...context.services.values()].map((service) => service.stop()));
    await guardian.close();
    await rm(folders.marker, { force: true });
    if (ending.aborted) say('Everything has ended.');
  }
}

async function start(context: StackContext): Promise<string> {
  const { config, folders, progress } = context;
  const { sealingKeys, rolePasswords } = await loadKeys(folders.data);
  const env = environmentOf(context, sealingKeys);
  const [temporal, kafka, postgres] = [
    provideTemporal(context),
    provideKafka(context),
    providePostgres(context, rolePasswords),
  ];
  // Each service as soon as what it needs is there.
  const serviceAfter = async (
    name: Parameters<typeof startService>[1],
    ...parts: Promise<unknown>[]
  ): Promise<void> => {
    const [databaseUrlOf] = await Promise.all([postgres, ...parts]);
    await startService(context, name, { ...env, DATABASE_URL: databaseUrlOf(name) });
  };
  await Promise.all([
    startOutsideWorld(context),
    serviceAfter('backoffice'),
    serviceAfter('gate'),
    serviceAfter('worker', temporal),
    serviceAfter('usage', kafka),
  ]);
  const databaseUrl = (await postgres)('admin');
  const kafkaBrokers = kafkaBrokersOf(config);
  const urls = urlsOf(config);
  const demonstration = await progress.step('Seeding the demonstration account', () =>
    seed({
      databaseUrl,
      kafkaBrokers,
      sealingKeys: parseConfig(sealingVariables, env).SEALING_KEYS,
      urls,
      dataFolder: folders.data,
      say: progress.say,
    }),
  );
  await runNode(context, {
    name: 'signing-service',
    file: 'services/stack/main.ts',
    args: ['signing-service'],
    env: { ...env, ...signingServiceEnvironment(urls.gate, demonstration) },
  });
  const stack = presentStack({ urls, demonstration, kafkaBrokers });
  await writePrivate(folders.stackFile, JSON.stringify(stack, undefined, 2));
  await writePrivate(folders.environmentFile, shellLines({ ...env, DATABASE_URL: databaseUrl }));
  return presentTable({ stack, folders, temporalAddress: temporalAddressOf(config), databaseUrl });
}

/** For `set -a; . stack.env`, so that `npm run admin` finds this stack. */
function shellLines(env: Readonly<Record<string, string>>): string {
  return ['NODE_ENV', 'DATABASE_URL', 'SEALING_KEYS']
    .map((name) => `${name}='${(env[name] ?? '').replaceAll("'", "'\\''")}'`)
    .join('\n');
}

async function requirePorts({ config, folders }: StackOptions): Promise<void> {
  const ports: (readonly [keyof StackConfig, string])[] = [
    ['BACKOFFICE_PORT', 'the backoffice'],
    ['GATE_PORT', 'the gate'],
    ['USAGE_PORT', 'usage'],
    ['WORKER_HTTP_PORT', 'the worker'],
    ['CA_SIMULATOR_PORT', 'the CA simulator'],
    ['MAILBOX_SMTP_PORT', 'the mailbox'],
    ['MAILBOX_HTTP_PORT', 'the mailbox’s page'],
  ];
  if (config.TEMPORAL_ADDRESS === undefined) {
    ports.push(['TEMPORAL_PORT', 'Temporal'], ['TEMPORAL_UI_PORT', 'the Temporal UI']);
  }
  if (config.KAFKA_BROKERS === undefined) ports.push(['KAFKA_PORT', 'Kafka']);
  if (config.DATABASE_URL === undefined) ports.push(['POSTGRES_PORT', 'PostgreSQL']);
  const numbers = ports.map(([name]) => config[name] as number);
  const twice = ports.find(([name], index) => numbers.indexOf(config[name] as number) !== index);
  if (twice !== undefined) {
    throw new Error(
      `Port ${config[twice[0]] as number} is given twice: choose another ${twice[0]}.`,
    );
  }
  const check = () =>
    Promise.all(ports.map(([name, what]) => requirePort(config[name] as number, name, what)));
  await untilLastStackEnded(folders.marker);
  await check();
}

/** Where the last stack was killed, its guardian may still be ending what that had started: ports are free before files are. */
async function untilLastStackEnded(marker: string): Promise<void> {
  const guardian = Number(await readFile(marker, 'utf8').catch(() => ''));
  if (guardian === 0) return;
  // Overdue, the number is somebody else's by now; what is really in the way is told by the ports.
  await waitUntil(() => !isAlive(guardian), {
    what: 'The last stack here did not end',
    deadlineMs: 15_000,
  }).catch(() => undefined);
}

async function removeData(folders: Folders): Promise<void> {
  await removePostgresData(join(folders.data, 'postgres'));
  for (const path of [folders.data, folders.logs, folders.stackFile, folders.environmentFile]) {
    await rm(path, { recursive: true, force: true });
  }
  await mkdir(dirname(folders.stackFile), { recursive: true });
}
