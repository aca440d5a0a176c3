import { z } from 'zod';
import { Problem } from '../../domain/errors.ts';
import { listApiKeys, type ApiKey } from '../../infra/postgres/api-keys.ts';
import { apiKeySchema, rotationSchema } from '../shared/administration.ts';
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
    lastUsedAt: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When the gate last saw the key; told up to a minute later.' }),
    oldSecret: z
      .strictObject({
        endsAt: z.iso.datetime(),
        lastUsedAt: z.iso.datetime().nullable(),
      })
      .nullable()
      .meta({ description: 'A secret that was replaced and still works, until `endsAt`.' }),
  })
  .meta({ id: 'ApiKey' });

const presentApiKey = (key: ApiKey): z.output<typeof apiKeyView> => ({
  id: key.apiKeyId,
  name: key.name,
  certificateIds: key.certificateIds === undefined ? null : [...key.certificateIds],
  createdAt: key.createdAt.toISOString(),
  revokedAt: key.revokedAt?.toISOString() ?? null,
  lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
  oldSecret: key.oldSecret
    ? {
        endsAt: key.oldSecret.endsAt.toISOString(),
        lastUsedAt: key.oldSecret.lastUsedAt?.toISOString() ?? null,
      }
    : null,
});
const keyParams = idParams.extend({ keyId: idParams.shape.id });
const withSecret = z.strictObject({ apiKey: apiKeyView, secret: z.string() });

export function createApiKeyRoutes({ store, authentication }: RouteParts): Route[] {
  const { database, clock } = store;
  const tags = ['API keys'];
  /** A key of the account that was changed a moment ago. */
  const viewOf = async (accountId: string, apiKeyId: string) => {
    const [key] = await listApiKeys(database, { accountId, apiKeyId }, clock.now());
    if (key === undefined) throw new Problem('not_found');
    return presentApiKey(key);
  };

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
      const keys = await listApiKeys(database, { accountId: params.id }, clock.now());
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
      responses: { 201: withSecret },
    }).handle(async ({ caller, params, body }) => {
      await requireInAccount(store, caller, params.id, 'settings');
      const { apiKey: secret, apiKeyId } = await administrationBy(caller, store).createApiKey({
        ...body,
        account: params.id,
      });
      return { status: 201, body: { apiKey: await viewOf(params.id, apiKeyId), secret } };
    }),

    defineRoute({
      method: 'POST',
      path: '/api/accounts/:id/api-keys/:keyId/rotation',
      summary: 'Give an API key a new secret, shown this once; the one before works on for a while',
      description:
        'Secrets that were replaced earlier keep the end they were given, or take the new one where it comes sooner.',
      tags,
      authentication,
      problems: ['role_required'],
      params: keyParams,
      body: rotationSchema.optional(),
      responses: { 201: withSecret },
    }).handle(async ({ caller, params, body }) => {
      await requireInAccount(store, caller, params.id, 'settings');
      const { apiKey: secret } = await administrationBy(caller, store).rotateApiKey(
        params.keyId,
        body,
        params.id,
      );
      return { status: 201, body: { apiKey: await viewOf(params.id, params.keyId), secret } };
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/accounts/:id/api-keys/:keyId',
      summary: 'Revoke an API key, with every secret of it',
      tags,
      authentication,
      problems: ['role_required'],
      params: keyParams,
      responses: { 204: empty('Revoked.') },
    }).handle(async ({ caller, params }) => {
      await requireInAccount(store, caller, params.id, 'settings');
      await administrationBy(caller, store).revokeApiKey(params.keyId, params.id);
      return { status: 204 };
    }),
  ];
}
