import { pino } from 'pino';
import { regulationPolicy, type Policy } from '../../domain/policy.ts';
import { setSwitches } from '../../infra/ca/csc-simulator/testing.ts';
import { createProducer, type Producer } from '../../infra/kafka/producer.ts';
import {
  createOperatorDriver,
  expectAnswer,
  type OperatorDriver,
} from '../../services/stack/operator-driver.ts';
import { enterAccount, type EnteredAccount, type EnteredOperator } from '../support/entries.ts';
import { testParts } from '../support/parts.ts';
import {
  serviceNames,
  startSystem,
  type Environment,
  type ServiceName,
  type System,
} from '../support/system.ts';
import { routes, type Part, type Route } from './plan.ts';
import { followTopic, type SignatureTopic } from './signature-topic.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** The figures of the storms: what takes minutes in life takes seconds. */
export const policy: Policy = {
  ...regulationPolicy,
  codeWindowSeconds: 4,
  attemptSeconds: 6,
  resendCooldownSeconds: 0,
  authorizationGraceSeconds: 1,
  revocationDelaySeconds: 2,
  retrySeconds: 2,
};
export const gateStaleSeconds = 5;

/** Of every process, with these figures and deadlines to match. */
export const stormEnv: Environment = {
  POLICY_CODE_WINDOW_SECONDS: String(policy.codeWindowSeconds),
  POLICY_ATTEMPT_SECONDS: String(policy.attemptSeconds),
  POLICY_RESEND_COOLDOWN_SECONDS: String(policy.resendCooldownSeconds),
  POLICY_AUTHORIZATION_GRACE_SECONDS: String(policy.authorizationGraceSeconds),
  POLICY_REVOCATION_DELAY_SECONDS: String(policy.revocationDelaySeconds),
  POLICY_RETRY_SECONDS: String(policy.retrySeconds),
  CA_CALL_TIMEOUT_SECONDS: '2',
  CA_AUTHORIZATION_TIMEOUT_SECONDS: '2',
  GATE_READ_SECONDS: '1',
  GATE_STALE_SECONDS: String(gateStaleSeconds),
  USAGE_SESSION_TIMEOUT_MS: '6000',
  USAGE_FLUSH_MS: '200',
  SMTP_TIMEOUT_SECONDS: '3',
  WORKER_SWEEP_SECONDS: '2',
  WORKER_OVERDUE_SECONDS: '2',
};

export type Account = EnteredAccount & {
  /** Browsers of those who may renew, signed in. */
  readonly drivers: Readonly<Record<'admin' | 'operator', OperatorDriver>>;
};

/** The whole product with a proxy on each way to a part, and accounts to work with. Many storms run on it, one after the other. */
export type Installation = {
  readonly system: System;
  readonly accounts: readonly [Account, ...Account[]];
  readonly proxies: ReadonlyMap<Route, TcpProxy>;
  readonly producer: Producer;
  readonly signatures: SignatureTopic;
  stop(): Promise<void>;
};

export async function startInstallation(name: string): Promise<Installation> {
  const parts = testParts();
  const proxies = new Map<Route, TcpProxy>();
  const closeProxies = () => Promise.all([...proxies.values()].map((proxy) => proxy.close()));
  let system: System | undefined;
  try {
    const portOf = (address: string): number => Number(new URL(`tcp://${address}`).port);
    const detours = [...parts.kafkaDetours];
    for (const route of routes) {
      if (route.part === 'kafka') {
        const detour = detours.shift();
        if (detour === undefined) throw new Error('the broker has too few detours');
        proxies.set(route, await startTcpProxy({ port: detour.advertisedPort, to: detour.port }));
      } else if (route.part === 'postgres' || route.part === 'temporal') {
        const to =
          route.part === 'postgres'
            ? Number(new URL(parts.postgresUrl).port)
            : portOf(parts.temporalAddress);
        proxies.set(route, await startTcpProxy({ to }));
      }
    }
    system = await startSystem({
      name,
      env: stormEnv,
      keepRunning: true,
      // Started by the system with ports of their own, so their proxies come after them.
      async outside({ smtpPort, simulatorPort }) {
        for (const route of routes) {
          if (route.part === 'smtp') proxies.set(route, await startTcpProxy({ to: smtpPort }));
          if (route.part === 'ca') proxies.set(route, await startTcpProxy({ to: simulatorPort }));
        }
      },
      environmentOf: (processName, shared) => throughProxies(processName, shared, proxies),
    });
    const ca = `http://127.0.0.1:${proxyPort(proxies, 'everybody', 'ca')}`;
    await setSwitches(system.urls.simulator, { info: { oauth2: ca } });
    const accounts = [
      await enterWithDrivers(system, `${ca}/csc/v1`),
      await enterWithDrivers(system, `${ca}/csc/v2`),
    ] as const;
    const started = system;
    const { brokers, topics } = system.kafka;
    const log = pino({ level: 'silent' });
    const producer = createProducer({ brokers, clientId: 'storm', log });
    const signatures = await followTopic(brokers, topics.signatures);
    return {
      system,
      accounts: [...accounts],
      proxies,
      producer,
      signatures,
      async stop() {
        await signatures.stop();
        await producer.stop();
        await Promise.all([...proxies.values()].map((proxy) => proxy.set(undefined)));
        for (const service of serviceNames) resume(started, service);
        await started.stop();
        await closeProxies();
      },
    };
  } catch (error) {
    await system?.stop();
    await closeProxies();
    throw error;
  }
}

async function enterWithDrivers(system: System, caBaseUri: string): Promise<Account> {
  const account = await enterAccount(system, { caBaseUri });
  // A grant of minutes is reminded of at once, at whatever hour of the day the storm is.
  await system.database.query('update accounts set reminder_hour = 0 where account_id = $1', [
    account.accountId,
  ]);
  return {
    ...account,
    drivers: {
      admin: await signedIn(system, account.operators.admin),
      operator: await signedIn(system, account.operators.operator),
    },
  };
}

async function signedIn(
  { urls }: System,
  { email, password }: EnteredOperator,
): Promise<OperatorDriver> {
  const driver = createOperatorDriver(urls.backoffice);
  expectAnswer(await driver.signIn(email, password), 200);
  return driver;
}

function proxyPort(proxies: ReadonlyMap<Route, TcpProxy>, of: string, part: Part): number {
  for (const [route, proxy] of proxies) {
    if (route.of === of && route.part === part) return proxy.port;
  }
  throw new Error(`there is no proxy between ${of} and ${part}`);
}

/** The environment of a process with each address replaced by that of its proxy. */
function throughProxies(
  processName: string,
  shared: Environment,
  proxies: ReadonlyMap<Route, TcpProxy>,
): Environment {
  const replaced: Record<string, string> = { ...shared };
  for (const [route, { port }] of proxies) {
    if (route.of !== processName) continue;
    switch (route.part) {
      case 'postgres': {
        const url = new URL(shared['DATABASE_URL'] ?? '');
        url.hostname = '127.0.0.1';
        url.port = String(port);
        replaced['DATABASE_URL'] = url.href;
        break;
      }
      case 'temporal':
        replaced['TEMPORAL_ADDRESS'] = `127.0.0.1:${port}`;
        break;
      case 'kafka':
        replaced['KAFKA_BROKERS'] = `127.0.0.1:${port}`;
        break;
      case 'smtp':
        replaced['SMTP_URL'] = `smtp://127.0.0.1:${port}`;
        break;
      case 'ca':
        break;
    }
  }
  return replaced;
}

/** SIGCONT, which does nothing to a process that runs. */
export function resume(system: System, service: ServiceName): void {
  signal(system, service, 'SIGCONT');
}

const gone = new WeakSet<object>();

/** False when it does not run at this moment. */
export function signal(system: System, service: ServiceName, name: NodeJS.Signals): boolean {
  const process = system.processOf(service);
  if (gone.has(process)) return false;
  try {
    global.process.kill(process.pid, name);
  } catch {
    return false;
  }
  if (name === 'SIGKILL') gone.add(process);
  void process.exited.then(() => gone.add(process));
  return true;
}
