import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHttpApp, type Listening } from '../shared/http.ts';
import { createLog } from '../shared/log.ts';
import { createMetrics } from '../shared/metrics.ts';
import { createPages } from './pages.ts';

let http: Listening;

beforeAll(async () => {
  http = await createHttpApp({
    log: createLog({ service: 'backoffice', level: 'silent' }),
    metrics: createMetrics('backoffice'),
    title: 'pages',
    version: '1',
    routes: [],
    extraMiddleware: [createPages().serve],
    checkResponses: true,
  }).listen({ port: 0 });
});
afterAll(() => http.stop(0));

const get = (path: string, acceptEncoding = 'gzip, deflate, br'): Promise<Response> =>
  fetch(http.url + path, { headers: { 'accept-encoding': acceptEncoding } });

async function assetPaths(): Promise<string[]> {
  const html = await (await get('/certificates')).text();
  return [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path);
}

describe('a screen', () => {
  it.each([
    ['/', 'no-cache'],
    ['/certificates', 'no-cache'],
    ['/certificates?standing=lapsed', 'no-cache'],
    ['/certificates/some-id', 'no-cache'],
    ['/certificates/some-id?renewal=some-other', 'no-cache'],
    ['/renewals', 'no-cache'],
    ['/accounts', 'no-cache'],
    ['/accounts/some-id', 'no-cache'],
    ['/accounts/some-id/operators', 'no-cache'],
    ['/accounts/some-id/api-keys', 'no-cache'],
    ['/sessions', 'no-cache'],
    ['/forgot-password', 'no-cache'],
    ['/password-reset', 'no-store'],
    ['/invitation', 'no-store'],
  ])('is there at %s, and asked for anew each time: %s', async (path, cacheControl) => {
    const page = await get(path);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('cache-control')).toBe(cacheControl);
    expect(await page.text()).toContain('<div id="root">');
  });

  it('lets in nothing inline, nothing evaluated, nothing of anybody else, and no frame around it', async () => {
    const page = await get('/certificates');
    const policy = page.headers.get('content-security-policy') ?? '';
    const directives = new Map(
      policy.split('; ').map((each) => {
        const [name = '', ...sources] = each.split(' ');
        return [name, sources.join(' ')] as const;
      }),
    );
    expect(policy).not.toMatch(/unsafe|data:|blob:|https?:|\*/);
    expect(Object.fromEntries(directives)).toMatchObject({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'frame-ancestors': "'none'",
      'require-trusted-types-for': "'script'",
      'trusted-types': "'none'",
    });
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await page.text()).not.toMatch(/<script(?![^>]+src=)|<style|\sstyle=|\son\w+=/);
  });

  it('is compressed for whoever can read that', async () => {
    expect((await get('/certificates')).headers.get('content-encoding')).toBe('br');
    expect((await get('/certificates', 'gzip')).headers.get('content-encoding')).toBe('gzip');
    expect((await get('/certificates', 'identity')).headers.get('content-encoding')).toBeNull();
  });

  it('is told to HEAD without a body', async () => {
    const page = await fetch(`${http.url}/certificates`, { method: 'HEAD' });
    expect(page.status).toBe(200);
    expect(await page.text()).toBe('');
  });
});

describe('any other address', () => {
  it.each(['/nothing', '/certificates/some-id/more', '/accounts/some-id/nothing', '/index.html'])(
    'such as %s is answered with the page, which says so, as 404',
    async (path) => {
      const page = await get(path);
      expect(page.status).toBe(404);
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(await page.text()).toContain('<div id="root">');
    },
  );

  it.each(['/api/nothing', '/ca/nothing', '/assets/nothing.js', '/assets/index.html'])(
    'that is not for eyes, such as %s, is told in JSON that there is nothing',
    async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    },
  );

  it('takes nothing that is sent to it', async () => {
    const answer = await fetch(`${http.url}/certificates`, { method: 'POST' });
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });
});

describe('a page without script', () => {
  it('has the look of the page itself', async () => {
    const styleSheets = /<link rel="stylesheet"[^>]*>/g;
    const own = (await (await get('/certificates')).text()).match(styleSheets) ?? [];
    const texts = [{ language: 'en', title: 'Title', message: 'Message.', link: 'Link' }];
    const page = createPages().message(texts);
    expect(own.length).toBeGreaterThan(0);
    expect(page.match(styleSheets)).toEqual(own);
    expect(page).not.toContain('<script');
  });
});

describe('the files of the page', () => {
  it('are kept for ever, since each has another name when it has changed', async () => {
    const paths = await assetPaths();
    const kinds = new Set(paths.map((path) => path.split('.').at(-1)));
    expect([...kinds].sort()).toEqual(['css', 'js', 'svg', 'woff2']);
    for (const path of paths) {
      const { status, headers } = await get(path);
      expect(status).toBe(200);
      expect(path).toMatch(/-[\w-]{8}\.\w+$/);
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(headers.get('vary')).toContain('Accept-Encoding');
    }
  });

  it('are compressed, apart from fonts, which are already, and are the same in every form', async () => {
    for (const path of await assetPaths()) {
      const plain = await get(path, 'identity');
      expect(plain.headers.get('content-encoding')).toBeNull();
      const content = await plain.text();
      for (const encoding of ['br', 'gzip']) {
        const compressed = await get(path, encoding);
        expect(compressed.headers.get('content-encoding')).toBe(
          path.endsWith('.woff2') ? null : encoding,
        );
        expect(Number(compressed.headers.get('content-length'))).toBeGreaterThan(0);
        expect(await compressed.text()).toBe(content);
      }
    }
  });
});

it('a page that nobody has built is missed at the start, not by the first visitor', () => {
  expect(() => createPages('/nowhere')).toThrow('/nowhere');
});
