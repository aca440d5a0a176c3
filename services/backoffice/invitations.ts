import { randomUUID } from 'node:crypto';
import type { Context } from 'koa';
import type { Clock } from '../../domain/clock.ts';
import { Problem } from '../../domain/errors.ts';
import { invitationCooldown, invitationSeconds } from '../../domain/invitation.ts';
import type { Role } from '../../domain/roles.ts';
import {
  hasPassword,
  insertMembership,
  insertOperator,
  lockOperator,
} from '../../infra/postgres/administration.ts';
import { recordAudit } from '../../infra/postgres/audit.ts';
import {
  acceptInvitation,
  endInvitations,
  findOpenInvitation,
  insertInvitation,
  listInvitations,
  type OpenInvitation,
} from '../../infra/postgres/invitations.ts';
import { mailInvitation } from '../../infra/postgres/outbox.ts';
import { inTransaction, type Database, type Queryable } from '../../infra/postgres/pool.ts';
import { hashSecret, newSecret, type Sealer } from '../../infra/postgres/sealing.ts';
import { hashPassword } from '../shared/passwords.ts';
import { startSession, type Caller, type SessionStart } from './session.ts';

type InvitationParts = SessionStart & {
  readonly database: Database;
  readonly clock: Clock;
  readonly sealer: Sealer;
};

type Person = {
  readonly email: string;
  readonly name: string;
  readonly locale: string;
  readonly role: Role;
};

export type Invitations = ReturnType<typeof createInvitations>;

/**
 * How somebody becomes an operator without anybody else knowing their password: a mail brings a token, good once and for a week, with which they choose it.
 * Here is its hash, and until the mail was sent a sealed copy. Callers have checked what the role of the inviter allows.
 */
export function createInvitations(parts: InvitationParts) {
  const { database, clock, sealer } = parts;

  /** With a token where there is a password to choose; otherwise the mail only tells of the account. */
  const invite = async (
    tx: Queryable,
    to: { readonly accountId: string; readonly operatorId: string; readonly invitedBy: string },
    withToken: boolean,
    now: Date,
  ): Promise<void> => {
    const invitationId = randomUUID();
    const expiresAt = new Date(now.getTime() + invitationSeconds * 1000);
    const token = newSecret();
    await insertInvitation(tx, {
      ...{ invitationId, ...to, createdAt: now, expiresAt },
      token: withToken
        ? { hash: hashSecret(token), sealed: sealer.seal(token, invitationId) }
        : undefined,
    });
    await mailInvitation(tx, 'backoffice', invitationId, now);
    if (!withToken) return;
    await recordAudit(tx, {
      at: now,
      actor: `operator:${to.invitedBy}`,
      action: 'operator_invited',
      accountId: to.accountId,
      subject: `operator:${to.operatorId}`,
      details: { invitationId, expiresAt: expiresAt.toISOString() },
    });
  };

  const lookUp = async (token: string): Promise<OpenInvitation> => {
    const invitation = await findOpenInvitation(database, hashSecret(token), clock.now());
    if (invitation === undefined) throw new Problem('invitation_ended');
    return invitation;
  };

  return {
    /**
     * Makes somebody an operator of the account at once, so that its mails reach them. Who is there already keeps name, language and password. Answers the
     * operator's id; throws `already_exists`.
     */
    async addOperator({ operatorId: invitedBy }: Caller, accountId: string, person: Person) {
      const { role, ...who } = person;
      // Of a secret that is forgotten here: there is nothing to sign in with until a password is chosen.
      const passwordHash = await hashPassword(newSecret());
      return inTransaction(database, async (tx) => {
        const now = clock.now();
        const newId = randomUUID();
        const { operatorId, passwordSet } = await insertOperator(
          tx,
          { operatorId: newId, passwordHash, ...who },
          now,
        );
        await insertMembership(tx, { accountId, operatorId, role }, now);
        await recordAudit(tx, {
          at: now,
          actor: `operator:${invitedBy}`,
          action: 'operator_added',
          accountId,
          subject: `operator:${operatorId}`,
          details: { role, isNew: operatorId === newId },
        });
        await invite(tx, { accountId, operatorId, invitedBy }, !passwordSet, now);
        return operatorId;
      });
    },

    /** A new token, which voids the one before. Throws `not_found`, `invitation_not_needed`, `too_many_requests`. */
    async sendAgain({ operatorId: invitedBy }: Caller, accountId: string, operatorId: string) {
      await inTransaction(database, async (tx) => {
        await lockOperator(tx, accountId, operatorId);
        const now = clock.now();
        const last = (await listInvitations(tx, accountId)).find(
          (invitation) => invitation.operatorId === operatorId,
        );
        await endInvitations(tx, accountId, operatorId, 'replaced', now);
        // Asked only now: an acceptance under way has been waited for.
        if (await hasPassword(tx, operatorId)) throw new Problem('invitation_not_needed');
        const retryAfterSeconds = last === undefined ? 0 : invitationCooldown(last.createdAt, now);
        if (retryAfterSeconds > 0) throw new Problem('too_many_requests', { retryAfterSeconds });
        await invite(tx, { accountId, operatorId, invitedBy }, true, now);
      });
    },

    /** Throws `invitation_ended`, whatever the reason. */
    lookUp,

    /** Sets the password and signs in, as one. Answers the operator and the cookies; throws `invitation_ended`. */
    async accept(
      token: string,
      password: string,
      ctx: Context,
    ): Promise<{ operatorId: string; setCookie: string[] }> {
      // A token that is no good costs no hashing.
      await lookUp(token);
      const passwordHash = await hashPassword(password);
      return inTransaction(database, async (tx) => {
        const now = clock.now();
        const accepted = await acceptInvitation(tx, hashSecret(token), passwordHash, now);
        if (accepted === undefined) throw new Problem('invitation_ended');
        const { operatorId, accountId, invitationId } = accepted;
        await recordAudit(tx, {
          at: now,
          actor: `operator:${operatorId}`,
          action: 'invitation_accepted',
          accountId,
          subject: `operator:${operatorId}`,
          details: { invitationId },
        });
        return { operatorId, setCookie: await startSession(tx, ctx, operatorId, now, parts) };
      });
    },
  };
}
