import { Problem } from '../../domain/errors.ts';
import { may, type Permission } from '../../domain/roles.ts';
import {
  findVisibleCertificate,
  type VisibleCertificate,
} from '../../infra/postgres/certificates.ts';
import { findRole } from '../../infra/postgres/operators-read.ts';
import type { Queryable } from '../../infra/postgres/pool.ts';
import { findRenewal, type StoredRenewal } from '../../infra/postgres/renewals.ts';
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

/** The certificate, for an operator of its account whose role allows it. Somebody else's is `not_found`, like none at all. */
export async function getCertificate(
  queryable: Queryable,
  caller: Caller,
  certificateId: string,
  permission: Permission,
): Promise<VisibleCertificate> {
  const certificate = await findVisibleCertificate(queryable, certificateId, caller.operatorId);
  if (certificate === undefined) throw new Problem('not_found');
  if (!may(certificate.role, permission)) throw new Problem('role_required', { permission });
  return certificate;
}

/** The same for a renewal; to act on it is for whoever started it. */
export async function getRenewal(
  queryable: Queryable,
  caller: Caller,
  renewalId: string,
  permission: 'read' | 'renew',
): Promise<StoredRenewal> {
  const renewal = await findRenewal(queryable, renewalId);
  if (renewal === undefined) throw new Problem('not_found');
  await getCertificate(queryable, caller, renewal.certificateId, permission);
  if (permission === 'renew' && renewal.operatorId !== caller.operatorId) {
    throw new Problem('renewal_not_yours', { operatorName: renewal.operatorName });
  }
  return renewal;
}

/** That the caller's role in this account allows it. Somebody else's account is `not_found`, like none at all. */
export async function requireInAccount(
  queryable: Queryable,
  caller: Caller,
  accountId: string,
  permission: Permission,
): Promise<void> {
  const role = await findRole(queryable, caller.operatorId, accountId);
  if (role === undefined) throw new Problem('not_found');
  if (!may(role, permission)) throw new Problem('role_required', { permission });
}
