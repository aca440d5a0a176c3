import { z } from 'zod';
import { Problem } from '../../domain/errors.ts';
import { roles } from '../../domain/roles.ts';
import {
  getAccount,
  listOperators,
  type OperatorOfAccount,
} from '../../infra/postgres/administration.ts';
import { localeSchema, operatorSchema, roleSchema } from '../shared/administration.ts';
import { defineRoute, empty, type Route } from '../shared/route.ts';
import { administrationBy } from './administration.ts';
import { idParams } from './certificate-routes.ts';
import { requireInAccount } from './guards.ts';
import type { RouteParts } from './route-parts.ts';

export const operatorView = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    locale: z.string(),
    role: z.enum(roles),
  })
  .meta({ id: 'OperatorOfAccount' });

const presentOperator = ({
  operatorId,
  name,
  email,
  locale,
  role,
}: OperatorOfAccount): z.output<typeof operatorView> => ({
  id: operatorId,
  name,
  email,
  locale,
  role,
});

const operatorParams = idParams.extend({ operatorId: idParams.shape.id });

export function createOperatorRoutes({ store, authentication }: RouteParts): Route[] {
  const { database } = store;
  const tags = ['operators'];

  const getOperator = async (accountId: string, operatorId: string) => {
    const operators = await listOperators(database, accountId);
    const operator = operators.find((one) => one.operatorId === operatorId);
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
      await requireInAccount(database, caller, params.id, 'settings');
      const operators = await listOperators(database, params.id);
      return { status: 200, body: { items: operators.map(presentOperator) } };
    }),

    defineRoute({
      method: 'POST',
      path: '/api/accounts/:id/operators',
      summary: 'Add an operator',
      description:
        'The password is made here and shown this once. Whoever has this address as an operator of another account keeps name, language and password.',
      tags,
      authentication,
      problems: ['role_required', 'already_exists'],
      params: idParams,
      body: operatorSchema.omit({ account: true, password: true }).extend({
        locale: localeSchema
          .optional()
          .meta({ description: "The account's language when not given." }),
      }),
      responses: {
        201: z.strictObject({ operator: operatorView, password: z.string().nullable() }),
      },
    }).handle(async ({ caller, params, body }) => {
      await requireInAccount(database, caller, params.id, 'settings');
      const account = await getAccount(database, params.id);
      const { operatorId, password } = await administrationBy(caller, store).createOperator({
        ...body,
        account: params.id,
        locale: body.locale ?? localeSchema.parse(account.locale),
      });
      const operator = presentOperator(await getOperator(params.id, operatorId));
      return { status: 201, body: { operator, password: password ?? null } };
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
      await requireInAccount(database, caller, params.id, 'settings');
      const { operatorId } = await getOperator(params.id, params.operatorId);
      await administrationBy(caller, store).setRole(params.id, operatorId, body.role);
      return { status: 200, body: presentOperator(await getOperator(params.id, operatorId)) };
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/accounts/:id/operators/:operatorId',
      summary: 'Take an operator out of the account and end their sessions',
      tags,
      authentication,
      problems: ['role_required', 'last_admin'],
      params: operatorParams,
      responses: { 204: empty('Removed.') },
    }).handle(async ({ caller, params }) => {
      await requireInAccount(database, caller, params.id, 'settings');
      const { operatorId } = await getOperator(params.id, params.operatorId);
      await administrationBy(caller, store).removeOperator(params.id, operatorId);
      return { status: 204 };
    }),
  ];
}
