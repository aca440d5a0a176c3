import type { Context } from 'koa';
import { z } from 'zod';
import { leastPasswordLength, passwordResetSeconds } from '../../domain/passwords.ts';
import { passwordSchema } from '../shared/administration.ts';
import { defineRoute, empty, type Authentication, type Route } from '../shared/route.ts';
import type { Doors } from './doors.ts';
import { secretToken } from './invitation-routes.ts';
import type { Passwords } from './passwords.ts';
import { instant } from './renewal-view.ts';
import type { Caller } from './session.ts';
import { emailInput, passwordInput } from './session-routes.ts';

export const passwordResetView = z
  .strictObject({
    name: z.string(),
    email: z.string(),
    expiresAt: instant,
    locale: z.string(),
    leastPasswordLength: z.int(),
  })
  .meta({ id: 'PasswordReset' });

/** Another password: for somebody who has lost theirs, with a mail, or for whoever is signed in. */
export function createPasswordRoutes(
  passwords: Passwords,
  doors: Doors,
  authentication: Authentication<Caller>,
): Route[] {
  const tags = ['passwords'];
  const problems = ['too_many_requests', 'cross_site_request', 'unavailable'] as const;
  const ofNetwork = (ctx: Context) =>
    ({ door: 'password_reset', tries: [doors.ofNetwork(ctx)] }) as const;

  return [
    defineRoute({
      method: 'POST',
      path: '/api/password-resets',
      summary: 'Ask for a mail with a link to choose a new password',
      description:
        'Answers the same, in the same time, whether somebody signs in with this address or not. An operator is sent no more than a few mails an hour.',
      tags,
      problems,
      body: z.strictObject({ email: emailInput }),
      responses: {
        202: z.strictObject({
          linkSeconds: z.int().meta({ description: 'How long the link is good, if one is sent.' }),
        }),
      },
    }).handle(async ({ body, ctx }) => {
      const asking = { ...ofNetwork(ctx), isAlwaysPaid: true };
      await doors.enter(asking, () => passwords.ask(body.email));
      return { status: 202, body: { linkSeconds: passwordResetSeconds } };
    }),

    defineRoute({
      method: 'POST',
      path: '/api/password-resets/lookup',
      summary: 'Whose password a link is for; it is not used up',
      tags,
      problems: [...problems, 'password_reset_ended'],
      body: z.strictObject({ token: secretToken }),
      responses: { 200: passwordResetView },
    }).handle(async ({ body, ctx }) => {
      const { name, email, locale, expiresAt } = await doors.enter(ofNetwork(ctx), () =>
        passwords.lookUp(body.token),
      );
      const view = { name, email, locale, leastPasswordLength };
      return { status: 200, body: { ...view, expiresAt: expiresAt.toISOString() } };
    }),

    defineRoute({
      method: 'POST',
      path: '/api/password-resets/acceptance',
      summary: 'Choose a new password with a link, which is used up; every session ends',
      tags,
      problems: [...problems, 'password_reset_ended'],
      body: z.strictObject({ token: secretToken, password: passwordSchema }),
      responses: { 204: empty('Changed; sign in with the new one.') },
    }).handle(async ({ body, ctx }) => {
      const setCookie = await doors.enter(ofNetwork(ctx), () =>
        passwords.accept(body.token, body.password, ctx),
      );
      return { status: 204, headers: { 'Set-Cookie': setCookie } };
    }),

    defineRoute({
      method: 'PUT',
      path: '/api/me/password',
      summary: "Change one's own password; every other session ends",
      tags,
      authentication,
      problems: ['present_password_wrong', 'too_many_requests'],
      body: z.strictObject({ presentPassword: passwordInput, newPassword: passwordSchema }),
      responses: { 204: empty('Changed.') },
    }).handle(async ({ caller, body, ctx }) => {
      const { operatorId } = caller;
      const tries = [{ budget: 'presentPassword', of: operatorId }] as const;
      const setCookie = await doors.enter({ door: 'present_password', operatorId, tries }, () =>
        passwords.replace(caller, body, ctx),
      );
      return { status: 204, headers: { 'Set-Cookie': setCookie } };
    }),
  ];
}
