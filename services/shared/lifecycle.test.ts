import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const lifecycle = new URL('./lifecycle.ts', import.meta.url).href;
const logUrl = new URL('./log.ts', import.meta.url).href;
const root = new URL('../../', import.meta.url);

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A real process whose service is the given source of `start`; `until(text)` waits for a log line that holds the text. */
const run = (start: string, options = '') => {
  const source = `
    import { runService } from ${JSON.stringify(lifecycle)};
    import { createLog } from ${JSON.stringify(logUrl)};
    const log = createLog({ service: 'demo', level: 'info' });
    const alive = setInterval(() => undefined, 1000);
    await runService({ name: 'demo', log, start: ${start}, ${options} });`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines: string[] = [];
  let look: () => void = () => undefined;
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line);
    look();
  });
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const until = (text: string) =>
    Promise.race([
      new Promise<void>((resolve) => {
        look = () => {
          if (lines.some((line) => line.includes(text))) resolve();
        };
        look();
      }),
      exited.then(() => Promise.reject(new Error(`ended before "${text}": ${lines.join('\n')}`))),
    ]);
  return { child, exited, until, output: () => lines.join('\n') };
};

const orderly = `async () => ({ stop: async () => { log.info('resources closed'); } })`;
const hanging = `async () => ({ stop: () => new Promise(() => undefined) })`;

describe('a service', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'stops in order and ends with 0 on %s',
    async (signal) => {
      const { child, exited, until, output } = run(orderly);
      await until('demo has started');
      child.kill(signal);
      expect(await exited).toBe(0);
      expect(output()).toMatch(
        /"ms":\d+,"msg":"demo has started"[^]*resources closed[^]*demo has stopped/,
      );
    },
  );

  it('waits for its start before it stops', async () => {
    const { child, exited, until, output } = run(`async () => {
      log.info('opening');
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { stop: async () => { log.info('resources closed'); } };
    }`);
    await until('opening');
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(output()).toContain('resources closed');
  });

  it('ends with 0 when it is told to while it starts, and does not start then', async () => {
    const { child, exited, until, output } = run(`async () => {
      log.info('opening');
      await new Promise((resolve) => setTimeout(resolve, 100));
      throw new Error('no database');
    }`);
    await until('opening');
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(output()).toMatch(/"level":"warn".*told to stop before it had started/);
    expect(output()).not.toContain('"level":"fatal"');
  });

  it('ends with 1 when it is told twice', async () => {
    const { child, exited, until } = run(hanging);
    await until('demo has started');
    child.kill('SIGTERM');
    await until('demo is stopping');
    child.kill('SIGTERM');
    expect(await exited).toBe(1);
  });

  it('ends with 1 when stopping is overdue or fails', async () => {
    const overdue = run(hanging, 'graceSeconds: 0.05');
    const failing = run(`async () => ({ stop: async () => { throw new Error('stuck'); } })`);
    for (const { child, until } of [overdue, failing]) {
      await until('demo has started');
      child.kill('SIGTERM');
    }
    expect(await Promise.all([overdue.exited, failing.exited])).toEqual([1, 1]);
    expect(overdue.output()).toContain('did not stop within 0.05 s');
    expect(failing.output()).toContain('demo did not stop cleanly');
  });

  it.each([
    ['does not start', `async () => { throw new Error('no database'); }`, 'demo did not start'],
    [
      'throws where nobody catches',
      `async () => { setImmediate(() => { throw new Error('lost'); }); return { stop: async () => {} }; }`,
      'demo failed',
    ],
    [
      'leaves a promise rejected',
      `async () => { void Promise.reject(new Error('lost')); return { stop: async () => {} }; }`,
      'demo failed',
    ],
  ])('that %s says so as fatal and ends with 1', async (_, start, message) => {
    const { exited, output } = run(start);
    expect(await exited).toBe(1);
    expect(output()).toMatch(new RegExp(`"level":"fatal".*"msg":"${message}"`));
  });

  it('stops when its parent is gone, if it was told to watch', async () => {
    const watching = run(orderly, 'parentWatch: true');
    const indifferent = run(orderly);
    await Promise.all([watching.until('has started'), indifferent.until('has started')]);
    watching.child.stdin.end();
    indifferent.child.stdin.end();
    expect(await watching.exited).toBe(0);
    expect(watching.output()).toContain('parent is gone');
    indifferent.child.kill('SIGTERM');
    expect(await indifferent.exited).toBe(0);
    expect(indifferent.output()).not.toContain('parent is gone');
  });
});
