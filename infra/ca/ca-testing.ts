import { createHash, randomBytes } from 'node:crypto';
import type { CaError } from './ca-error.ts';
import { createCaClient, type CaClient, type CaTokens } from './csc-client.ts';
import { developmentClientSecret } from './csc-simulator/server.ts';
import { consentAtCa, type ConsentGiven } from './csc-simulator/testing.ts';

export const redirectUri = 'http://127.0.0.1:3000/ca/callback';

/** A client of the simulator, with short deadlines. */
export const buildCaClient = (
  simulatorUrl: string,
  overrides: Partial<Parameters<typeof createCaClient>[0]> = {},
): CaClient =>
  createCaClient({
    baseUri: `${simulatorUrl}/csc/v1`,
    clientId: 'certificate-access',
    clientSecret: developmentClientSecret,
    timeouts: { callMs: 2000, authorizeMs: 2000, readTotalMs: 3000, firstRetryMs: 5 },
    ...overrides,
  });

/** One redirect to the CA and back, as a person goes through it. */
export async function visitCa(client: CaClient, given: ConsentGiven = {}) {
  const codeVerifier = randomBytes(32).toString('base64url');
  const expectedState = randomBytes(16).toString('base64url');
  const url = await client.authorizationUrl({
    state: expectedState,
    codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    redirectUri,
    lang: 'pt-PT',
    correlationId: 'renewal-1',
  });
  const callback = await consentAtCa(url, given);
  return {
    url,
    callback,
    exchange: {
      callbackParameters: callback.searchParams,
      expectedState,
      codeVerifier,
      redirectUri,
    },
  };
}

/** Tokens of a fresh consent. */
export async function signInAtCa(client: CaClient, given: ConsentGiven = {}): Promise<CaTokens> {
  return client.exchangeCode((await visitCa(client, given)).exchange);
}

/** What a promise was rejected with; fails when it was not. */
export async function failureOf(promise: Promise<unknown>): Promise<CaError> {
  const fulfilled = await promise.then(
    () => true,
    () => false,
  );
  if (fulfilled) throw new Error('Expected a rejection.');
  return promise.catch((error: unknown) => error) as Promise<CaError>;
}
