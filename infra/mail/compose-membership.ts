import type { MailPart } from './document.ts';
import { instantFormat, oneLine } from './formats.ts';
import type { InvitationMail, MembershipMail } from './messages.ts';
import type { MailTexts } from './texts/texts.ts';

const nameLength = 80;

/** What the mails to somebody who became an operator of an account say. */
export function composeMembership(
  input: InvitationMail | MembershipMail,
  texts: MailTexts,
): { part: MailPart; actionLabel: string } {
  const { labels, titles, membership } = texts;
  const common = {
    account: oneLine(input.account.name, nameLength),
    invitedBy: oneLine(input.invitedBy, nameLength),
  };
  const facts = [
    [labels.account, common.account],
    [labels.role, membership.roles[input.role]],
    [labels.invitedBy, common.invitedBy],
  ] as const;
  if (input.kind === 'membership') {
    const told = membership.added;
    const part: MailPart = {
      tone: 'notice',
      subject: told.subject(common),
      badge: told.badge,
      headline: told.headline(common),
      lead: told.lead(common),
      facts,
      sections: [{ title: titles.notExpected, paragraphs: [told.notExpected(common)] }],
      closing: membership.getsMails(common),
    };
    return { part, actionLabel: told.action };
  }
  const told = membership.invitation;
  const endsAt = instantFormat(texts.locale, input.account.timeZone).long(input.expiresAt);
  const words = { ...common, endsAt };
  const part: MailPart = {
    tone: 'notice',
    subject: told.subject(words),
    badge: told.badge,
    headline: told.headline(words),
    lead: told.lead(words),
    facts: [...facts, [labels.linkEndsAt, endsAt]],
    sections: [
      { title: titles.whatToDo, list: told.steps(words), ordered: true },
      { title: titles.notExpected, paragraphs: [told.notExpected(words)] },
    ],
    closing: `${told.keepSecret} ${membership.getsMails(words)}`,
  };
  return { part, actionLabel: told.action };
}
