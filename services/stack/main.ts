import { parseConfigOrExit, type Environment } from '../shared/config.ts';
import { runService } from '../shared/lifecycle.ts';
import { createLog } from '../shared/log.ts';
import { demonstrationVariables, stackVariables } from './config.ts';
import { demonstrationOperators } from './demonstration.ts';
import { foldersOf } from './folders.ts';
import { findNpm, whenGone } from './npm-parent.ts';
import { seed } from './seed.ts';
import {
  signingServiceEnvironment,
  signingServiceVariables,
  startSigningService,
} from './signing-service.ts';
import { runStack } from './stack.ts';

const usage = 'npm start [-- --fresh]   (--fresh removes the data of before)';
const args = process.argv.slice(2);

if (args[0] === 'signing-service') await signingService(process.env);
else if (args[0] === 'demonstration') await demonstration();
else if (args.some((arg) => arg !== '--fresh')) {
  process.stderr.write(`${usage}\n`);
  process.exitCode = args.includes('--help') ? 0 : 1;
} else await stack(args.includes('--fresh'));

async function stack(fresh: boolean): Promise<void> {
  const config = parseConfigOrExit(stackVariables, { NODE_ENV: 'development', ...process.env });
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  const npm = findNpm();
  if (npm !== undefined) whenGone(npm, end);
  try {
    await runStack({
      config,
      folders: foldersOf(config.CERTIFICATE_ACCESS_DATA),
      fresh,
      say: (line) => void process.stdout.write(`${line}\n`),
      ending: ending.signal,
    });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
  // Whatever was half-way through waits for parts that have ended.
  process.exit();
}

/** Beside services that run already, as in docker-compose.yml: seeds, then signs for ever. */
async function demonstration(): Promise<void> {
  const config = parseConfigOrExit(demonstrationVariables, process.env);
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const gate = config.DEMONSTRATION_GATE_URL;
  const seeded = await seed({
    databaseUrl: config.DATABASE_URL,
    sealingKeys: config.SEALING_KEYS,
    kafkaBrokers: config.KAFKA_BROKERS,
    urls: {
      backoffice: config.DEMONSTRATION_BACKOFFICE_URL,
      caSimulator: config.DEMONSTRATION_CA_SIMULATOR_URL,
    },
    dataFolder: config.DEMONSTRATION_DATA,
    say,
  });
  for (const { email, password, role } of demonstrationOperators) {
    say(`sign in (${role}): ${email}   ${password}`);
  }
  await signingService({ ...process.env, ...signingServiceEnvironment(gate, seeded) });
}

async function signingService(env: Environment): Promise<void> {
  const config = parseConfigOrExit(signingServiceVariables, env);
  const log = createLog({ service: 'signing-service', level: config.LOG_LEVEL });
  await runService({
    name: 'signing-service',
    log,
    graceSeconds: config.SHUTDOWN_GRACE_SECONDS,
    start: () => Promise.resolve(startSigningService(config, log)),
  });
}
