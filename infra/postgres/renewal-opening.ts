import { Problem } from '../../domain/errors.ts';
import { may } from '../../domain/roles.ts';
import { recordAudit } from './audit.ts';
import { lockCertificate } from './certificate-lock.ts';
import { findRole } from './operators-read.ts';
import { signalGrant } from './outbox.ts';
import { brokenConstraint, inTransaction, type Queryable } from './pool.ts';
import {
  endRenewal,
  findOpenRenewal,
  overdueOutcome,
  type RenewalStore,
  type StoredRenewal,
} from './renewals.ts';

export type RenewalRequest = {
  readonly renewalId: string;
  readonly certificateId: string;
  readonly operatorId: string;
  /** Whether a colleague's open renewal is to be replaced. */
  readonly takeOver: boolean;
  readonly stateHash: Buffer;
  readonly browserHash: Buffer;
  readonly sealedVerifier: string;
};

/**
 * Opens a renewal, replacing the operator's own open one, or a colleague's when it is taken over. The grant in force is not touched. Throws `role_required`,
 * `certificate_ended`, `renewal_already_open` (who, since when) and `renewal_authorizing`.
 */
export async function openRenewal(
  store: RenewalStore,
  request: RenewalRequest,
): Promise<{ deadlineAt: Date }> {
  try {
    return await inTransaction(store.database, (tx) => openLocked(tx, store, request));
  } catch (error) {
    // Under the certificate's lock this does not happen; the index is what makes it impossible.
    if (brokenConstraint(error) !== 'renewals__one_open') throw error;
    throw new Problem('renewal_already_open', {}, { cause: error });
  }
}

async function openLocked(
  tx: Queryable,
  { clock, policy }: RenewalStore,
  request: RenewalRequest,
): Promise<{ deadlineAt: Date }> {
  const { renewalId, certificateId, operatorId } = request;
  const { accountId, notAfter } = await lockCertificate(tx, certificateId);
  const now = clock.now();
  const role = await findRole(tx, operatorId, accountId);
  if (role === undefined) throw new Problem('not_found');
  if (!may(role, 'renew')) throw new Problem('role_required');
  if (now >= notAfter) throw new Problem('certificate_ended', { notAfter: notAfter.toISOString() });

  const open = await findOpenRenewal(tx, certificateId);
  if (open !== undefined) await replace(tx, open, request, now);

  const deadlineAt = new Date(now.getTime() + policy.attemptSeconds * 1000);
  await tx.query(
    `insert into renewals
       (renewal_id, certificate_id, account_id, operator_id, state, started_at, deadline_at, state_hash, browser_hash, sealed_verifier, tries_left)
     values ($1, $2, $3, $4, 'at_ca', $5, $6, $7, $8, $9, $10)`,
    [
      renewalId,
      certificateId,
      accountId,
      operatorId,
      now,
      deadlineAt,
      request.stateHash,
      request.browserHash,
      request.sealedVerifier,
      policy.tries,
    ],
  );
  await signalGrant(tx, 'backoffice', renewalId, { name: 'requested', payload: {} }, now);
  await recordAudit(tx, {
    at: now,
    actor: `operator:${operatorId}`,
    action: 'renewal_opened',
    accountId,
    certificateId,
    subject: `renewal:${renewalId}`,
    details: {
      deadlineAt: deadlineAt.toISOString(),
      ...(open && { replaces: open.renewalId }),
    },
  });
  return { deadlineAt };
}

/** Makes room for the new renewal, or refuses. */
async function replace(
  tx: Queryable,
  open: StoredRenewal,
  { renewalId, operatorId, takeOver }: RenewalRequest,
  now: Date,
): Promise<void> {
  const about = { now, writtenBy: 'backoffice' } as const;
  // Its workflow closes it too, but that may be late.
  const overdue = overdueOutcome(open, now);
  if (overdue !== undefined) {
    await endRenewal(tx, open, { ...about, outcome: overdue, actor: 'process:backoffice' });
    return;
  }
  const whose = {
    renewalId: open.renewalId,
    operatorName: open.operatorName,
    since: open.startedAt.toISOString(),
  };
  if (open.state === 'authorizing') {
    throw new Problem('renewal_authorizing', { ...whose, canTakeOver: false });
  }
  const isOwn = open.operatorId === operatorId;
  if (!isOwn && !takeOver) {
    throw new Problem('renewal_already_open', { ...whose, canTakeOver: true });
  }
  await endRenewal(tx, open, {
    ...about,
    outcome: isOwn ? 'replaced' : 'taken_over',
    actor: `operator:${operatorId}`,
    details: { by: renewalId },
  });
}
