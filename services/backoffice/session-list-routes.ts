import { z } from 'zod';
import { Problem } from '../../domain/errors.ts';
import { listSessions } from '../../infra/postgres/sessions.ts';
import { localeSchema } from '../shared/administration.ts';
import { defineRoute, empty, type Route } from '../shared/route.ts';
import { administrationBy } from './administration.ts';
import { idParams } from './certificate-routes.ts';
import { presentWhoAmI, whoAmI, type SessionRoutesOptions } from './session-routes.ts';
import { endOtherSessions, endOwnSession, sessionCookie } from './session.ts';

export const sessionView = z
  .strictObject({
    id: z.string(),
    isCurrent: z.boolean(),
    startedAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
    endsAt: z.iso.datetime().meta({ description: 'When it ends if it is not used any more.' }),
    userAgent: z
      .string()
      .nullable()
      .meta({ description: 'What the browser called itself at the sign-in.' }),
  })
  .meta({ id: 'Session' });

/** What is the operator's own, whatever the account: sessions and language. */
export function createSessionListRoutes(options: SessionRoutesOptions): Route[] {
  const { database, clock, limits, authentication, cookies } = options;
  const tags = ['session'];

  return [
    defineRoute({
      method: 'GET',
      path: '/api/sessions',
      summary: "One's own open sessions, last used first",
      tags,
      authentication,
      responses: { 200: z.strictObject({ items: z.array(sessionView) }) },
    }).handle(async ({ caller }) => {
      const sessions = await listSessions(database, caller.operatorId, limits, clock.now());
      const items = sessions.map((session) => ({
        id: session.sessionId,
        isCurrent: session.sessionId === caller.sessionId,
        startedAt: session.createdAt.toISOString(),
        lastSeenAt: session.lastSeenAt.toISOString(),
        endsAt: session.endsAt.toISOString(),
        userAgent: session.userAgent ?? null,
      }));
      return { status: 200, body: { items } };
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/sessions',
      summary: "End all of one's sessions but the present one",
      tags,
      authentication,
      responses: { 204: empty('Ended.') },
    }).handle(async ({ caller }) => {
      await endOtherSessions(database, caller, clock.now());
      return { status: 204 };
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/sessions/:id',
      summary: "End a session of one's own; ending the present one is signing out",
      tags,
      authentication,
      params: idParams,
      responses: { 204: empty('Ended.') },
    }).handle(async ({ caller, params }) => {
      const now = clock.now();
      const own = await listSessions(database, caller.operatorId, limits, now);
      const isOwn = own.some(({ sessionId }) => sessionId === params.id);
      if (!isOwn || !(await endOwnSession(database, caller, params.id, now))) {
        throw new Problem('not_found');
      }
      const isCurrent = params.id === caller.sessionId;
      return {
        status: 204,
        ...(isCurrent && { headers: { 'Set-Cookie': cookies.forget(sessionCookie) } }),
      };
    }),

    defineRoute({
      method: 'PATCH',
      path: '/api/me',
      summary: "Change one's own language",
      tags,
      authentication,
      body: z.strictObject({ locale: localeSchema }),
      responses: { 200: whoAmI },
    }).handle(async ({ caller, body }) => {
      await administrationBy(caller, options).setLocale(caller.operatorId, body.locale);
      return { status: 200, body: await presentWhoAmI(options, caller.operatorId) };
    }),
  ];
}
