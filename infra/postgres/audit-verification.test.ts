import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import {
  emptyChain,
  eventColumns,
  linksAfter,
  type ChainedEvent,
  type Head,
} from './audit-chain.ts';
import { readHead, sealAudit } from './audit-sealing.ts';
import { verifyAudit } from './audit-verification.ts';
import { openDatabase, type Database, type Queryable } from './pool.ts';

const sealedCount = 9;
let testDatabase: TestDatabase;
let database: Database;
let kept: Head;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase({ url: testDatabase.url, applicationName: 'audit test' });
  await database.query(
    `insert into audit_events (at, actor, action, account_id, certificate_id, subject, details)
     select timestamptz '2026-05-04 10:00:00.123456Z' + n * interval '1 s', 'operator:' || n, 'access_granted', 'a', 'c', 'renewal:' || n,
       jsonb_build_object('factors', jsonb_build_array('pin', 'otp'), 'allowance', 1000000000, 'words', 'ção €')
     from generate_series(1, $1::int) as n`,
    [sealedCount],
  );
  kept = (await sealAudit(database)) ?? emptyChain;
});
afterAll(async () => {
  await database.end();
  await testDatabase.drop();
});

/** What the walk says after somebody with every right did this, with the triggers out of the way. Undone afterwards. */
async function after(tamper: string | ((tx: Queryable) => Promise<unknown>), outside?: Head) {
  const tx = await database.connect();
  try {
    await tx.query('begin');
    await tx.query('set local session_replication_role = replica');
    await (typeof tamper === 'string' ? tx.query(tamper) : tamper(tx));
    await tx.query('set local session_replication_role = origin');
    const whole = await verifyAudit(tx, { kept: outside });
    for (const limit of [1, 2, 8, 9, 10]) {
      expect(await verifyAudit(tx, { kept: outside, limit })).toEqual(whole);
    }
    return whole.broken;
  } finally {
    await tx.query('rollback');
    tx.release();
  }
}

/** Seals anew from this position on, as somebody would who knows how. */
async function forgeFrom(tx: Queryable, position: number): Promise<void> {
  const { rows: events } = await tx.query<ChainedEvent>(
    `select ${eventColumns} from audit_links as l join audit_events as e on e.event_id = l.event_id where l.position >= $1 order by l.position`,
    [position],
  );
  await tx.query('delete from audit_links where position >= $1', [position]);
  for (const { position: at, eventId, hash } of linksAfter(await readHead(tx), events)) {
    await tx.query('insert into audit_links (position, event_id, hash) values ($1, $2, $3)', [
      at,
      eventId,
      hash,
    ]);
  }
}

const broken = (kind: string, position: number | null, eventId: number | null) => ({
  kind,
  position,
  eventId,
});

describe('verifying the audit', () => {
  it('finds nothing where nothing was done, and answers the head', async () => {
    expect(await after('select 1')).toBeUndefined();
    expect(await after('select 1', kept)).toBeUndefined();
    const { head } = await verifyAudit(database);
    expect(head).toEqual({ position: sealedCount, hash: kept.hash });
  });

  it.each([
    ['an actor was changed', `update audit_events set actor = 'operator:x' where event_id = 4`],
    [
      'an instant was moved by a microsecond',
      `update audit_events set at = at + interval '1 microsecond' where event_id = 4`,
    ],
    ['an account was taken out', 'update audit_events set account_id = null where event_id = 4'],
    [
      'a detail was changed',
      `update audit_events set details = jsonb_set(details, '{factors,1}', '"none"') where event_id = 4`,
    ],
    [
      'a detail was added',
      `update audit_events set details = details || '{"more": null}' where event_id = 4`,
    ],
  ])('names the event of which %s', async (_, tamper) => {
    expect(await after(tamper)).toEqual(broken('event_changed', 4, 4));
  });

  it('names an event that was deleted', async () => {
    const deleting = 'delete from audit_events where event_id = 5';
    expect(await after(deleting)).toEqual(broken('event_missing', 5, 5));
  });

  it('names the first of several', async () => {
    const deleting = 'delete from audit_events where event_id in (3, 6, 7)';
    expect(await after(deleting)).toEqual(broken('event_missing', 3, 3));
  });

  it('names the place of a link that was deleted', async () => {
    const deleting = 'delete from audit_links where position = 1';
    expect(await after(deleting)).toEqual(broken('position_missing', 1, null));
  });

  it('names the place where links were closed up over one that was deleted with its event', async () => {
    const closing = `delete from audit_events where event_id = 3; delete from audit_links where position = 3;
      update audit_links set position = position - 1 where position > 3`;
    expect(await after(closing)).toEqual(broken('event_changed', 3, 4));
  });

  it('names a hash that was changed', async () => {
    const changing = String.raw`update audit_links set hash = sha256('x') where position = 6`;
    expect(await after(changing)).toEqual(broken('hash_changed', 6, 6));
  });

  it('names the first of two events that changed places', async () => {
    const swapping = `update audit_links set event_id = 100 where position = 2;
      update audit_links set event_id = 2 where position = 7; update audit_links set event_id = 7 where position = 2`;
    expect(await after(swapping)).toEqual(broken('event_changed', 2, 7));
  });

  it('names a link that was forged after the last', async () => {
    const forging = `insert into audit_events (at, actor, action, subject) values (now(), 'admin', 'account_changed', 'account:x');
      insert into audit_links (position, event_id, hash) values (10, 10, sha256('x'))`;
    expect(await after(forging)).toEqual(broken('event_changed', 10, 10));
  });

  it('names an event that was sealed twice, where even the index that forbids it was taken away', async () => {
    const twice = async (tx: Queryable) => {
      await tx.query('alter table audit_links drop constraint audit_links_event_id_key');
      const { rows } = await tx.query<ChainedEvent>(
        `select ${eventColumns} from audit_events as e where e.event_id = 2`,
      );
      for (const { position, eventId, hash } of linksAfter(await readHead(tx), rows)) {
        await tx.query('insert into audit_links (position, event_id, hash) values ($1, $2, $3)', [
          position,
          eventId,
          hash,
        ]);
      }
    };
    expect(await after(twice)).toEqual(broken('event_twice', 10, 2));
  });

  it('names the first event whose link was cut off the end', async () => {
    const cutting = 'delete from audit_links where position > 6';
    expect(await after(cutting)).toEqual(broken('event_unchained', null, 7));
  });

  it('names an event that was entered around the trigger', async () => {
    const entering = `insert into audit_events (at, actor, action, subject) values (now(), 'admin', 'account_changed', 'account:x') returning event_id`;
    expect(await after(entering)).toMatchObject({ kind: 'event_unchained', position: null });
  });

  it('names an event that was removed before it was sealed', async () => {
    const removing = 'insert into audit_unsealed (event_id) values (77)';
    expect(await after(removing)).toEqual(broken('event_missing', null, 77));
  });

  it('needs a head that was kept elsewhere to see that the end was cut off with its events', async () => {
    const cutting =
      'delete from audit_links where position > 6; delete from audit_events where event_id > 6';
    expect(await after(cutting)).toBeUndefined();
    expect(await after(cutting, kept)).toEqual(broken('position_missing', 7, null));
  });

  it('needs one too to see that the chain was made anew over what was changed', async () => {
    const remaking = async (tx: Queryable) => {
      await tx.query(`update audit_events set actor = 'operator:x' where event_id = 4`);
      await forgeFrom(tx, 4);
    };
    expect(await after(remaking)).toBeUndefined();
    expect(await after(remaking, kept)).toEqual(broken('other_chain', sealedCount, sealedCount));
  });

  it('counts what waits to be sealed, and does not call it a break', async () => {
    const waiting = async (tx: Queryable) => {
      await tx.query('set local session_replication_role = origin');
      await tx.query(
        `insert into audit_events (at, actor, action, subject) values (now(), 'admin', 'account_changed', 'account:x')`,
      );
      expect((await verifyAudit(tx)).sealing).toMatchObject({
        position: sealedCount,
        unsealedCount: 1,
      });
    };
    expect(await after(waiting)).toBeUndefined();
  });

  it('covers every column of an event', async () => {
    const { rows } = await database.query<{ column: string }>(
      `select a.attname as column from pg_attribute as a
       where a.attrelid = 'audit_events'::regclass and a.attnum > 0 and not a.attisdropped`,
    );
    const { rows: events } = await database.query<ChainedEvent>(
      `select ${eventColumns} from audit_events as e limit 1`,
    );
    const camel = (name: string) =>
      name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    expect(Object.keys(events[0] ?? {}).sort()).toEqual(
      rows.map(({ column }) => camel(column)).sort(),
    );
  });

  it.each([
    ['audit_events', 'actor'],
    ['audit_links', 'hash'],
  ])('of %s nothing is changed or removed', async (table, column) => {
    for (const statement of [
      `update ${table} set ${column} = ${column}`,
      `delete from ${table}`,
      `truncate ${table}`,
    ]) {
      await expect(database.query(statement)).rejects.toThrow('audit events are only ever added');
    }
  });
});
