import * as oauth from 'oauth4webapi';
import { z } from 'zod';
import { CaError } from './ca-error.ts';
import type { CaCall, CaHttp } from './ca-http.ts';
import { cleanText } from './ca-text.ts';
import { keyword, parseAnswer, wholeNumber } from './csc-answers.ts';
import type { CaDiscovery } from './csc-discovery.ts';

export interface AuthorizationUrlRequest {
  /** One-time, at most 255 bytes (csc.md 3.4). */
  readonly state: string;
  /** S256 challenge of the PKCE verifier. */
  readonly codeChallenge: string;
  readonly redirectUri: string;
  /** RFC 5646, such as `pt-PT`. */
  readonly lang?: string | undefined;
  /** Sent as `clientData`, which a CA may log. */
  readonly correlationId?: string | undefined;
}

export interface CodeExchange {
  /** The query of the callback, as it came. */
  readonly callbackParameters: URLSearchParams;
  readonly expectedState: string;
  readonly codeVerifier: string;
  /** The same as in the authorization URL. */
  readonly redirectUri: string;
}

export interface CaTokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** 3600 when the CA does not say (csc.md 3.2). */
  readonly accessTokenExpiresInSeconds: number;
}

const tokensSchema = z.object({
  access_token: z.string().min(1),
  token_type: keyword.pipe(z.literal('bearer')),
  expires_in: wholeNumber.nullish(),
  refresh_token: z.string().min(1).nullish(),
});

/** OAuth 2.0 of a CSC service, scope `service`: authorization code with PKCE, refresh, revocation. */
export class CscOAuth {
  readonly #http: CaHttp;
  readonly #clientSecret: string;
  readonly #client: oauth.Client;
  readonly #fetch: typeof fetch;

  constructor(http: CaHttp, clientId: string, clientSecret: string, fetcher: typeof fetch) {
    this.#http = http;
    this.#client = { client_id: clientId };
    this.#clientSecret = clientSecret;
    this.#fetch = fetcher;
  }

  /** Where to send the browser (csc.md 3.4, oauth2/authorize; PKCE is always sent). */
  authorizationUrl(discovery: CaDiscovery, request: AuthorizationUrlRequest): URL {
    const url = new URL(discovery.authorizationEndpoint);
    const parameters = {
      response_type: 'code',
      client_id: this.#client.client_id,
      redirect_uri: request.redirectUri,
      scope: 'service',
      state: request.state,
      code_challenge: request.codeChallenge,
      code_challenge_method: 'S256',
      ...(request.lang === undefined ? {} : { lang: request.lang }),
      ...(request.correlationId === undefined ? {} : { clientData: request.correlationId }),
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url;
  }

  /** Judges the callback and exchanges its code, once: a code is good for one try (csc.md 10). */
  async exchangeCode(discovery: CaDiscovery, exchange: CodeExchange): Promise<CaTokens> {
    const server = serverOf(discovery);
    const parameters = this.#judgeCallback(server, exchange);
    const secrets = [parameters.get('code') ?? '', exchange.codeVerifier];
    const call = this.#call('oauth2/token', discovery.tokenEndpoint, 'change', secrets);
    const json = await this.#http.send(call, (signal) =>
      oauth.authorizationCodeGrantRequest(
        server,
        this.#client,
        oauth.ClientSecretPost(this.#clientSecret),
        parameters,
        exchange.redirectUri,
        exchange.codeVerifier,
        this.#options(discovery.tokenEndpoint, signal),
      ),
    );
    return readTokens(call, json);
  }

  /** New tokens; the old refresh token goes on when the answer has none. Never repeated: rotation. */
  async refreshTokens(discovery: CaDiscovery, refreshToken: string): Promise<CaTokens> {
    const call = this.#call('oauth2/token', discovery.tokenEndpoint, 'change', [refreshToken]);
    const json = await this.#http.send(call, (signal) =>
      oauth.refreshTokenGrantRequest(
        serverOf(discovery),
        this.#client,
        oauth.ClientSecretPost(this.#clientSecret),
        refreshToken,
        this.#options(discovery.tokenEndpoint, signal),
      ),
    );
    return { refreshToken, ...readTokens(call, json) };
  }

  /** Revokes a token or SAD. May be repeated; what the CA no longer knows counts as revoked. */
  async revoke(
    discovery: CaDiscovery,
    token: string,
    hint: 'access_token' | 'refresh_token' | undefined,
  ): Promise<void> {
    // Idempotent, so it is repeated like a read.
    const call = this.#call('oauth2/revoke', discovery.revocationEndpoint, 'read', [token]);
    try {
      await this.#http.send(call, (signal) =>
        oauth.revocationRequest(
          serverOf(discovery),
          this.#client,
          oauth.ClientSecretPost(this.#clientSecret),
          token,
          {
            ...this.#options(discovery.revocationEndpoint, signal),
            ...(hint === undefined ? {} : { additionalParameters: { token_type_hint: hint } }),
          },
        ),
      );
    } catch (error) {
      if (!(error instanceof CaError) || !isAlreadyGone(error)) throw error;
    }
  }

  #judgeCallback(server: oauth.AuthorizationServer, exchange: CodeExchange): URLSearchParams {
    const { callbackParameters, expectedState } = exchange;
    const operation = 'oauth2/authorize';
    try {
      const accepted = oauth.validateAuthResponse(
        server,
        this.#client,
        callbackParameters,
        expectedState,
      );
      if (accepted.has('code')) return accepted;
    } catch (error) {
      if (error instanceof oauth.AuthorizationResponseError) {
        const code = cleanText(error.error)?.toLowerCase();
        const details = {
          operation,
          caError: code,
          caErrorDescription: cleanText(error.error_description),
        };
        if (code === 'access_denied') throw new CaError('user_denied', details);
        const transient = code === 'temporarily_unavailable' || code === 'server_error';
        throw new CaError(transient ? 'transient_not_processed' : 'reauthorize', details);
      }
    }
    throw new CaError('protocol_error', { operation, reason: 'callback is not for this request' });
  }

  #call(
    operation: string,
    url: string,
    effect: CaCall['effect'],
    secrets: readonly string[],
  ): CaCall {
    return { operation, url, effect, secrets: [...secrets, this.#clientSecret] };
  }

  #options(endpoint: string, signal: AbortSignal) {
    return {
      signal,
      [oauth.customFetch]: this.#fetch as (
        url: string,
        options: oauth.CustomFetchOptions<'POST', URLSearchParams>,
      ) => Promise<Response>,
      // The endpoint was checked to be https or loopback (csc-discovery.ts); the library marks this
      // option as deprecated to make it stand out.
      // eslint-disable-next-line @typescript-eslint/no-deprecated
      [oauth.allowInsecureRequests]: endpoint.startsWith('http:'),
    };
  }
}

const serverOf = (discovery: CaDiscovery): oauth.AuthorizationServer => ({
  issuer: discovery.oauthBaseUri,
  authorization_endpoint: discovery.authorizationEndpoint,
  token_endpoint: discovery.tokenEndpoint,
  revocation_endpoint: discovery.revocationEndpoint,
});

function readTokens(call: CaCall, json: unknown): CaTokens {
  const tokens = parseAnswer(call, tokensSchema, json);
  return {
    accessToken: tokens.access_token,
    ...(tokens.refresh_token == null ? {} : { refreshToken: tokens.refresh_token }),
    accessTokenExpiresInSeconds: tokens.expires_in ?? 3600,
  };
}

/** csc.md 10: 400 "Invalid string parameter token" (or invalid_token) means there is nothing left to revoke. */
function isAlreadyGone({ details, kind }: CaError): boolean {
  const text = `${details.caError ?? ''} ${details.caErrorDescription ?? ''}`.toLowerCase();
  return (
    kind === 'grant_dead' ||
    /invalid (string )?parameter token(?!_)|\binvalid_token\b|\bexpired_token\b/.test(text)
  );
}
