import { z } from 'zod';
import type { Clock } from '../../domain/clock.ts';
import type { Mailer } from '../../infra/mail/mailer.ts';
import { renderMail } from '../../infra/mail/render.ts';
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

/** A mail may take half a minute; a lease outlasts it. */
export const invitationLeaseMs = 60_000;
/** An address that is refused for a while, for days even, is not asked every few seconds. */
export const invitationLongestPauseMs = 120_000;

const payloadSchema = z.object({ invitationId: z.string() });

/**
 * Rows for mail are invitations. The token is opened here and goes nowhere but into the mail: what the mail says is not kept, and what the relay answers is
 * cleared of it. Sent at least once with the same Message-ID; nothing is sent any more that was used, replaced or withdrawn meanwhile.
 */
export function deliverInvitations(parts: InvitationMailParts): Deliver {
  const { database, clock, mailer, messageIdDomain } = parts;
  return async ({ payload }) => {
    const parsed = payloadSchema.safeParse(payload);
    if (!parsed.success) throw new Undeliverable('names no invitation');
    const { invitationId } = parsed.data;
    const invitation = await findWaitingInvitation(database, invitationId, clock.now());
    if (invitation === undefined) return;
    const { subject, text, html } = await renderInvitation(parts, invitation);
    const sent = await mailer.send({
      ...{ subject, text, html },
      messageId: `invitation.${invitationId}@${messageIdDomain}`,
      to: { name: invitation.name, address: invitation.email },
    });
    if (sent.result === 'failed') throw new Error(withoutFragments(sent.reason));
    const what = invitation.sealedToken === undefined ? 'membership_notice' : 'invitation';
    const reason = sent.result === 'refused' ? withoutFragments(sent.reason) : undefined;
    await inTransaction(database, async (tx) => {
      const now = clock.now();
      if (!(await recordInvitationMail(tx, invitationId, sent.result, now))) return;
      await recordAudit(tx, {
        at: now,
        actor: 'process:worker',
        action: `${what}_${sent.result === 'accepted' ? 'sent' : 'refused'}`,
        accountId: invitation.accountId,
        subject: `operator:${invitation.operatorId}`,
        details: { invitationId, ...(reason !== undefined && { reason }) },
      });
    });
  };
}

function renderInvitation(
  { sealer, publicUrl }: InvitationMailParts,
  invitation: WaitingInvitation,
): ReturnType<typeof renderMail> {
  const { invitationId, name, locale, account, role, invitedBy, expiresAt } = invitation;
  const base = publicUrl.replace(/\/+$/, '');
  const common = { account, operator: { name, locale }, role, invitedBy };
  if (invitation.sealedToken === undefined) {
    return renderMail({ kind: 'membership', ...common, link: `${base}/certificates` });
  }
  const token = sealer.open(invitation.sealedToken, invitationId);
  return renderMail({
    kind: 'invitation',
    ...common,
    expiresAt,
    link: `${base}/invitation#${token}`,
  });
}

/** A relay may quote the address that it took offence at, with the token behind the #, whole or cut off. */
const withoutFragments = (reason: string): string => reason.replaceAll(/#\S+/g, '#[…]');
