import { z } from 'zod';
import { mayActivate } from '../../domain/client-service.ts';
import { problems, Problem } from '../../domain/errors.ts';
import { standingOf } from '../../domain/grant.ts';
import { lockCertificate, type LockedCertificate } from '../../infra/postgres/certificate-lock.ts';
import {
  findCertificateOfService,
  setServiceByHand,
} from '../../infra/postgres/client-services.ts';
import { findLatestGrant } from '../../infra/postgres/grants.ts';
import { inTransaction, type Queryable } from '../../infra/postgres/pool.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import { idParams } from './certificate-routes.ts';
import { getCertificate } from './guards.ts';
import type { RouteParts } from './route-parts.ts';
import type { Caller } from './session.ts';

const statusView = z.strictObject({
  id: z.string(),
  status: z.enum(['active', 'suspended', 'inactive']),
});
const resultView = z.strictObject({
  id: z.string(),
  status: z.enum(['active', 'suspended', 'inactive']).nullable(),
  /** Why it was not activated. */
  problem: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
});
const idsLimit = 500;

export function createClientServiceRoutes({ store, authentication }: RouteParts): Route[] {
  const { database, clock } = store;
  const tags = ['client services'];

  /** Runs under the certificate's lock, so neither an expiry nor a suspension comes between the look and the change. */
  const underLock = <T>(
    certificateId: string,
    work: (tx: Queryable, certificate: LockedCertificate, now: Date) => Promise<T>,
  ): Promise<T> =>
    inTransaction(database, async (tx) => {
      const certificate = await lockCertificate(tx, certificateId);
      return work(tx, certificate, clock.now());
    });

  /** The service's certificate, for an operator who may activate there. */
  const getCertificateOf = async (caller: Caller, clientServiceId: string): Promise<string> => {
    const certificateId = await findCertificateOfService(database, clientServiceId);
    if (certificateId === undefined) throw new Problem('not_found');
    await getCertificate(store, caller, certificateId, 'activate');
    return certificateId;
  };

  const activate = (caller: Caller, certificateId: string, ids: readonly string[]) =>
    underLock(certificateId, async (tx, certificate, now) => {
      const grantId = await requireAccess(tx, certificateId, now);
      const results: { id: string; status: 'active' | undefined }[] = [];
      for (const clientServiceId of ids) {
        const change = { certificate, clientServiceId, operatorId: caller.operatorId, now };
        const status = await setServiceByHand(tx, 'active', change, grantId);
        results.push({ id: clientServiceId, status: status && 'active' });
      }
      return results;
    });

  /** The grant that is in force at `now`, or `access_blocked` with the reason. */
  const requireAccess = async (
    tx: Queryable,
    certificateId: string,
    now: Date,
  ): Promise<string> => {
    const latest = await findLatestGrant(tx, certificateId);
    const standing = standingOf(latest?.grant, latest?.used ?? 0, now, store.policy);
    if (latest !== undefined && mayActivate(standing)) return latest.grantId;
    const reason = standing.kind === 'lapsed' ? standing.reason : 'never_granted';
    throw new Problem('access_blocked', { reason, certificateId });
  };

  return [
    defineRoute({
      method: 'POST',
      path: '/api/client-services/:id/activation',
      summary: 'Activate a client service by hand',
      tags,
      authentication,
      problems: ['role_required', 'access_blocked'],
      params: idParams,
      responses: { 200: statusView },
    }).handle(async ({ caller, params }) => {
      const certificateId = await getCertificateOf(caller, params.id);
      const [result] = await activate(caller, certificateId, [params.id]);
      if (result?.status === undefined) throw new Problem('not_found');
      return { status: 200, body: { id: params.id, status: result.status } };
    }),

    defineRoute({
      method: 'POST',
      path: '/api/client-services/:id/deactivation',
      summary: 'Take a client service out of use by hand',
      tags,
      authentication,
      problems: ['role_required'],
      params: idParams,
      responses: { 200: statusView },
    }).handle(async ({ caller, params }) => {
      const certificateId = await getCertificateOf(caller, params.id);
      const { operatorId } = caller;
      const status = await underLock(certificateId, (tx, certificate, now) =>
        setServiceByHand(
          tx,
          'inactive',
          { certificate, clientServiceId: params.id, operatorId, now },
          undefined,
        ),
      );
      if (status === undefined) throw new Problem('not_found');
      return { status: 200, body: { id: params.id, status } };
    }),

    defineRoute({
      method: 'POST',
      path: '/api/certificates/:id/client-services/activation',
      summary: 'Activate several client services of a certificate by hand, with a result for each',
      tags,
      authentication,
      problems: ['role_required', 'access_blocked'],
      params: idParams,
      body: z.strictObject({ ids: z.array(z.string().max(100)).min(1).max(idsLimit) }),
      responses: { 200: z.strictObject({ results: z.array(resultView) }) },
    }).handle(async ({ caller, params, body }) => {
      await getCertificate(store, caller, params.id, 'activate');
      const results = await activate(caller, params.id, [...new Set(body.ids)]);
      return {
        status: 200,
        body: {
          results: results.map(({ id, status }) => ({
            id,
            status: status ?? null,
            problem:
              status === undefined ? { code: 'not_found', message: problems.not_found[0] } : null,
          })),
        },
      };
    }),
  ];
}
