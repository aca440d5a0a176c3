import { describe, expect, it } from '@jest/globals';
import { countRefusal, type RefusalTally } from './refusal-tally.ts';

const start = Date.parse('2026-06-01T12:00:00Z');

/** For how many each refusal is told, if it is. */
function toldOf(...afterMs: number[]): (number | undefined)[] {
  let tally: RefusalTally | undefined;
  return afterMs.map((ms) => {
    const counted = countRefusal(tally, new Date(start + ms));
    ({ tally } = counted);
    return counted.told;
  });
}

describe('refusals of one kind', () => {
  it('are told from the first one on', () => {
    expect(toldOf(0)).toEqual([1]);
  });

  it('are only counted within the minute after, and told together when it is over', () => {
    expect(toldOf(0, 1, 59_999, 60_000)).toEqual([1, undefined, undefined, 3]);
  });

  it('begin a new minute with each that is told', () => {
    expect(toldOf(0, 60_000, 119_999, 120_000)).toEqual([1, 1, undefined, 2]);
  });

  it('are told when the clock went back, rather than not for long', () => {
    expect(toldOf(0, -1)).toEqual([1, 1]);
  });
});
