import type { AccessChange, GrantSignal, PasswordChange } from '../../domain/messages.ts';
import type { Queryable } from './pool.ts';

/** Which process wrote a row: it delivers its own signals first, the worker sweeps what was left (DESIGN 2.4). */
export type Writer = 'backoffice' | 'gate' | 'usage' | 'worker' | 'admin';

/** Writes "signal this grant's workflow" in the transaction of the fact that it tells of. */
export async function signalGrant(
  tx: Queryable,
  writtenBy: Writer,
  grantId: string,
  signal: GrantSignal,
  now: Date,
): Promise<void> {
  await write(tx, writtenBy, 'temporal', grantId, signal.name, signal.payload, now);
}

/** Writes "tell the world" in the transaction of the change. The topic's name is configuration of the relay. */
export async function publishAccessChange(
  tx: Queryable,
  writtenBy: Writer,
  change: AccessChange,
): Promise<void> {
  const at = new Date(change.at);
  await write(tx, writtenBy, 'kafka', change.certificateId, 'certificate-access', change, at);
}

/** Writes "mail this invitation" in the transaction that made it. Its token stays out of the outbox. */
export async function mailInvitation(
  tx: Queryable,
  writtenBy: Writer,
  invitationId: string,
  now: Date,
): Promise<void> {
  await write(tx, writtenBy, 'mail', invitationId, 'invitation', { invitationId }, now);
}

/** Writes "mail the link of this password reset" in the transaction that made it. Its token stays out of the outbox. */
export async function mailPasswordReset(tx: Queryable, resetId: string, now: Date): Promise<void> {
  await write(tx, 'backoffice', 'password_mail', resetId, 'password_reset', { resetId }, now);
}

/** Writes "tell this operator that the password was changed" in the transaction that changed it. */
export async function mailPasswordChange(
  tx: Queryable,
  change: PasswordChange,
  now: Date,
): Promise<void> {
  await write(
    tx,
    'backoffice',
    'password_mail',
    change.operatorId,
    'password_changed',
    change,
    now,
  );
}

async function write(
  tx: Queryable,
  writtenBy: Writer,
  destination: 'temporal' | 'kafka' | 'mail' | 'password_mail',
  subject: string,
  name: string,
  payload: unknown,
  now: Date,
): Promise<void> {
  await tx.query(
    `insert into outbox (written_by, destination, subject, name, payload, created_at, next_attempt_at)
     values ($1, $2, $3, $4, $5, $6, $6)`,
    [writtenBy, destination, subject, name, JSON.stringify(payload), now],
  );
}
