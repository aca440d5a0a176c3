import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { waitUntil } from '../development/wait-until.ts';
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
