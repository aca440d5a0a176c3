import { parseConfigOrExit } from '../shared/config.ts';
import { runService } from '../shared/lifecycle.ts';
import { createLog } from '../shared/log.ts';
import { stackVariables } from './config.ts';
import { foldersOf } from './folders.ts';
import { signingServiceVariables, startSigningService } from './signing-service.ts';
import { runStack } from './stack.ts';

const usage = 'npm start [-- --fresh]   (--fresh removes the data of before)';
const args = process.argv.slice(2);

if (args[0] === 'signing-service') await signingService();
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
  // Under npm: a killed npm passes nothing on, but is no longer the parent.
  const parent = process.ppid;
  setInterval(() => {
    if (process.env['npm_lifecycle_event'] !== undefined && process.ppid !== parent) end();
  }, 1_000).unref();
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

async function signingService(): Promise<void> {
  const config = parseConfigOrExit(signingServiceVariables, process.env);
  const log = createLog({ service: 'signing-service', level: config.LOG_LEVEL });
  await runService({
    name: 'signing-service',
    log,
    graceSeconds: config.SHUTDOWN_GRACE_SECONDS,
    start: () => Promise.resolve(startSigningService(config, log)),
  });
}
