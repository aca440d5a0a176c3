import { z } from 'zod';
import { findGrantedBy, listVisibleCertificates } from '../../infra/postgres/certificates.ts';
import { listClientServices } from '../../infra/postgres/client-services.ts';
import { findLatestGrant } from '../../infra/postgres/grants.ts';
import { findOpenRenewal } from '../../infra/postgres/renewals.ts';
import { revokeGrant } from '../../infra/postgres/revocation.ts';
import { text } from '../shared/administration.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import { certificateSorts, listPage } from './certificate-list.ts';
import {
  certificateView,
  lapseReasons,
  listItemView,
  presentCertificate,
  presentListItem,
  standingNames,
} from './certificate-view.ts';
import { getCertificate } from './guards.ts';
import { presentRenewal } from './renewal-view.ts';
import type { RouteParts } from './route-parts.ts';

export const idParams = z.strictObject({ id: z.string().min(1).max(100) });

const listQuery = z.strictObject({
  account: z.string().max(100).optional(),
  standing: z.enum(standingNames).optional(),
  q: z.string().max(200).optional(),
  sort: z.enum(certificateSorts).default('trouble'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(2000).optional(),
});

export function createCertificateRoutes(parts: RouteParts): Route[] {
  const { store, authentication, workflowsUrl } = parts;
  const { database, clock, policy } = store;
  const tags = ['certificates'];

  return [
    defineRoute({
      method: 'GET',
      path: '/api/certificates',
      summary: "The certificates of one's accounts, soonest trouble first",
      tags,
      authentication,
      query: listQuery,
      responses: {
        200: z.strictObject({
          items: z.array(listItemView),
          totals: z.strictObject({
            none: z.int(),
            in_force: z.int(),
            warned: z.int(),
            lapsed: z.int(),
          }),
          nextCursor: z.string().nullable(),
        }),
      },
    }).handle(async ({ caller, query }) => {
      const certificates = await listVisibleCertificates(database, caller.operatorId);
      const { items, totals, nextCursor } = listPage(certificates, query, clock.now(), policy);
      return {
        status: 200,
        body: { items: items.map(presentListItem), totals, nextCursor: nextCursor ?? null },
      };
    }),

    defineRoute({
      method: 'GET',
      path: '/api/certificates/:id',
      summary:
        'One certificate: its access to the CA, the services that sign with it, an open renewal',
      tags,
      authentication,
      params: idParams,
      responses: { 200: certificateView },
    }).handle(async ({ caller, params }) => {
      const certificate = await getCertificate(store, caller, params.id, 'read');
      const [latest, services, open] = await Promise.all([
        findLatestGrant(database, params.id),
        listClientServices(database, params.id),
        findOpenRenewal(database, params.id),
      ]);
      const grantedBy = latest && (await findGrantedBy(database, latest.grantId));
      const now = clock.now();
      const openRenewal = open && presentRenewal(open, undefined, caller.operatorId, now, policy);
      return {
        status: 200,
        body: presentCertificate({
          certificate,
          latest,
          grantedBy,
          services,
          openRenewal,
          workflowsUrl,
          now,
          policy,
        }),
      };
    }),

    defineRoute({
      method: 'POST',
      path: '/api/certificates/:id/revocation',
      summary: 'The emergency stop: ends the access at once and suspends what signs with it',
      tags,
      authentication,
      problems: ['role_required', 'no_grant'],
      params: idParams,
      body: z.strictObject({ reason: text(500) }),
      responses: {
        200: z.strictObject({
          grantId: z.string(),
          reason: z.enum(lapseReasons),
          suspendedServiceCount: z.int(),
        }),
      },
    }).handle(async ({ caller, params, body }) => {
      await getCertificate(store, caller, params.id, 'revoke');
      const { grantId, lapseReason, suspended } = await revokeGrant(store, {
        certificateId: params.id,
        operatorId: caller.operatorId,
        reason: body.reason,
      });
      return {
        status: 200,
        body: { grantId, reason: lapseReason, suspendedServiceCount: suspended },
      };
    }),
  ];
}
