import { z } from 'zod';
import { Problem } from '../../domain/errors.ts';
import { invitationState } from '../../domain/invitation.ts';
import { roles } from '../../domain/roles.ts';
import {
  getAccount,
  listOperators,
  type OperatorOfAccount,
} from '../../infra/postgres/administration.ts';
import { listInvitations, type InvitationOfOperator } from '../../infra/postgres/invitations.ts';
import { localeSchema, operatorSchema, roleSchema } from '../shared/administration.ts';
import { defineRoute, empty, type Route } from '../shared/route.ts';
import { administrationBy } from './administration.ts';
import { idParams } from './certificate-routes.ts';
import { requireInAccount } from './guards.ts';
import type { Invitations } from './invitations.ts';
import { instant } from './renewal-view.ts';
import type { RouteParts } from './route-parts.ts';

export const operatorView = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    locale: z.string(),
    role: z.enum(roles),
    /** Null for those who have a password. */
    invitation: z
      .strictObject({
        sentAt: instant.nullable(),
        expiresAt: instant,
        /** `refused`: the mail server refuses the address for good. */
        state: z.enum(['waiting', 'sent', 'refused', 'ended']),
      })
      .nullable(),
  })
  .meta({ id: 'OperatorOfAccount' });

const presentOperator = (
  { operatorId, name, email, locale, role }: OperatorOfAccount,
  invitation: InvitationOfOperator | undefined,
  now: Date,
): z.output<typeof operatorView> => ({
  id: operatorId,
  name,
  email,
  locale,
  role,
  invitation:
    invitation === undefined
      ? null
      : {
          sentAt: invitation.sentAt?.toISOString() ?? null,
          expiresAt: invitation.expiresAt.toISOString(),
          state: invitationState(invitation, now),
        },
});

const operatorParams = idParams.extend({ operatorId: idParams.shape.id });

export function createOperatorRoutes(
  { store, authentication }: RouteParts,
  invitations: Invitations,
): Route[] {
  const { database, clock } = store;
  const tags = ['operators'];

  const list = async (accountId: string): Promise<z.output<typeof operatorView>[]> => {
    const [operators, invited] = await Promise.all([
      listOperators(database, accountId),
      listInvitations(database, accountId),
    ]);
    const byOperator = new Map(invited.map((one) => [one.operatorId, one]));
    const now = clock.now();
    return operators.map((one) => presentOperator(one, byOperator.get(one.operatorId), now));
  };
  const getOperator = async (accountId: string, operatorId: string) => {
    const operator = (await list(accountId)).find(({ id }) => id === operatorId);
    if (operator === undefined) throw new Problem('not_found');
    return operator;
  };

  return [
    defineRoute({
      method: 'GET',
      path: '/api/accounts/:id/operators',
      summary: 'The operators of an account with their roles, by e-mail address',
      tags,
      authentication,
      problems: ['role_required'],
      params: idParams,
      responses: { 200: z.strictObject({ items: z.array(operatorView) }) },
    }).handle(async ({ caller, params }) => {
      await requireInAccount(store, caller, params.id, 'settings');
      return { status: 200, body: { items: await list(params.id) } };
    }),

    defineRoute({
      method: 'POST',
      path: '/api/accounts/:id/operators',
      summary: 'Add an operator and invite them by mail to choose a password',
      description:
        'Whoever has a password, as an operator of another account, keeps name, language and password and is told by mail.',
      tags,
      authentication,
      problems: ['role_required', 'already_exists'],
      params: idParams,
      body: operatorSchema.omit({ account: true, password: true }).extend({
        locale: localeSchema
          .optional()
          .meta({ description: "The account's language when not given." }),
      }),
      responses: { 201: z.strictObject({ operator: operatorView }) },
    }).handle(async ({ caller, params, body }) => {
      await requireInAccount(store, caller, params.id, 'settings');
      const account = await getAccount(database, params.id);
      const operatorId = await invitations.addOperator(caller, params.id, {
        ...body,
        locale: body.locale ?? account.locale,
      });
      return { status: 201, body: { operator: await getOperator(params.id, operatorId) } };
    }),

    defineRoute({
      method: 'POST',
      path: '/api/accounts/:id/operators/:operatorId/invitation',
      summary: 'Send an operator without a password a new invitation; the one before is void',
      tags,
      authentication,
      problems: ['role_required', 'invitation_not_needed', 'too_many_requests'],
      params: operatorParams,
      responses: { 201: z.strictObject({ operator: operatorView }) },
    }).handle(async ({ caller, params }) => {
      await requireInAccount(store, caller, params.id, 'settings');
      const { id } = await getOperator(params.id, params.operatorId);
      await invitations.sendAgain(caller, params.id, id);
      return { status: 201, body: { operator: await getOperator(params.id, id) } };
    }),

    defineRoute({
      method: 'PATCH',
      path: '/api/accounts/:id/operators/:operatorId',
      summary: 'Change the role of an operator',
      tags,
      authentication,
      problems: ['role_required', 'last_admin'],
      params: operatorParams,
      body: z.strictObject({ role: roleSchema }),
      responses: { 200: operatorView },
    }).handle(async ({ caller, params, body }) => {
      await requireInAccount(store, caller, params.id, 'settings');
      const { id } = await getOperator(params.id, params.operatorId);
      await administrationBy(caller, store).setRole(params.id, id, body.role);
      return { status: 200, body: await getOperator(params.id, id) };
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/accounts/:id/operators/:operatorId',
      summary:
        'Take an operator out of the account, and end the sessions of whoever is left with none',
      tags,
      authentication,
      problems: ['role_required', 'last_admin'],
      params: operatorParams,
      responses: { 204: empty('Removed.') },
    }).handle(async ({ caller, params }) => {
      await requireInAccount(store, caller, params.id, 'settings');
      const { id } = await getOperator(params.id, params.operatorId);
      await administrationBy(caller, store).removeOperator(params.id, id);
      return { status: 204 };
    }),
  ];
}
