import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGuardian, type Guardian } from './guardian.ts';
import { runCommand, startPart } from './part.ts';
import { isRunning } from './testing/process-state.ts';
import { waitUntil } from './wait-until.ts';

const guardianUrl = new URL('./guardian.ts', import.meta.url).href;
/** Says its own pid and that of a child in the background, then lasts. */
const family = 'sleep 1000 & echo $$ $!; wait';

let folder: string;
let guardian: Guardian;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guardian-'));
  guardian = createGuardian();
});
afterEach(async () => {
  await guardian.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A process of its own that has a guardian and runs `body`. */
function startStarter(body: string): ChildProcess {
  const code = `import { createGuardian } from '${guardianUrl}'; const guardian = createGuardian(); ${body}`;
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function firstPids(starter: ChildProcess, families: number): Promise<number[]> {
  if (starter.stdout === null) throw new Error('no output');
  const pids: number[] = [];
  for await (const line of createInterface({ input: starter.stdout })) {
    pids.push(...line.split(' ').map(Number));
    if (pids.length === families * 2) return pids;
  }
  throw new Error('the starter ended');
}

const expectGone = (pids: readonly number[]): Promise<true> =>
  waitUntil(() => pids.every((pid) => !isRunning(pid)) || undefined, {
    what: `${pids.join(', ')} did not end`,
    deadlineMs: 10_000,
  });

describe('The guardian', () => {
  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'ends every process, and what those started, when its starter dies of %s',
    async (signal) => {
      const starter = startStarter(`
        const onLine = (line) => console.log(line);
        await guardian.start({ name: 'a', command: 'sh', args: ['-c', ${JSON.stringify(family)}], onLine });
        await guardian.start({ name: 'b', command: 'sh', args: ['-c', ${JSON.stringify(family)}], onLine });`);
      const pids = await firstPids(starter, 2);
      expect(pids.every(isRunning)).toBe(true);
      starter.kill(signal);
      expect(await expectGone(pids)).toBe(true);
    },
  );

  it('leaves nothing when its starter is killed in the instant it asks for a process', async () => {
    const kept = mkdtempSync(join(tmpdir(), 'guardian-kept-'));
    const pidFile = join(folder, 'pid');
    const starter = startStarter(`
      guardian.removeAtEnd(${JSON.stringify(kept)});
      void guardian.start({ name: 'a', command: 'sh', args: ['-c', 'echo $$ > ${pidFile}; exec sleep 1000'] });
      setImmediate(() => process.kill(process.pid, 'SIGKILL'));`);
    await once(starter, 'exit');
    // The folder goes last, after the processes.
    await waitUntil(() => !existsSync(kept), {
      what: 'The folder was not removed',
      deadlineMs: 10_000,
    });
    const started = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : undefined;
    expect(started !== undefined && isRunning(started)).toBe(false);
  });

  it('kills a process that ignores being asked', async () => {
    const pids: number[] = [];
    const stubborn = await guardian.start({
      name: 'stubborn',
      command: 'sh',
      args: ['-c', "trap '' TERM; echo $$; while :; do sleep 0.05; done"],
      graceMs: 100,
      onLine: (line) => pids.push(Number(line)),
    });
    await waitUntil(() => pids.length > 0, { what: 'It says nothing', deadlineMs: 5_000 });
    expect((await stubborn.stop()).signal).toBe('SIGKILL');
    expect(pids.map(isRunning)).toEqual([false]);
  });

  it('tells how a process ended and keeps what it said', async () => {
    const logFile = join(folder, 'log', 'short.log');
    const start = () =>
      guardian.start({ name: 'short', command: 'sh', args: ['-c', 'echo said; exit 3'], logFile });
    expect(await (await start()).exited).toEqual({ code: 3, signal: null });
    await (
      await start()
    ).exited;
    expect(readFileSync(logFile, 'utf8')).toBe('said\nsaid\n');
  });

  it('says which command cannot be started', async () => {
    await expect(
      guardian.start({ name: 'Nothing', command: 'no-such-command', args: [] }),
    ).rejects.toThrow('Nothing cannot be started: spawn no-such-command ENOENT');
  });
});

describe('A part', () => {
  it('that ends while it is starting is an error with the end of its log', async () => {
    const spec = {
      name: 'Part',
      command: 'sh',
      args: ['-c', 'echo the reason; exit 1'],
      logFile: join(folder, 'part.log'),
    };
    await expect(
      startPart(guardian, spec, { ready: () => Promise.resolve(false), deadlineMs: 10_000 }),
    ).rejects.toThrow(/^Part ended while it was starting \(exit code 1\)[^]*the reason/);
  });

  it('that does not answer in time is stopped', async () => {
    let asked: string | undefined;
    const spec = {
      name: 'Part',
      command: 'sh',
      args: ['-c', 'echo $$; exec sleep 1000'],
      onLine: (line: string) => (asked = line),
    };
    await expect(
      startPart(guardian, spec, {
        ready: () => Promise.reject(new Error('connection refused')),
        deadlineMs: 300,
      }),
    ).rejects.toThrow('Part does not answer within 0.3 s: connection refused');
    expect(isRunning(Number(asked))).toBe(false);
  });
});

describe('A command', () => {
  it('that fails is an error with its last lines', async () => {
    await expect(
      runCommand(guardian, { name: 'Fetch', command: 'sh', args: ['-c', 'echo no >&2; exit 7'] }),
    ).rejects.toThrow('Fetch failed (exit code 7)\n  no');
  });
});
