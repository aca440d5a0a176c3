import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { waitUntil } from '../../infra/development/wait-until.ts';
import type { KeyHolder } from '../../infra/postgres/sealed-columns.ts';
import { createSealer } from '../../infra/postgres/sealing.ts';
import { createWorld, type World } from '../../test/support/access-world.ts';
import { createLog } from './log.ts';
import { watchSealingKeys, type SealingKeysWatch } from './sealing-keys-watch.ts';

let world: World;
let watches: SealingKeysWatch[];

beforeEach(async () => {
  world = await createWorld({ now: () => new Date() });
  watches = [];
  await world.obtain(await world.addCertificate());
});
afterEach(async () => {
  await Promise.all(watches.map((watch) => watch.stop()));
  await world.close();
});

const until = (what: string, probe: () => Promise<boolean> | boolean) =>
  waitUntil(probe, { what, deadlineMs: 10_000, intervalMs: 10 });

/** Looks as this process does at its start, with these keys. */
async function look(holder: KeyHolder, sealer = world.sealer) {
  const lines: string[] = [];
  const metrics = new Registry();
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLog({ service: 'test', level: 'error', destination });
  const watch = watchSealingKeys(holder, { database: world.database, sealer, log, metrics });
  watches.push(watch);
  await until('it did not look', async () => (await watch.remark()) !== 'not looked at yet');
  return {
    remark: watch.remark,
    errors: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    metric: async () => /sealed_values_without_key (\d+)/.exec(await metrics.metrics())?.[1],
  };
}

describe('a process that looks whether it has the keys', () => {
  it('says which is the newest, and no error, when it has them all', async () => {
    const { remark, errors, metric } = await look('gate');
    expect(await remark()).toBe('newest test');
    expect(errors()).toEqual([]);
    expect(await metric()).toBe('0');
  });

  it('says as an error what it cannot open: column, key and count, and nothing of the values', async () => {
    const sealer = createSealer([{ id: 'other', key: randomBytes(32) }]);
    const { remark, errors, metric } = await look('gate', sealer);
    // The secret of the CA, the SAD and the tokens.
    expect(await remark()).toBe('sealed with other keys: 3 with test');
    expect(await metric()).toBe('3');
    expect(errors()).toMatchObject([
      {
        level: 'error',
        keyring: ['other'],
        missing: [
          {
            table: 'certificate_authorities',
            column: 'sealed_client_secret',
            keyId: 'test',
            count: 1,
          },
          { table: 'access_grants', column: 'sealed_sad', keyId: 'test', count: 1 },
          { table: 'access_grants', column: 'sealed_tokens', keyId: 'test', count: 1 },
        ],
      },
    ]);
    const { rows } = await world.database.query<{ sealed: string }>(
      'select sealed_sad as sealed from access_grants',
    );
    expect(JSON.stringify(errors())).not.toContain(rows[0]?.sealed.split('.')[2]);
  });

  it('is not troubled by what others open', async () => {
    await world.database.query(`update renewals set sealed_verifier = 'v1.lost.AAAA'`);
    expect(await (await look('gate')).remark()).toBe('newest test');
    expect(await (await look('worker')).remark()).toBe('newest test');
    expect(await (await look('backoffice')).remark()).toBe('sealed with other keys: 1 with lost');
  });
});
