import { describe, expect, it } from '@jest/globals';
import { createWorkQueue, type Lane, type WorkQueue } from './work-queue.ts';

/** Work that ends when it is told to; `begun` names what has begun, in order. */
function createWorkshop(queue: WorkQueue) {
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  return {
    begun,
    bring: (name: string, lane: Lane): Promise<string> | undefined =>
      queue.run(lane, () => {
        begun.push(name);
        return new Promise<string>((resolve, reject) => {
          ends.set(name, (error) => {
            if (error === undefined) resolve(name);
            else reject(error);
          });
        });
      }),
    end: async (name: string, error?: Error): Promise<void> => {
      await settle();
      ends.get(name)?.(error);
      await settle();
    },
  };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('dear work', () => {
  it('is done so much at once and no more, the next when one ends, failed or not', async () => {
    const { begun, bring, end } = createWorkshop(createWorkQueue({ atOnce: 2, mostWaiting: 5 }));
    const [first, second, third, fourth] = ['a', 'b', 'c', 'd'].map((name) =>
      bring(name, 'anybody'),
    );
    await settle();
    expect(begun).toEqual(['a', 'b']);
    const outcome = Promise.resolve(first).catch((error: unknown) => error);
    await end('a', new Error('it went wrong'));
    expect(await outcome).toEqual(new Error('it went wrong'));
    expect(begun).toEqual(['a', 'b', 'c']);
    await end('b');
    await end('c');
    await end('d');
    expect(await Promise.all([second, third, fourth])).toEqual(['b', 'c', 'd']);
  });

  it('of those who are known goes before that of anybody', async () => {
    const { begun, bring, end } = createWorkshop(createWorkQueue({ atOnce: 1, mostWaiting: 5 }));
    void bring('running', 'anybody');
    void bring('anybody 1', 'anybody');
    void bring('anybody 2', 'anybody');
    void bring('known', 'known');
    await end('running');
    await end('known');
    await end('anybody 1');
    expect(begun).toEqual(['running', 'known', 'anybody 1', 'anybody 2']);
  });

  it('that too much waits for already is not taken; a crowd takes no place from those who are known', async () => {
    const queue = createWorkQueue({ atOnce: 1, mostWaiting: 2 });
    const { bring, end } = createWorkshop(queue);
    void bring('running', 'anybody');
    void bring('waiting 1', 'anybody');
    expect(queue.hasRoom('anybody')).toBe(true);
    void bring('waiting 2', 'anybody');
    expect(queue.hasRoom('anybody')).toBe(false);
    expect(bring('too many', 'anybody')).toBeUndefined();
    expect(queue.hasRoom('known')).toBe(true);
    const known = bring('known', 'known');
    await end('running');
    await end('known');
    expect(await known).toBe('known');
    expect(queue.hasRoom('anybody')).toBe(true);
  });

  it('begins anew when all is done', async () => {
    const { begun, bring, end } = createWorkshop(createWorkQueue({ atOnce: 1, mostWaiting: 0 }));
    for (const name of ['one', 'two', 'three']) {
      const work = bring(name, 'anybody');
      await end(name);
      expect(await work).toBe(name);
    }
    expect(begun).toEqual(['one', 'two', 'three']);
  });
});
