import { composeMembership } from './compose-membership.ts';
import { composePassword } from './compose-password.ts';
import type { MailDocument, MailPart as Part, MailSection } from './document.ts';
import { instantFormat, oneLine, termDays, usedPercent } from './formats.ts';
import type {
  CaRefusalMail,
  GrantMail,
  LapsedMail,
  MailInput,
  ReminderMail,
  UsageWarningMail,
} from './messages.ts';
import { textsFor } from './texts/languages.ts';
import type { MailTexts, MailWords } from './texts/texts.ts';

const namedServices = 20;
const nameLength = 80;

/** What a mail says, in the operator's language. Throws when the link is no http(s) address: such a mail would lead nowhere. */
export function composeMail(input: MailInput): MailDocument {
  const link = new URL(input.link);
  if (link.protocol !== 'https:' && link.protocol !== 'http:') {
    throw new Error('The link of a mail must be an http(s) address.');
  }
  const texts = textsFor(input.operator.locale);
  const { part, actionLabel, footer } = composedOf(input, texts);
  return {
    ...part,
    language: texts.tag,
    preview: part.lead,
    greeting: texts.greeting(oneLine(input.operator.name, nameLength)),
    action: { label: actionLabel, href: link.href },
    footer,
  };
}

type Composed = { readonly part: Part; readonly actionLabel: string; readonly footer: string };

function composedOf(input: MailInput, texts: MailTexts): Composed {
  if (input.kind === 'password_reset' || input.kind === 'password_changed') {
    const { timeZone } = instantFormat(texts.locale, input.timeZone);
    return { ...composePassword(input, texts), footer: texts.password.footer({ timeZone }) };
  }
  const footer = texts.footer({
    account: oneLine(input.account.name, nameLength),
    timeZone: instantFormat(texts.locale, input.account.timeZone).timeZone,
  });
  return input.kind === 'invitation' || input.kind === 'membership'
    ? { ...composeMembership(input, texts), footer }
    : { part: partOf(input, texts), actionLabel: texts.openCertificate, footer };
}

function partOf(input: GrantMail, texts: MailTexts): Part {
  const words = wordsOf(input, texts);
  switch (input.kind) {
    case 'reminder':
      return reminder(input, texts, words);
    case 'usage_warning':
      return usageWarning(input, texts, words);
    case 'lapsed':
      return lapsed(input, texts, words);
    case 'ca_refusal':
      return caRefusal(input, texts, words);
  }
}

function reminder({ grant, warnings }: ReminderMail, texts: MailTexts, words: MailWords): Part {
  const time = warnings.includes('time');
  const usage = warnings.includes('usage');
  const about = time && usage ? 'both' : usage ? 'usage' : 'time';
  return {
    tone: 'warning',
    subject: texts.reminder.subject[about](words),
    badge: time ? capital(words.timeLeft) : texts.usageBadge(words),
    headline: texts.reminder.headline[about](words),
    lead: texts.reminder.lead[about](words),
    facts: inForceFacts(grant.bindingLimit, texts, words),
    sections: [
      { title: texts.titles.otherwise, paragraphs: [texts.otherwise(words)] },
      // More signatures can be had by renewing, time beyond the certificate's own end cannot.
      time && grant.bindingLimit === 'certificate' ? replace(texts, words) : renew(texts, words),
    ],
    closing: texts.reminder.closing(words),
  };
}

function usageWarning({ grant }: UsageWarningMail, texts: MailTexts, words: MailWords): Part {
  return {
    tone: 'warning',
    subject: texts.reminder.subject.usage(words),
    badge: texts.usageBadge(words),
    headline: texts.reminder.headline.usage(words),
    lead: texts.usageWarning.lead(words),
    facts: inForceFacts(grant.bindingLimit, texts, words),
    sections: [
      { title: texts.titles.otherwise, paragraphs: [texts.otherwise(words)] },
      renew(texts, words),
    ],
    closing: texts.reminder.closing(words),
  };
}

function lapsed(
  { reason, suspendedServices }: LapsedMail,
  texts: MailTexts,
  words: MailWords,
): Part {
  const { labels, lapsed: told } = texts;
  const named = suspendedServices.slice(0, namedServices).map((name) => oneLine(name, nameLength));
  const unnamed = suspendedServices.length - named.length;
  return {
    tone: 'stopped',
    subject: told.subject[reason](words),
    badge: told.badge,
    headline: told.headline(words),
    lead: told.lead[reason](words),
    facts: [
      ...whoseFacts(texts, words),
      [labels.endedAt, words.happenedAt],
      [labels.reason, told.reasons[reason](words)],
      ...(reason === 'revoked' ? [[labels.stoppedBy, words.revokedBy] as const] : []),
      [labels.usage, texts.usage(words)],
    ],
    sections: [
      named.length === 0
        ? { title: texts.titles.suspended, paragraphs: [told.noneSuspended] }
        : {
            title: `${texts.titles.suspended} (${suspendedServices.length})`,
            list: unnamed > 0 ? [...named, texts.more(unnamed)] : named,
          },
      reason === 'certificate_ended'
        ? replace(texts, words)
        : {
            title: texts.titles.whatToDo,
            paragraphs: [told.before[reason](words)],
            list: [...texts.renewSteps(words), told.activate],
            ordered: true,
          },
    ],
    closing: told.closing(words),
  };
}

function caRefusal({ caError }: CaRefusalMail, texts: MailTexts, words: MailWords): Part {
  const { labels, caRefusal: told } = texts;
  return {
    tone: 'notice',
    subject: told.subject(words),
    badge: told.badge,
    headline: told.headline(words),
    lead: told.lead(words),
    facts: [
      ...whoseFacts(texts, words),
      [labels.reportedAt, words.happenedAt],
      ...(caError === undefined ? [] : [[labels.caError, oneLine(caError, 200)] as const]),
      [labels.endsAt, words.endsAt],
      [labels.timeLeft, words.timeLeft],
      [labels.usage, texts.usage(words)],
    ],
    sections: [
      {
        title: texts.titles.whatToDo,
        paragraphs: [told.nothingSuspended(words)],
        list: told.steps(words),
        ordered: true,
      },
    ],
    closing: told.closing(words),
  };
}

function whoseFacts({ labels }: MailTexts, words: MailWords): (readonly [string, string])[] {
  return [
    [labels.certificate, words.alias],
    [labels.account, words.account],
    [labels.authority, words.authority],
  ];
}

function inForceFacts(
  limit: keyof MailTexts['limits'],
  texts: MailTexts,
  words: MailWords,
): Part['facts'] {
  return [
    ...whoseFacts(texts, words),
    [texts.labels.endsAt, words.endsAt],
    [texts.labels.timeLeft, words.timeLeft],
    [texts.labels.usage, texts.usage(words)],
    [texts.labels.limit, texts.limits[limit](words)],
  ];
}

function renew(texts: MailTexts, words: MailWords): MailSection {
  return {
    title: texts.titles.whatToDo,
    paragraphs: [texts.renewalCountsFromNow],
    list: texts.renewSteps(words),
    ordered: true,
  };
}

function replace(texts: MailTexts, words: MailWords): MailSection {
  return {
    title: texts.titles.whatToDo,
    paragraphs: [texts.replace.why(words)],
    list: texts.replace.steps(words),
    ordered: true,
  };
}

function wordsOf(input: GrantMail, texts: MailTexts): MailWords {
  const { grant } = input;
  const instants = instantFormat(texts.locale, input.account.timeZone);
  const numbers = new Intl.NumberFormat(texts.locale, { useGrouping: 'always' });
  const happenedAt = happenedAtOf(input);
  const revokedBy = input.kind === 'lapsed' ? input.revokedBy : undefined;
  return {
    // Short enough that a subject still shows the date.
    alias: oneLine(input.certificate.alias, 60),
    account: oneLine(input.account.name, nameLength),
    authority: oneLine(input.authority.name, nameLength),
    timeZone: instants.timeZone,
    endsAt: instants.long(grant.expiresAt),
    endsAtShort: instants.short(grant.expiresAt),
    happenedAt: instants.long(happenedAt),
    happenedAtShort: instants.short(happenedAt),
    timeLeft: texts.timeLeft(instants.datesUntil(input.now, grant.expiresAt)),
    used: numbers.format(grant.used),
    allowance: numbers.format(grant.allowance),
    percent: usedPercent(grant.used, grant.allowance),
    termDays: termDays(grant.effectiveAt, grant.expiresAt),
    revokedBy: revokedBy === undefined ? texts.someone : oneLine(revokedBy, nameLength),
  };
}

function happenedAtOf(input: GrantMail): Date {
  if (input.kind === 'lapsed') return input.lapsedAt;
  if (input.kind === 'ca_refusal') return input.reportedAt;
  return input.now;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
