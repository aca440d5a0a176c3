import { z } from 'zod';
import { Problem } from '../../domain/errors.ts';
import { roles } from '../../domain/roles.ts';
import {
  findReminderPlan,
  findVisibleMail,
  listRecipients,
} from '../../infra/postgres/recipients.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import { idParams } from './certificate-routes.ts';
import { getCertificate } from './guards.ts';
import { instant } from './renewal-view.ts';
import type { RouteParts } from './route-parts.ts';

const mailState = z.enum(['sending', 'accepted', 'refused', 'failed']);

export const recipientsView = z
  .strictObject({
    timeZone: z.string(),
    reminderHour: z.int(),
    /** In the past while it is being sent; null when no further one is due before the access ends. */
    nextReminderAt: instant.nullable(),
    items: z.array(
      z.strictObject({
        id: z.string(),
        name: z.string(),
        email: z.string(),
        role: z.enum(roles),
        lastDelivery: z
          .strictObject({ mailId: z.string(), kind: z.string(), at: instant, state: mailState })
          .nullable(),
      }),
    ),
  })
  .meta({ id: 'Recipients' });

export const mailView = z
  .strictObject({
    id: z.string(),
    certificateId: z.string(),
    kind: z.string(),
    /** The address only while the recipient is an operator of the account. */
    recipient: z.strictObject({ name: z.string(), email: z.string().nullable() }),
    subject: z.string(),
    text: z.string(),
    html: z.string(),
    state: mailState,
    createdAt: instant,
    sentAt: instant.nullable(),
  })
  .meta({ id: 'Mail' });

export function createRecipientsRoutes({ store, authentication }: RouteParts): Route[] {
  const { database, clock, policy } = store;
  const tags = ['mails'];
  return [
    defineRoute({
      method: 'GET',
      path: '/api/certificates/:id/recipients',
      summary: 'Who is told about a certificate, what they were told last, and when next',
      tags,
      authentication,
      params: idParams,
      responses: { 200: recipientsView },
    }).handle(async ({ caller, params }) => {
      await getCertificate(store, caller, params.id, 'read');
      const [recipients, plan] = await Promise.all([
        listRecipients(database, params.id),
        findReminderPlan(database, params.id, clock.now(), policy),
      ]);
      return {
        status: 200,
        body: {
          timeZone: plan.timeZone,
          reminderHour: plan.reminderHour,
          nextReminderAt: plan.nextReminderAt?.toISOString() ?? null,
          items: recipients.map(({ operatorId, name, email, role, lastDelivery }) => ({
            id: operatorId,
            name,
            email,
            role,
            lastDelivery: lastDelivery
              ? { ...lastDelivery, at: lastDelivery.at.toISOString() }
              : null,
          })),
        },
      };
    }),

    defineRoute({
      method: 'GET',
      path: '/api/mails/:id',
      summary: 'A mail as it was sent',
      tags,
      authentication,
      params: idParams,
      responses: { 200: mailView },
    }).handle(async ({ caller, params }) => {
      const mail = await findVisibleMail(database, params.id, caller.operatorId);
      if (mail === undefined) throw new Problem('not_found');
      return {
        status: 200,
        body: {
          id: mail.mailId,
          certificateId: mail.certificateId,
          kind: mail.kind,
          recipient: { name: mail.recipientName, email: mail.address ?? null },
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          state: mail.state,
          createdAt: mail.createdAt.toISOString(),
          sentAt: mail.sentAt?.toISOString() ?? null,
        },
      };
    }),
  ];
}
