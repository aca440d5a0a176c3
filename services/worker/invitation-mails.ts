import { z } from 'zod';
import type { Clock } from '../../domain/clock.ts';
import type { Mailer } from '../../infra/mail/mailer.ts';
import type { InvitationMail, MembershipMail } from '../../infra/mail/messages.ts';
import { recordAudit } from '../../infra/postgres/audit.ts';
import {
  findWaitingInvitation,
  recordInvitationMail,
  type WaitingInvitation,
} from '../../infra/postgres/invitations.ts';
import { inTransaction, type Database } from '../../infra/postgres/pool.ts';
import type { Sealer } from '../../infra/postgres/sealing.ts';
import type { Deliver } from '../../infra/temporal/outbox-relay.ts';
import { Undeliverable } from '../../infra/temporal/undeliverable.ts';
import { sendPrivateMail } from './private-mail.ts';

export type InvitationMailParts = {
  readonly database: Database;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly mailer: Pick<Mailer, 'send'>;
  /** Where browsers reach the backoffice. */
  readonly publicUrl: string;
  /** Right-hand side of message ids. */
  readonly messageIdDomain: string;
};

const payloadSchema = z.object({ invitationId: z.string() });

/**
 * Rows for mail are invitations. The token is opened here and goes nowhere but into the mail. Sent at least once with the same Message-ID; nothing is sent any more
 * that was used, replaced or withdrawn meanwhile.
 */
export function deliverInvitations(parts: InvitationMailParts): Deliver {
  const { database, clock, mailer, messageIdDomain } = parts;
  return async ({ payload }) => {
    const parsed = payloadSchema.safeParse(payload);
    if (!parsed.success) throw new Undeliverable('names no invitation');
    const { invitationId } = parsed.data;
    const invitation = await findWaitingInvitation(database, invitationId, clock.now());
    if (invitation === undefined) return;
    const { result, reason } = await sendPrivateMail(mailer, {
      messageId: `invitation.${invitationId}@${messageIdDomain}`,
      to: { name: invitation.name, address: invitation.email },
      input: mailOf(parts, invitation),
    });
    const what = invitation.sealedToken === undefined ? 'membership_notice' : 'invitation';
    await inTransaction(database, async (tx) => {
      const now = clock.now();
      if (!(await recordInvitationMail(tx, invitationId, result, now))) return;
      await recordAudit(tx, {
        at: now,
        actor: 'process:worker',
        action: `${what}_${result === 'accepted' ? 'sent' : 'refused'}`,
        accountId: invitation.accountId,
        subject: `operator:${invitation.operatorId}`,
        details: { invitationId, ...(reason !== undefined && { reason }) },
      });
    });
  };
}

function mailOf(
  { sealer, publicUrl }: InvitationMailParts,
  invitation: WaitingInvitation,
): InvitationMail | MembershipMail {
  const { invitationId, name, locale, account, role, invitedBy, expiresAt } = invitation;
  const base = publicUrl.replace(/\/+$/, '');
  const common = { account, operator: { name, locale }, role, invitedBy };
  if (invitation.sealedToken === undefined) {
    return { kind: 'membership', ...common, link: `${base}/certificates` };
  }
  const token = sealer.open(invitation.sealedToken, invitationId);
  return { kind: 'invitation', ...common, expiresAt, link: `${base}/invitation#${token}` };
}
