import { Problem } from '../../domain/errors.ts';
import type { ApiKeyScope, CertificateAccess } from '../../infra/postgres/gate-picture.ts';
import { hashSecret } from '../../infra/postgres/sealing.ts';
import type { Authentication } from '../shared/route.ts';
import type { Picture } from './picture.ts';

const bearer = /^Bearer ([\w-]{1,200})$/;

/** API keys of signing services. A key that the picture does not know may be new, so it is read once more before it is refused. */
export function apiKeyAuthentication(picture: Picture): Authentication<ApiKeyScope> {
  const find = (hash: string): ApiKeyScope | undefined => picture.get().picture.apiKeys.get(hash);
  return {
    scheme: 'apiKey',
    definition: { type: 'http', scheme: 'bearer' },
    problems: ['api_key_refused', 'picture_stale'],
    async authenticate(ctx) {
      const key = bearer.exec(ctx.get('authorization'))?.[1];
      if (key === undefined) throw new Problem('api_key_refused');
      const hash = hashSecret(key).toString('hex');
      const known = find(hash);
      if (known !== undefined) return known;
      await picture.readNow().catch(() => undefined);
      const found = find(hash);
      if (found === undefined) throw new Problem('api_key_refused');
      return found;
    },
  };
}

/** The certificate, if the key may know of it: another account's does not exist for it. */
export function certificateFor(
  certificates: ReadonlyMap<string, CertificateAccess>,
  key: ApiKeyScope,
  certificateId: string,
): CertificateAccess {
  const certificate = certificates.get(certificateId);
  const inScope =
    certificate?.accountId === key.accountId && (key.certificateIds?.has(certificateId) ?? true);
  if (certificate === undefined || !inScope) throw new Problem('not_found');
  return certificate;
}
