/** What the API answers, as its own schemas have it: types only, so that nothing of the server comes into the page. */
import type { z } from 'zod';
import type { accountView } from '../../account-routes.ts';
import type { apiKeyView } from '../../api-key-routes.ts';
import type { invitationView } from '../../invitation-routes.ts';
import type { passwordResetView } from '../../password-routes.ts';
import type { operatorView } from '../../operator-routes.ts';
import type { sessionView } from '../../session-list-routes.ts';
import type { whoAmI } from '../../session-routes.ts';
import type { AttentionItem } from '../../attention-list.ts';
import type { certificateView, listItemView } from '../../certificate-view.ts';
import type { mailView, recipientsView } from '../../recipients-routes.ts';
import type { TimelineEntry } from '../../timeline-view.ts';
import type { GrantMail } from '../../../../infra/mail/messages.ts';

export type { AttentionItem };
export type { TimelineAction, TimelineEntry, TimelineType } from '../../timeline-view.ts';
export type { RenewalView, GrantView } from '../../renewal-view.ts';
export type { Permission, Role } from '../../../../domain/roles.ts';
export type WhoAmI = z.output<typeof whoAmI>;
export type CertificateView = z.output<typeof certificateView>;
export type ListedCertificate = z.output<typeof listItemView>;
export type ClientService = CertificateView['clientServices'][number];
export type CertificatePage = {
  readonly items: readonly ListedCertificate[];
  readonly totals: Readonly<Record<ListedCertificate['standing'], number>>;
  readonly nextCursor: string | null;
};
export type AttentionList = { readonly items: readonly AttentionItem[]; readonly total: number };
export type TimelinePage = {
  readonly items: readonly TimelineEntry[];
  readonly nextCursor: string | null;
};
export type RecipientsView = z.output<typeof recipientsView>;
export type Recipient = RecipientsView['items'][number];
export type MailView = z.output<typeof mailView>;
export type MailState = MailView['state'];
/** Of the mails about a certificate; what is told about a person's own access is not kept. */
export type MailKind = GrantMail['kind'];

export type Account = z.output<typeof accountView>;
export type ApiKey = z.output<typeof apiKeyView>;
export type OwnSession = z.output<typeof sessionView>;
export type OperatorOfAccount = z.output<typeof operatorView>;
export type InvitationView = z.output<typeof invitationView>;
export type PasswordResetView = z.output<typeof passwordResetView>;
