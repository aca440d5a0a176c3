import { setTimeout as pause } from 'node:timers/promises';
import type { Context } from 'koa';
import { Counter, type Registry } from 'prom-client';
import type { Clock } from '../../domain/clock.ts';
import { mostFailuresInARow } from '../../domain/door-budgets.ts';
import { Problem } from '../../domain/errors.ts';
import { recordAudit } from '../../infra/postgres/audit.ts';
import {
  confirmPassword,
  countUnknownBrowser,
  findSignIn,
} from '../../infra/postgres/passwords.ts';
import { inTransaction, type Database } from '../../infra/postgres/pool.ts';
import { newSecret } from '../../infra/postgres/sealing.ts';
import type { Logger } from '../shared/log.ts';
import { hashPassword, requireRoomToHash, verifyPassword } from '../shared/passwords.ts';
import type { Doors, Entrance } from './doors.ts';
import { knownSecretOf } from './known-browser.ts';
import { startSession, type SessionStart } from './session.ts';

export type SignInParts = SessionStart & {
  readonly database: Database;
  readonly clock: Clock;
  readonly doors: Doors;
  readonly metrics: Registry;
};

/** A refusal comes no sooner than this after it was asked for: what was done meanwhile cannot be told by its time. */
const refusalMs = 300;

export type SignIn = ReturnType<typeof createSignIn>;

/**
 * Signs in with address and password. Strangers pay from what is not the operator's own (docs/decisions/0007-sign-in-throttle.md), and learn nothing of who has a
 * sign-in: an address that is nobody's is counted, compared and refused like any other.
 */
export function createSignIn(parts: SignInParts) {
  const { database, clock, cookies, doors, metrics } = parts;
  // Compared with where there is no such operator.
  const nobodysHash = hashPassword(newSecret());
  const outcomes = new Counter({
    name: 'sign_ins_total',
    help: 'Sign-ins by outcome: signed_in, refused, throttled, busy.',
    labelNames: ['outcome'],
    registers: [metrics],
  });

  /** Throws `sign_in_refused`, `too_many_requests`, `unavailable`. */
  const signIn = async (
    typed: { readonly email: string; readonly password: string },
    ctx: Context,
    log: Logger,
  ): Promise<{ operatorId: string; setCookie: string[] }> => {
    const { address, operator } = await findSignIn(database, typed.email.trim());
    const operatorId = operator?.operatorId;
    const knownSecret =
      operatorId && (await knownSecretOf(database, ctx, operatorId, cookies, clock.now()));
    const lane = knownSecret ? 'known' : 'anybody';
    // Before anything is counted: whoever is sent away for want of room has not tried.
    requireRoomToHash(lane);
    let failures: number | undefined;
    const entrance: Entrance = knownSecret
      ? { door: 'sign_in', operatorId, tries: [{ budget: 'knownBrowser', of: knownSecret }] }
      : {
          door: 'sign_in',
          operatorId,
          tries: [doors.ofNetwork(ctx), { budget: 'unknownBrowsers', of: address }],
          async also(tx) {
            failures = await countUnknownBrowser(tx, operatorId, mostFailuresInARow);
          },
        };
    const levelled = pause(refusalMs, undefined, { ref: false });
    try {
      return await doors.enter(entrance, async () => {
        const passwordHash = operator?.passwordHash ?? (await nobodysHash);
        const matches = await verifyPassword(passwordHash, typed.password, lane);
        const isBarred = !knownSecret && failures === undefined;
        if (operatorId === undefined || !matches || isBarred) throw new Problem('sign_in_refused');
        return inTransaction(database, async (tx) => {
          const now = clock.now();
          // It may have been changed since it was read.
          if (!(await confirmPassword(tx, operatorId, passwordHash))) {
            throw new Problem('sign_in_refused');
          }
          return { operatorId, setCookie: await startSession(tx, ctx, operatorId, now, parts) };
        });
      });
    } catch (error) {
      if (error instanceof Problem && error.code === 'sign_in_refused') {
        log.info({ operatorId, isKnownBrowser: knownSecret !== undefined }, 'sign-in refused');
        if (operatorId !== undefined) await recordRefusal(operatorId, knownSecret, failures);
        await levelled;
      }
      throw error;
    }
  };

  /** An address that is nobody's is not written down: neither itself, which may be a password typed in the wrong field, nor that it was tried, as often as anybody likes. */
  const recordRefusal = (
    operatorId: string,
    knownSecret: string | undefined,
    failures: number | undefined,
  ): Promise<void> =>
    recordAudit(database, {
      at: clock.now(),
      actor: 'process:backoffice',
      action: 'sign_in_refused',
      subject: `operator:${operatorId}`,
      details: {
        browser: knownSecret === undefined ? 'unknown' : 'known',
        ...(knownSecret === undefined && { failuresInARow: failures ?? mostFailuresInARow }),
      },
    });

  return async (...asked: Parameters<typeof signIn>): ReturnType<typeof signIn> => {
    try {
      const signedIn = await signIn(...asked);
      outcomes.inc({ outcome: 'signed_in' });
      return signedIn;
    } catch (error) {
      if (error instanceof Problem) outcomes.inc({ outcome: outcomeOf(error) });
      throw error;
    }
  };
}

function outcomeOf({ code }: Problem): string {
  if (code === 'sign_in_refused') return 'refused';
  return code === 'too_many_requests' ? 'throttled' : 'busy';
}
