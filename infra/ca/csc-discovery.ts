import { z } from 'zod';
import { CaError } from './ca-error.ts';
import type { CaCall, CaHttp } from './ca-http.ts';
import { isSafeUrl, withoutTrailingSlash } from './ca-url.ts';
import { parseAnswer } from './csc-answers.ts';

export interface CaDiscovery {
  readonly dialect: 'v1' | 'v2';
  /** Without a trailing slash; the endpoints hang on it unless the issuer's metadata says otherwise. */
  readonly oauthBaseUri: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string;
  /** What the service says it can do, such as `credentials/sendOTP`. */
  readonly methods: readonly string[];
}

const infoSchema = z.object({
  specs: z.string(),
  oauth2: z.string().nullish(),
  oauth2Issuer: z.string().nullish(),
  // v2.2: the first server that does is taken.
  oauth2Servers: z
    .array(z.object({ baseUri: z.string().nullish(), issuerIdentifier: z.string().nullish() }))
    .nullish(),
  methods: z.array(z.string()).nullish(),
});
const metadataSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  revocation_endpoint: z.string().nullish(),
});

/** Asks `info` which dialect is spoken and where OAuth lives. */
export async function discoverCa(
  http: CaHttp,
  baseUri: string,
  lang: string | undefined,
): Promise<CaDiscovery> {
  const call: CaCall = { operation: 'info', effect: 'read', secrets: [], url: `${baseUri}/info` };
  const json = await http.postJson(call, lang === undefined ? {} : { lang });
  const info = parseAnswer(call, infoSchema, json);
  const common = { dialect: dialectOf(info.specs), methods: info.methods ?? [] };
  const server = info.oauth2Servers?.[0];
  const base = info.oauth2 ?? server?.baseUri;
  if (base != null) return checked({ ...common, ...endpointsUnder(base) });
  const issuer = info.oauth2Issuer ?? server?.issuerIdentifier;
  if (issuer != null) return checked({ ...common, ...(await endpointsOfIssuer(http, issuer)) });
  throw new CaError('protocol_error', { operation: 'info', reason: 'no OAuth address' });
}

function dialectOf(specs: string): CaDiscovery['dialect'] {
  const major = /^\s*(\d+)\./.exec(specs)?.[1];
  // Services that still say 0.x speak what became v1 (csc.md 5).
  if (major === '0' || major === '1') return 'v1';
  if (major === '2') return 'v2';
  throw new CaError('protocol_error', { operation: 'info', reason: 'unknown CSC version' });
}

type Endpoints = Omit<CaDiscovery, 'dialect' | 'methods'>;

function endpointsUnder(given: string): Endpoints {
  // Some services give the full address of the authorization page (csc.md 5).
  const base = withoutTrailingSlash(
    withoutTrailingSlash(given.trim()).replace(/\/oauth2\/authorize$/, ''),
  );
  return {
    oauthBaseUri: base,
    authorizationEndpoint: `${base}/oauth2/authorize`,
    tokenEndpoint: `${base}/oauth2/token`,
    revocationEndpoint: `${base}/oauth2/revoke`,
  };
}

/** RFC 8414. The metadata must name the issuer it was asked of (3.3), else somebody else answers. */
async function endpointsOfIssuer(http: CaHttp, given: string): Promise<Endpoints> {
  const issuer = withoutTrailingSlash(given.trim());
  const operation = 'oauth-authorization-server';
  if (!isSafeUrl(issuer)) throw unsafe(operation);
  const { origin, pathname } = new URL(issuer);
  const path = pathname === '/' ? '' : pathname;
  const url = `${origin}/.well-known/oauth-authorization-server${path}`;
  const call: CaCall = { operation, effect: 'read', secrets: [], url };
  const metadata = parseAnswer(call, metadataSchema, await http.getJson(call));
  if (withoutTrailingSlash(metadata.issuer) !== issuer) {
    throw new CaError('protocol_error', { operation, reason: 'another issuer' });
  }
  return {
    oauthBaseUri: issuer,
    authorizationEndpoint: metadata.authorization_endpoint,
    tokenEndpoint: metadata.token_endpoint,
    revocationEndpoint: metadata.revocation_endpoint ?? `${issuer}/oauth2/revoke`,
  };
}

function checked(found: CaDiscovery): CaDiscovery {
  const { authorizationEndpoint, tokenEndpoint, revocationEndpoint } = found;
  if ([authorizationEndpoint, tokenEndpoint, revocationEndpoint].every(isSafeUrl)) return found;
  throw unsafe('info');
}

const unsafe = (operation: string): CaError =>
  new CaError('protocol_error', { operation, reason: 'OAuth address is not https' });
