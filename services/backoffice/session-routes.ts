import { z } from 'zod';
import type { Clock } from '../../domain/clock.ts';
import { Problem } from '../../domain/errors.ts';
import { permissions, permissionsOf, roles } from '../../domain/roles.ts';
import { recordAudit } from '../../infra/postgres/audit.ts';
import { findOperator, findSignIn } from '../../infra/postgres/operators-read.ts';
import { inTransaction, type Database, type Queryable } from '../../infra/postgres/pool.ts';
import {
  createSession,
  endSession,
  useSession,
  type SessionLimits,
} from '../../infra/postgres/sessions.ts';
import { hashPassword, verifyPassword } from '../shared/passwords.ts';
import { defineRoute, empty, type Authentication, type Route } from '../shared/route.ts';
import { cookie, endOwnSession, forgetSession, sessionCookie, type Caller } from './session.ts';

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
  })
  .meta({ id: 'WhoAmI' });

export type SessionRoutesOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly limits: SessionLimits;
  readonly authentication: Authentication<Caller>;
  readonly secure: boolean;
};

export function createSessionRoutes(options: SessionRoutesOptions): Route[] {
  const { database, clock, limits, authentication, secure } = options;
  // Compared with where there is no such operator, so that the answer takes as long.
  const nobodysHash = hashPassword('a password that nobody has');
  const tags = ['session'];

  const sessionCookieOf = (secret: string) =>
    cookie(sessionCookie, secret, { maxAgeSeconds: limits.absoluteSeconds, path: '/', secure });

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
        throw new Problem('sign_in_refused');
      }
      const { operatorId } = known;
      const now = clock.now();
      const before = ctx.cookies.get(sessionCookie);
      const secret = await inTransaction(database, async (tx) => {
        // The session that this browser had is over: it gets a new secret each time.
        const old = before && (await useSession(tx, before, limits, now));
        if (old) await endSession(tx, old.sessionId, now);
        const created = await createSession(tx, operatorId, now);
        await recordAudit(tx, {
          at: now,
          actor: `operator:${operatorId}`,
          action: 'signed_in',
          subject: `session:${created.session.sessionId}`,
        });
        return created.secret;
      });
      return {
        status: 200,
        body: await presentWhoAmI(database, operatorId),
        headers: { 'Set-Cookie': sessionCookieOf(secret) },
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
      body: await presentWhoAmI(database, caller.operatorId),
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
  queryable: Queryable,
  operatorId: string,
): Promise<z.output<typeof whoAmI>> {
  const operator = await findOperator(queryable, operatorId);
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
  };
}
