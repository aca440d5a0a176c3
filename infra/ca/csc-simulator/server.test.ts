import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'node:http';
import { buildCaClient, signInAtCa, visitCa, redirectUri } from '../ca-testing.ts';
import { readConfig } from './config.ts';
import { startSimulator, type RunningSimulator } from './server.ts';
import { newCredential, setSwitches } from './testing.ts';

let simulator: RunningSimulator;
beforeAll(async () => {
  simulator = await startSimulator({ port: 0, withDefaultCredentials: false });
});
afterAll(() => simulator.close());

const authorizationUrl = (changes: Record<string, string> = {}): URL => {
  const url = new URL('/oauth2/authorize', simulator.url);
  const parameters = {
    response_type: 'code',
    client_id: 'certificate-access',
    redirect_uri: redirectUri,
    state: 's',
    ...changes,
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
};

describe('the pages of the CA simulator', () => {
  it.each(['/', '/simulator/phone', '/oauth2/authorize'])(
    'say that it is a simulator, and run no script: %s',
    async (path) => {
      const response = await fetch(
        path === '/oauth2/authorize' ? authorizationUrl() : new URL(path, simulator.url),
      );
      expect(await response.text()).toContain('This is a simulator');
      const policy = response.headers.get('content-security-policy');
      expect(policy).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(policy).not.toContain('script-src');
    },
  );

  it.each([
    ['client', { client_id: 'stranger' }],
    ['address', { redirect_uri: 'https://evil.example/ca/callback' }],
    ['path', { redirect_uri: 'http://127.0.0.1:3000/ca/callback/more' }],
    ['host', { redirect_uri: 'http://127.0.0.1.evil.example/ca/callback' }],
  ])('redirect nowhere for an unknown %s', async (_, change) => {
    const response = await fetch(authorizationUrl(change), { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
  });

  it('let the browser go on to the address of the client, whatever its port on loopback', async () => {
    const address = 'http://localhost:5173/ca/callback';
    const response = await fetch(authorizationUrl({ redirect_uri: address }));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toContain(
      "form-action 'self' http://localhost:5173;",
    );
  });

  it('do not let in with a wrong password', async () => {
    const page = await (await fetch(authorizationUrl())).text();
    const form = new URLSearchParams({
      request: /name="request" value="([^"]+)"/.exec(page)?.[1] ?? '',
      email: 'ana@cliente.example',
      password: 'wrong',
    });
    const response = await fetch(new URL('/simulator/sign-in', simulator.url), {
      method: 'POST',
      body: form,
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(await response.text()).toContain('role="alert"');
  });

  it('ask an account that is signed in for its consent, or for another account', async () => {
    const { exchange } = await visitCa(buildCaClient(simulator.url), { multisign: 7 });
    expect(exchange.callbackParameters.has('code')).toBe(true);
    const login = await (await fetch(authorizationUrl())).text();
    const id = /name="request" value="([^"]+)"/.exec(login)?.[1] ?? '';
    const email = 'ana@cliente.example';
    const signedIn = await fetch(new URL('/simulator/sign-in', simulator.url), {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ request: id, email, password: 'ana-no-simulador' }),
    });
    const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
    const consent = await (await fetch(authorizationUrl(), { headers: { cookie } })).text();
    const another = /href="(\/simulator\/sign-in[^"]+)"\s*>\s*Sign in as someone else\s*</.exec(
      consent,
    )?.[1];
    expect(consent).toContain(`Signed in as <strong>${email}</strong>`);
    const form = await fetch(new URL(another ?? '', simulator.url), { headers: { cookie } });
    expect(await form.text()).toContain('name="password"');
  });

  it('show the code that was sent', async () => {
    const client = buildCaClient(simulator.url);
    const { accessToken } = await signInAtCa(client);
    const { credentialID } = await newCredential(simulator.url, { otp: {} });
    await client.sendCode(accessToken, credentialID);
    const page = await (await fetch(new URL('/simulator/phone', simulator.url))).text();
    expect(page).toMatch(new RegExp(`data-credential="${credentialID}">\\s*\\d{6}\\s*<`));
  });

  it('show text of others as text', async () => {
    await newCredential(simulator.url, { credentialID: '<script>x</script>', otp: {} });
    const page = await (await fetch(new URL('/simulator/phone', simulator.url))).text();
    expect(page).not.toContain('<script>');
    expect(page).toContain('&lt;script&gt;');
  });
});

describe('the CA simulator', () => {
  it('signs after a restart with what was granted before it', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'csc-simulator-'));
    const first = await startSimulator({ port: 0, withDefaultCredentials: false, dataDirectory });
    const { credentialID: credentialId, serial } = await newCredential(first.url);
    const client = buildCaClient(first.url);
    const { accessToken } = await signInAtCa(client);
    const asked = { credentialId, signatureCount: 2 };
    const { sad } = await client.authorizeCredential(accessToken, asked);
    await first.close();

    const second = await startSimulator({ port: 0, withDefaultCredentials: false, dataDirectory });
    const again = buildCaClient(second.url);
    expect((await again.getCredential(accessToken, credentialId)).serial).toBe(serial);
    const hashes = [Buffer.alloc(32)];
    await expect(again.signHash(accessToken, { credentialId, sad, hashes })).resolves.toHaveLength(
      1,
    );
    await second.close();
    const kept = await readFile(join(dataDirectory, 'csc-simulator.json'), 'utf8');
    expect(kept).not.toContain(sad);
    expect(kept).not.toContain(accessToken);
    await rm(dataDirectory, { recursive: true });
  });

  it('takes its switches from this machine by its own name only', async () => {
    const status = await new Promise((resolve, reject) => {
      request(
        new URL('/simulator/state', simulator.url),
        { headers: { host: 'rebound.example' } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      )
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });

  it('says which switch it does not know', async () => {
    await expect(setSwitches(simulator.url, { nonsense: true })).rejects.toThrow('nonsense');
  });

  it('knows the client by Basic authentication too', async () => {
    const client = buildCaClient(simulator.url);
    const { exchange } = await visitCa(client);
    const token = (secret: string) =>
      fetch(new URL('/oauth2/token', simulator.url), {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`certificate-access:${secret}`).toString('base64')}`,
        },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code: exchange.callbackParameters.get('code') ?? '',
          redirect_uri: redirectUri,
          code_verifier: exchange.codeVerifier,
        }),
      });
    expect((await token('wrong')).status).toBe(401);
    expect((await token('development-client-secret')).status).toBe(200);
  });

  it('does not start in production, and says so', () => {
    expect(() => readConfig({ NODE_ENV: 'production' })).toThrow('does not run in production');
    expect(() => readConfig({ CA_SIMULATOR_PORT: 'x' })).toThrow('CA_SIMULATOR_PORT');
    expect(readConfig({})).toMatchObject({ port: 4400 });
  });
});
