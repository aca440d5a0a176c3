/** @jest-environment <rootDir>/test/support/failure-environment.ts */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { expectAnswer, type OperatorDriver } from '../../services/stack/operator-driver.ts';
import {
  obtainGrant,
  open,
  operatorPassword,
  startTestBackoffice,
  type TestBackoffice,
} from '../support/backoffice.ts';
import { scriptsOf } from './chromium.ts';
import { openSession } from './session.ts';
import {
  allowNoise,
  closedGate,
  expectAccessible,
  expectQuiet,
  openBrowser,
  shot,
  signIn,
  visitCa,
  type Page,
  type TestBrowser,
} from './support.ts';

let backoffice: TestBackoffice;
let browser: TestBrowser;

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  browser = await openBrowser(backoffice);
});
afterEach(() => browser.endVisits());
afterAll(async () => {
  await browser.close();
  await backoffice.close();
});

const title = (page: Page, name: string | RegExp) =>
  page.getByRole('heading', { level: 1, name, exact: true });
const languageOf = (page: Page) => page.evaluate(() => document.documentElement.lang);

/** Opens a screen as somebody who is signed in, and waits until it hears of changes. */
async function openScreen(page: Page, path = '/certificates'): Promise<void> {
  const listening = page.waitForResponse((response) => response.url().endsWith('/api/events'));
  await page.goto(path);
  await page.locator('main h1').waitFor({ state: 'attached' });
  await listening;
}

describe('whoever is not signed in', () => {
  it('signs in at the address he came for, and is there', async () => {
    const { certificateId } = await backoffice.newCertificate();
    const page = await browser.visitor();
    await page.goto(`/certificates/${certificateId}`);
    await title(page, 'Sign in').waitFor();
    expect(new URL(page.url()).pathname).toBe(`/certificates/${certificateId}`);
    await signIn(page, 'ana');
    await title(page, /^Seal \d+$/).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/certificates/${certificateId}`);
    expect(await page.title()).toMatch(/^Seal \d+ · Certificate Access$/);
  });

  it('is told of a wrong password, keeps the address he typed, and has another try', async () => {
    const page = await browser.visitor();
    await page.goto('/certificates');
    await signIn(page, { email: 'ana@loja.example', password: 'not this one' });
    await page.getByText('The e-mail address and the password do not match.').waitFor();
    expect(await page.getByLabel('E-mail address').inputValue()).toBe('ana@loja.example');
    expect(await page.getByLabel('Password').inputValue()).toBe('');
    await expectAccessible(page);
    await shot(page, 'sign-in/refused');
    await signIn(page, 'ana');
    await page.getByRole('navigation').waitFor();
  });

  it.each([
    ['en', 'Sign in'],
    ['pt-PT', 'Iniciar sessão'],
  ] as const)('is spoken to in %s if the browser asks for that', async (language, heading) => {
    const page = await browser.visitor({ language });
    await page.goto('/');
    await title(page, heading).waitFor();
    expect(await languageOf(page)).toBe(language);
  });

  it('chooses the language, and is spoken to in it when he comes back', async () => {
    const page = await browser.visitor();
    await page.goto('/');
    await page.getByRole('button', { name: 'Português' }).click();
    await title(page, 'Iniciar sessão').waitFor();
    await page.reload();
    await title(page, 'Iniciar sessão').waitFor();
    expect(await languageOf(page)).toBe('pt-PT');
  });

  it.each([
    ['en', 'light'],
    ['en', 'dark'],
    ['pt-PT', 'light'],
    ['pt-PT', 'dark'],
  ] as const)('finds a sign-in without barriers, in %s and %s', async (language, colorScheme) => {
    for (const width of [320, 1280]) {
      const page = await browser.visitor({ language, colorScheme, width });
      await page.goto('/certificates');
      await page.getByRole('heading', { level: 1 }).waitFor();
      await expectAccessible(page);
      await shot(page, `sign-in/${language}-${colorScheme}-${width}`);
    }
  });
});

describe('whoever is signed in', () => {
  it('switches the language, and is spoken to in it at the next sign-in, in any browser', async () => {
    const page = await browser.person('rui', { language: 'en' });
    await openScreen(page);
    expect(await languageOf(page)).toBe('en');
    await page.getByRole('button', { name: 'You: Operator rui' }).click();
    await page.getByRole('button', { name: 'Português' }).click();
    await title(page, 'Certificados').waitFor();
    expect(await languageOf(page)).toBe('pt-PT');
    const elsewhere = await browser.visitor({ language: 'en' });
    await elsewhere.goto('/certificates');
    await signIn(elsewhere, 'rui');
    await title(elsewhere, 'Certificados').waitFor();
    expect(await languageOf(elsewhere)).toBe('pt-PT');
  });

  it('keeps the language that was chosen, though an answer from before it comes late', async () => {
    const page = await browser.person('rui', { language: 'en' });
    allowNoise(page, /net::ERR_ABORTED/);
    await openScreen(page);
    const late = closedGate();
    await page.route('**/api/session', async (route) => {
      const response = await route.fetch();
      await late.opened;
      // Nobody may wait for it any more.
      await route.fulfill({ response }).catch(() => undefined);
    });
    const reading = page.waitForRequest('**/api/session');
    await page.evaluate(() => dispatchEvent(new Event('online')));
    const read = await reading;
    await page.getByRole('button', { name: 'You: Operator rui' }).click();
    await page.getByRole('button', { name: 'Português' }).click();
    await title(page, 'Certificados').waitFor();
    late.open();
    await read.response();
    await expectQuiet(page);
    expect(await languageOf(page)).toBe('pt-PT');
  });

  it('signs out, and Back shows nothing of what was seen', async () => {
    const page = await browser.person('ana');
    await openScreen(page);
    await page.getByRole('link', { name: 'Renewals' }).click();
    await title(page, 'Renewals').waitFor();
    await page.getByRole('button', { name: 'You: Operator ana' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await title(page, 'Sign in').waitFor();
    await page.goBack();
    await title(page, 'Sign in').waitFor();
    expect(await page.getByText('Operator ana').count()).toBe(0);
  });

  it('is told when signing out fails, since there is no network, and has another try', async () => {
    const page = await browser.person('ana');
    allowNoise(page, /net::ERR_INTERNET_DISCONNECTED/);
    await openScreen(page);
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'You: Operator ana' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('#user-menu').getByText('You are offline.').waitFor();
    await expectAccessible(page);
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await title(page, 'Sign in').waitFor();
  });

  it('is told at an unknown address that there is nothing, and led on', async () => {
    const page = await browser.person('ana');
    allowNoise(page, /^console: .*404 .* \/no\/such\/page$/);
    const answer = await page.goto('/no/such/page');
    expect(answer?.status()).toBe(404);
    await title(page, 'Nothing here').waitFor();
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Go to the certificates' }).click();
    await title(page, 'Certificates').waitFor();
  });

  it('sees every screen without a word on the console or anything against the policy', async () => {
    const { certificateId } = await backoffice.newCertificate({ services: 1 });
    const page = await browser.person('alda');
    const { accountId } = backoffice;
    for (const path of [
      '/',
      `/certificates/${certificateId}`,
      '/renewals',
      '/accounts',
      `/accounts/${accountId}`,
      `/accounts/${accountId}/operators`,
      `/accounts/${accountId}/api-keys`,
      '/sessions',
    ]) {
      await openScreen(page, path);
      await expectQuiet(page);
    }
  });

  it.each(['light', 'dark'] as const)(
    'finds the frame around the screens without barriers, in %s',
    async (colorScheme) => {
      for (const [width, zoom] of [
        [320, 1],
        [1280, 1],
        [1280, 2],
      ] as const) {
        for (const language of ['en', 'pt-PT'] as const) {
          const page = await browser.person('alda', { language, colorScheme, width, zoom });
          await openScreen(page);
          await expectAccessible(page);
          await page.getByRole('button', { name: /: Operator alda$/ }).click();
          await page.locator('#user-menu').waitFor();
          await expectAccessible(page);
          await shot(page, `frame/${language}-${colorScheme}-${width}-${zoom}`);
        }
      }
    },
  );

  it.each(['/certificates/%25', '/accounts/%25'])(
    'is told at %s, which nothing has as its address, that there is nothing',
    async (path) => {
      const page = await browser.person('ana');
      allowNoise(page, /^console: .*404 /);
      await page.goto(path);
      await title(page, 'Nothing here').waitFor();
    },
  );

  it('finds the search empty when the filters were cleared, and as it was after Back', async () => {
    await backoffice.newCertificate();
    const page = await browser.person('ana');
    await openScreen(page, '/certificates?q=there+is+no+such+thing');
    const search = page.getByRole('searchbox');
    await page.getByRole('button', { name: 'Show all certificates' }).click();
    await page.getByRole('link', { name: /^Seal/ }).first().waitFor();
    expect(new URL(page.url()).search).toBe('');
    expect(await search.inputValue()).toBe('');
    await page.goBack();
    await page.getByRole('button', { name: 'Show all certificates' }).waitFor();
    expect(await search.inputValue()).toBe('there is no such thing');
    await search.fill('Seal ');
    await page.waitForURL(({ searchParams }) => searchParams.get('q') === 'Seal');
    expect(await search.inputValue()).toBe('Seal ');
  });

  it('gets the first screen with less than 130 kB of JavaScript', async () => {
    const page = await browser.person('ana');
    const scripts = await scriptsOf(page, () => openScreen(page));
    expect(scripts.map(({ path }) => path)).toContainEqual(
      expect.stringMatching(/^\/assets\/index-/),
    );
    const bytes = scripts.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThan(130_000);
  });
});

describe('the settings of an account', () => {
  it('keep what is typed while they are being saved', async () => {
    const page = await browser.person('alda');
    await openScreen(page, '/accounts');
    const gate = closedGate();
    await page.route('**/api/accounts/*', async (route) => {
      if (route.request().method() === 'PATCH') await gate.opened;
      await route.continue();
    });
    await page.getByLabel('Send hour of reminders').selectOption('10:00');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByLabel('Name').fill('Loja Azul e Verde');
    gate.open();
    await page.getByText('Saved.').waitFor();
    expect(await page.getByLabel('Name').inputValue()).toBe('Loja Azul e Verde');
    expect(await page.getByLabel('Send hour of reminders').inputValue()).toBe('10');
    await page.getByRole('button', { name: 'Discard changes' }).click();
    expect(await page.getByLabel('Name').inputValue()).toBe('Loja Azul');
  });
});

describe('the secret of a new API key', () => {
  it('stays until it is said to be copied: no other key is made over it', async () => {
    const page = await browser.person('alda');
    await openScreen(page, `/accounts/${backoffice.accountId}/api-keys`);
    const make = page.getByRole('button', { name: 'Make an API key' });
    await make.click();
    await page.getByLabel('Name').fill('Signing service');
    await page.getByRole('button', { name: 'Make the key' }).click();
    const secret = page.getByRole('group', { name: 'The secret of Signing service' });
    await secret.waitFor();
    expect(await make.count()).toBe(0);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await secret.waitFor({ state: 'detached' });
    await make.waitFor();
  });
});

/** Ends every session of this operator but the one that asks. */
async function endOtherSessions(driver: OperatorDriver): Promise<void> {
  const { items } = expectAnswer(await driver.call('GET', '/api/sessions'), 200) as {
    items: { id: string; isCurrent: boolean }[];
  };
  for (const { id } of items.filter(({ isCurrent }) => !isCurrent)) {
    expectAnswer(await driver.call('DELETE', `/api/sessions/${id}`), 204);
  }
}

describe('a session that was ended elsewhere', () => {
  it('asks to sign in over whatever is open, and what was typed there is still there afterwards', async () => {
    const certificate = await backoffice.newCertificate();
    await obtainGrant(backoffice, await backoffice.signedIn('ana'), certificate);
    const path = `/certificates/${certificate.certificateId}`;
    const page = await browser.person('alda');
    allowNoise(page, /^console: .*401 /);
    await openScreen(page, path);
    await page.getByRole('button', { name: 'Stop signing …' }).click();
    const typed = page.getByLabel('Reason');
    await typed.fill('half a sentence');

    await endOtherSessions(await backoffice.signedIn('alda'));
    const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
    await dialog.waitFor();
    await expectAccessible(page);
    await shot(page, 'session-ended');
    expect(await dialog.getByLabel('E-mail address').inputValue()).toBe('alda@loja.example');
    await signIn(page, { email: 'alda@loja.example', password: 'not this one' });
    await dialog.getByText('The e-mail address and the password do not match.').waitFor();

    await signIn(page, 'alda');
    await dialog.waitFor({ state: 'detached' });
    expect(await typed.inputValue()).toBe('half a sentence');
    expect(await typed.evaluate((field) => field === document.activeElement)).toBe(true);
    expect(new URL(page.url()).pathname).toBe(path);
  });

  it('keeps asking, however often Escape is pressed', async () => {
    const page = await browser.person('ana');
    allowNoise(page, /^console: .*401 /);
    await openScreen(page);
    await endOtherSessions(await backoffice.signedIn('ana'));
    const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
    await dialog.waitFor();
    for (let press = 0; press < 4; press += 1) await page.keyboard.press('Escape');
    await dialog.getByLabel('Password').fill('still asked for');
    await signIn(page, 'ana');
    await dialog.waitFor({ state: 'detached' });
    expect(await title(page, 'Certificates').isVisible()).toBe(true);
  });

  it('shows nothing of it to somebody else who signs in there', async () => {
    const page = await browser.person('ana');
    allowNoise(page, /^console: .*40[14] /);
    const { certificateId } = await backoffice.newCertificate();
    await openScreen(page, `/certificates/${certificateId}`);
    await endOtherSessions(await backoffice.signedIn('ana'));
    await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor();
    await signIn(page, 'stranger');
    await page.getByRole('button', { name: /: Operator stranger$/ }).waitFor();
    await page.getByText(/Seal \d/).waitFor({ state: 'detached' });
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  it('shows nothing of it to somebody else who signed in in another tab', async () => {
    const page = await browser.person('ana');
    allowNoise(page, /^console: .*404 /);
    const { certificateId } = await backoffice.newCertificate();
    await openScreen(page, `/certificates/${certificateId}`);
    await title(page, /^Seal \d+$/).waitFor();
    const { cookie } = await openSession(backoffice.url, {
      email: 'stranger@loja.example',
      password: operatorPassword,
    });
    await page.context().addCookies([cookie]);
    // As when the network comes back: the stream is opened again, and everything read.
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.getByRole('button', { name: /: Operator stranger$/ }).waitFor();
    // In the language that he has chosen.
    await title(page, 'Nada aqui').waitFor();
    expect(await page.getByText(/Seal \d/).count()).toBe(0);
  });
});

describe('what is seen', () => {
  it('follows what others do, without being loaded anew', async () => {
    const certificate = await backoffice.newCertificate({ services: 1 });
    const page = await browser.person('ana');
    await openScreen(page, `/certificates/${certificate.certificateId}`);
    const rui = await backoffice.signedIn('rui');

    const row = page.getByRole('listitem').filter({ hasText: 'service 1' });
    await row.getByText('Active', { exact: true }).waitFor();
    const path = `/api/client-services/${certificate.serviceIds[0] ?? ''}/deactivation`;
    expectAnswer(await rui.call('POST', path, {}), 200);
    await row.getByText('Inactive', { exact: true }).waitFor();
    await open(rui, certificate);
    await page
      .getByText(/Operator rui/)
      .first()
      .waitFor();
    expect(await row.getByText('Active', { exact: true }).count()).toBe(0);
  });

  it('may be old while there is no network, says so, and is read again afterwards', async () => {
    const certificate = await backoffice.newCertificate({ services: 1 });
    const page = await browser.person('ana');
    allowNoise(page, /net::ERR_INTERNET_DISCONNECTED/);
    await openScreen(page, `/certificates/${certificate.certificateId}`);
    await page.context().setOffline(true);
    const notice = page.getByText('Offline: what you see may be old');
    await notice.waitFor();
    await expectAccessible(page);
    await shot(page, 'offline');
    expect(await notice.isVisible()).toBe(true);
    const rui = await backoffice.signedIn('rui');
    const path = `/api/client-services/${certificate.serviceIds[0] ?? ''}/deactivation`;
    expectAnswer(await rui.call('POST', path, {}), 200);
    await page.context().setOffline(false);
    await page.getByText('Inactive', { exact: true }).waitFor();
    await notice.waitFor({ state: 'detached' });
    expect(await notice.count()).toBe(0);
  });

  it('is said to be asked for now and then, as long as nothing tells of changes', async () => {
    const page = await browser.person('ana');
    await openScreen(page);
    const gate = closedGate();
    await page.route('**/api/events', async (route) => {
      await gate.opened;
      await route.continue();
    });
    await page.evaluate(() => dispatchEvent(new Event('online')));
    const notice = page.getByText('Connecting again; read every 15 seconds until then');
    await notice.waitFor();
    gate.open();
    await notice.waitFor({ state: 'detached' });
    expect(await notice.count()).toBe(0);
  });

  it('is not there at all without network, which the sign-in says, and it is there afterwards', async () => {
    const page = await browser.visitor();
    allowNoise(page, /net::ERR_INTERNET_DISCONNECTED/);
    await page.goto('/certificates');
    await title(page, 'Sign in').waitFor();
    await page.context().setOffline(true);
    await page.getByLabel('E-mail address').fill('ana@loja.example');
    await page.getByLabel('Password').fill('whatever it is');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('You are offline.').waitFor();
    await page.context().setOffline(false);
    await signIn(page, 'ana');
    await title(page, 'Certificates').waitFor();
    expect(await page.getByText('You are offline.').count()).toBe(0);
  });
});

describe('the way to the CA and back', () => {
  it.each([
    ['consents', {}, 'awaiting_code'],
    ['consents for some minutes only', { lifetimeSeconds: 600 }, 'awaiting_code'],
    ['denies', { deny: true }, 'refused'],
  ])('leads whoever %s to the same certificate, still signed in', async (_, visit, state) => {
    const { certificateId } = await backoffice.newCertificate();
    const page = await browser.person('ana');
    await openScreen(page, `/certificates/${certificateId}`);
    const { id, redirectTo } = await page.evaluate(async (path) => {
      const answer = await fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
      return (await answer.json()) as { id: string; redirectTo: string };
    }, `/api/certificates/${certificateId}/renewals`);
    await page.goto(redirectTo);
    await visitCa(page, visit);
    expect(new URL(page.url()).pathname).toBe(`/certificates/${certificateId}`);
    expect(new URL(page.url()).searchParams.get('renewal')).toBe(id);
    await title(page, /^Seal \d+$/).waitFor();
    const ana = await backoffice.signedIn('ana');
    expect(expectAnswer(await ana.renewal(id), 200)).toMatchObject({ state });
  });
});
