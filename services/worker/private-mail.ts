import type { Mailer } from '../../infra/mail/mailer.ts';
import type { MailInput } from '../../infra/mail/messages.ts';
import { renderMail } from '../../infra/mail/render.ts';

export type PrivateMail = {
  /** The same for every try, so that the reader's mail client folds a repeat. */
  readonly messageId: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly input: MailInput;
};

/**
 * Sends a mail about a person's own access. Its link may hold a token, so what it says is not kept, and what the relay answers is cleared of it. Throws when it is to
 * be tried again.
 */
export async function sendPrivateMail(
  mailer: Pick<Mailer, 'send'>,
  { messageId, to, input }: PrivateMail,
): Promise<{ result: 'accepted'; reason?: undefined } | { result: 'refused'; reason: string }> {
  const { subject, text, html } = await renderMail(input);
  const sent = await mailer.send({ subject, text, html, messageId, to });
  if (sent.result === 'failed') throw new Error(withoutFragments(sent.reason));
  if (sent.result === 'accepted') return { result: 'accepted' };
  return { result: 'refused', reason: withoutFragments(sent.reason) };
}

/** A relay may quote the address that it took offence at, with the token behind the #, whole or cut off. */
const withoutFragments = (reason: string): string => reason.replaceAll(/#\S+/g, '#[…]');

/** A mail may take half a minute; a lease outlasts it. */
export const privateMailLeaseMs = 60_000;
/** An address that is refused for a while, for days even, is not asked every few seconds. */
export const privateMailLongestPauseMs = 120_000;
