/** What the API answers, as its own schemas have it: types only, so that nothing of the server comes into the page. */
import type { z } from 'zod';
import type { accountView } from '../../account-routes.ts';
import type { apiKeyView } from '../../api-key-routes.ts';
import type { operatorView } from '../../operator-routes.ts';
import type { sessionView } from '../../session-list-routes.ts';
import type { whoAmI } from '../../session-routes.ts';
import type { AttentionItem } from '../../attention-list.ts';
import type { certificateView, listItemView } from '../../certificate-view.ts';

export type { AttentionItem };
export type { RenewalView, GrantView } from '../../renewal-view.ts';
export type { Permission, Role } from '../../../../domain/roles.ts';
export type WhoAmI = z.output<typeof whoAmI> & {
  readonly serverNow: string;
  readonly policy: {
    readonly grantSeconds: number;
    readonly allowance: number;
    readonly warningSeconds: number;
    readonly usageWarningPercent: number;
    readonly codeWindowSeconds: number;
    readonly attemptSeconds: number;
    readonly tries: number;
  };
};
export type CertificateView = z.output<typeof certificateView>;
export type ListedCertificate = z.output<typeof listItemView> & {
  readonly effectiveAt: string | null;
  readonly endsAt: string | null;
};
export type ClientService = CertificateView['clientServices'][number];
export type CertificatePage = {
  readonly items: readonly ListedCertificate[];
  readonly totals: Readonly<Record<ListedCertificate['standing'], number>>;
  readonly nextCursor: string | null;
};
export type AttentionList = { readonly items: readonly AttentionItem[]; readonly total: number };

export type Account = z.output<typeof accountView>;
export type ApiKey = z.output<typeof apiKeyView>;
export type OwnSession = z.output<typeof sessionView>;
// By hand until the invitations' schemas are here: OperatorOfAccount['invitation'] and InvitationView.
export type OperatorOfAccount = z.output<typeof operatorView> & {
  readonly invitation: {
    readonly sentAt: string | null;
    readonly expiresAt: string;
    readonly state: 'waiting' | 'sent' | 'refused' | 'ended';
  } | null;
};
export type InvitationView = {
  readonly name: string;
  readonly email: string;
  readonly accountName: string;
  readonly invitedBy: string;
  readonly expiresAt: string;
  readonly locale: string;
  readonly leastPasswordLength: number;
};
