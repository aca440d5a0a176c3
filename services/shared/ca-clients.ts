import { createCaClient, type CaClient, type OnCaCall } from '../../infra/ca/csc-client.ts';
import type { CredentialAtCa } from '../../infra/postgres/certificates.ts';
import type { Sealer } from '../../infra/postgres/sealing.ts';

/** How a process reaches the CA of a certificate. */
export type CaClients = {
  /** The client for these settings of an authority: the same one until they change, so that what it discovered is kept. */
  clientOf(credential: CredentialAtCa): CaClient;
};

type Timeouts = NonNullable<Parameters<typeof createCaClient>[0]['timeouts']>;

export function createCaClients(
  sealer: Sealer,
  timeouts: Timeouts = {},
  onCall?: OnCaCall,
): CaClients {
  const known = new Map<string, { readonly settings: string; readonly client: CaClient }>();
  return {
    clientOf({ authorityId, baseUri, clientId, sealedClientSecret }) {
      const settings = [baseUri, clientId, sealedClientSecret].join('\n');
      const entry = known.get(authorityId);
      if (entry?.settings === settings) return entry.client;
      const clientSecret = sealer.open(sealedClientSecret, authorityId);
      const client = createCaClient({
        ...{ baseUri, clientId, clientSecret, timeouts },
        ...(onCall && { onCall }),
      });
      known.set(authorityId, { settings, client });
      return client;
    },
  };
}
