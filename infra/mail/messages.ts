import type { Role } from '../../domain/roles.ts';

/** Which rule ends a grant first (DESIGN 4, "binding limit"). */
export type BindingLimit = 'policy_time' | 'policy_usage' | 'ca' | 'certificate';

/** Why an access lapsed (DESIGN 4); every reason suspends the client services. */
export type LapseReason =
  'grant_expired' | 'allowance_exhausted' | 'revoked' | 'ended_by_ca' | 'certificate_ended';

/** Which of the two limits is near. */
type Warning = 'time' | 'usage';

/** The grant a mail speaks of. `allowance` and `used` are numbers of signatures. */
export interface MailGrant {
  readonly effectiveAt: Date;
  readonly expiresAt: Date;
  readonly allowance: number;
  readonly used: number;
  readonly bindingLimit: BindingLimit;
}

interface MailContext {
  /** `timeZone` is an IANA name; every time in the mail is told in it. */
  readonly account: { readonly name: string; readonly timeZone: string };
  /** Who gets this copy. `locale` is a BCP 47 tag; what is not Portuguese is written in English. */
  readonly operator: { readonly name: string; readonly locale: string };
  readonly certificate: { readonly id: string; readonly alias: string };
  readonly authority: { readonly name: string };
  readonly now: Date;
  /** Absolute http(s) address of the certificate's page. It carries no one-time token: it may be opened weeks later, or by a scanner. */
  readonly link: string;
}

/** The daily mail of the last week, or of an access with nearly all signatures used. */
export interface ReminderMail extends MailContext {
  readonly kind: 'reminder';
  readonly grant: MailGrant;
  /** At least one; both limits share one mail. */
  readonly warnings: readonly Warning[];
}

/** The usage has just gone above the warning threshold. */
export interface UsageWarningMail extends MailContext {
  readonly kind: 'usage_warning';
  readonly grant: MailGrant;
}

/** The access ended and the client services were suspended. */
export interface LapsedMail extends MailContext {
  readonly kind: 'lapsed';
  readonly grant: MailGrant;
  readonly reason: LapseReason;
  readonly lapsedAt: Date;
  /** Who pressed the emergency stop; told only when the reason is `revoked`. */
  readonly revokedBy?: string;
  /** Aliases of the client services that were suspended; the mail names the first 20. */
  readonly suspendedServices: readonly string[];
}

/** A signing service reported that the CA refuses the access; nothing was suspended. */
export interface CaRefusalMail extends MailContext {
  readonly kind: 'ca_refusal';
  readonly grant: MailGrant;
  readonly reportedAt: Date;
  /** The CA's error as the signing service reported it. */
  readonly caError?: string;
}

/** A mail about a grant. */
export type GrantMail = ReminderMail | UsageWarningMail | LapsedMail | CaRefusalMail;

interface MembershipContext {
  /** `timeZone` is an IANA name; every time in the mail is told in it. */
  readonly account: { readonly name: string; readonly timeZone: string };
  /** Whom it is for. `locale` is a BCP 47 tag; what is not Portuguese is written in English. */
  readonly operator: { readonly name: string; readonly locale: string };
  readonly role: Role;
  /** Name of the administrator who did it. */
  readonly invitedBy: string;
}

/** Somebody became an operator and has to choose a password. */
export interface InvitationMail extends MembershipContext {
  readonly kind: 'invitation';
  readonly expiresAt: Date;
  /** Absolute http(s) address with the token in its fragment: the one mail that carries one, so what it says is kept nowhere. */
  readonly link: string;
}

/** Somebody who signs in already became an operator of a further account. */
export interface MembershipMail extends MembershipContext {
  readonly kind: 'membership';
  /** Absolute http(s) address of the sign-in. */
  readonly link: string;
}

interface PasswordContext {
  /** Whose password it is. `locale` is a BCP 47 tag; what is not Portuguese is written in English. */
  readonly operator: { readonly name: string; readonly locale: string };
  /** An IANA name; every time in the mail is told in it. */
  readonly timeZone: string;
}

/** Somebody asked for a link to choose a new password; whoever reads the mail may do so. */
export interface PasswordResetMail extends PasswordContext {
  readonly kind: 'password_reset';
  readonly requestedAt: Date;
  readonly expiresAt: Date;
  /** Absolute http(s) address with the token in its fragment; what the mail says is kept nowhere. */
  readonly link: string;
}

/** The password is another one: so that whoever did not change it finds out. */
export interface PasswordChangedMail extends PasswordContext {
  readonly kind: 'password_changed';
  readonly changedAt: Date;
  /** With the link of a mail, or by who was signed in and told the one before. */
  readonly by: 'mail' | 'present_password';
  /** Absolute http(s) address of where a new one is asked for. */
  readonly link: string;
}

/** A mail about a person's password, whatever the account. */
export type PasswordMail = PasswordResetMail | PasswordChangedMail;

/** All a mail is made from: one typed input gives subject, preview, text and HTML. */
export type MailInput = GrantMail | InvitationMail | MembershipMail | PasswordMail;

/** A mail ready to be sent. */
export interface RenderedMail {
  readonly subject: string;
  readonly preview: string;
  readonly text: string;
  readonly html: string;
}
