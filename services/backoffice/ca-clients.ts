import type { CaClient, OnCaCall } from '../../infra/ca/csc-client.ts';
import type { CredentialAtCa } from '../../infra/postgres/certificates.ts';
import type { Sealer } from '../../infra/postgres/sealing.ts';
import { createCaClients, type CaClients } from '../shared/ca-clients.ts';

export type CaTimeouts = {
  readonly callMs: number;
  readonly authorizeMs: number;
};

export type RenewalCaClients = CaClients & {
  /** A client that remembers nothing: it asks the CA anew where it is and what it can. */
  freshClientOf(credential: CredentialAtCa): CaClient;
  /** The longest that a credential authorization takes: finding the CA again, and the call itself. */
  readonly authorizationDeadlineMs: number;
};

export function createRenewalCaClients(
  sealer: Sealer,
  { callMs, authorizeMs }: CaTimeouts,
  onCall: OnCaCall,
): RenewalCaClients {
  const timeouts = { callMs, authorizeMs, readTotalMs: 2 * callMs };
  return {
    ...createCaClients(sealer, timeouts, onCall),
    freshClientOf: (credential) => createCaClients(sealer, timeouts, onCall).clientOf(credential),
    authorizationDeadlineMs: timeouts.readTotalMs + authorizeMs,
  };
}
