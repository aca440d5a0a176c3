import { z } from 'zod';
import { listApiKeys, type ApiKey } from '../../infra/postgres/administration.ts';
import { apiKeySchema } from '../shared/administration.ts';
import { defineRoute, empty, type Route } from '../shared/route.ts';
import { administrationBy } from './administration.ts';
import { idParams } from './certificate-routes.ts';
import { requireInAccount } from './guards.ts';
import type { RouteParts } from './route-parts.ts';

export const apiKeyView = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    certificateIds: z
      .array(z.string())
      .nullable()
      .meta({ description: 'null: all certificates of the account.' }),
    createdAt: z.iso.datetime(),
    revokedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'ApiKey' });

const presentApiKey = (key: ApiKey): z.output<typeof apiKeyView> => ({
  id: key.apiKeyId,
  name: key.name,
  certificateIds: key.certificateIds === undefined ? null : [...key.certificateIds],
  createdAt: key.createdAt.toISOString(),
  revokedAt: key.revokedAt?.toISOString() ?? null,
});

export function createApiKeyRoutes({ store, authentication }: RouteParts): Route[] {
  const { database } = store;
  const tags = ['API keys'];

  return [
    defineRoute({
      method: 'GET',
      path: '/api/accounts/:id/api-keys',
      summary: "The API keys of an account's signing services, revoked ones too, without secrets",
      tags,
      authentication,
      problems: ['role_required'],
      params: idParams,
      responses: { 200: z.strictObject({ items: z.array(apiKeyView) }) },
    }).handle(async ({ caller, params }) => {
      await requireInAccount(store, caller, params.id, 'settings');
      const keys = await listApiKeys(database, params.id);
      return { status: 200, body: { items: keys.map(presentApiKey) } };
    }),

    defineRoute({
      method: 'POST',
      path: '/api/accounts/:id/api-keys',
      summary: 'Make an API key for the gate; its secret is shown this once',
      tags,
      authentication,
      problems: ['role_required', 'already_exists'],
      params: idParams,
      body: apiKeySchema.omit({ account: true }),
      responses: { 201: z.strictObject({ apiKey: apiKeyView, secret: z.string() }) },
    }).handle(async ({ caller, params, body }) => {
      await requireInAccount(store, caller, params.id, 'settings');
      const { apiKey: secret, ...key } = await administrationBy(caller, store).createApiKey({
        ...body,
        account: params.id,
      });
      return {
        status: 201,
        body: { apiKey: presentApiKey({ ...key, revokedAt: undefined }), secret },
      };
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/accounts/:id/api-keys/:keyId',
      summary: 'Revoke an API key',
      tags,
      authentication,
      problems: ['role_required'],
      params: idParams.extend({ keyId: idParams.shape.id }),
      responses: { 204: empty('Revoked.') },
    }).handle(async ({ caller, params }) => {
      await requireInAccount(store, caller, params.id, 'settings');
      await administrationBy(caller, store).revokeApiKey(params.keyId, params.id);
      return { status: 204 };
    }),
  ];
}
