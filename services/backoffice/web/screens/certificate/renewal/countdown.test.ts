import { expect, it } from '@jest/globals';
import { markPassed, secondsUntil } from './countdown.ts';

const now = Date.parse('2026-06-16T14:00:00.000Z');

it.each([
  ['2026-06-16T14:02:00.000Z', 120],
  ['2026-06-16T14:00:00.001Z', 1],
  ['2026-06-16T14:00:00.000Z', 0],
  ['2026-06-16T13:59:59.999Z', 0],
])('until %s there are %i s left: 0 only when it is over', (instant, seconds) => {
  expect(secondsUntil(instant, now)).toBe(seconds);
});

it('has no time left where there is no window', () => {
  expect(secondsUntil(null, now)).toBe(0);
});

it.each([
  [120, 119, undefined],
  [61, 60, 60],
  [60, 59, undefined],
  [31, 30, 30],
  [11, 10, 10],
  [1, 0, 0],
  [0, 0, undefined],
])('from %i to %i s it says %s', (before, after, mark) => {
  expect(markPassed(before, after)).toBe(mark);
});

it('after a tab was asleep it says only where it stands', () => {
  expect(markPassed(90, 8)).toBe(10);
  expect(markPassed(90, 0)).toBe(0);
});
