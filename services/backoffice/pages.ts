import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Middleware } from '../shared/http.ts';

/** Scripts, styles and pictures of our own only; no inline code, no frame around it, no markup made of text by script. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const typeByExtension: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
/** Best first; each lies beside its file with this ending (infra/deploy/build-web.mjs). */
const encodings = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

type Asset = {
  readonly type: string;
  readonly body: Buffer;
  readonly encoded: Readonly<Partial<Record<'br' | 'gzip', Buffer>>>;
};

/** The addresses of the page's screens (web/app/shell.tsx); any other is answered with the page too, which says so, but as 404. */
const screens =
  /^\/(certificates(\/[^/]+)?|renewals|accounts(\/[^/]+(\/(operators|api-keys))?)?|sessions|invitation|forgot-password|password-reset)$/;
/** Opened by a link of a mail, with a secret behind the #. */
const openedBySecret = /^\/(invitation|password-reset)$/;
/** What is not for eyes: a call that does not exist is told in JSON. */
const notPages = /^\/(api|ca|assets|healthz|readyz|metrics|openapi\.json)(\/|$)/;

/** Serves the operators' page and its files, which were built beforehand and are read once; whatever else goes on to the API. Throws when they were not built. */
export function createPages(folder = fileURLToPath(new URL('./web/dist', import.meta.url))): {
  readonly serve: Middleware;
  /** A page without script that says one thing, in both languages. Its texts are ours: nothing of a request is shown. */
  message(texts: readonly MessageText[]): string;
} {
  const assets = existsSync(folder) ? readAssets(folder) : new Map<string, Asset>();
  const shell = assets.get('/index.html');
  if (shell === undefined) throw new Error(`There is no page in ${folder}: npm run build:web`);
  const styleSheets = styleSheetsOf(shell.body.toString());

  return {
    async serve(ctx, next) {
      const isReading = ctx.method === 'GET' || ctx.method === 'HEAD';
      const asset = ctx.path.startsWith('/assets/') ? assets.get(ctx.path) : undefined;
      if (isReading && asset !== undefined) {
        ctx.state.route = '/assets';
        // A file's name is made from what it holds.
        ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
        answer(asset);
      } else if (isReading && !notPages.test(ctx.path)) {
        const isScreen = ctx.path === '/' || screens.test(ctx.path);
        ctx.state.route = isScreen ? '/screens' : 'unmatched';
        ctx.status = isScreen ? 200 : 404;
        ctx.set('Content-Security-Policy', contentSecurityPolicy);
        // It holds nothing, but is not to be shown again with what was typed into it.
        ctx.set('Cache-Control', openedBySecret.test(ctx.path) ? 'no-store' : 'no-cache');
        answer(shell);
      } else {
        await next();
      }

      function answer({ type, body, encoded }: Asset): void {
        const accepted = encodings.find(
          ([name]) => encoded[name] !== undefined && ctx.acceptsEncodings(name) === name,
        );
        ctx.vary('Accept-Encoding');
        if (accepted !== undefined) ctx.set('Content-Encoding', accepted[0]);
        ctx.type = type;
        ctx.body = (accepted && encoded[accepted[0]]) ?? body;
      }
    },

    message: (texts) => messagePage(styleSheets, texts),
  };
}

export type Pages = ReturnType<typeof createPages>;

/** Those that the page itself begins with; the others belong to parts that come later. */
const styleSheetsOf = (html: string): string[] => html.match(/<link rel="stylesheet"[^>]*>/g) ?? [];

function readAssets(folder: string): ReadonlyMap<string, Asset> {
  const assets = new Map<string, Asset>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const type = typeByExtension[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const encoded: Partial<Record<'br' | 'gzip', Buffer>> = {};
    for (const [name, ending] of encodings) {
      if (extname(entry.name) !== '.woff2') encoded[name] = readFileSync(`${file}${ending}`);
    }
    const path = `/${relative(folder, file).split(sep).join('/')}`;
    assets.set(path, { type, body: readFileSync(file), encoded });
  }
  return assets;
}

export type MessageText = {
  readonly language: string;
  readonly title: string;
  readonly message: string;
  /** What the link to the certificates says. */
  readonly link: string;
};

function messagePage(styleSheets: readonly string[], texts: readonly MessageText[]): string {
  const [first] = texts;
  const sections = texts.map(
    ({ language, title, message, link }) => `
      <section lang="${language}">
        <h1>${title}</h1>
        <p>${message}</p>
        <p><a href="/certificates">${link}</a></p>
      </section>`,
  );
  return `<!doctype html>
<html lang="${first?.language ?? 'en'}">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${first?.title ?? ''} · Certificate Access</title>
    ${styleSheets.join('\n    ')}
  </head>
  <body>
    <main class="message">${sections.join('')}
    </main>
  </body>
</html>
`;
}

/** For what `messagePage` gives: its style sheet, and nothing else. */
export const messagePolicy =
  "default-src 'none'; style-src 'self'; font-src 'self'; frame-ancestors 'none'";
