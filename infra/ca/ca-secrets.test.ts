import { inspect } from 'node:util';
import { buildCaClient, failureOf, visitCa } from './ca-testing.ts';
import { cleanText } from './ca-text.ts';
import { startSimulator, type RunningSimulator } from './csc-simulator/server.ts';
import { newCredential, setSwitches, simulatorState } from './csc-simulator/testing.ts';

const planted = {
  clientSecret: 'planted-client-secret',
  accessToken: 'planted.access.token',
  refreshToken: 'planted+refresh/token=',
  pin: 'planted-pin',
  otp: 'planted-otp',
  sad: 'planted-sad',
};
let simulator: RunningSimulator;
beforeAll(async () => {
  simulator = await startSimulator({
    port: 0,
    withDefaultCredentials: false,
    clientSecret: planted.clientSecret,
  });
});
afterAll(() => simulator.close());

const echo = {
  error: `invalid_request ${planted.pin}`,
  error_description: `You sent ${Object.values(planted).join(' ')} ${encodeURIComponent(planted.refreshToken)}`,
};
const answers = [
  { status: 400, body: echo },
  { status: 500, body: echo },
  { status: 400, body: Object.values(planted).join(' ') },
  { status: 200, body: { access_token: 7, credentialIDs: planted.pin, SAD: [planted.sad] } },
  { close: true },
];

it.each(answers)(
  'an error holds none of the secrets of its call when the CA answers %j',
  async (answer) => {
    const client = buildCaClient(simulator.url, { clientSecret: planted.clientSecret });
    await client.discover();
    await setSwitches(simulator.url, {
      faults: ['credentials/authorize', 'signatures/signHash', 'oauth2/token', 'oauth2/revoke'].map(
        (method) => ({ method, ...answer }),
      ),
    });
    const calls: [() => Promise<unknown>, string[]][] = [
      [
        () =>
          client.authorizeCredential(planted.accessToken, {
            credentialId: 'any',
            signatureCount: 1,
            pin: planted.pin,
            otp: planted.otp,
          }),
        [planted.accessToken, planted.pin, planted.otp],
      ],
      [
        () =>
          client.signHash(planted.accessToken, {
            credentialId: 'any',
            sad: planted.sad,
            hashes: [Buffer.alloc(32)],
          }),
        [planted.accessToken, planted.sad],
      ],
      [
        () => client.refreshTokens(planted.refreshToken),
        [planted.refreshToken, encodeURIComponent(planted.refreshToken), planted.clientSecret],
      ],
    ];
    // A revocation answered with 200 has succeeded, whatever the body.
    if (answer.status !== 200) {
      calls.push([() => client.revokeSad(planted.sad), [planted.sad, planted.clientSecret]]);
    }
    for (const [call, secrets] of calls) {
      const error = await failureOf(call());
      // A faithful JSON for logs, the text for people, and what a careless console would print.
      const printed = [JSON.stringify(error), error.message, inspect(error, { depth: 9 })].join(
        '\n',
      );
      for (const secret of secrets) expect(printed).not.toContain(secret);
      expect(JSON.parse(JSON.stringify(error))).toHaveProperty('kind');
    }
  },
);

it('an error of the code exchange holds neither code, verifier nor state', async () => {
  const client = buildCaClient(simulator.url, { clientSecret: planted.clientSecret });
  await setSwitches(simulator.url, { reset: true });
  const { exchange } = await visitCa(client);
  const code = exchange.callbackParameters.get('code') ?? '';
  await setSwitches(simulator.url, {
    faults: [
      {
        method: 'oauth2/token',
        status: 400,
        body: { error: 'invalid_grant', error_description: `${code} ${exchange.codeVerifier}` },
      },
    ],
  });
  const refused = await failureOf(client.exchangeCode(exchange));
  const mismatched = await failureOf(client.exchangeCode({ ...exchange, expectedState: 'other' }));
  const printed = inspect([refused, mismatched], { depth: 9 });
  for (const secret of [code, exchange.codeVerifier, exchange.expectedState]) {
    expect(secret).not.toBe('');
    expect(printed).not.toContain(secret);
  }
});

it('the log of the simulator holds names of parameters, no PIN, OTP, SAD or token', async () => {
  await setSwitches(simulator.url, { reset: true });
  const client = buildCaClient(simulator.url, { clientSecret: planted.clientSecret });
  const { exchange } = await visitCa(client);
  const { accessToken, refreshToken = '' } = await client.exchangeCode(exchange);
  const { credentialID: credentialId } = await newCredential(simulator.url, {
    pin: { value: planted.pin },
  });
  const asked = { credentialId, signatureCount: 1, pin: planted.pin };
  const { sad } = await client.authorizeCredential(accessToken, asked);
  await client.revokeSad(sad);
  const log = JSON.stringify(await simulatorState(simulator.url));
  expect(log).toContain('"PIN"');
  for (const secret of [planted.pin, planted.clientSecret, accessToken, refreshToken, sad]) {
    expect(log).not.toContain(secret);
  }
});

it('text of the CA becomes one bounded line without control characters', () => {
  expect(cleanText('a\r\nb\u2028c\u0007 d')).toBe('a b c d');
  expect(cleanText('x'.repeat(1000))).toHaveLength(300);
  expect(cleanText({ not: 'text' })).toBeUndefined();
});
