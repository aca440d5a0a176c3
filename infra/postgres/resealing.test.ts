import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createWorld, type World } from '../../test/support/access-world.ts';
import type { Queryable } from './pool.ts';
import { countSealed, findUnopenable, resealColumn, unopenable } from './resealing.ts';
import { sealedColumns } from './sealed-columns.ts';
import { createSealer, type Sealer } from './sealing.ts';

const oldKey = { id: 'test', key: Buffer.alloc(32, 7) };
const newKey = { id: 'new', key: randomBytes(32) };
const both = createSealer([newKey, oldKey]);
const clock = { now: () => new Date() };

let world: World;
let grantId: string;
let waitingId: string;

beforeEach(async () => {
  world = await createWorld(clock);
  const [granted, waiting] = [await world.addCertificate(), await world.addCertificate()];
  grantId = await world.obtain(granted);
  waitingId = await world.request(waiting);
  await world.openCodeWindow(waiting, waitingId);
  const { accountId, operatorIds } = granted;
  await world.database.query(
    `insert into invitations (invitation_id, account_id, operator_id, invited_by, created_at, expires_at, token_hash, sealed_token)
     values ('i-1', $1, $2, $2, now(), now() + interval '7 days', '\\x00', $3)`,
    [accountId, operatorIds[0], world.sealer.seal('token', 'i-1')],
  );
  await world.database.query(
    `insert into password_resets (reset_id, operator_id, created_at, expires_at, token_hash, sealed_token)
     values ('p-1', $1, now(), now() + interval '1 hour', '\\x01', $2)`,
    [operatorIds[0], world.sealer.seal('token', 'p-1')],
  );
});
afterEach(() => world.close());

const resealAll = async (queryable: Queryable = world.database, sealer = both, limit = 200) => {
  const results = [];
  for (const column of sealedColumns) {
    results.push(await resealColumn(queryable, sealer, column, { limit }));
  }
  return results;
};

/** What every sealed value opens to, in the order of the list; throws when one does not open. */
async function openAll(sealer: Sealer): Promise<string[]> {
  const opened: string[] = [];
  for (const { table, id, column } of sealedColumns) {
    const { rows } = await world.database.query<{ id: string; sealed: string }>(
      `select ${id} as id, ${column} as sealed from ${table} where ${column} is not null order by 1`,
    );
    for (const row of rows) opened.push(`${table}.${column}: ${sealer.open(row.sealed, row.id)}`);
  }
  return opened;
}

describe('the list of sealed columns', () => {
  it('has every column of the database that is named so, with the key of its table', async () => {
    const { rows } = await world.database.query<{ name: string }>(
      `select c.relname || '.' || a.attname as name
       from pg_attribute as a join pg_class as c on c.oid = a.attrelid
       where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attname like 'sealed\\_%' and not a.attisdropped`,
    );
    expect(sealedColumns.map(({ table, column }) => `${table}.${column}`).sort()).toEqual(
      rows.map(({ name }) => name).sort(),
    );
    for (const { table, id } of sealedColumns) {
      const { rows: keys } = await world.database.query<{ name: string }>(
        `select a.attname as name from pg_index as i join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
         where i.indrelid = $1::regclass and i.indisprimary`,
        [table],
      );
      expect(keys).toEqual([{ name: id }]);
    }
  });
});

describe('sealing anew', () => {
  it('leaves every secret as it was, openable with the newest key alone', async () => {
    const before = await openAll(world.sealer);
    expect(new Set(before.map((each) => each.split(':')[0])).size).toBe(sealedColumns.length);
    const results = await resealAll();
    expect(results.map(({ resealed }) => resealed)).toEqual([1, 2, 1, 1, 1, 1, 1]);
    expect(await openAll(createSealer([newKey]))).toEqual(before);
    expect(new Set((await countSealed(world.database)).map(({ keyId }) => keyId))).toEqual(
      new Set(['new']),
    );
  });

  it('does nothing the second time', async () => {
    await resealAll();
    const { rows: before } = await world.database.query('select * from access_grants');
    const again = await resealAll();
    expect(again.map(({ resealed }) => resealed)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect((await world.database.query('select * from access_grants')).rows).toEqual(before);
  });

  it('goes through more than a batch, and takes up again where it was broken off', async () => {
    for (let i = 0; i < 4; i += 1) await world.request(await world.addCertificate());
    const before = await openAll(world.sealer);
    let updates = 0;
    const breaking = {
      query: (text: string, values?: unknown[]) => {
        if (text.startsWith('update') && (updates += 1) > 3) throw new Error('killed');
        return world.database.query(text, values);
      },
    } as unknown as Queryable;
    await expect(resealAll(breaking, both, 2)).rejects.toThrow('killed');
    // Half of it is in the one key and half in the other, and all of it opens.
    expect(await openAll(both)).toEqual(before);
    const results = await resealAll(world.database, both, 2);
    const sum = results.reduce((total, { resealed }) => total + resealed, 0);
    expect(sum).toBe(before.length - 3);
    expect(await openAll(createSealer([newKey]))).toEqual(before);
  });

  it('never overwrites what is written meanwhile', async () => {
    const refreshed = world.sealer.seal('{"accessToken":"refreshed"}', grantId);
    const racing = {
      async query(text: string, values?: unknown[]) {
        if (text.startsWith('update access_grants')) {
          // A gate stores refreshed tokens between the reading and the writing.
          await world.database.query(
            'update access_grants set sealed_tokens = $2 where grant_id = $1',
            [grantId, refreshed],
          );
        }
        return world.database.query(text, values);
      },
    } as unknown as Queryable;
    const tokens = sealedColumns.filter(
      ({ table, column }) => `${table}.${column}` === 'access_grants.sealed_tokens',
    );
    const results = [];
    for (const column of tokens) results.push(await resealColumn(racing, both, column));
    expect(results).toMatchObject([{ resealed: 0, changedMeanwhile: 1, unopened: [] }]);
    const { rows } = await world.database.query('select sealed_tokens from access_grants');
    expect(rows).toEqual([{ sealed_tokens: refreshed }]);
  });

  it('leaves a value alone that does not open, names its row, and goes on with the others', async () => {
    const strangers = world.sealer.seal('verifier', 'another-row');
    await world.database.query('update renewals set sealed_verifier = $2 where renewal_id = $1', [
      waitingId,
      strangers,
    ]);
    const [, verifiers] = await resealAll();
    expect(verifiers).toMatchObject({ column: 'sealed_verifier', resealed: 1 });
    expect(verifiers?.unopened.map(({ id }) => id)).toEqual([waitingId]);
    const { rows } = await world.database.query(
      'select sealed_verifier as sealed from renewals where renewal_id = $1',
      [waitingId],
    );
    expect(rows).toEqual([{ sealed: strangers }]);
  });
});

describe('values whose key is not there', () => {
  it('are counted by key, and the first row of each column is named', async () => {
    const lost = createSealer([{ id: 'lost', key: randomBytes(32) }]);
    await world.database.query('update access_grants set sealed_sad = $1', [
      lost.seal('sad', grantId),
    ]);
    await world.database.query(`update invitations set sealed_token = 'plain'`);
    const counts = await countSealed(world.database);
    expect(unopenable(counts, both.keyIds)).toEqual([
      { table: 'access_grants', column: 'sealed_sad', keyId: 'lost', count: 1 },
      { table: 'invitations', column: 'sealed_token', keyId: undefined, count: 1 },
    ]);
    expect(await findUnopenable(world.database, both.keyIds)).toEqual([
      { table: 'access_grants', column: 'sealed_sad', id: grantId, keyId: 'lost' },
      { table: 'invitations', column: 'sealed_token', id: 'i-1', keyId: undefined },
    ]);
  });
});
