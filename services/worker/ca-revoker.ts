import type { CaRevoker } from '../../activities/ports.ts';
import { findCredentialAtCa } from '../../infra/postgres/certificates.ts';
import type { Database } from '../../infra/postgres/pool.ts';
import type { CaClients } from '../shared/ca-clients.ts';

/** Revokes at the CA of the certificate; what is gone there already counts as revoked. The SAD first: it is what signs. */
export function createCaRevoker(database: Database, caClients: CaClients): CaRevoker {
  return {
    async revoke({ certificateId, sad, tokens }) {
      const credential = await findCredentialAtCa(database, certificateId);
      if (credential === undefined) throw new Error(`certificate ${certificateId} is gone`);
      const client = caClients.clientOf(credential);
      if (sad !== undefined) await client.revokeSad(sad);
      for (const { kind, value } of tokens) await client.revokeToken(value, kind);
    },
  };
}
