import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  goToCaAndBack,
  open,
  operatorPassword,
  startTestBackoffice,
  typedFactors,
  type TestBackoffice,
} from '../../test/support/backoffice.ts';
import { createVisitor } from '../../test/support/visitor.ts';
import type { OperatorDriver } from '../stack/operator-driver.ts';

const hsts = 'strict-transport-security';

/** An answer of every kind: a screen, a file, the API, a refusal, what does not exist, health, the way back from the CA. */
async function someAnswers(url: string): Promise<Response[]> {
  const page = await fetch(`${url}/certificates`);
  const [asset = ''] = /\/assets\/[^"]+\.js/.exec(await page.text()) ?? [];
  const more = [
    asset,
    '/api/session',
    '/api/nothing',
    '/nothing',
    '/healthz',
    '/metrics',
    '/openapi.json',
    '/ca/callback?state=unknown',
  ].map((path) => fetch(url + path, { redirect: 'manual' }));
  return [page, ...(await Promise.all(more))];
}

describe('where browsers come over https', () => {
  let backoffice: TestBackoffice;
  beforeAll(async () => {
    backoffice = await startTestBackoffice({}, undefined, {
      publicUrl: 'https://certificates.example',
    });
  });
  afterAll(() => backoffice.close());

  it('every answer tells them to come by nothing else, for this host alone', async () => {
    const answers = await someAnswers(backoffice.url);
    expect(answers.map(({ status }) => status)).toEqual([
      200, 200, 401, 404, 404, 200, 200, 200, 400,
    ]);
    for (const { headers } of answers) expect(headers.get(hsts)).toBe('max-age=31536000');
  });

  it('every cookie is for this host alone, and https', async () => {
    const operatorId = backoffice.operatorId('ana');
    const visitor = createVisitor(backoffice.url, '127.0.0.1');
    const signedIn = await visitor.signIn('ana@loja.example', operatorPassword);
    const tail = 'HttpOnly; SameSite=Lax; Secure';
    expect(signedIn.headers.getSetCookie()).toEqual([
      expect.stringMatching(`^__Host-session=[\\w-]{43}; Path=/; Max-Age=604800; ${tail}$`),
      expect.stringMatching(
        `^__Host-browser-${operatorId}=[\\w-]{43}; Path=/; Max-Age=15552000; ${tail}$`,
      ),
    ]);
    expect((await visitor.call('GET', '/api/session')).status).toBe(200);
    const { certificateId } = await backoffice.newCertificate();
    const opened = await visitor.call('POST', `/api/certificates/${certificateId}/renewals`);
    const { id } = opened.body as { id: string };
    expect(opened.headers.getSetCookie()).toEqual([
      expect.stringMatching(`^__Host-renewal-${id}=[\\w-]{43}; Path=/; Max-Age=900; ${tail}$`),
    ]);
    const out = await visitor.call('DELETE', '/api/session');
    expect(out.headers.getSetCookie()).toEqual([`__Host-session=; Path=/; Max-Age=0; ${tail}`]);
  });

  it('a cookie that another host of the domain could have planted is not looked at', async () => {
    const visitor = createVisitor(backoffice.url, '127.0.0.1');
    const { headers } = await visitor.signIn('ana@loja.example', operatorPassword);
    const cookie = headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const ask = (line: string) =>
      fetch(`${backoffice.url}/api/session`, { headers: { cookie: line } });
    expect((await ask(cookie)).status).toBe(200);
    expect((await ask(cookie.replace('__Host-', ''))).status).toBe(401);
  });

  it('the description names the cookie as it is', async () => {
    const document = (await (await fetch(`${backoffice.url}/openapi.json`)).json()) as object;
    expect(document).toMatchObject({
      components: { securitySchemes: { session: { in: 'cookie', name: '__Host-session' } } },
    });
  });
});

it('hosts below are told the same where that is configured', async () => {
  const backoffice = await startTestBackoffice({}, undefined, {
    publicUrl: 'https://certificates.example',
    hstsIncludesSubdomains: true,
  });
  try {
    const { headers } = await fetch(`${backoffice.url}/healthz`);
    expect(headers.get(hsts)).toBe('max-age=31536000; includeSubDomains');
  } finally {
    await backoffice.close();
  }
});

describe('where browsers come over http', () => {
  let backoffice: TestBackoffice;
  let ana: OperatorDriver;
  let alda: OperatorDriver;
  beforeAll(async () => {
    backoffice = await startTestBackoffice();
    ana = await backoffice.signedIn('ana');
    alda = await backoffice.signedIn('alda');
  });
  afterAll(() => backoffice.close());

  it('no answer speaks of https', async () => {
    for (const { headers } of await someAnswers(backoffice.url))
      expect(headers.has(hsts)).toBe(false);
  });

  /** What follows a secret is kept by no cache, and its address goes to nobody. */
  const expectDiscreet = ({ headers }: { headers: Headers }) => {
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  };

  it.each([
    ['POST', '/api/session', { email: 'ana@loja.example', password: operatorPassword }, 200],
    ['POST', '/api/session', { email: 'ana@loja.example', password: 'not the password' }, 401],
    ['POST', '/api/invitations/lookup', { token: 'none' }, 410],
    ['POST', '/api/invitations/acceptance', { token: 'none', password: 'a long password' }, 410],
    ['POST', '/api/password-resets', { email: 'nobody@loja.example' }, 202],
    ['POST', '/api/password-resets/lookup', { token: 'none' }, 410],
    [
      'POST',
      '/api/password-resets/acceptance',
      { token: 'none', password: 'a long password' },
      410,
    ],
    ['PUT', '/api/me/password', { presentPassword: 'wrong', newPassword: 'a long password' }, 422],
  ] as const)('%s %s is answered with discretion', async (method, path, body, status) => {
    const answer = await ana.call(method, path, body);
    expect(answer.status).toBe(status);
    expectDiscreet(answer);
  });

  it('so is the new secret of an API key', async () => {
    const path = `/api/accounts/${backoffice.accountId}/api-keys`;
    const answer = await alda.call('POST', path, { name: 'A signing service' });
    expect(answer.status).toBe(201);
    expectDiscreet(answer);
  });

  it('so is what is typed for the CA, wrong or right', async () => {
    const certificate = await backoffice.newCertificate();
    const id = await goToCaAndBack(ana, certificate);
    const factors = await typedFactors(backoffice, certificate);
    const wrong = await ana.authorize(id, { ...factors, pin: '0000' });
    expect(wrong.status).toBe(422);
    expectDiscreet(wrong);
    backoffice.clock.advance(backoffice.store.policy.resendCooldownSeconds);
    const sent = await ana.call('POST', `/api/renewals/${id}/code`);
    expect(sent.status).toBe(200);
    expectDiscreet(sent);
    const right = await ana.authorize(id, await typedFactors(backoffice, certificate));
    expect(right.status).toBe(200);
    expectDiscreet(right);
  });

  it('so is the way back from the CA: known and unknown', async () => {
    const { redirectTo } = await open(ana, await backoffice.newCertificate());
    const callback = `${backoffice.url}/ca/callback`;
    const state = new URL(redirectTo).searchParams.get('state') ?? '';
    for (const [query, status] of [
      ['?code=x&state=unknown', 400],
      [`?error=access_denied&state=${state}`, 303],
    ] as const) {
      const answer = await fetch(callback + query, { redirect: 'manual' });
      expect(answer.status).toBe(status);
      expectDiscreet(answer);
    }
  });

  it.each(['/invitation', '/password-reset'])('so is the screen of a link, %s', async (path) => {
    expectDiscreet(await fetch(backoffice.url + path));
  });
});
