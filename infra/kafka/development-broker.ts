import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import kafkajs from 'kafkajs';
import type { Guardian } from '../development/guardian.ts';
import { hashOf, installFolder } from '../development/installed-folder.ts';
import { runCommand, startPart } from '../development/part.ts';
import { freePort } from '../development/ports.ts';

const pom = fileURLToPath(new URL('./pom.xml', import.meta.url));
const jarHashes = fileURLToPath(new URL('./jars.sha256', import.meta.url));
const logging = fileURLToPath(new URL('./log4j2.properties', import.meta.url));
const copyPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
// One small broker: a quick start and little memory count, throughput does not.
const javaFlags = ['-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

export type KafkaOptions = {
  readonly guardian: Guardian;
  /** Of `installKafka`. */
  readonly jars: string;
  /** Kept between starts. */
  readonly dataDir: string;
  readonly port: number;
  /** More doors to the broker, for tests that put a proxy between it and one of its clients. */
  readonly detours?: readonly KafkaDetour[];
  readonly logFile: string;
};

/** A port of the broker whose clients are told to come back to another one, where somebody stands in between. */
export type KafkaDetour = { readonly port: number; readonly advertisedPort: number };

export type RunningKafka = {
  readonly brokers: readonly string[];
  /** Settles when the broker ends, asked or not. */
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
};

/** Puts the broker's jars under `localDir`, versions pinned by pom.xml and hashes by jars.sha256, and answers their folder. Does nothing when they are there. */
export async function installKafka(
  guardian: Guardian,
  localDir: string,
  onInstall?: () => void,
): Promise<string> {
  const folder = join(resolve(localDir), `kafka-${await hashOf(jarHashes)}`);
  await installFolder(folder, async (aside) => {
    onInstall?.();
    await runCommand(guardian, {
      name: 'Download of Kafka (mvn)',
      command: 'mvn',
      args: [
        ...['--quiet', '--batch-mode', '--file', pom, copyPlugin],
        ...['-DincludeScope=runtime', `-DoutputDirectory=${aside}`],
      ],
    });
    await verifyJars(aside);
  });
  return folder;
}

/** Exactly the jars of the list, each with its hash: a jar too many would run as well. */
export async function verifyJars(folder: string): Promise<void> {
  const wanted = await readFile(jarHashes, 'utf8');
  const found: string[] = [];
  for (const name of (await readdir(folder)).filter((file) => file.endsWith('.jar'))) {
    const hash = createHash('sha256').update(await readFile(join(folder, name)));
    found.push(`${hash.digest('hex')}  ${name}`);
  }
  const expected = wanted.trim().split('\n');
  const strange = found.filter((line) => !expected.includes(line));
  const absent = expected.filter((line) => !found.includes(line));
  if (strange.length + absent.length === 0) return;
  throw new Error(
    ['The jars of Kafka are not those of infra/kafka/jars.sha256']
      .concat(strange.map((line) => `not in the list: ${line}`))
      .concat(absent.map((line) => `missing: ${line}`))
      .join('\n  '),
  );
}

/** Starts one broker (which is its own controller, KRaft) on 127.0.0.1, makes its data on first use, and waits until it answers. */
export async function startKafka(options: KafkaOptions): Promise<RunningKafka> {
  const { guardian, jars, port, detours = [], logFile } = options;
  const dataDir = resolve(options.dataDir);
  const data = join(dataDir, 'data');
  const settingsFile = join(dataDir, 'server.properties');
  await mkdir(dataDir, { recursive: true });
  const java = (...args: string[]) => ({
    command: 'java',
    args: [...javaFlags, `-Dlog4j2.configurationFile=${logging}`, '-cp', `${jars}/*`, ...args],
  });

  if (!existsSync(data)) {
    const partial = `${data}.partial`;
    await rm(partial, { recursive: true, force: true });
    await writeFile(settingsFile, settings({ port, detours, controllerPort: port + 1, data: partial }));
    const clusterId = randomBytes(16).toString('base64url');
    await runCommand(guardian, {
      name: 'Format of the Kafka storage',
      ...java('kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', settingsFile),
    });
    await rename(partial, data);
  }
  // Nobody but the broker itself speaks to its controller, so that port may be another one each time.
  const controllerPort = await freePort();
  await writeFile(settingsFile, settings({ port, detours, controllerPort, data }));

  const broker = `127.0.0.1:${port}`;
  const running = await startPart(
    guardian,
    { name: 'Kafka', ...java('kafka.Kafka', settingsFile), logFile, graceMs: 10_000 },
    { ready: () => answers(broker), deadlineMs: 60_000 },
  );
  return {
    brokers: [broker],
    exited: running.exited,
    async stop() {
      await running.stop();
    },
  };
}

/** A metadata request that names a broker: before that a client would be sent away again. */
async function answers(broker: string): Promise<boolean> {
  const kafka = new kafkajs.Kafka({
    clientId: 'readiness',
    brokers: [broker],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } finally {
    await admin.disconnect();
  }
}

function settings({
  port,
  detours,
  controllerPort,
  data,
}: {
  port: number;
  detours: readonly KafkaDetour[];
  controllerPort: number;
  data: string;
}): string {
  const doors = [
    { name: 'BROKER', port, advertisedPort: port },
    ...detours.map((detour, index) => ({ name: `DETOUR${index}`, ...detour })),
  ];
  const listed = (write: (door: (typeof doors)[number]) => string) => doors.map(write).join(',');
  const values = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    listeners: `${listed((door) => `${door.name}://127.0.0.1:${door.port}`)},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': listed((door) => `${door.name}://127.0.0.1:${door.advertisedPort}`),
    'inter.broker.listener.name': 'BROKER',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'listener.security.protocol.map': `${listed(({ name }) => `${name}:PLAINTEXT`)},CONTROLLER:PLAINTEXT`,
    'log.dirs': data,
    // The one broker is the only replica there can be.
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // The default of 50 partitions costs seconds at the first consumer.
    'offsets.topic.num.partitions': 4,
    // Topics are made on purpose; a misspelt name is an error.
    'auto.create.topics.enable': false,
    // No other consumers are on their way that would be worth waiting for.
    'group.initial.rebalance.delay.ms': 0,
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
