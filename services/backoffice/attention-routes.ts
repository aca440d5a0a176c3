import { z } from 'zod';
import { openRenewalStates } from '../../domain/renewal.ts';
import { listVisibleCertificates } from '../../infra/postgres/certificates.ts';
import { listLastMails } from '../../infra/postgres/reachability.ts';
import { listRenewals } from '../../infra/postgres/renewals.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import { attentionItem, attentionOf } from './attention-list.ts';
import type { RouteParts } from './route-parts.ts';

const renewalLimit = 200;

export function createAttentionRoutes({ store, authentication }: RouteParts): Route[] {
  const { database, clock, policy } = store;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/attention',
      summary: "What needs somebody now in one's accounts, most urgent first",
      tags: ['certificates'],
      authentication,
      query: z.strictObject({ limit: z.coerce.number().int().min(1).max(200).default(50) }),
      responses: {
        200: z.strictObject({
          items: z.array(attentionItem),
          /** How many there are, shown or not. */
          total: z.int(),
        }),
      },
    }).handle(async ({ caller: { operatorId }, query }) => {
      const [certificates, lastMails, renewals] = await Promise.all([
        listVisibleCertificates(database, operatorId),
        listLastMails(database, operatorId),
        listRenewals(database, operatorId, openRenewalStates, renewalLimit),
      ]);
      const facts = { operatorId, certificates, lastMails, renewals };
      const items = attentionOf(facts, clock.now(), policy);
      return { status: 200, body: { items: items.slice(0, query.limit), total: items.length } };
    }),
  ];
}
