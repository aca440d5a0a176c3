import { z } from 'zod';

import type {
  CaRefusalMail,
  InvitationMail,
  LapsedMail,
  MailGrant,
  MailInput,
  MembershipMail,
  PasswordChangedMail,
  PasswordResetMail,
  ReminderMail,
  UsageWarningMail,
} from '../messages.ts';

const grant: MailGrant = {
  effectiveAt: new Date('2026-04-17T14:04:00Z'),
  expiresAt: new Date('2026-06-16T14:04:00Z'),
  allowance: 1_000_000_000,
  used: 123_456_789,
  bindingLimit: 'policy_time',
};

const context = {
  account: { name: 'ACME, Lda.', timeZone: 'Europe/Lisbon' },
  operator: { name: 'Ana Sousa', locale: 'en' },
  certificate: { id: 'c1', alias: 'ACME seal' },
  authority: { name: "Multicert's Certificate Issuance System" },
  now: new Date('2026-06-13T08:00:00Z'),
  link: 'https://certificates.example/certificates/c1',
};

interface Overrides<M> {
  readonly grant?: Partial<MailGrant>;
  readonly mail?: Partial<Omit<M, 'kind' | 'grant'>>;
}

/** A reminder three days before the end. */
export function buildReminder({
  grant: changes,
  mail,
}: Overrides<ReminderMail> = {}): ReminderMail {
  return {
    kind: 'reminder',
    ...context,
    warnings: ['time'],
    ...mail,
    grant: { ...grant, ...changes },
  };
}

/** The mail of the moment when the usage went above its warning level. */
export function buildUsageWarning(used = 900_000_001): UsageWarningMail {
  return { kind: 'usage_warning', ...context, grant: { ...grant, used } };
}

/** A refusal reported half an hour before the mail. */
export function buildCaRefusal(): CaRefusalMail {
  return {
    kind: 'ca_refusal',
    ...context,
    grant,
    reportedAt: new Date('2026-06-13T07:30:00Z'),
    caError: 'invalid_request: SAD',
  };
}

/** A lapse by time with two suspended services. */
export function buildLapsed(overrides: Partial<Omit<LapsedMail, 'kind'>> = {}): LapsedMail {
  return {
    kind: 'lapsed',
    ...context,
    grant,
    reason: 'grant_expired',
    lapsedAt: grant.expiresAt,
    suspendedServices: ['Invoices', 'Payslips'],
    ...overrides,
  };
}

const membership = {
  account: context.account,
  operator: context.operator,
  role: 'operator',
  invitedBy: 'Rui Costa',
} as const;

/** An invitation that is good for a week. */
export function buildInvitation(
  overrides: Partial<Omit<InvitationMail, 'kind'>> = {},
): InvitationMail {
  return {
    kind: 'invitation',
    ...membership,
    expiresAt: new Date('2026-06-20T08:00:00Z'),
    link: 'https://certificates.example/invitation#canary-token',
    ...overrides,
  };
}

/** What somebody who has a password already is told. */
export function buildMembership(): MembershipMail {
  return { kind: 'membership', ...membership, link: 'https://certificates.example/certificates' };
}

const password = { operator: context.operator, timeZone: 'Europe/Lisbon' } as const;

/** A link that is good for an hour. */
export function buildPasswordReset(
  overrides: Partial<Omit<PasswordResetMail, 'kind'>> = {},
): PasswordResetMail {
  return {
    kind: 'password_reset',
    ...password,
    requestedAt: new Date('2026-06-13T08:00:00Z'),
    expiresAt: new Date('2026-06-13T09:00:00Z'),
    link: 'https://certificates.example/password-reset#canary-token',
    ...overrides,
  };
}

export function buildPasswordChanged(
  overrides: Partial<Omit<PasswordChangedMail, 'kind'>> = {},
): PasswordChangedMail {
  return {
    kind: 'password_changed',
    ...password,
    changedAt: new Date('2026-06-13T08:20:00Z'),
    by: 'mail',
    link: 'https://certificates.example/forgot-password',
    ...overrides,
  };
}

/** One input of every kind and every reason. */
export function buildOfEveryKind(): MailInput[] {
  const nearlyUsed = { used: 912_345_678 };
  return [
    buildReminder(),
    buildReminder({ grant: nearlyUsed, mail: { warnings: ['usage'] } }),
    buildReminder({ grant: nearlyUsed, mail: { warnings: ['time', 'usage'] } }),
    buildReminder({ grant: { bindingLimit: 'certificate' } }),
    buildUsageWarning(),
    buildLapsed(),
    buildLapsed({ reason: 'allowance_exhausted' }),
    buildLapsed({ reason: 'revoked', revokedBy: 'Rui Costa' }),
    buildLapsed({ reason: 'ended_by_ca' }),
    buildLapsed({ reason: 'certificate_ended' }),
    buildCaRefusal(),
    buildInvitation(),
    buildMembership(),
    buildPasswordReset(),
    buildPasswordChanged(),
    buildPasswordChanged({ by: 'present_password' }),
  ];
}

const addressSchema = z.object({ Name: z.string(), Address: z.string() });
const summarySchema = z.object({
  ID: z.string(),
  MessageID: z.string(),
  From: addressSchema,
  To: z.array(addressSchema),
  Bcc: z.array(addressSchema),
  ReplyTo: z.array(addressSchema),
  Subject: z.string(),
  Created: z.iso.datetime(),
  Size: z.number(),
  Snippet: z.string(),
  Read: z.boolean(),
  Attachments: z.number(),
  Tags: z.array(z.string()),
});
const listSchema = z.object({
  total: z.number(),
  unread: z.number(),
  count: z.number(),
  messages_count: z.number(),
  start: z.number(),
  tags: z.array(z.string()),
  messages: z.array(summarySchema),
});
const messageSchema = z.object({ Text: z.string(), HTML: z.string(), Date: z.iso.datetime() });

/** Reads a mailbox through its HTTP API, as a test from outside does. */
export function mailboxReader(url: string) {
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(url + path);
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return response.json();
  };
  return {
    list: async (paging = '') => listSchema.parse(await get(`/api/v1/messages?${paging}`)),
    search: async (query: string) =>
      listSchema.parse(await get(`/api/v1/search?query=${encodeURIComponent(query)}`)),
    message: async (id: string) => messageSchema.parse(await get(`/api/v1/message/${id}`)),
    headers: async (id: string) =>
      z.record(z.string(), z.array(z.string())).parse(await get(`/api/v1/message/${id}/headers`)),
    async setSwitches(switches: object): Promise<void> {
      const response = await fetch(`${url}/mailbox/switches`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(switches),
      });
      if (!response.ok) throw new Error(`the switches answered ${response.status}`);
    },
    clear: () => fetch(`${url}/api/v1/messages`, { method: 'DELETE' }),
  };
}
