import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Context } from 'koa';
import type { Clock } from '../../domain/clock.ts';
import { Problem } from '../../domain/errors.ts';
import type { PasswordChange } from '../../domain/messages.ts';
import { passwordResetSeconds } from '../../domain/passwords.ts';
import { recordAudit } from '../../infra/postgres/audit.ts';
import { payTry } from '../../infra/postgres/door-budgets.ts';
import { forgetBrowsers } from '../../infra/postgres/known-browsers.ts';
import { mailPasswordChange, mailPasswordReset } from '../../infra/postgres/outbox.ts';
import {
  findOpenPasswordReset,
  findResettable,
  insertPasswordReset,
  usePasswordReset,
  voidPasswordResets,
  type OpenPasswordReset,
} from '../../infra/postgres/password-resets.ts';
import {
  confirmPassword,
  findPasswordHash,
  replacePassword,
} from '../../infra/postgres/passwords.ts';
import { inTransaction, type Database, type Queryable } from '../../infra/postgres/pool.ts';
import { hashSecret, newSecret, type Sealer } from '../../infra/postgres/sealing.ts';
import { endSessions } from '../../infra/postgres/sessions.ts';
import { hashPassword, verifyPassword } from '../shared/passwords.ts';
import type { Cookies } from './cookies.ts';
import { makeKnown } from './known-browser.ts';
import type { Caller } from './session.ts';

type PasswordParts = {
  readonly database: Database;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly cookies: Cookies;
};

/** Asking for a link takes this long whether there is somebody to send it to or not. */
const askingMs = 300;

export type Passwords = ReturnType<typeof createPasswords>;

/**
 * How an operator gets another password: with a mail, whose token is good once and for an hour, or with the present one. Either ends what was begun with the old
 * one: sessions, links that were not used, and what browsers are known. The browser at which it is done is known.
 */
export function createPasswords({ database, clock, sealer, cookies }: PasswordParts) {
  const lookUp = async (token: string): Promise<OpenPasswordReset> => {
    const reset = await findOpenPasswordReset(database, hashSecret(token), clock.now());
    if (reset === undefined) throw new Problem('password_reset_ended');
    return reset;
  };
  /** In the transaction that made sure of the right to it. Answers the cookie by which this browser is known. */
  const change = async (
    tx: Queryable,
    ctx: Context,
    { operatorId, by }: Pick<PasswordChange, 'operatorId' | 'by'>,
    passwordHash: string,
    { keepSession, details }: { keepSession?: string; details?: Record<string, unknown> },
    now: Date,
  ): Promise<string> => {
    await replacePassword(tx, operatorId, passwordHash);
    await voidPasswordResets(tx, operatorId, now);
    const endedSessions = await endSessions(tx, operatorId, now, keepSession);
    await forgetBrowsers(tx, operatorId);
    await recordAudit(tx, {
      at: now,
      actor: `operator:${operatorId}`,
      action: 'password_changed',
      subject: `operator:${operatorId}`,
      details: { by, endedSessions, ...details },
    });
    const notice = { noticeId: randomUUID(), operatorId, at: now.toISOString(), by };
    await mailPasswordChange(tx, notice, now);
    return makeKnown(tx, ctx, operatorId, cookies, now);
  };

  const sendLink = async (email: string): Promise<void> => {
    await inTransaction(database, async (tx) => {
      const now = clock.now();
      const operatorId = await findResettable(tx, email);
      if (operatorId === undefined) return;
      const { isPaid } = await payTry(tx, { budget: 'resetMails', of: operatorId }, now);
      if (!isPaid) return;
      const resetId = randomUUID();
      const token = newSecret();
      await insertPasswordReset(tx, {
        resetId,
        operatorId,
        createdAt: now,
        expiresAt: new Date(now.getTime() + passwordResetSeconds * 1000),
        token: { hash: hashSecret(token), sealed: sealer.seal(token, resetId) },
      });
      await mailPasswordReset(tx, resetId, now);
      await recordAudit(tx, {
        at: now,
        actor: 'process:backoffice',
        action: 'password_reset_requested',
        subject: `operator:${operatorId}`,
        details: { resetId },
      });
    });
  };

  return {
    /**
     * Sends a link, if somebody signs in with this address and was not sent too many; takes as long in any case. A newer link does not void an older one: otherwise
     * a stranger who keeps asking would keep the operator from using any.
     */
    async ask(email: string): Promise<void> {
      await Promise.all([sendLink(email.trim()), pause(askingMs, undefined, { ref: false })]);
    },

    /** Throws `password_reset_ended`, whatever the reason. */
    lookUp,

    /** Sets the password; who wants in signs in with it. Answers the cookie by which the browser is known; throws `password_reset_ended`. */
    async accept(token: string, password: string, ctx: Context): Promise<string> {
      // A token that is no good costs no hashing.
      await lookUp(token);
      const passwordHash = await hashPassword(password);
      return inTransaction(database, async (tx) => {
        const now = clock.now();
        const used = await usePasswordReset(tx, hashSecret(token), now);
        if (used === undefined) throw new Problem('password_reset_ended');
        const { operatorId, resetId } = used;
        const details = { resetId };
        return change(tx, ctx, { operatorId, by: 'mail' }, passwordHash, { details }, now);
      });
    },

    /** By whoever is signed in and tells the present one. This session goes on. Throws `present_password_wrong`. */
    async replace(
      { operatorId, sessionId }: Caller,
      typed: { readonly presentPassword: string; readonly newPassword: string },
      ctx: Context,
    ): Promise<string> {
      const presentHash = await findPasswordHash(database, operatorId);
      const isRight =
        presentHash !== undefined &&
        (await verifyPassword(presentHash, typed.presentPassword, 'known'));
      if (!isRight) throw new Problem('present_password_wrong');
      const newHash = await hashPassword(typed.newPassword);
      return inTransaction(database, async (tx) => {
        const now = clock.now();
        // It may have been changed since it was read.
        if (!(await confirmPassword(tx, operatorId, presentHash))) {
          throw new Problem('present_password_wrong');
        }
        const by = 'present_password';
        return change(tx, ctx, { operatorId, by }, newHash, { keepSession: sessionId }, now);
      });
    },
  };
}
