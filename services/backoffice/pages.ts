import { readFileSync } from 'node:fs';
import type { Middleware } from '../shared/http.ts';

/**
 * Bare pages that make the whole life of a grant walkable by hand. Their one script talks to the JSON API; the operators' real web page is a later issue.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const assets: Readonly<Record<string, { readonly type: string; readonly body: Buffer }>> = {
  '/assets/backoffice.js': { type: 'text/javascript; charset=utf-8', body: read('backoffice.js') },
  '/assets/backoffice.css': { type: 'text/css; charset=utf-8', body: read('backoffice.css') },
};

function read(name: string): Buffer {
  return readFileSync(new URL(`./assets/${name}`, import.meta.url));
}

const shell = page(
  'Certificates',
  `<main id="main" aria-live="polite"><p>Loading …</p></main>
    <noscript><p>This page needs its script. The same can be done with the API: see /openapi.json.</p></noscript>
    <script type="module" src="/assets/backoffice.js"></script>`,
);

/** Serves pages and their files; whatever else goes on to the API. */
export const servePages: Middleware = async (ctx, next) => {
  const isReading = ctx.method === 'GET' || ctx.method === 'HEAD';
  const asset = Object.hasOwn(assets, ctx.path) ? assets[ctx.path] : undefined;
  if (isReading && asset !== undefined) {
    ctx.state.route = '/assets';
    ctx.set('Cache-Control', 'no-cache');
    ctx.type = asset.type;
    ctx.body = asset.body;
  } else if (isReading && ctx.path === '/') {
    ctx.state.route = '/';
    ctx.redirect('/certificates');
  } else if (isReading && /^\/certificates(\/[^/]+)?$/.test(ctx.path)) {
    ctx.state.route = '/certificates';
    ctx.set('Content-Security-Policy', contentSecurityPolicy);
    ctx.type = 'text/html; charset=utf-8';
    ctx.body = shell;
  } else {
    await next();
  }
};

/** A page that says one thing. Both texts are ours: nothing of a request is shown. */
export function messagePage(title: string, message: string): string {
  return page(
    title,
    `<main><h1>${title}</h1><p>${message}</p><p><a href="/certificates">Certificates</a></p></main>`,
  );
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    <link rel="stylesheet" href="/assets/backoffice.css" />
  </head>
  <body>
    ${body}
  </body>
</html>
`;
}
