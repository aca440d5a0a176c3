import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { freePort, requirePort } from '../../infra/development/ports.ts';
import { waitUntil } from '../../infra/development/wait-until.ts';
import { testParts } from '../../test/support/parts.ts';
import { stackVariables } from './config.ts';

const portNames = Object.keys(stackVariables).filter((name) => name.endsWith('_PORT'));

async function environment(): Promise<Record<string, string>> {
  const ports: [string, string][] = [];
  for (const name of portNames) ports.push([name, String(await freePort())]);
  const folder = join(testParts().directory, `stack-${randomBytes(4).toString('hex')}`);
  return { ...Object.fromEntries(ports), CERTIFICATE_ACCESS_DATA: folder };
}

type Stack = {
  readonly child: ChildProcess;
  /** Everything it has said so far. */
  said(): string;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
};

const stackCommand = [process.execPath, '--import', 'tsx', 'services/stack/main.ts'] as const;

function startStack(
  env: Record<string, string>,
  [command, ...args]: readonly [string, ...string[]] = stackCommand,
): Stack {
  const child = spawn(command, args, {
    env: { PATH: path, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
  return { child, said: () => said, exited };
}

// Java, Python and the rest are found where the run of the tests finds them.
// eslint-disable-next-line no-restricted-properties -- the environment of the processes under test
const path = process.env['PATH'] ?? '';

const untilSaid = async (stack: Stack, text: string): Promise<void> => {
  try {
    await waitUntil(() => stack.said().includes(text), {
      what: `"${text}" was not said`,
      deadlineMs: 60_000,
    });
  } catch (cause) {
    throw new Error(`${(cause as Error).message}; what was said:\n${stack.said()}`, { cause });
  }
};

/** Every port is free again: nothing that listens has survived. */
const nothingListens = (env: Record<string, string>) =>
  waitUntil(
    async () => {
      for (const name of portNames) await requirePort(Number(env[name]), name, name);
      return true;
    },
    { what: 'not everything has ended', deadlineMs: 20_000 },
  );

describe('npm start', () => {
  it('names the port that is taken and the variable that changes it, and ends', async () => {
    const env = await environment();
    const server = createServer().listen(Number(env['KAFKA_PORT']), '127.0.0.1');
    try {
      const stack = startStack(env);
      expect(await stack.exited).toEqual({ code: 1, signal: null });
      expect(stack.said()).toBe(
        `Port ${env['KAFKA_PORT'] ?? ''} for Kafka is taken: end the program that listens on it, or choose another port with KAFKA_PORT=<port>.\n`,
      );
    } finally {
      server.close();
    }
  });

  it('runs once in a folder, and ends everything it started when told half-way', async () => {
    const env = await environment();
    const stack = startStack(env);
    await untilSaid(stack, 'Starting PostgreSQL: done');
    const second = startStack(env);
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.said()).toContain('A stack runs here already (process');
    stack.child.kill('SIGTERM');
    expect(await stack.exited).toEqual({ code: 0, signal: null });
    expect(stack.said()).toContain('Everything has ended.');
    await nothingListens(env);
    expect(existsSync(join(env['CERTIFICATE_ACCESS_DATA'] ?? '', 'stack.lock'))).toBe(false);
    expect(existsSync(join(env['CERTIFICATE_ACCESS_DATA'] ?? '', 'stack.running'))).toBe(false);
  }, 120_000);

  it('leaves nothing running when it is killed half-way, and the next start waits for that', async () => {
    const env = await environment();
    const killed = startStack(env);
    await untilSaid(killed, 'Starting PostgreSQL: done');
    killed.child.kill('SIGKILL');
    await killed.exited;
    const next = startStack(env);
    await untilSaid(next, 'Starting PostgreSQL: done');
    next.child.kill('SIGINT');
    expect(await next.exited).toEqual({ code: 0, signal: null });
    await nothingListens(env);
  }, 120_000);

  it('ends everything when the npm that runs it is killed', async () => {
    const env = await environment();
    const npm = startStack(env, ['npm', 'start']);
    await untilSaid(npm, 'Starting PostgreSQL: done');
    npm.child.kill('SIGKILL');
    await untilSaid(npm, 'Everything has ended.');
    expect(npm.said()).not.toContain('has ended (');
    await nothingListens(env);
  }, 120_000);
});
