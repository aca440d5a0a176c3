import type { MailPart } from './document.ts';
import { instantFormat } from './formats.ts';
import type { PasswordMail } from './messages.ts';
import type { MailTexts } from './texts/texts.ts';

/** What the mails about a person's password say. */
export function composePassword(
  input: PasswordMail,
  texts: MailTexts,
): { part: MailPart; actionLabel: string } {
  const { labels, titles, password } = texts;
  const format = instantFormat(texts.locale, input.timeZone);
  if (input.kind === 'password_changed') {
    const told = password.changed;
    const happenedAt = format.long(input.changedAt);
    const part: MailPart = {
      tone: 'notice',
      subject: told.subject,
      badge: password.badge,
      headline: told.headline,
      lead: told.lead({ happenedAt, endsAt: '' }),
      facts: [
        [labels.changedAt, happenedAt],
        [labels.changedBy, told.by[input.by]],
      ],
      sections: [{ title: titles.notExpected, paragraphs: [told.notExpected] }],
      closing: told.expected,
    };
    return { part, actionLabel: told.action };
  }
  const told = password.reset;
  const words = {
    happenedAt: format.long(input.requestedAt),
    endsAt: format.long(input.expiresAt),
  };
  const part: MailPart = {
    tone: 'notice',
    subject: told.subject,
    badge: password.badge,
    headline: told.headline,
    lead: told.lead(words),
    facts: [
      [labels.requestedAt, words.happenedAt],
      [labels.linkEndsAt, words.endsAt],
    ],
    sections: [
      { title: titles.whatToDo, list: told.steps(words), ordered: true },
      { title: titles.notExpected, paragraphs: [told.notExpected(words)] },
    ],
    closing: told.keepSecret,
  };
  return { part, actionLabel: told.action };
}
