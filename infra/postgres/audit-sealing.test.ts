import { readdir, readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { testParts } from '../../test/support/parts.ts';
import { recordAudit } from './audit.ts';
import { readHead, readSealingFigures, sealAudit } from './audit-sealing.ts';
import { verifyAudit } from './audit-verification.ts';
import { createDatabase, dropDatabase } from './development-server.ts';
import { migrate } from './migrate.ts';
import { inTransaction, openDatabase, type Database, type Queryable } from './pool.ts';

const at = new Date('2026-05-04T10:00:00.123Z');
let testDatabase: TestDatabase;
let database: Database;

const open = (url = testDatabase.url): Database =>
  openDatabase({ url, applicationName: 'audit test' });

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = open();
});
afterEach(() =>
  database.query(
    `begin; set local session_replication_role = replica;
     truncate audit_events, audit_links, audit_unsealed restart identity; commit`,
  ),
);
afterAll(async () => {
  await database.end();
  await testDatabase.drop();
});

const write = (queryable: Queryable, subject: string): Promise<void> =>
  recordAudit(queryable, { at, actor: 'admin', action: 'account_changed', subject });

async function writeMany(count: number): Promise<void> {
  await database.query(
    `insert into audit_events (at, actor, action, subject)
     select $1, 'admin', 'account_changed', 'account:' || n from generate_series(1, $2::int) as n`,
    [at, count],
  );
}

/** The subjects in the order of the chain. */
async function chained(of: Queryable = database): Promise<string[]> {
  const { rows } = await of.query<{ subject: string }>(
    'select e.subject from audit_links as l join audit_events as e on e.event_id = l.event_id order by l.position',
  );
  return rows.map(({ subject }) => subject);
}

/** What the walk finds: `broken` undefined, `checked` links, and how many events wait. */
async function verified(of: Queryable = database) {
  const { head, broken, sealing } = await verifyAudit(of);
  return { broken, checked: head.position, unsealed: sealing.unsealedCount };
}

/** The same database with something done around each statement of its transactions. */
function around(
  pool: Database,
  run: (statement: () => Promise<unknown>, text: string) => Promise<unknown>,
): Database {
  const connect = async () => {
    const client = await pool.connect();
    return {
      query: (text: string, values?: unknown[]) => run(() => client.query(text, values), text),
      release: (broken?: Error) => {
        client.release(broken);
      },
    };
  };
  return { connect } as unknown as Database;
}

describe('sealing the audit', () => {
  it('puts every committed event into the chain once, and answers where it ends', async () => {
    expect(await sealAudit(database)).toBeUndefined();
    await writeMany(7);
    const head = await sealAudit(database, 3);
    expect(head).toEqual({ position: 7, hash: expect.any(Buffer), eventId: 7 });
    expect(await readHead(database)).toEqual({ position: 7, hash: head?.hash });
    expect(await chained()).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => `account:${n}`));
    expect(await verified()).toEqual({ broken: undefined, checked: 7, unsealed: 0 });
    expect(await sealAudit(database)).toBeUndefined();
  });

  it('chains an event that became visible after others with higher ids', async () => {
    const slow = await database.connect();
    await slow.query('begin');
    await write(slow, 'account:slow');
    await write(database, 'account:quick');
    await sealAudit(database);
    expect(await chained()).toEqual(['account:quick']);
    expect(await verified()).toEqual({ broken: undefined, checked: 1, unsealed: 0 });
    await slow.query('commit');
    slow.release();
    await sealAudit(database);
    expect(await chained()).toEqual(['account:quick', 'account:slow']);
    expect(await verified()).toEqual({ broken: undefined, checked: 2, unsealed: 0 });
  });

  it('knows nothing of an event whose transaction was rolled back', async () => {
    const failed = inTransaction(database, async (tx) => {
      await write(tx, 'account:never');
      throw new Error('on purpose');
    });
    await expect(failed).rejects.toThrow('on purpose');
    await write(database, 'account:after');
    await sealAudit(database);
    expect(await chained()).toEqual(['account:after']);
    expect(await verified()).toEqual({ broken: undefined, checked: 1, unsealed: 0 });
  });

  it('tells how many events wait, and since when the first of them', async () => {
    expect(await readSealingFigures(database)).toEqual({
      position: 0,
      unsealedCount: 0,
      oldestUnsealedAt: undefined,
    });
    await writeMany(2);
    await sealAudit(database);
    await writeMany(3);
    expect(await readSealingFigures(database)).toEqual({
      position: 2,
      unsealedCount: 3,
      oldestUnsealedAt: at,
    });
  });

  it('makes one chain when several processes seal at once', async () => {
    await writeMany(200);
    const others = [open(), open(), open()];
    while ((await verified()).unsealed > 0) {
      await Promise.all([database, ...others].map((pool) => sealAudit(pool, 7)));
    }
    await Promise.all(others.map((pool) => pool.end()));
    expect(await verified()).toEqual({ broken: undefined, checked: 200, unsealed: 0 });
  });

  it('makes one chain even when two believe that they hold the lock', async () => {
    await writeMany(20);
    const believing = (pool: Database) =>
      around(pool, async (statement, text) => {
        const result = await statement();
        return text.includes('pg_try_advisory') ? { rows: [{ isMine: true }] } : result;
      });
    const seal = () => sealAudit(believing(database), 5).catch(() => 'refused');
    const answers = await Promise.all([seal(), seal(), seal()]);
    expect(answers.some((answer) => typeof answer === 'object')).toBe(true);
    await sealAudit(database);
    expect(await verified()).toEqual({ broken: undefined, checked: 20, unsealed: 0 });
  });

  it('leaves the chain whole wherever its process is killed', async () => {
    const statements: string[] = [];
    const noting = around(database, (statement, text) => {
      statements.push(text);
      return statement();
    });
    await writeMany(1);
    await sealAudit(noting);
    // The batch, and the look that finds nothing more.
    const ofOneBatch = statements.indexOf('commit') + 1;
    expect(ofOneBatch).toBe(7);

    let written = 1;
    for (const when of ['before', 'after'] as const) {
      for (let fatal = 0; fatal < ofOneBatch; fatal += 1) {
        await writeMany(2);
        written += 2;
        let count = -1;
        const dying = around(database, async (statement) => {
          count += 1;
          if (count === fatal && when === 'before') throw new Error('killed');
          const result = await statement();
          if (count === fatal) throw new Error('killed');
          return result;
        });
        await expect(sealAudit(dying)).rejects.toThrow('killed');
        const { broken, checked, unsealed } = await verified();
        expect({ broken, sum: checked + unsealed }).toEqual({ broken: undefined, sum: written });
        await sealAudit(database);
        expect(await verified()).toEqual({ broken: undefined, checked: written, unsealed: 0 });
      }
    }
  });

  it('holds up nobody who writes an event, nor waits for one', async () => {
    const writer = await database.connect();
    await writer.query('begin');
    await write(writer, 'account:open');
    await writeMany(2);
    const impatient = await database.connect();
    await impatient.query("set lock_timeout = '1ms'");
    let statements = 0;
    const watched = around(database, async (statement) => {
      const result = await statement();
      statements += 1;
      // After each statement of the first batch, with all that it holds, others write.
      if (statements <= 6) {
        await write(impatient, `account:meanwhile-${statements}`);
        await write(writer, `account:open-${statements}`);
      }
      return result;
    });
    await sealAudit(watched);
    expect(statements).toBeGreaterThan(7);
    expect(await verified()).toEqual({ broken: undefined, checked: 8, unsealed: 0 });
    await writer.query('commit');
    writer.release();
    impatient.release(true);
    await sealAudit(database);
    expect(await verified()).toEqual({ broken: undefined, checked: 15, unsealed: 0 });
  });

  it('is not led astray by a temporary table of a writer', async () => {
    const writer = await database.connect();
    await writer.query('create temporary table audit_unsealed (event_id bigint primary key)');
    await write(writer, 'account:hidden');
    writer.release(true);
    await sealAudit(database);
    expect(await verified()).toEqual({ broken: undefined, checked: 1, unsealed: 0 });
  });

  it('chains the events that were there before the chain was', async () => {
    const { postgresUrl } = testParts();
    const name = `test_upgrade_${Date.now().toString(36)}`;
    const url = await createDatabase(postgresUrl, name);
    const before = open(url);
    const folder = new URL('./migrations/', import.meta.url);
    const files = (await readdir(folder)).sort().filter((file) => file < '0007');
    await before.query(
      'create table migrations (name text primary key, applied_at timestamptz default now())',
    );
    for (const file of files) {
      await before.query(await readFile(new URL(file, folder), 'utf8'));
      await before.query('insert into migrations (name) values ($1)', [file]);
    }
    await write(before, 'account:old');
    expect((await migrate(url))[0]).toBe('0007_audit_chain.sql');
    await write(before, 'account:new');
    await sealAudit(before);
    expect(await chained(before)).toEqual(['account:old', 'account:new']);
    expect(await verified(before)).toEqual({ broken: undefined, checked: 2, unsealed: 0 });
    await before.end();
    await dropDatabase(postgresUrl, name);
  });

  it('finds no second place for an event that a restored dump has put into the queue again', async () => {
    await writeMany(2);
    await sealAudit(database);
    await database.query('insert into audit_unsealed (event_id) values (1), (2)');
    await writeMany(1);
    await sealAudit(database);
    expect(await verified()).toEqual({ broken: undefined, checked: 3, unsealed: 0 });
  });
});
