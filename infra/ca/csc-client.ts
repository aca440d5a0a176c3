import { CaError } from './ca-error.ts';
import { CaHttp, type CaTimeouts } from './ca-http.ts';
import type {
  CaCredential,
  CredentialAuthorization,
  CscDialect,
  GrantedAuthorization,
  HashesToSign,
} from './ca-types.ts';
import { observed, type CaCallName, type OnCaCall } from './ca-observation.ts';
import { isSafeUrl, withoutTrailingSlash } from './ca-url.ts';
import { discoverCa, type CaDiscovery } from './csc-discovery.ts';
import {
  CscOAuth,
  type AuthorizationUrlRequest,
  type CaTokens,
  type CodeExchange,
} from './csc-oauth.ts';
import { createCscV1 } from './csc-v1.ts';
import { createCscV2 } from './csc-v2.ts';

export { CaError, type CaErrorKind } from './ca-error.ts';
export { selectFactorValues } from './ca-types.ts';
export type { CaCallClass, OnCaCall } from './ca-observation.ts';
export type { CaCredential } from './ca-types.ts';
export type { CaTokens } from './csc-oauth.ts';

export interface CaClientOptions {
  /** Of the CSC service, such as `https://ca.example/csc/v1`; https, or http on loopback. */
  readonly baseUri: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Defaults: 10 s a call, 20 s for a credential authorization, 20 s over all tries of a read. */
  readonly timeouts?: Partial<CaTimeouts>;
  readonly fetch?: typeof fetch;
  /** Told of every call once it is over. */
  readonly onCall?: OnCaCall;
}

/**
 * A certificate authority in words of the platform. Every method rejects with `CaError` and nothing
 * else. What only reads is repeated with back-off within `readTotalMs`; what changes something is
 * sent once, and an unclear answer is told as `outcome_unknown`.
 */
export interface CaClient {
  /** Dialect, OAuth endpoints and methods, remembered for five minutes. */
  discover(lang?: string): Promise<CaDiscovery>;
  /** Where to send the browser; holds no secret. */
  authorizationUrl(request: AuthorizationUrlRequest): Promise<URL>;
  /** `user_denied`, `reauthorize` (code refused), `transient_not_processed`, `outcome_unknown`. */
  exchangeCode(exchange: CodeExchange): Promise<CaTokens>;
  /** The answer always holds the refresh token to keep: the new one, or the old if there is no new. */
  refreshTokens(refreshToken: string): Promise<CaTokens>;
  listCredentialIds(accessToken: string): Promise<string[]>;
  /** Undefined when the client account does not hold this credential: the wrong account. */
  findCredential(
    accessToken: string,
    credentialId: string,
    lang?: string,
  ): Promise<CaCredential | undefined>;
  getCredential(accessToken: string, credentialId: string, lang?: string): Promise<CaCredential>;
  /** Has the CA send an online OTP. Costs a message each time; never repeated. */
  sendCode(accessToken: string, credentialId: string): Promise<void>;
  /** Asks for the grant. Uses up the OTP and counts towards a lock; never repeated. */
  authorizeCredential(
    accessToken: string,
    asked: CredentialAuthorization,
  ): Promise<GrantedAuthorization>;
  /** May be repeated: what is gone already counts as revoked. */
  revokeToken(token: string, hint: 'access_token' | 'refresh_token'): Promise<void>;
  revokeSad(sad: string): Promise<void>;
  /** For signers and tests. */
  signHash(accessToken: string, asked: HashesToSign): Promise<Buffer[]>;
}

const defaultTimeouts: CaTimeouts = {
  callMs: 10_000,
  authorizeMs: 20_000,
  readTotalMs: 20_000,
  firstRetryMs: 200,
};
const discoveryKeptMs = 5 * 60_000;

/** Throws `CaError` (`protocol_error`) for a base URI that secrets must not be sent to. */
export function createCaClient(options: CaClientOptions): CaClient {
  const baseUri = withoutTrailingSlash(options.baseUri);
  if (!isSafeUrl(baseUri)) {
    throw new CaError('protocol_error', { operation: 'info', reason: 'base URI is not https' });
  }
  const fetcher = options.fetch ?? fetch;
  const http = new CaHttp({ ...defaultTimeouts, ...options.timeouts }, fetcher);
  const oauth = new CscOAuth(http, options.clientId, options.clientSecret, fetcher);
  const dialects = { v1: createCscV1(http, baseUri), v2: createCscV2(http, baseUri) };
  let known: { readonly discovery: Promise<CaDiscovery>; readonly until: number } | undefined;

  const tell = <T>(call: CaCallName, work: () => Promise<T>): Promise<T> =>
    options.onCall === undefined ? work() : observed(call, options.onCall, work);

  function discover(lang?: string): Promise<CaDiscovery> {
    if (known !== undefined && performance.now() < known.until) return known.discovery;
    const entry = {
      discovery: tell('discover', () => discoverCa(http, baseUri, lang)),
      until: performance.now() + discoveryKeptMs,
    };
    known = entry;
    // A failure is not remembered; whoever asked hears of it from the promise itself.
    entry.discovery.catch(() => {
      if (known === entry) known = undefined;
    });
    return entry.discovery;
  }
  const dialect = async (): Promise<CscDialect> => dialects[(await discover()).dialect];

  /** Discovery only reads, so when it fails the changing call behind it was surely not sent. */
  async function beforeChange<T>(prepare: () => Promise<T>): Promise<T> {
    try {
      return await prepare();
    } catch (error) {
      if (!(error instanceof CaError) || error.kind !== 'unreachable') throw error;
      throw new CaError('transient_not_processed', error.details);
    }
  }

  return {
    discover,
    authorizationUrl: async (request) => oauth.authorizationUrl(await discover(), request),
    exchangeCode: (exchange) =>
      tell('exchangeCode', async () => oauth.exchangeCode(await beforeChange(discover), exchange)),
    refreshTokens: (token) =>
      tell('refreshTokens', async () => oauth.refreshTokens(await beforeChange(discover), token)),
    listCredentialIds: (accessToken) =>
      tell('listCredentialIds', async () => (await dialect()).listCredentialIds(accessToken)),
    findCredential: (accessToken, credentialId, lang) =>
      tell('findCredential', async () => {
        const spoken = await dialect();
        const ids = await spoken.listCredentialIds(accessToken);
        return ids.includes(credentialId)
          ? spoken.getCredential(accessToken, credentialId, lang)
          : undefined;
      }),
    getCredential: (accessToken, credentialId, lang) =>
      tell('getCredential', async () =>
        (await dialect()).getCredential(accessToken, credentialId, lang),
      ),
    sendCode: (accessToken, credentialId) =>
      tell('sendCode', async () =>
        (await beforeChange(dialect)).sendCode(accessToken, credentialId),
      ),
    authorizeCredential: (accessToken, asked) =>
      tell('authorizeCredential', async () =>
        (await beforeChange(dialect)).authorizeCredential(accessToken, asked),
      ),
    revokeToken: (token, hint) =>
      tell('revokeToken', async () => oauth.revoke(await discover(), token, hint)),
    revokeSad: (sad) =>
      tell('revokeSad', async () => oauth.revoke(await discover(), sad, undefined)),
    signHash: (accessToken, asked) =>
      tell('signHash', async () => (await beforeChange(dialect)).signHash(accessToken, asked)),
  };
}
