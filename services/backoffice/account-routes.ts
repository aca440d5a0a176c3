import { z } from 'zod';
import { Problem } from '../../domain/errors.ts';
import { getAccount, listOperators, type Account } from '../../infra/postgres/administration.ts';
import { findOperator } from '../../infra/postgres/operators-read.ts';
import { accountChangesSchema } from '../shared/administration.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import { administrationBy } from './administration.ts';
import { idParams } from './certificate-routes.ts';
import { requireInAccount } from './guards.ts';
import type { RouteParts } from './route-parts.ts';
import type { Caller } from './session.ts';

export const accountView = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    timeZone: z.string().meta({ description: 'IANA name.' }),
    reminderHour: z
      .int()
      .meta({ description: "Hour of the account's day, 0 to 23, at which reminders are sent." }),
    locale: z.string(),
    administrators: z.array(z.string()).meta({ description: 'Whom to ask, by name.' }),
  })
  .meta({ id: 'Account' });

export function createAccountRoutes({ store, authentication }: RouteParts): Route[] {
  const { database } = store;
  const tags = ['account settings'];

  const present = async (account: Account): Promise<z.output<typeof accountView>> => {
    const operators = await listOperators(database, account.accountId);
    return {
      id: account.accountId,
      name: account.name,
      timeZone: account.timeZone,
      reminderHour: account.reminderHour,
      locale: account.locale,
      administrators: operators
        .filter(({ role }) => role === 'admin')
        .map(({ name }) => name)
        .sort((a, b) => a.localeCompare(b)),
    };
  };

  /** Nobody has two accounts of one name before them. Of accounts that one does not see, a refusal would tell that they exist. */
  const requireNewName = async (caller: Caller, accountId: string, name: string): Promise<void> => {
    const operator = await findOperator(database, caller.operatorId);
    const isTaken = operator?.accounts.some(
      (other) => other.accountId !== accountId && other.name.toLowerCase() === name.toLowerCase(),
    );
    if (isTaken) throw new Problem('already_exists', { field: 'name' });
  };

  return [
    defineRoute({
      method: 'GET',
      path: '/api/accounts/:id',
      summary: 'The settings of an account',
      tags,
      authentication,
      params: idParams,
      responses: { 200: accountView },
    }).handle(async ({ caller, params }) => {
      await requireInAccount(store, caller, params.id, 'read');
      return { status: 200, body: await present(await getAccount(database, params.id)) };
    }),

    defineRoute({
      method: 'PATCH',
      path: '/api/accounts/:id',
      summary: 'Change settings of an account; reminders follow the new hour and zone at once',
      tags,
      authentication,
      problems: ['role_required', 'already_exists'],
      params: idParams,
      body: accountChangesSchema
        .refine((changes) => Object.keys(changes).length > 0, 'at least one setting is expected')
        .meta({ minProperties: 1 }),
      responses: { 200: accountView },
    }).handle(async ({ caller, params, body }) => {
      await requireInAccount(store, caller, params.id, 'settings');
      if (body.name !== undefined) await requireNewName(caller, params.id, body.name);
      const changed = await administrationBy(caller, store).updateAccount(params.id, body);
      return { status: 200, body: await present(changed) };
    }),
  ];
}
