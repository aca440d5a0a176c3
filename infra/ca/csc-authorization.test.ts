import { createHash, X509Certificate, verify } from 'node:crypto';
import { buildCaClient, failureOf, signInAtCa } from './ca-testing.ts';
import { selectFactorValues, type CaClient } from './csc-client.ts';
import { startSimulator, type RunningSimulator } from './csc-simulator/server.ts';
import { credentialState, newCredential, setSwitches } from './csc-simulator/testing.ts';

let simulator: RunningSimulator;
let client: CaClient;
let accessToken: string;
let now = Date.now();

beforeAll(async () => {
  simulator = await startSimulator({
    port: 0,
    withDefaultCredentials: false,
    now: () => new Date(now),
  });
  client = buildCaClient(simulator.url);
});
beforeEach(async () => {
  now = Date.now();
  await setSwitches(simulator.url, { reset: true });
  accessToken = (await signInAtCa(client)).accessToken;
});
afterAll(() => simulator.close());

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();
const otpOf = async (credentialId: string): Promise<string> =>
  (await credentialState(simulator.url, credentialId)).lastOtp ?? '';
const callsOf = async (credentialId: string, method: string) =>
  (await credentialState(simulator.url, credentialId)).calls.filter(
    (call) => call.method === method,
  );

/** A credential of the test's own, with PIN 1234 and an online OTP unless told otherwise. */
async function buildCredential(factors: object = { pin: {}, otp: {} }): Promise<string> {
  return (await newCredential(simulator.url, factors)).credentialID;
}

describe('a credential authorization', () => {
  it.each(['v1', 'v2'])('with PIN and OTP gives a SAD that signs, in %s', async (version) => {
    const spoken = buildCaClient(simulator.url, { baseUri: `${simulator.url}/csc/${version}` });
    const credentialId = await buildCredential({ pin: {}, otp: {}, ownKey: true });
    await spoken.sendCode(accessToken, credentialId);
    const otp = await otpOf(credentialId);
    const granted = await spoken.authorizeCredential(accessToken, {
      credentialId,
      signatureCount: 1_000_000_000,
      pin: '1234',
      otp,
      description: 'Access grant',
      correlationId: 'renewal-1',
    });
    expect(granted.expiresInSeconds).toBe(5_184_000);

    const texts = ['first', 'second'];
    const signatures = await spoken.signHash(accessToken, {
      credentialId,
      sad: granted.sad,
      hashes: texts.map(digestOf),
    });
    const { certificateChain } = await spoken.getCredential(accessToken, credentialId);
    const [certificate, root] = certificateChain.map((der) => new X509Certificate(der));
    expect(certificate?.verify(root!.publicKey)).toBe(true);
    expect(
      signatures.map((each, index) =>
        verify('sha256', Buffer.from(texts[index]!), certificate!.publicKey, each),
      ),
    ).toEqual([true, true]);
    const { sads } = await credentialState(simulator.url, credentialId);
    expect(sads).toEqual([
      expect.objectContaining({ state: 'in_force', numSignatures: 1e9, remaining: 1e9 - 2 }),
    ]);
  });

  it.each([100, 6_000_000])('holds %i seconds when the consent says so', async (seconds) => {
    const tokens = await signInAtCa(client, { lifetimeSeconds: seconds });
    const credentialId = await buildCredential({});
    const asked = { credentialId, signatureCount: 1 };
    const granted = await client.authorizeCredential(tokens.accessToken, asked);
    expect(granted.expiresInSeconds).toBe(seconds);
  });

  it('holds an hour when the CA does not say', async () => {
    const credentialId = await buildCredential({});
    await setSwitches(simulator.url, { credentialID: credentialId, omitExpiresIn: true });
    const asked = { credentialId, signatureCount: 1 };
    const granted = await client.authorizeCredential(accessToken, asked);
    expect(granted.expiresInSeconds).toBe(3600);
  });

  it('is read from numbers sent as strings', async () => {
    const credentialId = await buildCredential({});
    await setSwitches(simulator.url, { credentialID: credentialId, sloppy: true });
    const asked = { credentialId, signatureCount: 1 };
    const granted = await client.authorizeCredential(accessToken, asked);
    expect(granted.expiresInSeconds).toBe(5_184_000);
  });

  it.each([
    [0, 'unknown_refusal', 'Invalid value for parameter numSignatures'],
    [Number.NaN, 'unknown_refusal', 'Missing (or invalid type) integer parameter numSignatures'],
    [1_000_000_001, 'limit_refused', 'Numbers of signatures is too high'],
  ])('for %s signatures is refused: %s', async (signatureCount, kind, text) => {
    const credentialId = await buildCredential({});
    const error = await failureOf(
      client.authorizeCredential(accessToken, { credentialId, signatureCount }),
    );
    expect(error).toMatchObject({ kind, details: { caErrorDescription: text } });
  });

  it('on the own page of the CA is not asked for here', async () => {
    const credentialId = await buildCredential({ authMode: 'oauth2code' });
    expect((await client.getCredential(accessToken, credentialId)).authMode).toBe('oauth');
  });
});

describe('factors', () => {
  const presences = ['true', 'false', 'optional', undefined] as const;
  const types = ['offline', 'online'] as const;
  const matrix = presences.flatMap((pin) =>
    presences.flatMap((otp) => types.map((type) => [pin, otp, type] as const)),
  );

  it.each(matrix)(
    'PIN %s and OTP %s (%s) are asked for and sent as they should',
    async (pin, otp, type) => {
      const credentialId = await buildCredential({
        authMode: 'explicit',
        ...(pin && { pin: { presence: pin } }),
        ...(otp && { otp: { presence: otp, type } }),
      });
      const credential = await client.getCredential(accessToken, credentialId, 'pt');
      const asked = (presence: string | undefined) =>
        presence === 'true' || presence === 'optional';
      expect(credential.authMode).toBe('explicit');
      expect(
        credential.factors.map(({ name, required, online }) => ({ name, required, online })),
      ).toEqual([
        ...(asked(pin) ? [{ name: 'pin', required: pin === 'true', online: false }] : []),
        ...(asked(otp)
          ? [{ name: 'otp', required: otp === 'true', online: type === 'online' }]
          : []),
      ]);

      if (asked(otp) && type === 'online') await client.sendCode(accessToken, credentialId);
      const { values, missing } = selectFactorValues(credential.factors, {
        pin: '1234',
        otp: await otpOf(credentialId),
      });
      expect(missing).toEqual([]);
      await client.authorizeCredential(accessToken, { credentialId, signatureCount: 1, ...values });
      const [call] = await callsOf(credentialId, 'credentials/authorize');
      expect(call?.outcome).toBe('ok');
      expect(call?.parameters.includes('PIN')).toBe(asked(pin));
      expect(call?.parameters.includes('OTP')).toBe(asked(otp));
    },
  );

  it('that are optional may be left out', async () => {
    const credentialId = await buildCredential({
      pin: { presence: 'optional' },
      otp: { presence: 'optional' },
    });
    const { factors } = await client.getCredential(accessToken, credentialId);
    const { values, missing } = selectFactorValues(factors, { pin: '', otp: undefined });
    expect([values, missing]).toEqual([{}, []]);
    const asked = { credentialId, signatureCount: 1, ...values };
    await expect(client.authorizeCredential(accessToken, asked)).resolves.toHaveProperty('sad');
  });

  it('that are required and left out are named before the CA is asked', async () => {
    const { factors } = await client.getCredential(accessToken, await buildCredential());
    expect(selectFactorValues(factors, { pin: '1234' })).toEqual({
      values: { pin: '1234' },
      missing: ['otp'],
    });
  });

  it('are labelled in the language asked for', async () => {
    const credentialId = await buildCredential();
    const labels = async (lang: string) =>
      (await client.getCredential(accessToken, credentialId, lang)).factors.map(
        (each) => each.label,
      );
    expect(await labels('pt-PT')).toEqual(['PIN do certificado', 'Código de autorização']);
    expect(await labels('en-US')).toEqual(['Certificate PIN', 'Authorization code']);
  });

  it('got wrong are rejected by name, and no authorization comes of it', async () => {
    const credentialId = await buildCredential();
    await client.sendCode(accessToken, credentialId);
    const otp = await otpOf(credentialId);
    const attempt = (pin: string, code: string) =>
      failureOf(
        client.authorizeCredential(accessToken, {
          credentialId,
          signatureCount: 1,
          pin,
          otp: code,
        }),
      );
    expect((await attempt('9999', otp)).toJSON()).toMatchObject({
      kind: 'factor_rejected',
      factor: 'pin',
    });
    // The OTP was used up by that attempt.
    expect((await attempt('1234', otp)).toJSON()).toMatchObject({
      kind: 'factor_rejected',
      factor: 'otp',
    });
    expect((await credentialState(simulator.url, credentialId)).sads).toEqual([]);
  });

  it('got wrong are rejected without a name in v2', async () => {
    const v2 = buildCaClient(simulator.url, { baseUri: `${simulator.url}/csc/v2` });
    const credentialId = await buildCredential();
    await v2.sendCode(accessToken, credentialId);
    const asked = { credentialId, signatureCount: 1, pin: '9999', otp: await otpOf(credentialId) };
    const error = await failureOf(v2.authorizeCredential(accessToken, asked));
    expect(error.toJSON()).toMatchObject({ kind: 'factor_rejected', factor: 'unknown' });
  });

  it('that are codes end after five minutes', async () => {
    const credentialId = await buildCredential({ otp: {} });
    const attempt = async (later: number) => {
      await client.sendCode(accessToken, credentialId);
      const otp = await otpOf(credentialId);
      now += later;
      return client.authorizeCredential(accessToken, { credentialId, signatureCount: 1, otp });
    };
    await expect(attempt(299_999)).resolves.toHaveProperty('sad');
    expect((await failureOf(attempt(300_000))).toJSON()).toMatchObject({
      kind: 'factor_rejected',
      factor: 'otp',
    });
  });

  it.each(['pin', 'otp'] as const)('lock after five wrong tries: %s', async (factor) => {
    const credentialId = await buildCredential({ [factor]: {} });
    const attempt = async () => {
      if (factor === 'otp') await client.sendCode(accessToken, credentialId);
      return client.authorizeCredential(accessToken, {
        credentialId,
        signatureCount: 1,
        [factor]: 'wrong',
      });
    };
    for (let tries = 1; tries <= 5; tries += 1) {
      expect((await failureOf(attempt())).kind).toBe('factor_rejected');
    }
    expect((await failureOf(attempt())).toJSON()).toMatchObject({ kind: 'locked', lock: factor });
  });

  it('that are locked send no code', async () => {
    const credentialId = await buildCredential();
    await setSwitches(simulator.url, { credentialID: credentialId, otpLocked: true });
    const error = await failureOf(client.sendCode(accessToken, credentialId));
    expect(error.toJSON()).toMatchObject({ kind: 'locked', lock: 'otp' });
    const v2 = buildCaClient(simulator.url, { baseUri: `${simulator.url}/csc/v2` });
    expect((await failureOf(v2.sendCode(accessToken, credentialId))).toJSON()).toMatchObject({
      kind: 'locked',
      lock: 'credential',
    });
  });
});

describe('a call that changes something', () => {
  const authorize = (credentialId: string) =>
    client.authorizeCredential(accessToken, { credentialId, signatureCount: 1 });

  it.each([
    ['the answer is lost after the CA did it', { dropAnswer: true }, 'outcome_unknown'],
    ['the connection is closed', { close: true }, 'outcome_unknown'],
    ['the CA takes too long', { delayMs: 5000 }, 'outcome_unknown'],
    ['the CA fails inside', { status: 500 }, 'outcome_unknown'],
    ['a gateway gives up', { status: 504 }, 'outcome_unknown'],
    ['it is sent elsewhere', { status: 302, headers: { location: '/' } }, 'outcome_unknown'],
    ['the success is no JSON', { status: 200, body: 'fine' }, 'outcome_unknown'],
    ['the success holds no SAD', { status: 200, body: { expiresIn: 60 } }, 'outcome_unknown'],
    ['the answer is still to come', { status: 202, body: { handle: 'h' } }, 'outcome_unknown'],
    ['the CA is too busy', { status: 429 }, 'transient_not_processed'],
    ['the CA is down for a while', { status: 503 }, 'transient_not_processed'],
  ])('is sent once when %s', async (_, fault, kind) => {
    const credentialId = await buildCredential({});
    await setSwitches(simulator.url, {
      credentialID: credentialId,
      faults: [{ method: 'credentials/authorize', ...fault }],
    });
    const quick = buildCaClient(simulator.url, { timeouts: { authorizeMs: 600 } });
    await quick.discover();
    const error = await failureOf(
      quick.authorizeCredential(accessToken, { credentialId, signatureCount: 1 }),
    );
    expect(error.kind).toBe(kind);
    expect(await callsOf(credentialId, 'credentials/authorize')).toHaveLength(1);
  });

  it('may have made the grant whose answer was lost', async () => {
    const credentialId = await buildCredential({});
    await setSwitches(simulator.url, {
      credentialID: credentialId,
      faults: [{ method: 'credentials/authorize', dropAnswer: true }],
    });
    await failureOf(authorize(credentialId));
    const { sads } = await credentialState(simulator.url, credentialId);
    expect(sads).toEqual([expect.objectContaining({ state: 'in_force' })]);
  });

  it('has a code sent once, also when the answer is lost', async () => {
    const credentialId = await buildCredential();
    await setSwitches(simulator.url, {
      credentialID: credentialId,
      faults: [{ method: 'credentials/sendOTP', dropAnswer: true }],
    });
    const error = await failureOf(client.sendCode(accessToken, credentialId));
    expect(error.kind).toBe('outcome_unknown');
    expect(await callsOf(credentialId, 'credentials/sendOTP')).toHaveLength(1);
  });

  it('takes a code sent with a 200 and a body for sent', async () => {
    const credentialId = await buildCredential();
    await setSwitches(simulator.url, {
      credentialID: credentialId,
      faults: [{ method: 'credentials/sendOTP', status: 200, body: { OTP: '1' } }],
    });
    await expect(client.sendCode(accessToken, credentialId)).resolves.toBeUndefined();
  });
});

describe('a grant', () => {
  async function grant(signatureCount = 10): Promise<{ credentialId: string; sad: string }> {
    const credentialId = await buildCredential({});
    const asked = { credentialId, signatureCount };
    return { credentialId, sad: (await client.authorizeCredential(accessToken, asked)).sad };
  }
  const sign = (granted: { credentialId: string; sad: string }, count = 1) =>
    client.signHash(accessToken, {
      ...granted,
      hashes: Array.from({ length: count }, (_, index) => digestOf(index.toString())),
    });

  it('signs until its last signature and no further', async () => {
    const granted = await grant(3);
    await sign(granted, 2);
    expect((await failureOf(sign(granted, 2))).kind).toBe('limit_refused');
    await sign(granted, 1);
    expect((await failureOf(sign(granted))).kind).toBe('grant_dead');
  });

  it('signs until its last second and no further', async () => {
    const tokens = await signInAtCa(client, { lifetimeSeconds: 180 });
    const credentialId = await buildCredential({});
    const asked = { credentialId, signatureCount: 10 };
    const { sad } = await client.authorizeCredential(tokens.accessToken, asked);
    now += 179_000;
    await expect(sign({ credentialId, sad })).resolves.toHaveLength(1);
    now += 1_000;
    const error = await failureOf(sign({ credentialId, sad }));
    expect(error).toMatchObject({
      kind: 'grant_dead',
      details: { caErrorDescription: 'SAD expired' },
    });
  });

  it('can be revoked, and revoked again', async () => {
    const granted = await grant();
    await client.revokeSad(granted.sad);
    await client.revokeSad(granted.sad);
    expect((await failureOf(sign(granted))).kind).toBe('grant_dead');
  });

  it('outlives a newer one, unless the CA ends it', async () => {
    const first = await grant();
    const asked = { credentialId: first.credentialId, signatureCount: 10 };
    await client.authorizeCredential(accessToken, asked);
    await expect(sign(first)).resolves.toHaveLength(1);
    await setSwitches(simulator.url, {
      credentialID: first.credentialId,
      newGrantKillsOld: true,
    });
    await client.authorizeCredential(accessToken, asked);
    expect((await failureOf(sign(first))).kind).toBe('grant_dead');
  });

  it('signs once per extension where the CA rolls SADs', async () => {
    const granted = await grant();
    await setSwitches(simulator.url, { credentialID: granted.credentialId, rollingSad: true });
    await sign(granted);
    expect((await failureOf(sign(granted))).kind).toBe('grant_dead');
    const response = await fetch(`${simulator.url}/csc/v1/credentials/extendTransaction`, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}` },
      body: JSON.stringify({ credentialID: granted.credentialId, SAD: granted.sad }),
    });
    const { SAD: sad } = (await response.json()) as { SAD: string };
    await expect(sign({ ...granted, sad })).resolves.toHaveLength(1);
  });
});
