import nodemailer, { type NodemailerError } from 'nodemailer';

import { oneLine } from './formats.ts';
import { createTurns } from './turns.ts';

export interface MailerOptions {
  /** `smtp://` or `smtps://`, with user and password where the relay wants them. */
  readonly smtpUrl: string;
  readonly from: { readonly name: string; readonly address: string };
  /** Where a person reads the answers. */
  readonly replyTo: string;
  /** All in ms; `totalMs` bounds a whole delivery, whatever the relay does. */
  readonly timeouts?: {
    readonly connectionMs?: number;
    readonly greetingMs?: number;
    readonly socketMs?: number;
    readonly totalMs?: number;
  };
  /** Mails under way, each with a connection of its own; the others wait for their turn within their `totalMs`. */
  readonly atOnce?: number;
}

export interface OutgoingMail {
  /** `local@domain`, the same for every try of one message, so that the reader's mail client folds a repeat. */
  readonly messageId: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Message id that all mails of one grant refer to, so that they are shown as one conversation. */
  readonly threadId?: string;
}

/** `failed` is to be tried again, and may have been delivered all the same; `refused` is not. Reasons are at most 200 characters and hold no address. */
type SendResult =
  | { readonly result: 'accepted'; readonly response: string }
  | { readonly result: 'refused'; readonly permanent: true; readonly reason: string }
  | { readonly result: 'failed'; readonly reason: string };

export interface Mailer {
  /** Hands one message to the relay. Every answer of the relay and every failure of the network is a result; throws only for a message id that is none. */
  send(message: OutgoingMail): Promise<SendResult>;
  /** Whether the relay can be reached and takes our credentials. Sends nothing. */
  verify(): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>;
  close(): void;
}

const addressPattern = /^[^\s@<>(),;:"\\[\]\p{C}]+@[^\s@<>(),;:"\\[\]\p{C}]+$/u;
const messageIdPattern = /^[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+$/;

/** A mailer over SMTP. Throws when its own addresses are wrong; no error repeats the URL, which may hold a password. */
export function createMailer(options: MailerOptions): Mailer {
  const { smtpUrl, from, replyTo, timeouts = {}, atOnce = 20 } = options;
  if (!URL.canParse(smtpUrl) || !/^smtps?:$/.test(new URL(smtpUrl).protocol)) {
    throw new Error('The SMTP address must be an smtp:// or smtps:// URL.');
  }
  if (!addressPattern.test(from.address) || !addressPattern.test(replyTo)) {
    throw new Error('The sender and the reply address must be mail addresses.');
  }
  const {
    connectionMs = 5_000,
    greetingMs = 5_000,
    socketMs = 10_000,
    totalMs = 30_000,
  } = timeouts;
  // One connection a message: a pool would queue a message again by itself after a lost answer, and only the caller may decide that.
  const transport = nodemailer.createTransport({
    url: smtpUrl,
    connectionTimeout: connectionMs,
    greetingTimeout: greetingMs,
    socketTimeout: socketMs,
    dnsTimeout: connectionMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const turns = createTurns(atOnce);
  const listId = `certificate-access.${from.address.slice(from.address.indexOf('@') + 1)}`;

  return {
    async send({ messageId, to, subject, text, html, threadId }) {
      for (const id of [messageId, ...(threadId === undefined ? [] : [threadId])]) {
        if (!messageIdPattern.test(id))
          throw new Error('A message id must have the form local@domain.');
      }
      if (!addressPattern.test(to.address)) {
        return { result: 'refused', permanent: true, reason: 'not a mail address' };
      }
      // The socket's timeout does not end a relay that keeps trickling bytes.
      const signal = AbortSignal.timeout(totalMs);
      if (!(await turns.take(totalMs))) {
        return { result: 'failed', reason: 'too many mails are being sent' };
      }
      try {
        const { response } = await transport.sendMail({
          messageId: `<${messageId}>`,
          from: { name: oneLine(from.name, 100), address: from.address },
          replyTo,
          to: { name: oneLine(to.name, 100), address: to.address },
          envelope: { from: from.address, to: [to.address] },
          subject: oneLine(subject, 250),
          text,
          html,
          ...(threadId === undefined || threadId === messageId
            ? {}
            : { references: [`<${threadId}>`] }),
          headers: {
            'Auto-Submitted': 'auto-generated',
            // Exchange reads this one instead: no out-of-office answers.
            'X-Auto-Response-Suppress': 'All',
            'List-Id': `Certificate Access <${listId}>`,
          },
          signal,
        });
        return { result: 'accepted', response: withoutAddresses(response) };
      } catch (error) {
        return failureOf(error as NodemailerError);
      } finally {
        turns.done();
      }
    },

    async verify() {
      try {
        await transport.verify();
        return { ok: true };
      } catch (error) {
        return { ok: false, reason: reasonOf(error as NodemailerError) };
      }
    },

    close() {
      transport.close();
    },
  };
}

/**
 * Only the answers to RCPT TO and to the message itself speak of this recipient and this message; a refused sender or
 * login is ours to mend, so the mail is kept and tried again. 530 says "log in first" (RFC 4954) wherever it comes.
 */
function failureOf(error: NodemailerError): SendResult {
  const aboutThisMail = error.command === 'RCPT TO' || error.command === 'DATA';
  if (error.permanent === true && error.responseCode !== 530 && aboutThisMail) {
    return { result: 'refused', permanent: true, reason: reasonOf(error) };
  }
  return { result: 'failed', reason: reasonOf(error) };
}

function reasonOf(error: NodemailerError): string {
  const code = error.originalCode ?? error.code ?? error.name;
  const where = error.command === undefined ? '' : ` at ${error.command}`;
  return withoutAddresses(`${code}${where}: ${error.response ?? error.message}`);
}

function withoutAddresses(text: string): string {
  return oneLine(text.replace(/[^\s<>"'(),;:=]+@[^\s<>"'(),;:=]+/g, '[address]'), 200);
}
