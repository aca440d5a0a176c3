import { z } from 'zod';
import type { Clock } from '../../domain/clock.ts';
import { Problem } from '../../domain/errors.ts';
import type { Policy } from '../../domain/policy.ts';
import { permissions, permissionsOf, roles } from '../../domain/roles.ts';
import { findOperator, findSignIn } from '../../infra/postgres/operators-read.ts';
import { inTransaction, type Database } from '../../infra/postgres/pool.ts';
import type { SessionLimits } from '../../infra/postgres/sessions.ts';
import { hashPassword, verifyPassword } from '../shared/passwords.ts';
import { defineRoute, empty, type Authentication, type Route } from '../shared/route.ts';
import {
  endOwnSession,
  forgetSession,
  noteRefusedSignIn,
  startSession,
  type Caller,
} from './session.ts';

export const whoAmI = z
  .strictObject({
    operator: z.strictObject({
      id: z.string(),
      name: z.string(),
      email: z.string(),
      locale: z.string(),
    }),
    accounts: z.array(
      z.strictObject({
        id: z.string(),
        name: z.string(),
        timeZone: z.string(),
        role: z.enum(roles),
        permissions: z.array(z.enum(permissions)),
      }),
    ),
    /** The figures that this process works by, so that screens repeat none. */
    policy: z.strictObject({
      grantSeconds: z.int(),
      allowance: z.int(),
      warningSeconds: z.int(),
      usageWarningPercent: z.int(),
      codeWindowSeconds: z.int(),
      attemptSeconds: z.int(),
      tries: z.int(),
    }),
    serverNow: z.iso.datetime(),
  })
  .meta({ id: 'WhoAmI' });

export type SessionRoutesOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly limits: SessionLimits;
  readonly authentication: Authentication<Caller>;
  readonly secure: boolean;
};

export function createSessionRoutes(options: SessionRoutesOptions): Route[] {
  const { database, clock, limits, authentication, secure } = options;
  // Compared with where there is no such operator, so that the answer takes as long.
  const nobodysHash = hashPassword('a password that nobody has');
  const tags = ['session'];

  return [
    defineRoute({
      method: 'POST',
      path: '/api/session',
      summary: 'Sign in',
      tags,
      problems: ['sign_in_refused', 'cross_site_request', 'unavailable'],
      body: z.strictObject({
        email: z.string().min(1).max(254),
        password: z.string().min(1).max(200),
      }),
      responses: { 200: whoAmI },
    }).handle(async ({ body, ctx, log }) => {
      const known = await findSignIn(database, body.email.trim());
      const passwordHash = known?.passwordHash ?? (await nobodysHash);
      const matches = await verifyPassword(passwordHash, body.password);
      if (known === undefined || !matches) {
        log.info({ operatorId: known?.operatorId }, 'sign-in refused');
        await noteRefusedSignIn(database, known?.operatorId, clock.now());
        throw new Problem('sign_in_refused');
      }
      const { operatorId } = known;
      const setCookie = await inTransaction(database, (tx) =>
        startSession(tx, ctx, operatorId, clock.now(), { limits, secure }),
      );
      return {
        status: 200,
        body: await presentWhoAmI(options, operatorId),
        headers: { 'Set-Cookie': setCookie },
      };
    }),
    defineRoute({
      method: 'GET',
      path: '/api/session',
      summary: 'Who is signed in, with their accounts and roles',
      tags,
      authentication,
      responses: { 200: whoAmI },
    }).handle(async ({ caller }) => ({
      status: 200,
      body: await presentWhoAmI(options, caller.operatorId),
    })),
    defineRoute({
      method: 'DELETE',
      path: '/api/session',
      summary: 'Sign out',
      tags,
      authentication,
      responses: { 204: empty('Signed out.') },
    }).handle(async ({ caller }) => {
      await endOwnSession(database, caller, caller.sessionId, clock.now());
      return { status: 204, headers: { 'Set-Cookie': forgetSession(secure) } };
    }),
  ];
}

export async function presentWhoAmI(
  { database, clock, policy }: Pick<SessionRoutesOptions, 'database' | 'clock' | 'policy'>,
  operatorId: string,
): Promise<z.output<typeof whoAmI>> {
  const operator = await findOperator(database, operatorId);
  if (operator === undefined) throw new Problem('session_required');
  const { name, email, locale, accounts } = operator;
  return {
    operator: { id: operatorId, name, email, locale },
    accounts: accounts.map(({ accountId, role, ...account }) => ({
      id: accountId,
      name: account.name,
      timeZone: account.timeZone,
      role,
      permissions: permissionsOf(role),
    })),
    policy: {
      grantSeconds: policy.grantSeconds,
      allowance: policy.allowance,
      warningSeconds: policy.warningSeconds,
      usageWarningPercent: policy.usageWarningPercent,
      codeWindowSeconds: policy.codeWindowSeconds,
      attemptSeconds: policy.attemptSeconds,
      tries: policy.tries,
    },
    serverNow: clock.now().toISOString(),
  };
}
