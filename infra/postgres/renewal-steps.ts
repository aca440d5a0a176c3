import { Problem } from '../../domain/errors.ts';
import type { Factor, FactorName, RenewalNotice, RenewalOutcome } from '../../domain/renewal.ts';
import { may } from '../../domain/roles.ts';
import { recordAudit } from './audit.ts';
import { findRole } from './operators-read.ts';
import { signalGrant } from './outbox.ts';
import type { Queryable } from './pool.ts';
import {
  endRenewal,
  overdueOutcome,
  withRenewalLocked,
  type LockedRenewal,
  type RenewalStore,
  type StoredRenewal,
} from './renewals.ts';

/** The steps of a renewal between its opening and its grant (DESIGN 6): each is one transaction under the certificate's lock. */

type RenewalId = Pick<StoredRenewal, 'renewalId' | 'certificateId'>;
const process = 'process:backoffice';
const actorOf = ({ operatorId }: StoredRenewal) => `operator:${operatorId}`;

async function audit(
  tx: Queryable,
  { renewal, now }: LockedRenewal,
  action: string,
  details: Readonly<Record<string, unknown>> = {},
  actor = actorOf(renewal),
): Promise<void> {
  await recordAudit(tx, {
    at: now,
    actor,
    action,
    accountId: renewal.accountId,
    certificateId: renewal.certificateId,
    subject: `renewal:${renewal.renewalId}`,
    details,
  });
}

async function closeIfOverdue(tx: Queryable, { renewal, now }: LockedRenewal): Promise<boolean> {
  const outcome = overdueOutcome(renewal, now);
  if (outcome === undefined) return false;
  return endRenewal(tx, renewal, { outcome, now, actor: process, writtenBy: 'backoffice' });
}

/** Ends the renewal, unless it has ended or (with `onlyFrom`) moved on. Answers whether it did. */
export function endRenewalIn(
  store: RenewalStore,
  id: RenewalId,
  outcome: Exclude<RenewalOutcome, 'granted'>,
  onlyFrom: readonly StoredRenewal['state'][],
  details: Readonly<Record<string, unknown>> = {},
): Promise<boolean> {
  return withRenewalLocked(store, id, async (tx, { renewal, now }) => {
    if (!onlyFrom.includes(renewal.state)) return false;
    return endRenewal(tx, renewal, {
      outcome,
      now,
      actor: actorOf(renewal),
      writtenBy: 'backoffice',
      details,
    });
  });
}

/**
 * Somebody came back from the CA with this renewal's `state`, but without its cookie: told and audited, nothing else. Once: whoever has the address may open it as
 * often as he likes, and nothing is locked or written by that.
 */
export async function noteOtherBrowser(store: RenewalStore, id: RenewalId): Promise<void> {
  if (await isOtherBrowserNoted(store, id)) return;
  await withRenewalLocked(store, id, async (tx, locked) => {
    const notice: RenewalNotice = 'callback_from_another_browser';
    if (locked.renewal.state === 'at_ca') {
      await tx.query('update renewals as r set notice = $2 where r.renewal_id = $1', [
        id.renewalId,
        notice,
      ]);
    }
    await audit(tx, locked, notice, { renewalState: locked.renewal.state }, process);
  });
}

async function isOtherBrowserNoted(
  { database }: RenewalStore,
  { certificateId, renewalId }: RenewalId,
): Promise<boolean> {
  const { rows } = await database.query(
    `select from audit_events as e
     where e.certificate_id = $1 and e.subject = $2 and e.action = 'callback_from_another_browser' limit 1`,
    [certificateId, `renewal:${renewalId}`],
  );
  return rows.length > 0;
}

/**
 * Takes the one use of `state`, before the CA is asked anything. False when it was used, the renewal has moved on or its time is over, or when the operator
 * may not renew any more: the latter two end it.
 */
export function claimCallback(store: RenewalStore, id: RenewalId): Promise<boolean> {
  return withRenewalLocked(store, id, async (tx, locked) => {
    const { renewal, now } = locked;
    if (await closeIfOverdue(tx, locked)) return false;
    const { rowCount } = await tx.query(
      `update renewals as r set state_used_at = $2, notice = null
       where r.renewal_id = $1 and r.state = 'at_ca' and r.state_used_at is null and r.deadline_at > $2`,
      [renewal.renewalId, now],
    );
    if (rowCount === 0) return false;
    const role = await findRole(tx, renewal.operatorId, renewal.accountId);
    if (role === undefined || !may(role, 'renew')) {
      const ending = { outcome: 'operator_not_allowed', actor: process } as const;
      await endRenewal(tx, renewal, { ...ending, now, writtenBy: 'backoffice' });
      return false;
    }
    await audit(tx, locked, 'returned_from_ca');
    return true;
  });
}

export type CaSession = {
  /** Belong to the renewal's id. */
  readonly sealedTokens: string;
  readonly factors: readonly Factor[];
  readonly multisign: number;
};

const isOnline = (factors: readonly Factor[] | undefined) =>
  factors?.some(({ online }) => online) ?? false;

/** A window never outlasts the renewal itself. */
const windowEnd = ({ policy }: RenewalStore, { renewal, now }: LockedRenewal): Date =>
  new Date(Math.min(now.getTime() + policy.codeWindowSeconds * 1000, renewal.deadlineAt.getTime()));

async function openWindow(
  tx: Queryable,
  store: RenewalStore,
  locked: LockedRenewal,
): Promise<Date> {
  const endsAt = windowEnd(store, locked);
  const { renewalId } = locked.renewal;
  await tx.query(
    `update renewals as r set code_window_ends_at = $2, notice = null
     where r.renewal_id = $1 and r.state = 'awaiting_code'`,
    [renewalId, endsAt],
  );
  await signalGrant(
    tx,
    'backoffice',
    renewalId,
    { name: 'codeRequested', payload: { endsAt: endsAt.toISOString() } },
    locked.now,
  );
  await audit(tx, locked, 'code_window_opened', { endsAt: endsAt.toISOString() });
  return endsAt;
}

/** What has to happen before the code can be typed. */
export type CodeStep = 'send_code' | 'window_open';

/**
 * The CA has told what it asks for: the renewal waits for the code. With an online OTP the sending is claimed and the window opens once it was sent
 * (`codeSent`); otherwise it opens now. Undefined when the renewal has moved on meanwhile.
 */
export function awaitCode(
  store: RenewalStore,
  id: RenewalId,
  { sealedTokens, factors, multisign }: CaSession,
): Promise<CodeStep | undefined> {
  return withRenewalLocked(store, id, async (tx, locked) => {
    if (await closeIfOverdue(tx, locked)) return undefined;
    const online = isOnline(factors);
    const { rowCount } = await tx.query(
      `update renewals as r
       set state = 'awaiting_code', sealed_tokens = $2, factors = $3, multisign = $4, resend_allowed_at = $5
       where r.renewal_id = $1 and r.state = 'at_ca'`,
      [
        id.renewalId,
        sealedTokens,
        JSON.stringify(factors),
        multisign,
        online ? cooledDownAt(store, locked.now) : null,
      ],
    );
    if (rowCount === 0) return undefined;
    if (online) return 'send_code';
    await openWindow(tx, store, locked);
    return 'window_open';
  });
}

const cooledDownAt = ({ policy }: RenewalStore, now: Date) =>
  new Date(now.getTime() + policy.resendCooldownSeconds * 1000);

/**
 * A new code is asked for: opens a new window at once, or for an online OTP claims the sending and its cool-down, and closes the window of the code before.
 * Throws what stands in the way, `resend_too_soon` with the seconds to wait among it.
 */
export async function claimCode(store: RenewalStore, id: RenewalId): Promise<CodeStep> {
  const step = await withRenewalLocked(store, id, async (tx, locked) => {
    const { renewal, now } = locked;
    if (await closeIfOverdue(tx, locked)) return undefined;
    requireAwaitingCode(renewal);
    if (!isOnline(renewal.factors)) {
      await openWindow(tx, store, locked);
      return 'window_open';
    }
    const { rowCount } = await tx.query(
      `update renewals as r set code_window_ends_at = null, resend_allowed_at = $3, notice = null
       where r.renewal_id = $1 and r.state = 'awaiting_code' and coalesce(r.resend_allowed_at, '-infinity') <= $2`,
      [renewal.renewalId, now, cooledDownAt(store, now)],
    );
    if (rowCount === 0) {
      const waitMs = (renewal.resendAllowedAt ?? now).getTime() - now.getTime();
      throw new Problem('resend_too_soon', { retryAfterSeconds: Math.ceil(waitMs / 1000) });
    }
    await audit(tx, locked, 'code_requested');
    return 'send_code';
  });
  if (step === undefined) throw new Problem('renewal_ended');
  return step;
}

/** The CA has sent the code: the window opens, counted from now. */
export function codeSent(store: RenewalStore, id: RenewalId): Promise<void> {
  return withRenewalLocked(store, id, async (tx, locked) => {
    if (locked.renewal.state === 'awaiting_code') await openWindow(tx, store, locked);
  });
}

/** The CA did not send it: no window, and another one may be asked for at once. */
export function codeNotSent(
  store: RenewalStore,
  id: RenewalId,
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  return withRenewalLocked(store, id, async (tx, locked) => {
    const notice: RenewalNotice = 'code_not_sent';
    const { rowCount } = await tx.query(
      `update renewals as r set resend_allowed_at = $2, notice = $3
       where r.renewal_id = $1 and r.state = 'awaiting_code'`,
      [id.renewalId, locked.now, notice],
    );
    if (rowCount !== 0) await audit(tx, locked, notice, details);
  });
}

/** Throws the problem of a renewal that does not wait for a code. */
function requireAwaitingCode({ state, outcome }: StoredRenewal): void {
  if (state === 'awaiting_code') return;
  if (state === 'authorizing') throw new Problem('renewal_authorizing');
  if (state === 'at_ca') throw new Problem('renewal_not_awaiting_code', { state });
  throw new Problem('renewal_ended', { state, outcome });
}

export type ClaimedAuthorization = {
  readonly renewal: StoredRenewal;
  /** Until when the answer may be stored. */
  readonly endsAt: Date;
  readonly certificateNotAfter: Date;
};

/** The workflow waits for what the renewal waits for: the end of the window or of the authorization, whichever it is now. */
function signalMoved(
  tx: Queryable,
  { renewal: { renewalId }, now }: Pick<LockedRenewal, 'renewal' | 'now'>,
): Promise<void> {
  return signalGrant(tx, 'backoffice', renewalId, { name: 'requested', payload: {} }, now);
}

const authorizationEnd = ({ policy }: RenewalStore, now: Date, callDeadlineMs: number): Date =>
  new Date(now.getTime() + callDeadlineMs + policy.authorizationGraceSeconds * 1000);

/**
 * Takes the window and one try, so that the CA is asked once: no second click, and no crash, gives another. The try is given back when the CA surely did not
 * look at it (`authorizationNotProcessed`). Audits the names of the factors that are going to be sent. Throws `code_window_closed`, or what the state of the
 * renewal says.
 */
export async function claimAuthorization(
  store: RenewalStore,
  id: RenewalId,
  callDeadlineMs: number,
  factors: readonly FactorName[],
): Promise<ClaimedAuthorization> {
  const claimed = await withRenewalLocked(store, id, async (tx, locked) => {
    const { renewal, certificate, now } = locked;
    if (await closeIfOverdue(tx, locked)) return undefined;
    requireAwaitingCode(renewal);
    const endsAt = authorizationEnd(store, now, callDeadlineMs);
    const { rowCount } = await tx.query(
      `update renewals as r
       set state = 'authorizing', authorization_ends_at = $3, code_window_ends_at = null, tries_left = r.tries_left - 1
       where r.renewal_id = $1 and r.state = 'awaiting_code' and r.code_window_ends_at > $2 and r.tries_left > 0`,
      [renewal.renewalId, now, endsAt],
    );
    if (rowCount === 0) throw new Problem('code_window_closed', { triesLeft: renewal.triesLeft });
    await signalMoved(tx, locked);
    await audit(tx, locked, 'authorization_asked', { factors });
    return { renewal, endsAt, certificateNotAfter: certificate.notAfter };
  });
  if (claimed === undefined) throw new Problem('renewal_ended');
  return claimed;
}

/** The certificate asks for no factor: from the CA's pages straight to the question. Undefined when the renewal has moved on meanwhile. */
export function claimWithoutFactors(
  store: RenewalStore,
  id: RenewalId,
  { sealedTokens, multisign }: CaSession,
  callDeadlineMs: number,
): Promise<ClaimedAuthorization | undefined> {
  return withRenewalLocked(store, id, async (tx, locked) => {
    if (await closeIfOverdue(tx, locked)) return undefined;
    const endsAt = authorizationEnd(store, locked.now, callDeadlineMs);
    const { rowCount } = await tx.query(
      `update renewals as r
       set state = 'authorizing', sealed_tokens = $2, factors = '[]', multisign = $3, authorization_ends_at = $4,
         tries_left = r.tries_left - 1
       where r.renewal_id = $1 and r.state = 'at_ca'`,
      [id.renewalId, sealedTokens, multisign, endsAt],
    );
    if (rowCount === 0) return undefined;
    await signalMoved(tx, locked);
    await audit(tx, locked, 'authorization_asked', { factors: [] });
    const renewal = { ...locked.renewal, sealedTokens, factors: [], multisign };
    return { renewal, endsAt, certificateNotAfter: locked.certificate.notAfter };
  });
}

export type CodeState = {
  readonly triesLeft: number;
  readonly codeWindowEndsAt: Date | undefined;
  /** Set when this refusal ended the renewal. */
  readonly outcome?: 'tries_used_up';
};

/**
 * The CA refused PIN or OTP: back to the dialog with the window as it was, or without one where a sent code is used up; the last refusal ends the renewal.
 * Undefined when the renewal was closed meanwhile.
 */
export function factorRejected(
  store: RenewalStore,
  claimed: StoredRenewal,
  details: Readonly<Record<string, unknown>>,
): Promise<CodeState | undefined> {
  return withRenewalLocked(store, claimed, async (tx, locked) => {
    const { renewal, now } = locked;
    if (renewal.state !== 'authorizing') return undefined;
    await audit(tx, locked, 'factor_rejected', { ...details, triesLeft: renewal.triesLeft });
    if (renewal.triesLeft === 0) {
      const ending = { outcome: 'tries_used_up', actor: actorOf(renewal) } as const;
      await endRenewal(tx, renewal, { ...ending, now, writtenBy: 'backoffice' });
      return { triesLeft: 0, codeWindowEndsAt: undefined, outcome: 'tries_used_up' };
    }
    const window = isOnline(claimed.factors) ? undefined : claimed.codeWindowEndsAt;
    return backToCode(tx, locked, window, renewal.triesLeft);
  });
}

/** The CA surely did not look at what was sent: everything is as it was before the claim, the try included. */
export function authorizationNotProcessed(
  store: RenewalStore,
  claimed: StoredRenewal,
  details: Readonly<Record<string, unknown>>,
): Promise<CodeState | undefined> {
  return withRenewalLocked(store, claimed, async (tx, locked) => {
    const { renewal } = locked;
    if (renewal.state !== 'authorizing') return undefined;
    await audit(tx, locked, 'authorization_not_processed', details);
    return backToCode(tx, locked, claimed.codeWindowEndsAt, renewal.triesLeft + 1);
  });
}

async function backToCode(
  tx: Queryable,
  { renewal, now }: LockedRenewal,
  window: Date | undefined,
  triesLeft: number,
): Promise<CodeState> {
  const codeWindowEndsAt = window !== undefined && window > now ? window : undefined;
  await tx.query(
    `update renewals as r
     set state = 'awaiting_code', authorization_ends_at = null, code_window_ends_at = $2, tries_left = $3
     where r.renewal_id = $1 and r.state = 'authorizing'`,
    [renewal.renewalId, codeWindowEndsAt ?? null, triesLeft],
  );
  await signalMoved(tx, { renewal, now });
  return { triesLeft, codeWindowEndsAt };
}

/** The operator gives up, or a colleague does; not while the CA is being asked. Throws what stands in the way. */
export async function abandonRenewal(
  store: RenewalStore,
  id: RenewalId,
  operatorId: string,
): Promise<void> {
  await withRenewalLocked(store, id, async (tx, locked) => {
    const { renewal, now } = locked;
    if (await closeIfOverdue(tx, locked)) return;
    if (renewal.state === 'authorizing') throw new Problem('renewal_authorizing');
    if (renewal.state === 'abandoned') return;
    if (renewal.endedAt !== undefined) {
      throw new Problem('renewal_ended', { state: renewal.state, outcome: renewal.outcome });
    }
    const ending = { outcome: 'abandoned', actor: `operator:${operatorId}` } as const;
    await endRenewal(tx, renewal, { ...ending, now, writtenBy: 'backoffice' });
  });
}
