import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startTestBackoffice, type TestBackoffice } from '../../test/support/backoffice.ts';
import { removeBudgets, removeWhatIsOver } from './upkeep.ts';

let backoffice: TestBackoffice;
const sessionLimits = { idleSeconds: 3_600, absoluteSeconds: 7_200 };
const hour = 3_600_000;
const month = 30 * 24 * hour;

beforeAll(async () => {
  backoffice = await startTestBackoffice();
});
afterAll(() => backoffice.close());

const ago = (ms: number): Date => new Date(backoffice.clock.now().getTime() - ms);
const remove = () => removeWhatIsOver({ ...backoffice, sessionLimits });
const add = (sql: string, ...values: unknown[]) => backoffice.database.query(sql, values);
async function left(table: string, id: string): Promise<string[]> {
  const { rows } = await backoffice.database.query<{ id: string }>(
    `select t.${id} as id from ${table} as t where t.${id} like 'kept %' or t.${id} like 'gone %' order by 1`,
  );
  return rows.map((row) => row.id);
}
const slack = 60_000;

it('sessions go a month after they ended, of themselves or not', async () => {
  const session = async (id: string, createdMs: number, seenMs: number, endedMs?: number) =>
    add(
      'insert into sessions (session_hash, session_id, operator_id, created_at, last_seen_at, ended_at) values ($1, $2, $3, $4, $5, $6)',
      ...[Buffer.from(id), id, backoffice.operatorId('ana'), ago(createdMs), ago(seenMs)],
      endedMs === undefined ? null : ago(endedMs),
    );
  const idleEnd = month + hour;
  const absoluteEnd = month + 2 * hour;
  await session('kept open', hour, 0);
  await session('kept ended', month, month, month - slack);
  await session('gone ended', idleEnd, month + slack, month + slack);
  await session('kept idle', absoluteEnd - slack, idleEnd - slack);
  await session('gone idle', absoluteEnd - slack, idleEnd + slack);
  await session('gone absolute', absoluteEnd + slack, 0);
  await remove();
  expect(await left('sessions', 'session_id')).toEqual(['kept ended', 'kept idle', 'kept open']);
});

it('links to choose a password go a month after they ended', async () => {
  const reset = (id: string, expiredMs: number) =>
    add(
      'insert into password_resets (reset_id, operator_id, created_at, expires_at, token_hash) values ($1, $2, $3, $4, $5)',
      ...[id, backoffice.operatorId('ana'), ago(expiredMs + hour), ago(expiredMs)],
      Buffer.from(id),
    );
  await reset('kept', -hour);
  await reset('kept over', month - slack);
  await reset('gone', month + slack);
  await remove();
  const { rows } = await backoffice.database.query<{ reset_id: string }>(
    'select r.reset_id from password_resets as r order by 1',
  );
  expect(rows.map(({ reset_id }) => reset_id)).toEqual(['kept', 'kept over']);
});

it('invitations go a month after they ended, but for the one that the list of operators still tells of', async () => {
  const invitation = (id: string, operatorId: string, expiredMs: number, withToken = true) =>
    add(
      `insert into invitations (invitation_id, account_id, operator_id, invited_by, created_at, expires_at, token_hash, ended_at, end_reason)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      ...[id, backoffice.accountId, operatorId, backoffice.operatorId('alda')],
      ...[ago(expiredMs + hour), ago(expiredMs), withToken ? Buffer.from(id) : null],
      ...(withToken ? [ago(expiredMs), 'replaced'] : [null, null]),
    );
  const ana = backoffice.operatorId('ana');
  const guest = 'guest-without-password';
  await add(
    `insert into operators (operator_id, email, name, password_hash, password_set, created_at) values ($1, 'guest@x.example', 'Guest', '-', false, $2)`,
    ...[guest, ago(2 * month)],
  );
  await invitation('kept accepted', ana, month - slack);
  await invitation('gone accepted', ana, month + slack);
  await invitation('kept notice', ana, month - slack, false);
  await invitation('gone notice', ana, month + slack, false);
  await invitation('gone replaced', guest, month + 2 * slack);
  await invitation('kept last', guest, month + slack);
  await remove();
  expect(await left('invitations', 'invitation_id')).toEqual([
    'kept accepted',
    'kept last',
    'kept notice',
  ]);
});

it('browsers that have not signed in for half a year are not known any more, and budgets are kept while something is missing', async () => {
  const known = (hash: string, usedMs: number) =>
    add(
      'insert into known_browsers (secret_hash, operator_id, created_at, last_used_at) values ($1, $2, $3, $3)',
      ...[Buffer.from(hash), backoffice.operatorId('ana'), ago(usedMs)],
    );
  const halfYear = 180 * 24 * hour;
  await known('kept', halfYear - slack);
  await known('gone', halfYear);
  await remove();
  const browsers = await backoffice.database.query<{ secret_hash: Buffer }>(
    'select k.secret_hash from known_browsers as k where k.operator_id = $1',
    [backoffice.operatorId('ana')],
  );
  expect(browsers.rows.map(({ secret_hash }) => secret_hash.toString())).toEqual(['kept']);

  const budget = (hash: string, freeAt: Date) =>
    add('insert into door_budgets values ($1, $2)', Buffer.from(hash), freeAt);
  await budget('kept', ago(-slack));
  await budget('gone', ago(0));
  await removeBudgets({ ...backoffice, sessionLimits });
  const budgets = await backoffice.database.query<{ budget_hash: Buffer }>(
    'select b.budget_hash from door_budgets as b',
  );
  expect(budgets.rows.map(({ budget_hash }) => budget_hash.toString())).toEqual(['kept']);
});
