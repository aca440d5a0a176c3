/**
 * `npm run bench:web`: how soon an operator sees the list and the detail of a certificate, with 10,000 certificates, a cold cache and a CPU four times slower
 * than this machine's. Each figure is printed beside its limit (issue 4); the exit code is 1 when one is broken.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Browser, Page, Request } from 'playwright-core';
import { startPart } from '../infra/development/part.ts';
import { freePort } from '../infra/development/ports.ts';
import { followDatabaseClock } from '../infra/postgres/clock.ts';
import { createDatabase } from '../infra/postgres/development-server.ts';
import { openDatabase } from '../infra/postgres/pool.ts';
import { urlAs } from '../infra/postgres/roles.ts';
import { createSealer } from '../infra/postgres/sealing.ts';
import { createAdministration } from '../services/shared/administration.ts';
import { expectAnswer } from '../services/stack/operator-driver.ts';
import { launchChromium, scriptsOf } from '../test/browser/chromium.ts';
import { openSession } from '../test/browser/session.ts';
import { startTestRun, type TestRun } from '../test/support/run.ts';
import { insertCertificates } from './ten-thousand-certificates.ts';

const certificateCount = 10_000;
const cpuSlowdown = 4;
const visits = 7;
const calls = 30;
const limits = { contentMs: 1_500, shift: 0.02, scriptBytes: 130_000 };

const operator = { email: 'ana@loja.example', password: 'a long enough password' };

type Site = { readonly url: string; readonly certificateId: string };
type Visit = { readonly contentMs: number; readonly shift: number; readonly scriptBytes: number };

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The backoffice as in production, with its certificates. */
async function startSite({ parts, guardian }: TestRun): Promise<Site> {
  const databaseUrl = await createDatabase(parts.postgresUrl, 'bench_web', parts.templateDatabase);
  const sealingKey = randomBytes(32);
  const database = openDatabase({ url: databaseUrl, applicationName: 'bench' });
  const clock = await followDatabaseClock(database);
  const sealer = createSealer([{ id: 'bench', key: sealingKey }]);
  const administration = createAdministration({ database, clock, sealer });
  const { accountId } = await administration.createAccount({ name: 'Loja Azul' });
  const { operatorId } = await administration.createOperator({
    ...{ account: accountId, name: 'Ana Lopes', role: 'admin', locale: 'pt-PT' },
    ...operator,
  });
  const { authorityId } = await administration.createAuthority({
    name: 'The simulated CA',
    baseUri: 'http://127.0.0.1:9/csc/v2',
    clientId: 'certificate-access',
    clientSecret: 'never asked for',
  });
  const owner = { accountId, operatorId, authorityId };
  const certificateId = await insertCertificates(database, owner, certificateCount);
  clock.stop();
  await database.end();

  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await startPart(
    guardian,
    {
      name: 'backoffice',
      command: process.execPath,
      args: ['--import', 'tsx', 'services/backoffice/main.ts'],
      env: {
        NODE_ENV: 'production',
        BACKOFFICE_PORT: String(port),
        PUBLIC_URL: url,
        DATABASE_URL: urlAs(databaseUrl, 'backoffice', parts.rolePasswords.backoffice),
        SEALING_KEYS: `bench:${sealingKey.toString('base64')}`,
        TEMPORAL_ADDRESS: parts.temporalAddress,
        TEMPORAL_NAMESPACE: parts.temporalNamespace,
      },
      logFile: join(parts.directory, 'backoffice.log'),
    },
    { deadlineMs: 30_000, ready: async () => (await fetch(`${url}/readyz`)).ok },
  );
  return { url, certificateId };
}

/** Of the call alone, at the machine's own speed. */
async function measureList({ url }: Site): Promise<void> {
  const { driver } = await openSession(url, operator);
  const took: number[] = [];
  for (let call = 0; call < calls; call += 1) {
    const startedAt = performance.now();
    expectAnswer(await driver.call('GET', '/api/certificates?limit=50'), 200);
    took.push(performance.now() - startedAt);
  }
  say(`\nGET /api/certificates?limit=50 among ${certificateCount} certificates, ${calls} times`);
  say(`  time                      median ${ms(median(took))}, max ${ms(Math.max(...took))}`);
}

async function measurePages({ parts }: TestRun, site: Site): Promise<boolean[]> {
  const browser = await launchChromium(parts.chromium);
  try {
    const broken: boolean[] = [];
    for (const path of ['/certificates', `/certificates/${site.certificateId}`]) {
      const measured: Visit[] = [];
      for (let visit = 0; visit < visits; visit += 1) {
        measured.push(await measureVisit(browser, site, path));
      }
      broken.push(report(path, measured));
    }
    return broken;
  } finally {
    await browser.close();
  }
}

/** One visit, in a browser that has seen nothing before. */
async function measureVisit(browser: Browser, { url }: Site, path: string): Promise<Visit> {
  const context = await browser.newContext({ baseURL: url, locale: 'pt-PT' });
  try {
    const { cookie } = await openSession(url, operator);
    await context.addCookies([cookie]);
    const page = await context.newPage();
    await page.addInitScript(observe);
    const devtools = await context.newCDPSession(page);
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: cpuSlowdown });
    const scripts = await scriptsOf(page, async () => {
      const quiet = whenQuiet(page);
      await page.goto(path);
      await page.locator('main h1').waitFor();
      await quiet();
    });
    const { contentMs, shift } = await page.evaluate(() => globalThis.observed);
    if (contentMs === 0) throw new Error(`${path}: Chromium told of no contentful paint`);
    const scriptBytes = scripts.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
    return { contentMs, shift, scriptBytes };
  } finally {
    await context.close();
  }
}

declare global {
  var observed: { contentMs: number; shift: number };
}

/** In the page, before anything of its own. */
function observe(): void {
  globalThis.observed = { contentMs: 0, shift: 0 };
  new PerformanceObserver((list) => {
    for (const { startTime } of list.getEntries()) globalThis.observed.contentMs = startTime;
  }).observe({ type: 'largest-contentful-paint', buffered: true });
  // Nobody touches the page, so every shift counts.
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      globalThis.observed.shift += (entry as PerformanceEntry & { value: number }).value;
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

const quietMs = 1_000;

/** Settles when nothing was asked for and nothing was under way for a while, apart from the stream of changes, which stays. */
function whenQuiet(page: Page): () => Promise<void> {
  const underWay = new Set<Request>();
  let quietSince = performance.now();
  const isStream = (url: string): boolean => url.endsWith('/api/events');
  page.on('request', (request) => {
    if (!isStream(request.url())) underWay.add(request);
  });
  const end = (request: Request): void => {
    if (underWay.delete(request)) quietSince = performance.now();
  };
  page.on('requestfinished', end);
  page.on('requestfailed', end);
  return async () => {
    while (underWay.size > 0 || performance.now() - quietSince < quietMs) {
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100)));
    }
  };
}

/** Answers whether a limit is broken. */
function report(path: string, measured: readonly Visit[]): boolean {
  const content = measured.map(({ contentMs }) => contentMs);
  const shift = Math.max(...measured.map((visit) => visit.shift));
  const bytes = Math.max(...measured.map(({ scriptBytes }) => scriptBytes));
  say(`\n${path}, ${visits} visits with a cold cache, CPU slowed ${cpuSlowdown} times`);
  return [
    line(
      'largest contentful paint',
      `median ${ms(median(content))}, max ${ms(Math.max(...content))}`,
      ms(limits.contentMs),
      median(content) >= limits.contentMs,
    ),
    line('cumulative layout shift', shift.toFixed(4), String(limits.shift), shift >= limits.shift),
    line('JavaScript, gzip', kB(bytes), kB(limits.scriptBytes), bytes >= limits.scriptBytes),
  ].includes(true);
}

function line(what: string, figure: string, limit: string, isBroken: boolean): boolean {
  say(`  ${what.padEnd(25)} ${figure}, limit ${limit}${isBroken ? ': BROKEN' : ''}`);
  return isBroken;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
const ms = (value: number): string => `${Math.round(value)} ms`;
const kB = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

const run = await startTestRun((line) => {
  say(`parts: ${line}`);
});
try {
  const site = await startSite(run);
  await measureList(site);
  const broken = await measurePages(run, site);
  process.exitCode = broken.includes(true) ? 1 : 0;
} finally {
  await run.guardian.close();
}
