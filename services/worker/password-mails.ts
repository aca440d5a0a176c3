import { z } from 'zod';
import type { Clock } from '../../domain/clock.ts';
import type { PasswordChange } from '../../domain/messages.ts';
import type { Mailer } from '../../infra/mail/mailer.ts';
import { recordAudit } from '../../infra/postgres/audit.ts';
import {
  findPasswordMailRecipient,
  findWaitingPasswordReset,
  recordPasswordResetMail,
} from '../../infra/postgres/password-resets.ts';
import { inTransaction, type Database } from '../../infra/postgres/pool.ts';
import type { Sealer } from '../../infra/postgres/sealing.ts';
import type { Deliver } from '../../infra/temporal/outbox-relay.ts';
import { Undeliverable } from '../../infra/temporal/undeliverable.ts';
import { sendPrivateMail } from './private-mail.ts';

export type PasswordMailParts = {
  readonly database: Database;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly mailer: Pick<Mailer, 'send'>;
  /** Where browsers reach the backoffice. */
  readonly publicUrl: string;
  /** Right-hand side of message ids. */
  readonly messageIdDomain: string;
};

const resetSchema = z.strictObject({ resetId: z.string() });
const changeSchema = z.strictObject({
  noticeId: z.string(),
  operatorId: z.string(),
  at: z.iso.datetime(),
  by: z.enum(['mail', 'present_password']),
});

/** Rows for mail about passwords: links to choose a new one, and notices that there is another one. Sent at least once with the same Message-ID. */
export function deliverPasswordMails(parts: PasswordMailParts): Deliver {
  return async ({ name, payload }) => {
    if (name === 'password_reset') {
      await sendReset(parts, parsed(resetSchema, payload).resetId);
    } else if (name === 'password_changed') {
      await sendNotice(parts, parsed(changeSchema, payload));
    } else {
      throw new Undeliverable(`no mail is known as ${name}`);
    }
  };
}

function parsed<S extends z.ZodType>(schema: S, payload: unknown): z.output<S> {
  const result = schema.safeParse(payload);
  if (!result.success) throw new Undeliverable('does not say what the mail is about');
  return result.data;
}

/** Nothing is sent any more that was used or voided meanwhile. */
async function sendReset(parts: PasswordMailParts, resetId: string): Promise<void> {
  const { database, clock, sealer, mailer, messageIdDomain } = parts;
  const reset = await findWaitingPasswordReset(database, resetId, clock.now());
  if (reset === undefined) return;
  const { operatorId, to, createdAt, expiresAt, sealedToken } = reset;
  const token = sealer.open(sealedToken, resetId);
  const { result, reason } = await sendPrivateMail(mailer, {
    messageId: `password-reset.${resetId}@${messageIdDomain}`,
    to: { name: to.name, address: to.email },
    input: {
      kind: 'password_reset',
      operator: { name: to.name, locale: to.locale },
      timeZone: to.timeZone,
      requestedAt: createdAt,
      expiresAt,
      link: `${baseOf(parts)}/password-reset#${token}`,
    },
  });
  await inTransaction(database, async (tx) => {
    const now = clock.now();
    if (!(await recordPasswordResetMail(tx, resetId, result, now))) return;
    await recordAudit(tx, {
      at: now,
      actor: 'process:worker',
      action: result === 'accepted' ? 'password_reset_sent' : 'password_reset_undeliverable',
      subject: `operator:${operatorId}`,
      details: { resetId, ...(reason !== undefined && { reason }) },
    });
  });
}

/** Told wherever the operator is still known, also to somebody who has no account any more. */
async function sendNotice(parts: PasswordMailParts, change: PasswordChange): Promise<void> {
  const { database, clock, mailer, messageIdDomain } = parts;
  const { noticeId, operatorId, at, by } = change;
  const to = await findPasswordMailRecipient(database, operatorId);
  if (to === undefined) return;
  const { result, reason } = await sendPrivateMail(mailer, {
    messageId: `password-changed.${noticeId}@${messageIdDomain}`,
    to: { name: to.name, address: to.email },
    input: {
      kind: 'password_changed',
      operator: { name: to.name, locale: to.locale },
      timeZone: to.timeZone,
      changedAt: new Date(at),
      by,
      link: `${baseOf(parts)}/forgot-password`,
    },
  });
  await recordAudit(database, {
    at: clock.now(),
    actor: 'process:worker',
    action: result === 'accepted' ? 'password_notice_sent' : 'password_notice_undeliverable',
    subject: `operator:${operatorId}`,
    details: { noticeId, ...(reason !== undefined && { reason }) },
  });
}

const baseOf = ({ publicUrl }: PasswordMailParts): string => publicUrl.replace(/\/+$/, '');
