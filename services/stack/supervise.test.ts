import { waitUntil } from '../../infra/development/wait-until.ts';
import { supervise } from './supervise.ts';

/** Something that starts as told and ends when told. */
function rig(outcomes: readonly ('runs' | 'fails')[]) {
  const ends: ((exit: unknown) => void)[] = [];
  const said: string[] = [];
  const startedAt: number[] = [];
  const ending = new AbortController();
  const start = (): Promise<{ exited: Promise<unknown> }> => {
    const outcome = outcomes[startedAt.length] ?? 'runs';
    startedAt.push(performance.now());
    if (outcome === 'fails') return Promise.reject(new Error('gate does not answer'));
    const exited = new Promise<unknown>((resolve) => ends.push(resolve));
    return Promise.resolve({ exited });
  };
  return {
    said,
    startedAt,
    ending,
    end: (exit: unknown) => ends.pop()?.(exit),
    running: supervise({
      name: 'gate',
      start,
      say: (line) => said.push(line),
      ending: ending.signal,
      firstPauseMs: 20,
      longestPauseMs: 60,
    }),
    untilStarted: (times: number) =>
      waitUntil(() => startedAt.length === times, {
        what: `it was not started ${times} times`,
        deadlineMs: 5_000,
        intervalMs: 1,
      }),
  };
}

describe('a service of the stack', () => {
  it('that cannot be started at all stops the start', async () => {
    await expect(rig(['fails']).running).rejects.toThrow('gate does not answer');
  });

  it('that dies is named and started again', async () => {
    const { running, end, untilStarted, said, ending } = rig([]);
    await running;
    end({ code: 137, signal: null });
    await untilStarted(2);
    ending.abort();
    expect(said[0]).toBe('gate has ended (exit code 137); it is started again in 0.02 s');
  });

  it('that keeps dying is left longer in peace each time, up to a limit', async () => {
    const { running, end, untilStarted, startedAt, ending, said } = rig([
      'runs',
      'fails',
      'fails',
      'fails',
      'runs',
    ]);
    await running;
    end({ code: 1, signal: null });
    await untilStarted(5);
    ending.abort();
    const pauses = startedAt.slice(1).map((at, index) => at - (startedAt[index] ?? 0));
    [19, 39, 59, 59].forEach((least, index) => {
      expect(pauses[index]).toBeGreaterThanOrEqual(least);
    });
    expect(said.filter((line) => line.includes('gate does not answer'))).toHaveLength(3);
  });

  it('that ends because everything ends is left alone', async () => {
    const { running, end, said, startedAt, ending } = rig([]);
    await running;
    ending.abort();
    end({ code: 0, signal: null });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(startedAt).toHaveLength(1);
    expect(said).toEqual([]);
  });
});
