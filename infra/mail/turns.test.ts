import { describe, expect, it } from '@jest/globals';
import { createTurns } from './turns.ts';

describe('turns', () => {
  it('are given to so many at once, then in the order in which they were asked for', async () => {
    const turns = createTurns(2);
    const order: string[] = [];
    const ask = async (name: string): Promise<void> => {
      if (await turns.take(60_000)) order.push(name);
    };
    await Promise.all([ask('a'), ask('b')]);
    const later = [ask('c'), ask('d')];
    await Promise.resolve();
    expect(order).toEqual(['a', 'b']);
    turns.done();
    await later[0];
    expect(order).toEqual(['a', 'b', 'c']);
    turns.done();
    await later[1];
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are not waited for beyond the time that one has, and go to the next then', async () => {
    const turns = createTurns(1);
    expect(await turns.take(0)).toBe(true);
    expect(await turns.take(1)).toBe(false);
    const next = turns.take(60_000);
    turns.done();
    expect(await next).toBe(true);
    turns.done();
    expect(await turns.take(0)).toBe(true);
  });
});
