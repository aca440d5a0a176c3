import { describe, expect, it } from '@jest/globals';
import {
  budgets,
  lastFreeAt,
  mostFailuresInARow,
  secondsUntilTry,
  type Budget,
} from './door-budgets.ts';
import { passwordResetSeconds } from './passwords.ts';

const now = new Date('2026-06-13T08:00:00Z');
const budget: Budget = { atOnce: 3, secondsEach: 60, afterSuccess: 'give_back' };
const after = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);

describe('a budget of three tries, one a minute', () => {
  it.each([
    [0, 0],
    [120, 0],
    [120.001, 1],
    [121, 1],
    [180, 60],
  ])('that is whole again in %s s has a try in %s s', (wholeIn, seconds) => {
    expect(secondsUntilTry(budget, after(wholeIn), now)).toBe(seconds);
    expect(after(wholeIn) <= lastFreeAt(budget, now)).toBe(seconds === 0);
  });
});

/** Of tries that were not right, by whoever does nothing else. */
const mostWithin = ({ atOnce, secondsEach }: Budget, seconds: number): number =>
  atOnce + Math.floor(seconds / secondsEach);

describe('the budgets', () => {
  it.each(['unknownBrowsers', 'knownBrowser', 'presentPassword'] as const)(
    'allow no more than the 100 failures an hour of ASVS 2.2.1: %s',
    (name) => {
      expect(mostWithin(budgets[name], 3_600)).toBeLessThanOrEqual(100);
    },
  );

  it('allow no more than the 100 failures in a row of SP 800-63B 5.2.2 from browsers that are not known', () => {
    expect(mostFailuresInARow).toBeLessThanOrEqual(100);
  });

  it('leave whoever is sent no further mail with a link that is good for at least as long as it takes', () => {
    const { secondsEach } = budgets.resetMails;
    // Where there is no try, the last one was paid less than `secondsEach` ago.
    expect(passwordResetSeconds - secondsEach).toBeGreaterThanOrEqual(secondsEach);
  });
});
