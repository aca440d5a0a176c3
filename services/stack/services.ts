import { join } from 'node:path';
import { startPart } from '../../infra/development/part.ts';
import { root } from './folders.ts';
import {
  kafkaBrokersOf,
  temporalAddressOf,
  topicNames,
  type StackConfig,
  type StackContext,
} from './parts.ts';
import { supervise } from './supervise.ts';

/** A Node process of ours. */
export type NodeProcess = {
  /** As people know it, and the name of its log. */
  readonly name: string;
  /** From the root of the checkout. */
  readonly file: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 when it is ready; without it, it is ready once it runs. */
  readonly readyUrl?: string;
};

const deadlineMs = 60_000;

/** Starts it, waits until it is ready, and keeps it running. */
export async function runNode(context: StackContext, spec: NodeProcess): Promise<void> {
  const { guardian, folders, progress, ending, services } = context;
  const { name, file, args = [], env, readyUrl } = spec;
  const start = async () => {
    const running = await startPart(
      guardian,
      {
        name,
        command: process.execPath,
        args: ['--import', 'tsx', join(root, file), ...args],
        cwd: root,
        env,
        logFile: join(folders.logs, `${name}.log`),
      },
      {
        ready: () => (readyUrl === undefined ? Promise.resolve(true) : isReady(readyUrl)),
        deadlineMs,
      },
    );
    services.set(name, running);
    return running;
  };
  await progress.step(`Starting ${name}`, () =>
    supervise({ name, start, say: progress.say, ending }),
  );
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  await response.body?.cancel();
  return response.ok;
}

export type Urls = {
  readonly backoffice: string;
  readonly gate: string;
  readonly usage: string;
  readonly worker: string;
  readonly caSimulator: string;
  readonly caPhone: string;
  readonly mailbox: string;
  readonly temporalUi: string;
};

export function urlsOf(config: StackConfig): Urls {
  const at = (port: number): string => `http://127.0.0.1:${port}`;
  return {
    backoffice: at(config.BACKOFFICE_PORT),
    gate: at(config.GATE_PORT),
    usage: at(config.USAGE_PORT),
    worker: at(config.WORKER_HTTP_PORT),
    caSimulator: at(config.CA_SIMULATOR_PORT),
    caPhone: `${at(config.CA_SIMULATOR_PORT)}/simulator/phone`,
    mailbox: at(config.MAILBOX_HTTP_PORT),
    temporalUi: at(config.TEMPORAL_UI_PORT),
  };
}

/** What our services read but for DATABASE_URL, which each has of its own, and for the user's own variables, which they inherit. */
export function environmentOf(
  { config, folders }: Pick<StackContext, 'config' | 'folders'>,
  sealingKeys: string,
) {
  const urls = urlsOf(config);
  return {
    NODE_ENV: 'development',
    HTTP_HOST: '127.0.0.1',
    BACKOFFICE_PORT: String(config.BACKOFFICE_PORT),
    GATE_PORT: String(config.GATE_PORT),
    USAGE_PORT: String(config.USAGE_PORT),
    WORKER_HTTP_PORT: String(config.WORKER_HTTP_PORT),
    PUBLIC_URL: urls.backoffice,
    TEMPORAL_UI_URL: urls.temporalUi,
    SEALING_KEYS: sealingKeys,
    TEMPORAL_ADDRESS: temporalAddressOf(config),
    TEMPORAL_NAMESPACE: config.TEMPORAL_NAMESPACE,
    KAFKA_BROKERS: kafkaBrokersOf(config).join(','),
    KAFKA_SIGNATURES_TOPIC: topicNames.signatures,
    KAFKA_REJECTS_TOPIC: topicNames.rejects,
    KAFKA_ACCESS_TOPIC: topicNames.accessChanges,
    WORKFLOW_BUNDLE_DIR: folders.tools,
    // A usage that was killed is soon forgotten by Kafka, and the next one need not wait for it.
    USAGE_SESSION_TIMEOUT_MS: '6000',
    SMTP_URL: `smtp://127.0.0.1:${config.MAILBOX_SMTP_PORT}`,
  };
}

/** The mailbox and the CA simulator, which need nobody. */
export function startOutsideWorld(context: StackContext): Promise<unknown> {
  const { config, folders } = context;
  const urls = urlsOf(config);
  return Promise.all([
    runNode(context, {
      name: 'mailbox',
      file: 'infra/mail/mailbox/main.ts',
      env: {
        NODE_ENV: 'development',
        MAILBOX_SMTP_PORT: String(config.MAILBOX_SMTP_PORT),
        MAILBOX_HTTP_PORT: String(config.MAILBOX_HTTP_PORT),
      },
      readyUrl: `${urls.mailbox}/readyz`,
    }),
    runNode(context, {
      name: 'ca-simulator',
      file: 'infra/ca/csc-simulator/main.ts',
      env: {
        NODE_ENV: 'development',
        CA_SIMULATOR_PORT: String(config.CA_SIMULATOR_PORT),
        CA_SIMULATOR_DATA: join(folders.data, 'ca-simulator'),
      },
      readyUrl: `${urls.caSimulator}/simulator/phone`,
    }),
  ]);
}

/** A service of ours, until /readyz says yes. */
export function startService(
  context: StackContext,
  name: 'backoffice' | 'gate' | 'usage' | 'worker',
  env: Readonly<Record<string, string>>,
): Promise<void> {
  return runNode(context, {
    name,
    file: `services/${name}/main.ts`,
    env,
    readyUrl: `${urlsOf(context.config)[name]}/readyz`,
  });
}
