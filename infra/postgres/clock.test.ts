import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { problems } from '../../domain/errors.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { testParts } from '../../test/support/parts.ts';
import { waitUntil } from '../development/wait-until.ts';
import { followDatabaseClock, type ClockOptions, type FollowingClock } from './clock.ts';
import { startStopwatch, type HostClock } from './host-clock.ts';
import { openDatabase, type Database } from './pool.ts';

let testDatabase: TestDatabase;
let database: Database;
let owner: Database;
let clock: FollowingClock;
let said: string[];
/** What tests add to the real clocks of this host. */
let wrong: { wallMs: number; monotonicMs: number };
const host: HostClock = {
  wallMs: () => Date.now() + wrong.wallMs,
  monotonicMs: () => performance.now() + wrong.monotonicMs,
};
const log = {
  info: (_fields: object, message: string) => void said.push(`info: ${message}`),
  warn: (_fields: object, message: string) => void said.push(`warn: ${message}`),
};

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  owner = openDatabase({ url: testParts().postgresUrl, applicationName: 'clock test' });
});
beforeEach(() => {
  database = openDatabase({ url: testDatabase.url, applicationName: 'clock test' });
  said = [];
  wrong = { wallMs: 0, monotonicMs: 0 };
});
afterEach(async () => {
  clock.stop();
  await database.end();
  await letIn(true);
});
afterAll(async () => {
  await owner.end();
  await testDatabase.drop();
});

const follow = async (options: ClockOptions = {}): Promise<void> => {
  clock = await followDatabaseClock(database, { host, log, ...options });
};
/** Of PostgreSQL, which runs on this machine, whose clock the tests take for right. */
const expectRightTime = (): void => {
  expect(Math.abs(clock.now().getTime() - Date.now())).toBeLessThan(500);
};
const refused = problems.unavailable[0];
const measuredAgain = () =>
  waitUntil(() => clock.now(), { what: 'not measured again', deadlineMs: 10_000 });

/** Makes PostgreSQL refuse every connection to the database, or take them again. */
const letIn = async (isLetIn: boolean): Promise<void> => {
  const name = new URL(testDatabase.url).pathname.slice(1);
  await owner.query(`alter database ${name} with allow_connections ${String(isLetIn)}`);
  if (isLetIn) return;
  await owner.query(
    'select pg_terminate_backend(a.pid) from pg_stat_activity as a where a.datname = $1',
    [name],
  );
};

describe('the clock that follows PostgreSQL', () => {
  it.each([-420, 420])(
    'is right on a host whose clock is wrong by %d s, and says so once',
    async (seconds) => {
      wrong = { wallMs: seconds * 1000, monotonicMs: seconds * 1000 };
      await follow({ intervalMs: 20 });
      expectRightTime();
      const first = clock.figures().measuredAgeSeconds;
      await waitUntil(() => clock.figures().measuredAgeSeconds < first, {
        ...{ what: 'not measured again', deadlineMs: 5_000, intervalMs: 5 },
      });
      expect(said).toEqual(["warn: this host's clock is wrong; the time of PostgreSQL is used"]);
      const { skewSeconds, jumps, reachable } = clock.figures();
      expect(skewSeconds).toBeGreaterThan(-seconds - 1);
      expect(skewSeconds).toBeLessThan(-seconds + 1);
      expect({ jumps, reachable }).toEqual({ jumps: 0, reachable: true });
    },
  );

  it('says nothing on a host whose clock is right within a second', async () => {
    wrong.wallMs = 900;
    await follow();
    expectRightTime();
    expect(said).toEqual([]);
  });

  it('refuses while it cannot be measured for longer than it may, says so once, and goes on when it can', async () => {
    await follow({ unmeasuredMs: 150, intervalMs: 20 });
    await letIn(false);
    await waitUntil(() => said.length > 0, { what: 'nothing is said', deadlineMs: 10_000 });
    expect(() => clock.now()).toThrow(refused);
    expect(clock.figures()).toMatchObject({
      reachable: false,
      fault: expect.stringMatching('was not measured for') as unknown,
    });
    expect(clock.figures().measuredAgeSeconds).toBeGreaterThan(0.15);
    await letIn(true);
    await measuredAgain();
    expectRightTime();
    expect(said).toEqual([
      'warn: the clock cannot be measured: nothing is decided until it can',
      'info: the clock is measured again',
    ]);
  });

  it('goes on with the last offset while the measurement is younger than that', async () => {
    await follow({ unmeasuredMs: 60_000, intervalMs: 20 });
    await letIn(false);
    await waitUntil(() => !clock.figures().reachable, { what: 'reachable', deadlineMs: 10_000 });
    expectRightTime();
    wrong = { wallMs: 59_000, monotonicMs: 59_000 };
    expect(clock.now()).toBeInstanceOf(Date);
    wrong = { wallMs: 60_001, monotonicMs: 60_001 };
    expect(() => clock.now()).toThrow(refused);
  });

  it('refuses at the first question after its machine slept, is measured at once, and counts the jump', async () => {
    await follow({ intervalMs: 60_000 });
    // Asleep for a minute: the monotonic clock stood still.
    wrong.monotonicMs -= 60_000;
    expect(() => clock.now()).toThrow(refused);
    await measuredAgain();
    expectRightTime();
    expect(clock.figures().jumps).toBe(1);
    expect(said).toEqual([
      'warn: the time jumped: this machine slept, or the clock of PostgreSQL was set',
    ]);
  });

  it('is measured again when the clock of its host is set, and is not moved by it', async () => {
    await follow({ intervalMs: 60_000 });
    wrong.wallMs = -3_600_000;
    expect(() => clock.now()).toThrow(refused);
    await measuredAgain();
    expectRightTime();
    expect(clock.figures().jumps).toBe(0);
    expect(said).toEqual(["warn: this host's clock is wrong; the time of PostgreSQL is used"]);
    wrong.wallMs = 0;
    expect(() => clock.now()).toThrow(refused);
    await measuredAgain();
    expect(said.at(-1)).toBe("info: this host's clock is right again");
  });

  it('is not begun on a database that cannot be asked', async () => {
    await follow();
    const nowhere = openDatabase({
      url: 'postgres://127.0.0.1:1/x',
      applicationName: 'clock test',
    });
    await expect(followDatabaseClock(nowhere)).rejects.toThrow('ECONNREFUSED');
    await nowhere.end();
  });
});

describe('a stopwatch', () => {
  it.each([
    ['both clocks', 5_000, 5_000, 5_000],
    ['the monotonic clock while the other was set back', -60_000, 5_000, 5_000],
    ['the other while the monotonic clock slept', 5_000, 0, 5_000],
  ])('counts by %s', (_, wallMs, monotonicMs, expected) => {
    let now = { wallMs: 1_000, monotonicMs: 7 };
    const elapsed = startStopwatch({
      wallMs: () => now.wallMs,
      monotonicMs: () => now.monotonicMs,
    });
    expect(elapsed()).toBe(0);
    now = { wallMs: now.wallMs + wallMs, monotonicMs: now.monotonicMs + monotonicMs };
    expect(elapsed()).toBe(expected);
  });
});
