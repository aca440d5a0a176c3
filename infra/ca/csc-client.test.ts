import { createServer, type AddressInfo } from 'node:net';
import { buildCaClient, failureOf, redirectUri, signInAtCa, visitCa } from './ca-testing.ts';
import { createCaClient } from './csc-client.ts';
import {
  developmentClientSecret,
  startSimulator,
  type RunningSimulator,
} from './csc-simulator/server.ts';
import { newCredential, setSwitches, simulatorState } from './csc-simulator/testing.ts';

let simulator: RunningSimulator;
let now = Date.now();

beforeAll(async () => {
  simulator = await startSimulator({
    port: 0,
    withDefaultCredentials: false,
    now: () => new Date(now),
  });
});
afterAll(() => simulator.close());
beforeEach(() => setSwitches(simulator.url, { reset: true }));
afterEach(() => {
  now = Date.now();
});

describe('discovery', () => {
  it.each([
    ['1.0.3.0', 'v1'],
    ['1.0.4.0', 'v1'],
    ['2.0.0.0', 'v2'],
    ['2.2.0.0', 'v2'],
  ])('takes a service that says %s for %s', async (specs, dialect) => {
    await setSwitches(simulator.url, { info: { specs } });
    expect((await buildCaClient(simulator.url).discover()).dialect).toBe(dialect);
  });

  it('refuses a version it does not know', async () => {
    await setSwitches(simulator.url, { info: { specs: '3.0.0.0' } });
    const error = await failureOf(buildCaClient(simulator.url).discover());
    expect(error.toJSON()).toMatchObject({ kind: 'protocol_error', reason: 'unknown CSC version' });
  });

  it.each([
    ['plain', { oauth2: 'https://login.example/ca' }],
    ['with a trailing slash', { oauth2: 'https://login.example/ca/' }],
    ['as the page itself', { oauth2: 'https://login.example/ca/oauth2/authorize' }],
    [
      'as v2.2 has it',
      { oauth2: null, oauth2Servers: [{ label: 'x', baseUri: 'https://login.example/ca' }] },
    ],
  ])('finds the OAuth endpoints when their address is given %s', async (_, info) => {
    await setSwitches(simulator.url, { info });
    expect(await buildCaClient(simulator.url).discover()).toMatchObject({
      oauthBaseUri: 'https://login.example/ca',
      authorizationEndpoint: 'https://login.example/ca/oauth2/authorize',
      tokenEndpoint: 'https://login.example/ca/oauth2/token',
      revocationEndpoint: 'https://login.example/ca/oauth2/revoke',
    });
  });

  it.each([
    ['v2', { oauth2: null, oauth2Issuer: 'ORIGIN' }],
    ['v2.2', { oauth2: null, oauth2Servers: [{ issuerIdentifier: 'ORIGIN/' }] }],
  ])('reads the metadata of an issuer, as %s has it', async (_, info) => {
    const text = JSON.stringify(info).replace('ORIGIN', simulator.url);
    await setSwitches(simulator.url, { info: JSON.parse(text) as object });
    expect(await buildCaClient(simulator.url).discover()).toMatchObject({
      tokenEndpoint: `${simulator.url}/oauth2/token`,
    });
  });

  it('sends nothing to an OAuth address without TLS on another machine', async () => {
    await setSwitches(simulator.url, { info: { oauth2: 'http://login.example' } });
    expect((await failureOf(buildCaClient(simulator.url).discover())).kind).toBe('protocol_error');
    expect(() => buildCaClient('http://ca.example')).toThrow('base URI is not https');
  });

  it('is asked for once, and again after a failure', async () => {
    const client = buildCaClient(simulator.url);
    await setSwitches(simulator.url, { faults: [{ method: 'info', status: 400, times: 1 }] });
    expect((await failureOf(client.discover())).kind).toBe('unknown_refusal');
    const before = (await simulatorState(simulator.url)).calls.length;
    await client.discover();
    await client.discover();
    expect((await simulatorState(simulator.url)).calls.length - before).toBe(1);
  });
});

describe('signing in at the CA', () => {
  it('sends the browser with a PKCE challenge, the state and no secret', async () => {
    const url = await buildCaClient(simulator.url).authorizationUrl({
      state: 'a state',
      codeChallenge: 'challenge',
      redirectUri,
      lang: 'pt-PT',
      correlationId: 'renewal-1',
    });
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      scope: 'service',
      client_id: 'certificate-access',
      redirect_uri: redirectUri,
      state: 'a state',
      code_challenge: 'challenge',
      code_challenge_method: 'S256',
      lang: 'pt-PT',
      clientData: 'renewal-1',
    });
    expect(url.href).not.toContain(developmentClientSecret);
  });

  it('exchanges the code for tokens, once', async () => {
    const client = buildCaClient(simulator.url);
    const { exchange } = await visitCa(client);
    expect(await client.exchangeCode(exchange)).toEqual({
      accessToken: expect.stringMatching(/.{20,}/) as string,
      refreshToken: expect.stringMatching(/.{20,}/) as string,
      accessTokenExpiresInSeconds: 3600,
    });
    expect((await failureOf(client.exchangeCode(exchange))).kind).toBe('reauthorize');
  });

  it('tells that the person denied the access', async () => {
    const client = buildCaClient(simulator.url);
    const { exchange } = await visitCa(client, { decision: 'deny' });
    expect((await failureOf(client.exchangeCode(exchange))).kind).toBe('user_denied');
  });

  it.each([
    ['access_denied', 'user_denied'],
    ['temporarily_unavailable', 'transient_not_processed'],
    ['server_error', 'transient_not_processed'],
    ['invalid_scope', 'reauthorize'],
  ])('takes %s on the callback for %s', async (consentError, kind) => {
    await setSwitches(simulator.url, { consentError });
    const client = buildCaClient(simulator.url);
    const { exchange } = await visitCa(client);
    expect((await failureOf(client.exchangeCode(exchange))).kind).toBe(kind);
  });

  it('keeps the description of an error on the callback as bounded text', async () => {
    const callbackParameters = new URLSearchParams({
      error: 'access_denied',
      error_description: `<b>no</b>\r\n${'x'.repeat(5000)}`,
      state: 's',
    });
    const error = await failureOf(
      buildCaClient(simulator.url).exchangeCode({
        callbackParameters,
        expectedState: 's',
        codeVerifier: 'v',
        redirectUri,
      }),
    );
    expect(error.details.caErrorDescription).toMatch(/^<b>no<\/b> x+$/);
    expect(error.details.caErrorDescription).toHaveLength(300);
  });

  it.each(['another', ''])('makes no call for a callback with the state "%s"', async (state) => {
    const client = buildCaClient(simulator.url);
    const { exchange } = await visitCa(client);
    const callbackParameters = new URLSearchParams(exchange.callbackParameters);
    callbackParameters.set('state', state);
    const before = (await simulatorState(simulator.url)).calls.length;
    const error = await failureOf(client.exchangeCode({ ...exchange, callbackParameters }));
    expect(error.kind).toBe('protocol_error');
    expect((await simulatorState(simulator.url)).calls).toHaveLength(before);
  });

  it('is told to start again for a code that is too old', async () => {
    const client = buildCaClient(simulator.url);
    const { exchange } = await visitCa(client);
    now += 300_000;
    const error = await failureOf(client.exchangeCode(exchange));
    expect(error).toMatchObject({
      kind: 'reauthorize',
      details: { caErrorDescription: 'Authorization code is invalid or expired' },
    });
  });

  it.each([
    ['verifier', { codeVerifier: 'x'.repeat(43) }],
    ['redirect address', { redirectUri: 'http://127.0.0.1:3001/ca/callback' }],
  ])('is told to start again for another %s', async (_, change) => {
    const client = buildCaClient(simulator.url);
    const { exchange } = await visitCa(client);
    const error = await failureOf(client.exchangeCode({ ...exchange, ...change }));
    expect(error).toMatchObject({ kind: 'reauthorize', details: { caError: 'invalid_grant' } });
  });

  it('is told to start again when the client itself is refused', async () => {
    const client = buildCaClient(simulator.url);
    const { exchange } = await visitCa(client);
    const stranger = buildCaClient(simulator.url, { clientSecret: 'a wrong secret' });
    expect((await failureOf(stranger.exchangeCode(exchange))).kind).toBe('reauthorize');
  });

  it('does not know the outcome when the answer to the code is lost', async () => {
    await setSwitches(simulator.url, {
      faults: [{ method: 'oauth2/token', dropAnswer: true, times: 1 }],
    });
    const client = buildCaClient(simulator.url);
    const { exchange } = await visitCa(client);
    expect((await failureOf(client.exchangeCode(exchange))).kind).toBe('outcome_unknown');
  });
});

describe('tokens', () => {
  it('go over to the new refresh token, and the old one is dead', async () => {
    const client = buildCaClient(simulator.url);
    const first = await signInAtCa(client);
    const second = await client.refreshTokens(first.refreshToken ?? '');
    expect(second.refreshToken).not.toBe(first.refreshToken);
    const error = await failureOf(client.refreshTokens(first.refreshToken ?? ''));
    expect(error.kind).toBe('reauthorize');
    await expect(client.listCredentialIds(second.accessToken)).resolves.toEqual(expect.any(Array));
  });

  it('keep the refresh token when the CA gives no new one', async () => {
    await setSwitches(simulator.url, { rotateRefreshTokens: false });
    const client = buildCaClient(simulator.url);
    const { refreshToken = '' } = await signInAtCa(client);
    expect((await client.refreshTokens(refreshToken)).refreshToken).toBe(refreshToken);
  });

  it('have no refresh token when a new authorization gave none', async () => {
    await setSwitches(simulator.url, { issueRefreshTokens: false });
    expect(await signInAtCa(buildCaClient(simulator.url))).not.toHaveProperty('refreshToken');
  });

  it('say that the CA refuses to refresh them', async () => {
    const client = buildCaClient(simulator.url);
    const { refreshToken = '' } = await signInAtCa(client);
    await setSwitches(simulator.url, { refreshRefused: true });
    expect((await failureOf(client.refreshTokens(refreshToken))).kind).toBe('reauthorize');
  });

  it('end with their time, which is no end of the grant', async () => {
    const client = buildCaClient(simulator.url);
    const { accessToken } = await signInAtCa(client);
    now += 3_600_000;
    expect((await failureOf(client.listCredentialIds(accessToken))).kind).toBe('session_dead');
  });

  it('can be revoked, and revoked again', async () => {
    const client = buildCaClient(simulator.url);
    const { accessToken, refreshToken = '' } = await signInAtCa(client);
    await client.revokeToken(refreshToken, 'refresh_token');
    await client.revokeToken(refreshToken, 'refresh_token');
    expect((await failureOf(client.listCredentialIds(accessToken))).kind).toBe('session_dead');
  });
});

describe('credentials of a client account', () => {
  it('are all listed, page by page, without userID', async () => {
    const ids = [];
    for (let number = 0; number < 3; number += 1) {
      ids.push((await newCredential(simulator.url)).credentialID);
    }
    await setSwitches(simulator.url, { listPageSize: 1 });
    const client = buildCaClient(simulator.url);
    const { accessToken } = await signInAtCa(client);
    expect(await client.listCredentialIds(accessToken)).toEqual(expect.arrayContaining(ids));
    const { calls } = await simulatorState(simulator.url);
    expect(calls.flatMap((call) => call.parameters)).not.toContain('userID');
  });

  it('are not listed for ever when the CA repeats its page token', async () => {
    await setSwitches(simulator.url, {
      faults: [
        {
          method: 'credentials/list',
          status: 200,
          body: { credentialIDs: [], nextPageToken: 'a' },
        },
      ],
    });
    const client = buildCaClient(simulator.url);
    const { accessToken } = await signInAtCa(client);
    const error = await failureOf(client.listCredentialIds(accessToken));
    expect(error.details.reason).toBe('endless list');
  });

  it('may be none, and do not hold the one of another account', async () => {
    const { credentialID } = await newCredential(simulator.url);
    const client = buildCaClient(simulator.url);
    const ana = await signInAtCa(client);
    const other = await signInAtCa(client, { email: 'outro@cliente.example' });
    expect(await client.findCredential(ana.accessToken, credentialID)).toBeDefined();
    expect(await client.findCredential(other.accessToken, credentialID)).toBeUndefined();
    await setSwitches(simulator.url, { emptyList: true });
    expect(await client.listCredentialIds(ana.accessToken)).toEqual([]);
  });

  it('are described with their certificate chain, names and end', async () => {
    const made = await newCredential(simulator.url, { notAfter: '2031-01-02T03:04:05Z' });
    const client = buildCaClient(simulator.url);
    const { accessToken } = await signInAtCa(client);
    const credential = await client.getCredential(accessToken, made.credentialID, 'pt-PT');
    expect(credential).toMatchObject({
      credentialId: made.credentialID,
      status: 'usable',
      authMode: 'implicit',
      factors: [],
      multisign: 1_000_000_000,
      subject: made.subject,
      issuer: made.issuer,
      serial: made.serial,
      notAfter: new Date('2031-01-02T03:04:05Z'),
    });
    expect(credential.certificateChain).toHaveLength(2);
    const { calls } = await simulatorState(simulator.url, made.credentialID);
    expect(calls[0]?.parameters).toEqual(
      expect.arrayContaining(['certificates', 'certInfo', 'authInfo', 'lang']),
    );
  });

  it.each([
    ['20301231235959Z', new Date('2030-12-31T23:59:59Z')],
    ['20300231000000Z', 'protocol_error'],
    ['2030-12-31T23:59:59Z', 'protocol_error'],
    ['tomorrow', 'protocol_error'],
  ])('end at the validTo %s, read as UTC or refused', async (validTo, expected) => {
    await setSwitches(simulator.url, {
      faults: [
        {
          method: 'credentials/info',
          status: 200,
          body: {
            key: { status: 'enabled', algo: ['x'], len: '2048' },
            cert: { subjectDN: 'CN=a', issuerDN: 'CN=b', serialNumber: '00:0a:1f', validTo },
            authMode: 'implicit',
            multisign: '10',
          },
        },
      ],
    });
    const client = buildCaClient(simulator.url);
    const { accessToken } = await signInAtCa(client);
    const outcome = await client
      .getCredential(accessToken, 'any')
      .catch((error: unknown) => (error as { kind: string }).kind);
    expect(outcome).toEqual(
      typeof expected === 'string'
        ? expected
        : expect.objectContaining({ notAfter: expected, serial: 'A1F', multisign: 10 }),
    );
  });

  it.each([
    [{ keyStatus: 'disabled' }, 'key_disabled'],
    [{ certificateStatus: 'expired' }, 'certificate_expired'],
    [{ certificateStatus: 'revoked' }, 'certificate_revoked'],
    [{ certificateStatus: 'suspended' }, 'certificate_suspended'],
  ] as const)('with %j are not usable: %s', async (state, status) => {
    const { credentialID } = await newCredential(simulator.url, state);
    const client = buildCaClient(simulator.url);
    const { accessToken } = await signInAtCa(client);
    expect((await client.getCredential(accessToken, credentialID)).status).toBe(status);
    const asked = { credentialId: credentialID, signatureCount: 1 };
    const error = await failureOf(client.authorizeCredential(accessToken, asked));
    expect(error.kind).toBe('certificate_unusable');
  });

  it.each([1, 10, 1_000_000, 1_000_000_000, 2 ** 31, 5_000_000_000])(
    'tell that %i signatures may be asked for at once',
    async (multisign) => {
      const { credentialID } = await newCredential(simulator.url, { multisign });
      const client = buildCaClient(simulator.url);
      const { accessToken } = await signInAtCa(client, { multisign: 5_000_000_000 });
      expect((await client.getCredential(accessToken, credentialID)).multisign).toBe(multisign);
    },
  );

  it.each(['v1', 'v2'])('are read from a sloppy service, in %s too', async (version) => {
    const { credentialID } = await newCredential(simulator.url, { pin: {}, otp: {} });
    await setSwitches(simulator.url, { sloppy: true });
    const client = buildCaClient(simulator.url, { baseUri: `${simulator.url}/csc/${version}/` });
    const { accessToken } = await signInAtCa(client);
    expect(await client.getCredential(accessToken, credentialID)).toMatchObject({
      multisign: 1_000_000_000,
      factors: [{ name: 'pin' }, { name: 'otp', online: true }],
    });
    const asked = { credentialId: credentialID, signatureCount: 1, pin: '0000', otp: '000000' };
    const error = await failureOf(client.authorizeCredential(accessToken, asked));
    expect(error.kind).toBe('factor_rejected');
  });
});

describe('a CA in trouble', () => {
  it('is asked again for what only reads', async () => {
    await setSwitches(simulator.url, {
      faults: [
        { method: 'credentials/list', status: 503, times: 1 },
        { method: 'credentials/list', close: true, times: 1 },
      ],
    });
    const client = buildCaClient(simulator.url);
    const { accessToken } = await signInAtCa(client);
    await expect(client.listCredentialIds(accessToken)).resolves.toEqual(expect.any(Array));
  });

  it('is unreachable for reading when no try succeeds', async () => {
    await setSwitches(simulator.url, { faults: [{ method: 'credentials/list', status: 502 }] });
    const client = buildCaClient(simulator.url);
    const { accessToken } = await signInAtCa(client);
    expect(await failureOf(client.listCredentialIds(accessToken))).toMatchObject({
      kind: 'unreachable',
      details: { httpStatus: 502 },
    });
  });

  it('is not waited for beyond the deadline', async () => {
    await setSwitches(simulator.url, {
      faults: [{ method: 'credentials/list', delayMs: 60_000 }],
    });
    const timeouts = { callMs: 50, readTotalMs: 120, firstRetryMs: 5 };
    const client = buildCaClient(simulator.url, { timeouts });
    const { accessToken } = await signInAtCa(buildCaClient(simulator.url));
    await client.discover().catch(() => undefined);
    const error = await failureOf(client.listCredentialIds(accessToken));
    expect(error).toMatchObject({ kind: 'unreachable', details: { reason: 'timeout' } });
  });

  it('has processed nothing when nobody listens', async () => {
    const free = await freePort();
    const client = buildCaClient(`http://127.0.0.1:${free}`);
    expect((await failureOf(client.discover())).kind).toBe('unreachable');
    const error = await failureOf(
      client.authorizeCredential('token', { credentialId: 'any', signatureCount: 1 }),
    );
    expect(error).toMatchObject({
      kind: 'transient_not_processed',
      details: { reason: 'ECONNREFUSED' },
    });
  });

  it('cannot send the client elsewhere or make it read without end', async () => {
    const client = buildCaClient(simulator.url);
    const { accessToken } = await signInAtCa(client);
    const fault = (answer: object) =>
      setSwitches(simulator.url, { faults: [{ method: 'credentials/list', ...answer }] });
    await fault({ status: 307, headers: { location: `${simulator.url}/csc/v1/info` } });
    expect((await failureOf(client.listCredentialIds(accessToken))).kind).toBe('protocol_error');
    await fault({ status: 200, body: { credentialIDs: ['x'.repeat(1_100_000)] } });
    expect((await failureOf(client.listCredentialIds(accessToken))).kind).toBe('protocol_error');
    await fault({ status: 200, body: '<html>Welcome</html>' });
    expect((await failureOf(client.listCredentialIds(accessToken))).kind).toBe('protocol_error');
  });
});

it('tells of every call what it came to, and how long it took', async () => {
  const calls: string[] = [];
  const told: number[] = [];
  const client = buildCaClient(simulator.url, {
    timeouts: { callMs: 50, readTotalMs: 120, firstRetryMs: 5 },
    onCall(call, outcome, seconds) {
      calls.push(`${call} ${outcome}`);
      told.push(seconds);
    },
  });
  const { accessToken } = await signInAtCa(buildCaClient(simulator.url));
  await client.listCredentialIds(accessToken);
  await failureOf(client.listCredentialIds('unknown'));
  await setSwitches(simulator.url, { faults: [{ method: 'credentials/list', delayMs: 60_000 }] });
  await failureOf(client.listCredentialIds(accessToken));
  await setSwitches(simulator.url, {
    faults: [{ method: 'credentials/list', status: 200, body: 'no JSON' }],
  });
  await failureOf(client.listCredentialIds(accessToken));
  expect(calls).toEqual([
    'discover ok',
    'listCredentialIds ok',
    'listCredentialIds session_dead',
    'listCredentialIds timeout',
    'listCredentialIds protocol_error',
  ]);
  // The one that was given up was tried again before: the time is that of all tries.
  expect(told[3]).toBeGreaterThan(0.1);
});

it('takes its own fetch when it is given one', async () => {
  const seen: string[] = [];
  const client = createCaClient({
    baseUri: `${simulator.url}/csc/v1`,
    clientId: 'certificate-access',
    clientSecret: developmentClientSecret,
    fetch: (input, init) => {
      seen.push(input instanceof Request ? input.url : input.toString());
      return fetch(input, init);
    },
  });
  await client.refreshTokens('unknown').catch(() => undefined);
  expect(seen).toEqual([`${simulator.url}/csc/v1/info`, `${simulator.url}/oauth2/token`]);
});

/** A port on which nobody listens any more. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}
