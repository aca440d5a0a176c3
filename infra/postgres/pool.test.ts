import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { openDoor } from '../../test/support/door.ts';
import { waitUntil } from '../development/wait-until.ts';
import { isUnavailable } from './availability.ts';
import { listenTo } from './listen.ts';
import { inTransaction, openDatabase, type Database } from './pool.ts';

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase({ url: testDatabase.url, applicationName: 'pool test' });
});
afterAll(async () => {
  await database.end();
  await testDatabase.drop();
});

describe('a transaction', () => {
  it('fails, and nothing else does, when PostgreSQL ends its connection between two statements', async () => {
    const broken = inTransaction(database, async (tx) => {
      const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
      const pid = rows[0]?.pid;
      await database.query('select pg_terminate_backend($1)', [pid]);
      await waitUntil(
        async () => {
          const { rowCount } = await database.query('select from pg_stat_activity where pid = $1', [
            pid,
          ]);
          return rowCount === 0;
        },
        { what: 'the connection is still there', deadlineMs: 5_000 },
      );
      await tx.query('select 1');
    });
    await expect(broken).rejects.toThrow(/connection|terminat/i);
    const { rows } = await database.query<{ one: number }>('select 1 as one');
    expect(rows).toEqual([{ one: 1 }]);
  });

  it('leaves nothing behind when its work throws', async () => {
    const failure = new Error('on purpose');
    const rolledBack = inTransaction(database, async (tx) => {
      await tx.query(
        "insert into accounts (account_id, name, created_at) values ('a', 'A', now())",
      );
      throw failure;
    });
    await expect(rolledBack).rejects.toBe(failure);
    const { rowCount } = await database.query("select from accounts where account_id = 'a'");
    expect(rowCount).toBe(0);
  });
});

describe('the connections', () => {
  it('let a hundred wait, and tell whoever comes after them at once', async () => {
    const pool = openDatabase({
      url: testDatabase.url,
      applicationName: 'full',
      maxConnections: 1,
    });
    const held = await pool.connect();
    const waiting = Array.from({ length: 100 }, () =>
      pool.query<{ one: number }>('select 1 as one'),
    );
    const late = (work: Promise<unknown>) =>
      work.then(
        () => 'answered',
        (error: unknown) => isUnavailable(error),
      );
    expect(await Promise.all([late(pool.query('select 1')), late(pool.connect())])).toEqual([
      true,
      true,
    ]);
    held.release();
    expect((await Promise.all(waiting)).every(({ rows }) => rows[0]?.one === 1)).toBe(true);
    await pool.end();
  });

  it('that fell silent are given up without a word more', async () => {
    const { hostname, port } = new URL(testDatabase.url);
    const door = await openDoor({ host: hostname, port: Number(port) });
    const url = new URL(testDatabase.url);
    url.port = String(door.port);
    const pool = openDatabase({ url: url.href, applicationName: 'silent' });
    pool.options.query_timeout = 200;
    const silent = inTransaction(pool, async (tx) => {
      door.fallSilent();
      await tx.query('select 1');
    });
    await expect(silent).rejects.toThrow('Query read timeout');
    // Neither a rollback was waited for, nor is the connection kept.
    expect(pool.totalCount).toBe(0);
    await door.close();
    await pool.end();
  });
});

describe('who listens', () => {
  it('comes back when the connection fell silent, and is told that something may have been missed', async () => {
    const { hostname, port } = new URL(testDatabase.url);
    const door = await openDoor({ host: hostname, port: Number(port) });
    const url = new URL(testDatabase.url);
    url.port = String(door.port);
    const told: (string | undefined)[] = [];
    const until = (count: number) =>
      waitUntil(() => told.length >= count, { what: `told ${count} times`, deadlineMs: 20_000 });
    const listening = listenTo(
      {
        ...{ url: url.href, applicationName: 'silent', channel: 'a_channel' },
        ...{ heartbeatMs: 50, answerWithinMs: 1_000 },
      },
      (payload) => void told.push(payload),
    );
    await until(1);
    await database.query("notify a_channel, 'one'");
    await until(2);
    door.fallSilent();
    door.speakAgain();
    await until(3);
    await database.query("notify a_channel, 'two'");
    await until(4);
    expect(told).toEqual([undefined, 'one', undefined, 'two']);
    await listening.stop();
    await door.close();
  });
});
