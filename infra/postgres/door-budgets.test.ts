import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { budgets, type BudgetName } from '../../domain/door-budgets.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { payTry, removeFreeBudgets, settleTry, type Try } from './door-budgets.ts';
import { openDatabase, type Database } from './pool.ts';

let test: TestDatabase;
let database: Database;

beforeAll(async () => {
  test = await createTestDatabase();
  database = openDatabase({ url: test.url, applicationName: 'test' });
});
afterAll(async () => {
  await database.end();
  await test.drop();
});

const start = Date.parse('2026-06-13T08:00:00Z');
const at = (seconds: number): Date => new Date(start + seconds * 1000);
let serial = 0;
const somebody = (budget: BudgetName): Try => ({ budget, of: `somebody ${(serial += 1)}` });
const { atOnce, secondsEach } = budgets.unknownBrowsers;

/** How many of so many tries at one instant are paid. */
async function paidOf(one: Try, tries: number, seconds: number): Promise<number> {
  let paid = 0;
  for (let count = 0; count < tries; count += 1) {
    if ((await payTry(database, one, at(seconds))).isPaid) paid += 1;
  }
  return paid;
}

describe('tries are paid', () => {
  it('until none is left, which the last one says, and nothing changes by asking on', async () => {
    const one = somebody('unknownBrowsers');
    for (let count = 1; count < atOnce; count += 1) {
      expect(await payTry(database, one, at(0))).toEqual({ isPaid: true, retryAfterSeconds: 0 });
    }
    const wait = { retryAfterSeconds: secondsEach };
    expect(await payTry(database, one, at(0))).toEqual({ isPaid: true, ...wait });
    for (let count = 0; count < 3; count += 1) {
      expect(await payTry(database, one, at(0))).toEqual({ isPaid: false, ...wait });
    }
    expect(await payTry(database, one, at(secondsEach - 0.001))).toEqual({
      isPaid: false,
      retryAfterSeconds: 1,
    });
    expect(await paidOf(one, 2, secondsEach)).toBe(1);
  });

  it('as often as there are, by as many as come at the same moment', async () => {
    const one = somebody('unknownBrowsers');
    const crowd = Array.from({ length: 3 * atOnce }, () => payTry(database, one, at(0)));
    const paid = (await Promise.all(crowd)).filter(({ isPaid }) => isPaid);
    expect(paid).toHaveLength(atOnce);
  });

  it('by each for himself, and from each budget by itself', async () => {
    const one = somebody('unknownBrowsers');
    expect(await paidOf(one, atOnce + 1, 0)).toBe(atOnce);
    expect(await paidOf(somebody('unknownBrowsers'), 1, 0)).toBe(1);
    expect(await paidOf({ ...one, budget: 'network' }, 1, 0)).toBe(1);
  });

  it('no more often than their budget has, whenever they come', async () => {
    const pauses = fc.array(fc.nat({ max: 3 * secondsEach }), { minLength: 5, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(pauses, async (seconds) => {
        const one = somebody('unknownBrowsers');
        let now = 0;
        const paidAt: number[] = [];
        for (const pause of seconds) {
          now += pause;
          for (let count = 0; count < 2; count += 1) {
            if ((await payTry(database, one, at(now))).isPaid) paidAt.push(now);
          }
        }
        // Between any two that were paid, both of them counted.
        const tooMany = paidAt.flatMap((from, first) =>
          paidAt
            .slice(first)
            .filter(
              (until, index) => index + 1 > atOnce + Math.floor((until - from) / secondsEach),
            ),
        );
        expect(tooMany).toEqual([]);
      }),
      { numRuns: 15, seed: 7 },
    );
  });
});

describe('a right try', () => {
  it('takes itself back, and leaves those before it paid', async () => {
    const one = somebody('network');
    expect(await paidOf(one, budgets.network.atOnce, 0)).toBe(budgets.network.atOnce);
    await settleTry(database, one);
    expect(await paidOf(one, 2, 0)).toBe(1);
  });

  it('in a known browser begins anew', async () => {
    const one = somebody('knownBrowser');
    await paidOf(one, atOnce, 0);
    await settleTry(database, one);
    expect(await paidOf(one, atOnce + 1, 0)).toBe(atOnce);
  });
});

describe('budgets', () => {
  it('are removed once they are whole again, so many at a time, and no sooner', async () => {
    await database.query('delete from door_budgets');
    const early = [somebody('network'), somebody('network'), somebody('network')];
    for (const one of early) await payTry(database, one, at(0));
    await payTry(database, somebody('network'), at(1));
    const whole = at(budgets.network.secondsEach);
    expect(await removeFreeBudgets(database, new Date(whole.getTime() - 1), 10)).toBe(0);
    expect(await removeFreeBudgets(database, whole, 2)).toBe(2);
    expect(await removeFreeBudgets(database, whole, 2)).toBe(1);
    expect(await removeFreeBudgets(database, whole, 2)).toBe(0);
    const { rows } = await database.query('select from door_budgets');
    expect(rows).toHaveLength(1);
  });

  it('do not tell whose they are', async () => {
    await payTry(database, { budget: 'unknownBrowsers', of: 'canary@example.test' }, at(0));
    const { rows } = await database.query<{ row: string }>(
      'select b::text as row from door_budgets as b',
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toMatch(/canary|example/);
  });
});
