import { Problem } from '../../domain/errors.ts';
import { may, type Permission } from '../../domain/roles.ts';
import {
  findVisibleCertificate,
  type VisibleCertificate,
} from '../../infra/postgres/certificates.ts';
import { recordAudit } from '../../infra/postgres/audit.ts';
import { findRole } from '../../infra/postgres/operators-read.ts';
import {
  findRenewal,
  type RenewalStore,
  type StoredRenewal,
} from '../../infra/postgres/renewals.ts';
import type { Middleware } from '../shared/http.ts';
import type { Caller } from './session.ts';

const reading = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what another site makes a browser do: browsers tell where a request comes from, and send no JSON across sites without asking first. Clients that
 * are no browsers tell nothing and have no cookie to misuse.
 */
export function refuseCrossSite(publicUrl: string): Middleware {
  const ownOrigin = new URL(publicUrl).origin;
  return async (ctx, next) => {
    if (!reading.has(ctx.method)) {
      const origin = ctx.get('origin');
      const site = ctx.get('sec-fetch-site');
      const isForeign =
        (origin !== '' && origin !== ownOrigin) || (site !== '' && site !== 'same-origin');
      if (isForeign) throw new Problem('cross_site_request');
      // Before anything else of the request is judged: a form is the one thing that a page may send elsewhere without asking.
      const type = ctx.get('content-type');
      if (ctx.method === 'POST' && type !== '' && !/^application\/json\s*(;|$)/i.test(type)) {
        throw new Problem('unsupported_media_type');
      }
    }
    await next();
  };
}

type Store = Pick<RenewalStore, 'database' | 'clock'>;

/** The certificate, for an operator of its account whose role allows it. Somebody else's is `not_found`, like none at all. */
export async function getCertificate(
  store: Store,
  caller: Caller,
  certificateId: string,
  permission: Permission,
): Promise<VisibleCertificate> {
  const { operatorId } = caller;
  const certificate = await findVisibleCertificate(store.database, certificateId, operatorId);
  if (certificate === undefined) throw new Problem('not_found');
  const { account, role } = certificate;
  if (!may(role, permission)) {
    const { accountId } = account;
    const subject = `certificate:${certificateId}`;
    const about = { accountId, certificateId, subject, permission };
    await noteRefusal(store, caller, { ...about, reason: role });
    throw new Problem('role_required', { permission });
  }
  return certificate;
}

/** The same for a renewal; to act on it is for whoever started it. */
export async function getRenewal(
  store: Store,
  caller: Caller,
  renewalId: string,
  permission: 'read' | 'renew',
): Promise<StoredRenewal> {
  const renewal = await findRenewal(store.database, renewalId);
  if (renewal === undefined) throw new Problem('not_found');
  const { accountId, certificateId } = renewal;
  await getCertificate(store, caller, certificateId, permission);
  if (permission === 'renew' && renewal.operatorId !== caller.operatorId) {
    const subject = `renewal:${renewalId}`;
    const about = { accountId, certificateId, subject, permission };
    await noteRefusal(store, caller, { ...about, reason: 'renewal_not_yours' });
    throw new Problem('renewal_not_yours', { operatorName: renewal.operatorName });
  }
  return renewal;
}

/** That the caller's role in this account allows it. Somebody else's account is `not_found`, like none at all. */
export async function requireInAccount(
  store: Store,
  caller: Caller,
  accountId: string,
  permission: Permission,
): Promise<void> {
  const role = await findRole(store.database, caller.operatorId, accountId);
  if (role === undefined) throw new Problem('not_found');
  if (!may(role, permission)) {
    const about = { accountId, subject: `account:${accountId}`, permission };
    await noteRefusal(store, caller, { ...about, reason: role });
    throw new Problem('role_required', { permission });
  }
}

/** Audits that somebody tried what they may not do in an account that is theirs. */
async function noteRefusal(
  { database, clock }: Store,
  { operatorId }: Caller,
  refused: {
    readonly accountId: string;
    readonly certificateId?: string;
    readonly subject: string;
    readonly permission: Permission;
    /** The role that does not allow it, or `renewal_not_yours`. */
    readonly reason: string;
  },
): Promise<void> {
  const { permission, reason, ...about } = refused;
  await recordAudit(database, {
    at: clock.now(),
    actor: `operator:${operatorId}`,
    action: 'permission_refused',
    ...about,
    details: { permission, reason },
  });
}
