import { chromium, type Page, type Request } from 'playwright-core';
import type { Chromium } from '../support/chromium.ts';

// Without those of the package, which among others switch off what keeps sites apart.
const args = [
  '--no-sandbox',
  '--no-zygote',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--font-render-hinting=none',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];
/** A Chromium that ends with this process. */
export const launchChromium = ({ executablePath, env }: Chromium) =>
  chromium.launch({
    executablePath,
    args,
    env: { ...process.env, ...env },
    // Whoever is told to end decides in which order things end; the browser does with the pipe to it.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });

export type LoadedScript = { readonly path: string; readonly gzipBytes: number };

/** The scripts that the page asks for while `visit` goes on, each with what it weighs when it is sent with gzip. */
export async function scriptsOf(
  page: Page,
  visit: () => Promise<unknown>,
): Promise<LoadedScript[]> {
  const urls = new Set<string>();
  const note = (request: Request): void => {
    if (request.resourceType() === 'script') urls.add(request.url());
  };
  page.on('request', note);
  await visit();
  page.off('request', note);
  return Promise.all(
    [...urls].map(async (url) => {
      const answer = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
      await answer.body?.cancel();
      if (answer.headers.get('content-encoding') !== 'gzip')
        throw new Error(`${url} is not compressed`);
      const gzipBytes = Number(answer.headers.get('content-length'));
      return { path: new URL(url).pathname, gzipBytes };
    }),
  );
}
