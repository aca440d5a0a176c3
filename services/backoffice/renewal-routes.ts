import { z } from 'zod';
import { Problem } from '../../domain/errors.ts';
import { openRenewalStates } from '../../domain/renewal.ts';
import { findGrant } from '../../infra/postgres/grants.ts';
import { findOperator } from '../../infra/postgres/operators-read.ts';
import { abandonRenewal } from '../../infra/postgres/renewal-steps.ts';
import { findRenewal, listRenewals, type StoredRenewal } from '../../infra/postgres/renewals.ts';
import { defineRoute, empty, type Route } from '../shared/route.ts';
import { idParams } from './certificate-routes.ts';
import { getCertificate, getRenewal } from './guards.ts';
import {
  grantView,
  instant,
  presentGrant,
  presentRenewal,
  renewalStates,
  renewalView,
  type RenewalView,
} from './renewal-view.ts';
import type { RouteParts } from './route-parts.ts';
import { attemptCookie, type Caller } from './session.ts';

const listLimit = 200;
const factor = z.string().max(200).optional();

export function createRenewalRoutes(parts: RouteParts): Route[] {
  const { store, authentication, process, cookies } = parts;
  const { database, clock, policy } = store;
  const tags = ['renewals'];
  const acting = [
    'role_required',
    'renewal_not_yours',
    'renewal_ended',
    'renewal_authorizing',
  ] as const;

  const present = async (renewal: StoredRenewal, caller: Caller): Promise<RenewalView> => {
    const grant =
      renewal.state === 'granted' ? await findGrant(database, renewal.renewalId) : undefined;
    return presentRenewal(renewal, grant, caller.operatorId, clock.now(), policy);
  };

  return [
    defineRoute({
      method: 'POST',
      path: '/api/certificates/:id/renewals',
      summary: 'Start a renewal: answers where at the CA the browser goes on',
      tags,
      authentication,
      problems: [
        'role_required',
        'certificate_ended',
        'renewal_already_open',
        'renewal_authorizing',
        'ca_unreachable',
        'ca_misconfigured',
        'ca_refused',
      ],
      params: idParams,
      body: z.strictObject({ takeOver: z.boolean().default(false) }).optional(),
      responses: {
        201: z.strictObject({ id: z.string(), redirectTo: z.url(), deadline: instant }),
      },
    }).handle(async ({ caller, params, body }) => {
      const { notAfter } = await getCertificate(store, caller, params.id, 'renew');
      if (clock.now() >= notAfter) {
        throw new Problem('certificate_ended', { notAfter: notAfter.toISOString() });
      }
      const operator = await findOperator(database, caller.operatorId);
      const opened = await process.open({
        certificateId: params.id,
        operatorId: caller.operatorId,
        takeOver: body?.takeOver ?? false,
        lang: operator?.locale ?? 'en',
      });
      const { renewalId, redirectTo, deadlineAt, browserSecret } = opened;
      return {
        status: 201,
        body: { id: renewalId, redirectTo, deadline: deadlineAt.toISOString() },
        headers: {
          'Set-Cookie': cookies.set(attemptCookie(renewalId), browserSecret, {
            maxAgeSeconds: policy.attemptSeconds,
            path: '/ca/callback',
          }),
        },
      };
    }),

    defineRoute({
      method: 'GET',
      path: '/api/renewals',
      summary: "The newest renewals of one's accounts, by default those that are open",
      tags,
      authentication,
      query: z.strictObject({ state: z.enum(['open', ...renewalStates]).default('open') }),
      responses: { 200: z.strictObject({ items: z.array(renewalView) }) },
    }).handle(async ({ caller, query }) => {
      const states = query.state === 'open' ? openRenewalStates : [query.state];
      const renewals = await listRenewals(database, caller.operatorId, states, listLimit);
      const items = await Promise.all(renewals.map((renewal) => present(renewal, caller)));
      return { status: 200, body: { items } };
    }),

    defineRoute({
      method: 'GET',
      path: '/api/renewals/:id',
      summary: 'One renewal: what it waits for, until when, and what came of it',
      tags,
      authentication,
      params: idParams,
      responses: { 200: renewalView },
    }).handle(async ({ caller, params }) => {
      const renewal = await getRenewal(store, caller, params.id, 'read');
      return { status: 200, body: await present(renewal, caller) };
    }),

    defineRoute({
      method: 'POST',
      path: '/api/renewals/:id/code',
      summary: 'A new code window, and a new code where the CA sends it',
      tags,
      authentication,
      problems: [
        ...acting,
        'renewal_not_awaiting_code',
        'resend_too_soon',
        'factor_locked',
        'ca_unreachable',
        'ca_refused',
        'ca_misconfigured',
        'ca_session_ended',
      ],
      params: idParams,
      responses: { 200: renewalView },
    }).handle(async ({ caller, params }) => {
      const renewal = await getRenewal(store, caller, params.id, 'renew');
      await process.requestCode(renewal);
      const after = (await findRenewal(database, params.id)) ?? renewal;
      return { status: 200, body: await present(after, caller) };
    }),

    defineRoute({
      method: 'POST',
      path: '/api/renewals/:id/authorization',
      summary: 'PIN and/or OTP: asks the CA for the grant, once',
      tags,
      authentication,
      problems: [
        ...acting,
        'renewal_not_awaiting_code',
        'code_window_closed',
        'factor_missing',
        'factor_rejected',
        'factor_locked',
        'ca_unreachable',
        'ca_refused',
        'ca_misconfigured',
        'ca_session_ended',
        'certificate_ended',
        'outcome_unknown',
      ],
      params: idParams,
      body: z.strictObject({ pin: factor, otp: factor }),
      responses: { 200: z.strictObject({ grant: grantView }) },
    }).handle(async ({ caller, params, body }) => {
      const renewal = await getRenewal(store, caller, params.id, 'renew');
      // Codes are pasted with blanks, "123 456"; a PIN is taken as it is.
      const otp = body.otp?.replaceAll(/\s/g, '');
      const grant = await process.authorize(renewal, { pin: body.pin, otp });
      return { status: 200, body: { grant: presentGrant(grant, policy) } };
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/renewals/:id',
      summary: 'Abandon a renewal; the access stays as it is',
      tags,
      authentication,
      problems: acting,
      params: idParams,
      responses: { 204: empty('Abandoned.') },
    }).handle(async ({ caller, params }) => {
      const renewal = await getRenewal(store, caller, params.id, 'renew');
      await abandonRenewal(store, renewal, caller.operatorId);
      return { status: 204 };
    }),
  ];
}
