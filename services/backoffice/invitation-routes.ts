import type { Context } from 'koa';
import { z } from 'zod';
import { leastPasswordLength } from '../../domain/passwords.ts';
import { passwordSchema } from '../shared/administration.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import type { Doors } from './doors.ts';
import type { Invitations } from './invitations.ts';
import { instant } from './renewal-view.ts';
import { presentWhoAmI, whoAmI, type SessionRoutesOptions } from './session-routes.ts';

/** In the body, because a path or a query is written down by every proxy on the way. */
export const secretToken = z.string().min(1).max(200);

/** What somebody does who was invited and has no password yet. */
export const invitationView = z
  .strictObject({
    name: z.string(),
    email: z.string(),
    accountName: z.string(),
    invitedBy: z.string(),
    expiresAt: instant,
    locale: z.string(),
    leastPasswordLength: z.int(),
  })
  .meta({ id: 'Invitation' });

export function createInvitationRoutes(
  invitations: Invitations,
  doors: Doors,
  options: SessionRoutesOptions,
): Route[] {
  const tags = ['invitations'];
  const problems = [
    'invitation_ended',
    'too_many_requests',
    'cross_site_request',
    'unavailable',
  ] as const;

  const enter = <T>(ctx: Context, work: () => Promise<T>): Promise<T> =>
    doors.enter({ door: 'invitation', tries: [doors.ofNetwork(ctx)] }, work);

  return [
    defineRoute({
      method: 'POST',
      path: '/api/invitations/lookup',
      summary: 'What an invitation is to; it is not used up',
      tags,
      problems,
      body: z.strictObject({ token: secretToken }),
      responses: {
        200: invitationView,
      },
    }).handle(async ({ body, ctx }) => {
      const invitation = await enter(ctx, () => invitations.lookUp(body.token));
      const { name, email, accountName, invitedBy, expiresAt, locale } = invitation;
      return {
        status: 200,
        body: {
          ...{ name, email, accountName, invitedBy, locale, leastPasswordLength },
          expiresAt: expiresAt.toISOString(),
        },
      };
    }),

    defineRoute({
      method: 'POST',
      path: '/api/invitations/acceptance',
      summary: 'Choose a password with an invitation, which is used up, and be signed in',
      tags,
      problems,
      body: z.strictObject({ token: secretToken, password: passwordSchema }),
      responses: { 200: whoAmI },
    }).handle(async ({ body, ctx }) => {
      const { operatorId, setCookie } = await enter(ctx, () =>
        invitations.accept(body.token, body.password, ctx),
      );
      return {
        status: 200,
        body: await presentWhoAmI(options, operatorId),
        headers: { 'Set-Cookie': setCookie },
      };
    }),
  ];
}
