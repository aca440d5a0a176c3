import type { Context } from 'koa';
import type { Clock } from '../../domain/clock.ts';
import type { BudgetName } from '../../domain/door-budgets.ts';
import { Problem } from '../../domain/errors.ts';
import { recordAudit } from '../../infra/postgres/audit.ts';
import { payTry, settleTry, type Try } from '../../infra/postgres/door-budgets.ts';
import { inTransaction, type Database, type Queryable } from '../../infra/postgres/pool.ts';
import type { Logger } from '../shared/log.ts';
import { networkOf } from './network.ts';

/** What can be tried without a session, and the present password with one. */
type Door = 'sign_in' | 'invitation' | 'password_reset' | 'present_password';

export type Entrance = {
  readonly door: Door;
  /** What is paid from, all or nothing, in an order that is the same for all: budgets are locked in it. */
  readonly tries: readonly Try[];
  /** Whom it is about, as far as that is known. */
  readonly operatorId?: string | undefined;
  /** What is counted together with the tries, in their transaction. */
  readonly also?: (tx: Queryable) => Promise<void>;
  /** A try is paid, whatever comes of it. */
  readonly isAlwaysPaid?: boolean;
};

export type Doors = ReturnType<typeof createDoors>;

/** How often somebody may try what needs no session (domain/door-budgets.ts). Every backoffice counts in the same database. */
export function createDoors({
  database,
  clock,
  log,
}: {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
}) {
  let isProxyNoticed = false;

  /** One more try of the network that the request comes from. */
  const ofNetwork = (ctx: Context): Try => {
    if (!ctx.app.proxy && !isProxyNoticed && ctx.get('x-forwarded-for') !== '') {
      isProxyNoticed = true;
      log.warn(
        'a request came with X-Forwarded-For: if all of them come through a proxy of yours, set TRUST_PROXY, or all of them count as one network',
      );
    }
    return { budget: 'network', of: networkOf(ctx.ip) };
  };

  const pay = ({ tries, also }: Entrance): Promise<BudgetName[]> =>
    inTransaction(database, async (tx) => {
      const now = clock.now();
      const usedUp: BudgetName[] = [];
      for (const one of tries) {
        const { isPaid, retryAfterSeconds } = await payTry(tx, one, now);
        if (!isPaid) throw new Problem('too_many_requests', { retryAfterSeconds });
        if (retryAfterSeconds > 0) usedUp.push(one.budget);
      }
      await also?.(tx);
      return usedUp;
    });

  /** The last try was paid, and no more than that is told: who goes on is refused without a word in log or audit. */
  const tellUsedUp = async (
    { door, tries, operatorId }: Entrance,
    usedUp: readonly BudgetName[],
  ): Promise<void> => {
    const network = tries.find(({ budget }) => budget === 'network')?.of;
    log.warn({ door, budgets: usedUp, operatorId, network }, 'the tries at a door are used up');
    await recordAudit(database, {
      at: clock.now(),
      actor: 'process:backoffice',
      action: 'tries_used_up',
      subject: `operator:${operatorId ?? 'unknown'}`,
      details: { door, budgets: usedUp },
    });
  };

  return {
    ofNetwork,

    /** Pays, then does the work, which throws when the try was not right. Throws `too_many_requests` when there is nothing to pay from; then nothing was done or paid. */
    async enter<T>(entrance: Entrance, work: () => Promise<T>): Promise<T> {
      const usedUp = await pay(entrance);
      let isRight = false;
      try {
        const result = await work();
        isRight = !entrance.isAlwaysPaid;
        return result;
      } finally {
        if (isRight) for (const one of entrance.tries) await settleTry(database, one);
        else if (usedUp.length > 0) await tellUsedUp(entrance, usedUp);
      }
    },
  };
}
