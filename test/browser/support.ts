import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import axe from 'axe-core';
import type { BrowserContext, Page, Request } from 'playwright-core';
import { expectAnswer } from '../../services/stack/operator-driver.ts';
import { caAccount, operatorPassword, type OperatorName } from '../support/backoffice.ts';
import { testParts } from '../support/parts.ts';
import { launchChromium } from './chromium.ts';
import { openSession, type Credentials } from './session.ts';

export type { Page };

declare global {
  // Set by failure-environment.ts.
  var isTestFailed: boolean | undefined;
}

/** Where the pages of a test come from; a `TestBackoffice` is one. */
export type Site = { readonly url: string; readonly simulatorUrl: string };
/** An operator of the test backoffice by name, or of anything else by what one signs in with. */
export type Person = OperatorName | Credentials;

/** What browser somebody has. */
export type Looks = {
  /** What the browser asks for, and of `person` what the operator has chosen; English when not given. */
  readonly language?: 'en' | 'pt-PT';
  readonly colorScheme?: 'light' | 'dark';
  /** 1280 px wide when not given; 320 px is the least that WCAG asks for. */
  readonly width?: number;
  /** 2 lays the page out as at 200 %: in half of the width. */
  readonly zoom?: number;
  readonly reducedMotion?: 'reduce' | 'no-preference';
};

export type TestBrowser = {
  /** A page of somebody who is not signed in, in a browser of its own; at no address yet. */
  visitor(looks?: Looks): Promise<Page>;
  /** The same, signed in. */
  person(who: Person, looks?: Looks): Promise<Page>;
  /** For `afterEach`: nothing that pages of the test complained of goes unseen, and all of them are closed. */
  endVisits(): Promise<void>;
  close(): Promise<void>;
};

/** Far above what anything takes, and below Jest's own limit, so that the failure says what was waited for. */
const deadlineMs = 15_000;

/** A Chromium of a test file's own. */
export async function openBrowser(site: Site): Promise<TestBrowser> {
  const browser = await launchChromium(testParts().chromium);
  const visits = new Set<Page>();

  async function visitor(looks: Looks = {}): Promise<Page> {
    const { language = 'en', colorScheme = 'light', width = 1280, zoom = 1 } = looks;
    const context = await browser.newContext({
      baseURL: site.url,
      locale: language === 'en' ? 'en-GB' : language,
      colorScheme,
      reducedMotion: looks.reducedMotion ?? 'no-preference',
      viewport: { width: Math.round(width / zoom), height: Math.round(800 / zoom) },
      deviceScaleFactor: zoom,
      timezoneId: 'America/New_York',
    });
    context.setDefaultTimeout(deadlineMs);
    await listen(context, site);
    const page = await context.newPage();
    visits.add(page);
    return page;
  }

  return {
    visitor,
    async person(who, looks) {
      const page = await visitor(looks);
      const { driver, cookie } = await openSession(site.url, credentialsOf(who));
      const locale = looks?.language ?? 'en';
      expectAnswer(await driver.call('PATCH', '/api/me', { locale }), 200);
      await page.context().addCookies([cookie]);
      return page;
    },
    async endVisits() {
      const ending = [...visits];
      visits.clear();
      try {
        if (globalThis.isTestFailed === true) await Promise.all(ending.map(shotOfFailure));
        for (const page of ending) await expectQuiet(page);
      } finally {
        await Promise.all(ending.map((page) => page.context().close()));
      }
    },
    close: () => browser.close(),
  };
}

const credentialsOf = (who: Person): Credentials =>
  typeof who === 'string' ? { email: `${who}@loja.example`, password: operatorPassword } : who;

/** Types address and password into whatever asks for them, the sign-in page or its dialog. */
export async function signIn(page: Page, who: Person): Promise<void> {
  const { email, password } = credentialsOf(who);
  await page.locator('input[name=email]').fill(email);
  await page.locator('input[name=password]').fill(password);
  const answered = page.waitForResponse(
    (response) => response.request().method() === 'POST' && response.url().endsWith('/api/session'),
  );
  await page.locator('form:has(input[name=password]) button[type=submit]').click();
  await answered;
}

type Noise = { readonly heard: string[]; readonly allowed: RegExp[] };
const noises = new WeakMap<BrowserContext, Noise>();

const noiseOf = (page: Page): Noise => {
  const noise = noises.get(page.context());
  if (noise === undefined) throw new Error('not a page of openBrowser');
  return noise;
};

/** Whoever is not signed in is told so by the first call, and Chromium writes every such answer to the console. */
const beforeSignIn = /^console: .*401 .* \/api\/session$/;

async function listen(context: BrowserContext, site: Site): Promise<void> {
  const noise: Noise = { heard: [], allowed: [beforeSignIn] };
  noises.set(context, noise);
  const ours = [site.url, site.simulatorUrl].map((url) => new URL(url).origin);
  const hear = (line: string): void => void noise.heard.push(line);
  context.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    const { url } = message.location();
    hear(`console: ${message.text()} ${url === '' ? '' : new URL(url).pathname}`);
  });
  context.on('weberror', (webError) => {
    const error = webError.error();
    hear(`page error: ${error.stack ?? error.message}`);
  });
  context.on('request', (request: Request) => {
    const { origin } = new URL(request.url());
    if (!ours.includes(origin)) hear(`request to ${request.url()}`);
  });
  // Binding and script work in spite of the policy, and in every page of the context.
  await context.exposeBinding('tellOfViolation', (_, text: string) => {
    hear(`policy: ${text}`);
  });
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const { effectiveDirective, blockedURI, sample, sourceFile, lineNumber } = event;
      (globalThis as unknown as { tellOfViolation(text: string): void }).tellOfViolation(
        `${effectiveDirective} ${blockedURI} ${sample} at ${sourceFile}:${lineNumber}`,
      );
    });
  });
}

/** For a test that brings about what browsers complain of: lines such as `console: Failed to load resource: … 422 (…) /api/renewals/1/authorization`. */
export function allowNoise(page: Page, ...lines: readonly RegExp[]): void {
  noiseOf(page).allowed.push(...lines);
}

/** Until the page has told of what it has done so far: it tells of violations in a task of their own. */
const settle = (): Promise<void> =>
  new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
  });

/** No error on the console, no exception, nothing against the content security policy, no request to anybody else. */
export async function expectQuiet(page: Page): Promise<void> {
  // A page that is being left has nothing more to tell.
  await page.evaluate(settle).catch(() => undefined);
  const { heard, allowed } = noiseOf(page);
  const strange = heard.filter((line) => !allowed.some((pattern) => pattern.test(line)));
  expect(strange).toEqual([]);
}

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** No violation that axe can find in the page as it is now, and nothing in it that makes one scroll sideways. */
export async function expectAccessible(page: Page): Promise<void> {
  // As a developer's console does it: the page's own policy lets no script in.
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(
    (options) => (globalThis as unknown as { axe: typeof axe }).axe.run(document, options),
    { runOnly: { type: 'tag' as const, values: tags }, resultTypes: ['violations' as const] },
  );
  expect(violations.flatMap(describeViolation)).toEqual([]);
  expect(await page.evaluate(findWide)).toEqual([]);
  // That it did look.
  expect(passes.length).toBeGreaterThan(5);
}

/** What is wider than the page, which then has to be moved sideways to be read (WCAG 1.4.10). */
const findWide = (): string[] => {
  const { clientWidth, scrollWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.getBoundingClientRect().right > clientWidth)
    .map((element) => {
      const { tagName } = element;
      return `${tagName} ${element.getAttribute('class') ?? ''} is wider than the page`;
    });
};

const describeViolation = ({ id, help, nodes }: axe.Result): string[] =>
  nodes.map(
    ({ target, html, failureSummary }) =>
      `${id} (${help}): ${target.join(' ')}: ${html}: ${failureSummary ?? ''}`,
  );

/** What waits for `opened` goes on when the test opens it: for answers that come late. */
export function closedGate(): { readonly opened: Promise<void>; open(): void } {
  let resolve = (): void => undefined;
  const opened = new Promise<void>((resolveOpened) => {
    resolve = resolveOpened;
  });
  return {
    opened,
    open() {
      resolve();
    },
  };
}

export type CaPages = {
  readonly account?: string;
  readonly password?: string;
  /** How long the CA authorises; 60 days when not given. */
  readonly lifetimeSeconds?: number;
  /** How many signatures it allows. */
  readonly multisign?: number;
  readonly deny?: boolean;
};

/** At the CA, where the page was sent: signs in if that is asked for, consents or denies, and waits until the browser is back at the product. */
export async function visitCa(page: Page, visit: CaPages = {}): Promise<void> {
  const { account = caAccount.account, password = caAccount.password, deny = false } = visit;
  const allow = page.getByRole('button', { name: 'Allow' });
  const signInButton = page.getByRole('button', { name: 'Sign in', exact: true });
  await page.waitForURL(/\/(oauth2\/authorize|simulator\/)/);
  const caOrigin = new URL(page.url()).origin;
  await allow.or(signInButton).waitFor();
  if (await signInButton.isVisible()) {
    await page.getByLabel('E-mail').fill(account);
    await page.getByLabel('Password').fill(password);
    await signInButton.click();
    await allow.waitFor();
  }
  if (visit.lifetimeSeconds !== undefined) {
    await page.getByLabel('Or so many seconds').fill(String(visit.lifetimeSeconds));
  }
  if (visit.multisign !== undefined) {
    await page.getByLabel('How many signatures it allows').fill(String(visit.multisign));
  }
  await (deny ? page.getByRole('button', { name: 'Deny' }) : allow).click();
  await page.waitForURL(({ origin }) => origin !== caOrigin);
}

const screenshots = fileURLToPath(new URL('../../.local/screenshots/', import.meta.url));

/** Writes `.local/screenshots/<name>.png`: the whole page, or what is in sight where a dialog is open, which covers no more than that. */
export async function shot(page: Page, name: string): Promise<void> {
  const path = join(screenshots, `${name}.png`);
  await mkdir(dirname(path), { recursive: true });
  const fullPage = (await page.locator('dialog[open]').count()) === 0;
  await page.screenshot({ path, fullPage, animations: 'disabled' });
}

async function shotOfFailure(page: Page): Promise<void> {
  const { currentTestName = 'unknown' } = expect.getState();
  const name = currentTestName.replaceAll(/[^\w]+/g, '-').slice(0, 100);
  await shot(page, `failed/${name}`).catch(() => undefined);
}
