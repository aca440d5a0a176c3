import type { Role } from '../../../domain/roles.ts';
import type { BindingLimit, LapseReason } from '../messages.ts';

/** What the sentences of a mail are filled with; all of it plain text, written for the reader's language and zone. */
export interface MailWords {
  readonly alias: string;
  readonly account: string;
  readonly authority: string;
  readonly timeZone: string;
  /** When the grant ends, in the long and the short form. */
  readonly endsAt: string;
  readonly endsAtShort: string;
  /** When what the mail tells happened (lapse, report), in both forms. */
  readonly happenedAt: string;
  readonly happenedAtShort: string;
  /** `3 days left`, `tomorrow`, `today`. */
  readonly timeLeft: string;
  readonly used: string;
  readonly allowance: string;
  readonly percent: number;
  readonly termDays: number;
  /** Who pressed the emergency stop. */
  readonly revokedBy: string;
}

/** The same for the mails to somebody who became an operator. */
interface MembershipWords {
  readonly account: string;
  readonly invitedBy: string;
}
interface InvitationWords extends MembershipWords {
  /** Until when the link is good. */
  readonly endsAt: string;
}

/** The same for the mails about a password. */
interface PasswordWords {
  /** When what the mail tells happened. */
  readonly happenedAt: string;
  /** Until when the link is good; empty where there is none. */
  readonly endsAt: string;
}

type Sentence = (words: MailWords) => string;
type MembershipSentence = (words: MembershipWords) => string;
type InvitationSentence = (words: InvitationWords) => string;
type PasswordSentence = (words: PasswordWords) => string;
type Steps = (words: MailWords) => readonly string[];

/** Everything a mail says, once per language: a missing sentence does not compile. */
export interface MailTexts {
  /** Language of the HTML document. */
  readonly tag: string;
  /** Locale for dates and numbers. */
  readonly locale: string;
  readonly timeLeft: (days: number) => string;
  readonly greeting: (name: string) => string;
  readonly more: (count: number) => string;
  readonly usage: Sentence;
  readonly someone: string;
  readonly labels: Record<
    | 'certificate'
    | 'account'
    | 'authority'
    | 'endsAt'
    | 'endedAt'
    | 'timeLeft'
    | 'usage'
    | 'limit'
    | 'reason'
    | 'stoppedBy'
    | 'reportedAt'
    | 'caError'
    | 'role'
    | 'invitedBy'
    | 'linkEndsAt'
    | 'requestedAt'
    | 'changedAt'
    | 'changedBy',
    string
  >;
  readonly limits: Record<BindingLimit, Sentence>;
  readonly titles: Record<'otherwise' | 'whatToDo' | 'suspended' | 'notExpected', string>;
  readonly openCertificate: string;
  readonly otherwise: Sentence;
  readonly renewSteps: Steps;
  readonly renewalCountsFromNow: string;
  readonly replace: { readonly why: Sentence; readonly steps: Steps };
  readonly reminder: {
    readonly subject: Record<'time' | 'usage' | 'both', Sentence>;
    readonly headline: Record<'time' | 'usage' | 'both', Sentence>;
    readonly lead: Record<'time' | 'usage' | 'both', Sentence>;
    readonly closing: Sentence;
  };
  readonly usageWarning: { readonly lead: Sentence };
  readonly usageBadge: Sentence;
  readonly lapsed: {
    readonly badge: string;
    readonly subject: Record<LapseReason, Sentence>;
    readonly headline: Sentence;
    readonly lead: Record<LapseReason, Sentence>;
    readonly reasons: Record<LapseReason, Sentence>;
    /** What to know before renewing. */
    readonly before: Record<Exclude<LapseReason, 'certificate_ended'>, Sentence>;
    readonly activate: string;
    readonly noneSuspended: string;
    readonly closing: Sentence;
  };
  readonly caRefusal: {
    readonly badge: string;
    readonly subject: Sentence;
    readonly headline: Sentence;
    readonly lead: Sentence;
    readonly nothingSuspended: Sentence;
    readonly steps: Steps;
    readonly closing: Sentence;
  };
  readonly membership: {
    readonly roles: Record<Role, string>;
    readonly invitation: {
      readonly badge: string;
      readonly subject: InvitationSentence;
      readonly headline: InvitationSentence;
      readonly lead: InvitationSentence;
      readonly steps: (words: InvitationWords) => readonly string[];
      readonly notExpected: InvitationSentence;
      readonly keepSecret: string;
      readonly action: string;
    };
    readonly added: {
      readonly badge: string;
      readonly subject: MembershipSentence;
      readonly headline: MembershipSentence;
      readonly lead: MembershipSentence;
      readonly notExpected: MembershipSentence;
      readonly action: string;
    };
    readonly getsMails: MembershipSentence;
  };
  readonly password: {
    readonly badge: string;
    readonly reset: {
      readonly subject: string;
      readonly headline: string;
      readonly lead: PasswordSentence;
      readonly steps: (words: PasswordWords) => readonly string[];
      readonly notExpected: PasswordSentence;
      readonly keepSecret: string;
      readonly action: string;
    };
    readonly changed: {
      readonly subject: string;
      readonly headline: string;
      readonly lead: PasswordSentence;
      readonly by: Record<'mail' | 'present_password', string>;
      readonly notExpected: string;
      readonly expected: string;
      readonly action: string;
    };
    readonly footer: (words: Pick<MailWords, 'timeZone'>) => string;
  };
  readonly footer: (words: Pick<MailWords, 'account' | 'timeZone'>) => string;
}
