import { Problem } from '../../domain/errors.ts';
import { CaError, type CaClient } from '../../infra/ca/csc-client.ts';
import { findCredentialAtCa } from '../../infra/postgres/certificates.ts';
import {
  endByCa,
  handOutActivation,
  withTokensLocked,
  type GateStore,
  type SealedActivation,
} from '../../infra/postgres/gate-store.ts';
import { openTokens, sealTokens } from '../../infra/postgres/sealed-tokens.ts';
import type { Sealer } from '../../infra/postgres/sealing.ts';
import type { CaClients } from '../shared/ca-clients.ts';

/** An access token that ends sooner than this is refreshed before it is handed out. */
const refreshBeforeMs = 60_000;

/** What a signer needs to call the CA. */
export type Activation = {
  readonly cscBaseUri: string;
  readonly dialect: 'v1' | 'v2';
  readonly credentialId: string;
  readonly accessToken: string;
  readonly tokenExpiresAt: Date;
  readonly sad: string;
  readonly grantId: string;
  readonly expiresAt: Date;
  readonly remaining: number;
};

export type ActivationOptions = {
  readonly store: GateStore;
  readonly sealer: Sealer;
  readonly caClients: CaClients;
};

type Asked = Parameters<typeof handOutActivation>[1];

/**
 * Hands out the activation of the certificate's grant to a client service. Throws `may_not_sign` with the reason, `not_found`, or a problem with the CA
 * when the access token had to be refreshed first and could not be.
 */
export async function activate(options: ActivationOptions, asked: Asked): Promise<Activation> {
  const { store, sealer, caClients } = options;
  const isGood = (sealed: SealedActivation) => isGoodFor(sealed, store);
  let answer = await handOutActivation(store, asked, isGood);
  if (answer.kind === 'refused') throw new Problem('may_not_sign', { reason: answer.reason });
  const credential = await findCredentialAtCa(store.database, asked.certificateId);
  if (credential === undefined) throw new Problem('not_found');
  const ca = caClients.clientOf(credential);
  // Before the refresh too: with a row locked the CA is asked one thing only.
  const { dialect } = await ca.discover().catch((error: unknown) => {
    throw caProblem(error);
  });
  if (answer.kind === 'refresh_first') {
    await refresh(options, ca, answer.grantId, asked.certificateId);
    // Decided anew: while the CA was asked the grant may have expired, or been revoked.
    answer = await handOutActivation(store, asked, () => true);
    if (answer.kind === 'refused') throw new Problem('may_not_sign', { reason: answer.reason });
  }
  if (answer.kind === 'refresh_first') throw new Problem('ca_session_ended');
  const { sealed, stored } = answer;
  const { grantId, grant, used } = stored;
  const { accessToken } = openTokens(sealer, sealed.sealedTokens, grantId);
  return {
    cscBaseUri: credential.baseUri,
    dialect,
    credentialId: credential.credentialId,
    accessToken,
    tokenExpiresAt: sealed.tokensExpireAt,
    sad: sealer.open(sealed.sealedSad, grantId),
    grantId,
    expiresAt: grant.expiresAt,
    remaining: Math.max(0, grant.allowance - used),
  };
}

function isGoodFor({ tokensExpireAt }: SealedActivation, { clock }: GateStore): boolean {
  return tokensExpireAt.getTime() - clock.now().getTime() > refreshBeforeMs;
}

/** Stores new tokens, or ends the grant when the CA refuses them for good. */
async function refresh(
  { store, sealer }: ActivationOptions,
  ca: CaClient,
  grantId: string,
  certificateId: string,
): Promise<void> {
  try {
    await withTokensLocked(store, grantId, async (current) => {
      // Another request, or another gate, may have refreshed it while this one waited for the lock.
      if (isGoodFor(current, store)) return current;
      const { refreshToken } = openTokens(sealer, current.sealedTokens, grantId);
      if (refreshToken === undefined) return stillValid(current, store);
      const askedAt = store.clock.now();
      const tokens = await ca.refreshTokens(refreshToken);
      return {
        ...current,
        sealedTokens: sealTokens(
          sealer,
          { accessToken: tokens.accessToken, refreshToken: tokens.refreshToken },
          grantId,
        ),
        tokensExpireAt: new Date(askedAt.getTime() + tokens.accessTokenExpiresInSeconds * 1000),
      };
    });
  } catch (error) {
    if (!isRefreshRefused(error)) throw caProblem(error);
    await endByCa(store, grantId, certificateId);
  }
}

/** Without a refresh token an access token is handed out as long as it is good at all. */
function stillValid(current: SealedActivation, { clock }: GateStore): SealedActivation {
  if (current.tokensExpireAt <= clock.now()) throw new Problem('ca_session_ended');
  return current;
}

/** Only the refusal of the token itself is final (RFC 6749 5.2); a CA that does not know the platform as a client says nothing about the grant. */
function isRefreshRefused(error: unknown): boolean {
  return (
    error instanceof CaError &&
    error.kind === 'reauthorize' &&
    error.details.caError?.trim().toLowerCase() === 'invalid_grant'
  );
}

function caProblem(error: unknown): unknown {
  if (!(error instanceof CaError)) return error;
  const code = error.kind === 'reauthorize' ? 'ca_misconfigured' : 'ca_unreachable';
  return new Problem(code, {}, { cause: error });
}
