import { createHash } from 'node:crypto';
import {
  budgets,
  lastFreeAt,
  secondsUntilTry,
  type BudgetName,
} from '../../domain/door-budgets.ts';
import type { Queryable } from './pool.ts';

/** A try that is paid from one budget. `of` is whose it is: a network, an address, an id. */
export type Try = { readonly budget: BudgetName; readonly of: string };

type Paid = {
  readonly isPaid: boolean;
  /** Until there is a try again: after this one, or when this one was not to be had. 0: there is another one. */
  readonly retryAfterSeconds: number;
};

const hashOf = ({ budget, of }: Try): Buffer =>
  createHash('sha256').update(`${budget} ${of}`).digest();

/** Takes one try from its budget, if there is one. One statement, so that tries at the same moment, in any process, are counted one after the other. */
export async function payTry(queryable: Queryable, one: Try, now: Date): Promise<Paid> {
  const budget = budgets[one.budget];
  const { rows } = await queryable.query<{ free_at: Date }>(
    `insert into door_budgets as b (budget_hash, free_at)
     values ($1, $2::timestamptz + make_interval(secs => $3))
     on conflict (budget_hash) do update set free_at = greatest(b.free_at, $2) + make_interval(secs => $3)
     where b.free_at <= $4
     returning b.free_at`,
    [hashOf(one), now, budget.secondsEach, lastFreeAt(budget, now)],
  );
  const freeAt = rows[0]?.free_at ?? (await freeAtOf(queryable, one));
  return {
    isPaid: rows[0] !== undefined,
    retryAfterSeconds: freeAt === undefined ? 0 : secondsUntilTry(budget, freeAt, now),
  };
}

async function freeAtOf(queryable: Queryable, one: Try): Promise<Date | undefined> {
  const { rows } = await queryable.query<{ free_at: Date }>(
    'select b.free_at from door_budgets as b where b.budget_hash = $1',
    [hashOf(one)],
  );
  return rows[0]?.free_at;
}

/** After a try that was right: what its budget has for that. */
export async function settleTry(queryable: Queryable, one: Try): Promise<void> {
  const { afterSuccess, secondsEach } = budgets[one.budget];
  if (afterSuccess === 'begin_anew') {
    await queryable.query('delete from door_budgets as b where b.budget_hash = $1', [hashOf(one)]);
    return;
  }
  await queryable.query(
    `update door_budgets as b set free_at = b.free_at - make_interval(secs => $2)
     where b.budget_hash = $1`,
    [hashOf(one), secondsEach],
  );
}

/** Removes at most so many budgets of which all is there again; answers how many. */
export async function removeFreeBudgets(
  queryable: Queryable,
  now: Date,
  limit: number,
): Promise<number> {
  const { rowCount } = await queryable.query(
    `delete from door_budgets as b
     where b.budget_hash in (
       select f.budget_hash from door_budgets as f where f.free_at <= $1
       order by f.free_at limit $2 for update skip locked
     )`,
    [now, limit],
  );
  return rowCount ?? 0;
}
