/** @jest-environment <rootDir>/test/support/failure-environment.ts */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { expectAnswer, lastOtp } from '../../services/stack/operator-driver.ts';
import {
  goToCaAndBack,
  obtainGrant,
  pin,
  startTestBackoffice,
  type CertificateWish,
  type TestBackoffice,
  type TestCertificate,
} from '../support/backoffice.ts';
import {
  allowNoise,
  closedGate,
  expectQuiet,
  openBrowser,
  signIn,
  visitCa,
  type Looks,
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

/** Chromium writes every refusal of the API to the console. */
const refusals = /^console: .* (401|409|410|422|429|502|503) /;

const codeDialog = (page: Page) => page.getByRole('dialog', { name: 'Authorize the renewal' });
const button = (page: Page, name: string | RegExp) =>
  page.getByRole('button', { name, exact: typeof name === 'string' });
const card = (page: Page) => page.getByRole('region', { name: 'Certificate authority access' });
const expirationDate = (page: Page) =>
  card(page).locator('dl', { hasText: 'Certificate access expiration date' }).locator('dd time');
const otpOf = ({ credentialId }: TestCertificate) => lastOtp(backoffice.simulatorUrl, credentialId);

async function openCertificate(
  certificate: TestCertificate,
  who: Parameters<TestBrowser['person']>[0] = 'ana',
  looks?: Looks,
): Promise<Page> {
  const page = await browser.person(who, looks);
  allowNoise(page, refusals);
  await page.goto(`/certificates/${certificate.certificateId}`);
  await card(page).waitFor();
  return page;
}

/** Renew, confirm, the CA, and back at the certificate. */
async function renewUpToTheCode(page: Page, visit?: Parameters<typeof visitCa>[1]): Promise<void> {
  await button(page, 'Renew').click();
  await button(page, 'Continue to the authentication').click();
  await visitCa(page, visit);
}

/** A certificate whose renewal waits for its code, in the browser of whoever started it. */
async function waitingForCode(wish: CertificateWish = {}, looks?: Looks) {
  const certificate = await backoffice.newCertificate(wish);
  const page = await openCertificate(certificate, 'ana', looks);
  await renewUpToTheCode(page);
  await codeDialog(page).waitFor();
  return { certificate, page };
}

async function typeFactors(page: Page, certificate: TestCertificate): Promise<void> {
  await page.getByLabel('Certificate PIN').fill(pin);
  await page.getByLabel('Authorization code').fill(await otpOf(certificate));
}

/** Calls get no answer until the gate is opened, and then none that is of use. */
async function holdAnswers(page: Page, url: string): Promise<ReturnType<typeof closedGate>> {
  const gate = closedGate();
  await page.route(url, async (route) => {
    await gate.opened;
    await route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      json: { code: 'unavailable', title: 'x', detail: 'y', status: 503 },
    });
  });
  return gate;
}

/** What came of a renewal, at the head of the screen; the timeline tells the same in its place. */
const outcome = (page: Page, text: string | RegExp) =>
  page.getByRole('status').filter({ hasText: text });
const done = (page: Page) => page.getByText('The access was renewed', { exact: true });

describe('a renewal', () => {
  it('is told beforehand: 60 days from now, nothing added, for whom, where to, where to check', async () => {
    const certificate = await backoffice.newCertificate();
    const page = await openCertificate(certificate);
    await button(page, 'Renew').click();
    const dialog = page.getByRole('dialog', {
      name: 'Confirm redirection to authenticate in The simulated CA',
    });
    const text = (await dialog.textContent()) ?? '';
    expect(text).toContain('60 days from the moment of the renewal');
    expect(text).toContain('not added');
    expect(text).toContain('1,000,000,000');
    expect(text).toContain('Loja Azul');
    expect(text).toContain('ana@cliente.example');
    const check = dialog.getByRole('link', { name: /Check it at the certificate authority/ });
    expect(await check.getAttribute('href')).toBe(`${backoffice.simulatorUrl}/`.replace(/\/$/, ''));
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(
      await button(page, 'Renew').evaluate((element) => element === document.activeElement),
    ).toBe(true);
  });

  it('goes by way of the CA back to the same certificate, with the code dialog open, and ends with a new date and a count of zero', async () => {
    const { certificate, page } = await waitingForCode();
    expect(new URL(page.url()).pathname).toBe(`/certificates/${certificate.certificateId}`);
    expect(new URL(page.url()).search).toMatch(/^\?renewal=[\w-]+$/);
    await typeFactors(page, certificate);
    await button(page, 'Authorize').click();
    await done(page).waitFor();
    const expiresAt = (await expirationDate(page).getAttribute('datetime')) ?? '';
    const days = (Date.parse(expiresAt) - backoffice.clock.now().getTime()) / 86_400_000;
    expect(days).toBeGreaterThan(59.9);
    expect(days).toBeLessThanOrEqual(60);
    await card(page).getByText('0 of 1,000,000,000').waitFor();
    await button(page, 'Done').click();
    await done(page).waitFor({ state: 'detached' });
    expect(new URL(page.url()).search).toBe('');
  });

  it('is done with the keyboard alone', async () => {
    const certificate = await backoffice.newCertificate();
    const page = await openCertificate(certificate);
    const tabTo = async (name: string): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate(() => document.activeElement?.textContent ?? '');
        if (at === name) return;
      }
      throw new Error(`Tab does not lead to ${name}`);
    };
    await tabTo('Renew');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await tabTo('Continue to the authentication');
    await page.keyboard.press('Enter');
    await visitCa(page);
    await codeDialog(page).waitFor();
    // The first field has the focus; nothing else has to be found.
    await page.keyboard.type(pin);
    await page.keyboard.press('Tab');
    await page.keyboard.type(await otpOf(certificate));
    await page.keyboard.press('Enter');
    await done(page).waitFor();
    await tabTo('Done');
    await page.keyboard.press('Enter');
    await done(page).waitFor({ state: 'detached' });
  });

  it('after a lapse lists the services that were suspended, and activates them one by one or all', async () => {
    const certificate = await backoffice.newCertificate({ services: 3 });
    const ana = await backoffice.signedIn('ana');
    await obtainGrant(backoffice, ana, certificate, { lifetimeSeconds: 60 });
    backoffice.clock.advance(61);
    const page = await openCertificate(certificate);
    await page.getByText('Nothing can be signed with this certificate').waitFor();
    await renewUpToTheCode(page);
    await typeFactors(page, certificate);
    await button(page, 'Authorize').click();
    await done(page).waitFor();
    await page.getByText('Activate them by hand').waitFor();
    await button(page, 'Activate service 2').first().click();
    await page.getByText('1 service was activated.').waitFor();
    await button(page, 'Activate all 2').click();
    await page.getByText('2 services were activated.').waitFor();
    const services = page.getByRole('region', { name: 'Client services' });
    expect(await services.getByText('Active', { exact: true }).count()).toBe(3);
  });

  it('says so when the CA authorised less than the regulation allows', async () => {
    const certificate = await backoffice.newCertificate();
    const page = await openCertificate(certificate);
    await renewUpToTheCode(page, { lifetimeSeconds: 3_600, multisign: 5_000 });
    await typeFactors(page, certificate);
    await button(page, 'Authorize').click();
    await page.getByText(/authorised only until .* for 5,000 signatures/).waitFor();
  });

  it('needs no dialog for a certificate without PIN and code', async () => {
    const certificate = await backoffice.newCertificate({ factors: [] });
    const page = await openCertificate(certificate);
    await renewUpToTheCode(page);
    await done(page).waitFor();
  });

  it('that is denied at the CA changes nothing, and says so with one button that leads on', async () => {
    const certificate = await backoffice.newCertificate();
    const ana = await backoffice.signedIn('ana');
    await obtainGrant(backoffice, ana, certificate);
    const page = await openCertificate(certificate);
    const before = await expirationDate(page).getAttribute('datetime');
    await renewUpToTheCode(page, { deny: true });
    await outcome(
      page,
      'The permission was not given on the pages of the CA. The access is as it was',
    ).waitFor();
    expect(await expirationDate(page).getAttribute('datetime')).toBe(before);
    await button(page, 'Start again').click();
    await page.getByRole('dialog', { name: /Confirm redirection/ }).waitFor();
  });

  it('is not broken by Back: from the CA one is at the certificate again, and goes on or abandons', async () => {
    const certificate = await backoffice.newCertificate();
    const page = await openCertificate(certificate);
    await button(page, 'Renew').click();
    await button(page, 'Continue to the authentication').click();
    await page.waitForURL(/oauth2|simulator/);
    await page.goBack();
    await card(page).waitFor();
    if (await page.getByRole('dialog').isVisible()) await page.keyboard.press('Escape');
    await page.getByText('It is waiting for you at the certificate authority.').waitFor();
    await button(page, 'Abandon').click();
    await outcome(page, 'The renewal was abandoned. The access is as it was before.').waitFor();
    await button(page, 'Renew').waitFor();
  });

  it('goes on in another tab, after a reload, and after signing in again', async () => {
    const { certificate, page } = await waitingForCode();
    await page.reload();
    await codeDialog(page).waitFor();
    const other = await page.context().newPage();
    await other.goto(page.url());
    await codeDialog(other).waitFor();
    await page.context().clearCookies({ name: 'session' });
    await other.reload();
    await other.getByRole('heading', { name: 'Sign in' }).waitFor();
    await signIn(other, 'ana');
    await codeDialog(other).waitFor();
    await typeFactors(other, certificate);
    await button(other, 'Authorize').click();
    await done(other).waitFor();
    // The first tab was not left behind.
    await page.reload();
    await done(page).waitFor();
    await other.close();
  });

  it('that is abandoned leaves the access as it was, and says so', async () => {
    const { page } = await waitingForCode();
    await codeDialog(page).getByRole('button', { name: 'Abandon' }).click();
    await outcome(page, 'The renewal was abandoned. The access is as it was before.').waitFor();
    await button(page, 'Start again').waitFor();
  });

  it('that is closed waits, and is taken up again from the page', async () => {
    const { page } = await waitingForCode();
    await page.keyboard.press('Escape');
    await codeDialog(page).waitFor({ state: 'detached' });
    await button(page, 'Enter the code').click();
    await codeDialog(page).waitFor();
  });

  it('of a colleague is seen live, and can be taken over', async () => {
    const certificate = await backoffice.newCertificate();
    const page = await openCertificate(certificate, 'rui');
    await button(page, 'Renew').waitFor();
    const ana = await backoffice.signedIn('ana');
    await goToCaAndBack(ana, certificate);
    await page.getByText(/^Operator ana has been renewing this access since/).waitFor();
    await button(page, 'Take over …').click();
    await page.getByRole('dialog').getByText('your colleague’s attempt ends then').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Take over' }).click();
    await visitCa(page);
    await codeDialog(page).waitFor();
    await typeFactors(page, certificate);
    await button(page, 'Authorize').click();
    await done(page).waitFor();
  });

  it('cannot be started while the CA cannot be reached: that is said, and nothing else happens', async () => {
    const certificate = await backoffice.newCertificate();
    const page = await openCertificate(certificate);
    await backoffice.switchCa(undefined, { faults: [{ method: 'info', close: true }] });
    try {
      await button(page, 'Renew').click();
      await button(page, 'Continue to the authentication').click();
      await page.getByText('The CA cannot be reached now. Nothing was changed.').waitFor();
    } finally {
      await backoffice.switchCa(undefined, { reset: true });
    }
    await button(page, 'Continue to the authentication').click();
    await visitCa(page);
    await codeDialog(page).waitFor();
  });
});

describe('the code dialog', () => {
  it('has one real input for the code: numeric keyboard, one-time-code, and paste that is cleaned', async () => {
    const { page, certificate } = await waitingForCode();
    const input = page.getByLabel('Authorization code');
    expect(await input.getAttribute('inputmode')).toBe('numeric');
    expect(await input.getAttribute('autocomplete')).toBe('one-time-code');
    expect(await input.getAttribute('maxlength')).toBeNull();
    const otp = await otpOf(certificate);
    await input.evaluate((element, text) => {
      const data = new DataTransfer();
      data.setData('text/plain', text);
      const isAllowed = element.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }),
      );
      if (!isAllowed) throw new Error('paste is blocked');
    }, otp);
    await input.fill(`${otp.slice(0, 3)} ${otp.slice(3)} `);
    expect(await input.inputValue()).toBe(otp);
  });

  it.each([
    [['pin'], ['Certificate PIN']],
    [['offline otp'], ['Authorization code']],
    [
      ['pin', 'offline otp'],
      ['Certificate PIN', 'Authorization code'],
    ],
  ] as const)('asks for %j and nothing else', async (factors, labels) => {
    const { page } = await waitingForCode({ factors });
    expect(await codeDialog(page).locator('input').count()).toBe(labels.length);
    for (const label of labels) await page.getByLabel(label).waitFor();
    // No code is sent, so none can be sent again.
    expect(await button(page, 'Send a new code').count()).toBe(0);
  });

  it('shows the CA’s words as text, whatever they are', async () => {
    const certificate = await backoffice.newCertificate({ factors: ['pin'] });
    const page = await openCertificate(certificate);
    const [label, description] = ['<img src=x onerror=alert(1)> PIN', '<b>of the card</b>'];
    await page.route('**/api/renewals/*', async (route) => {
      const response = await route.fetch();
      const renewal = (await response.json()) as { factors: object[] };
      const factors = renewal.factors.map((factor) => ({ ...factor, label, description }));
      await route.fulfill({ response, json: { ...renewal, factors } });
    });
    await renewUpToTheCode(page);
    await codeDialog(page).getByText(label).waitFor();
    await codeDialog(page).getByText(description).waitFor();
    expect(await codeDialog(page).locator('img, b').count()).toBe(0);
  });

  it('counts by the server’s clock, whatever the machine’s own says, and says so at 60, 30, 10 s and at 0', async () => {
    const certificate = await backoffice.newCertificate();
    const page = await browser.person('ana');
    allowNoise(page, refusals);
    // Half a day wrong, and in the test's hands.
    await page.clock.install({ time: Date.now() + 43_200_000 });
    await page.goto(`/certificates/${certificate.certificateId}`);
    await renewUpToTheCode(page);
    const timer = codeDialog(page).getByRole('timer');
    await timer.waitFor();
    expect(await timer.textContent()).toMatch(/^(2:00|1:5\d)$/);
    const spoken = codeDialog(page).getByRole('status');
    for (const [seconds, text] of [
      [60, '60 seconds left.'],
      [30, '30 seconds left.'],
      [20, '10 seconds left.'],
    ] as const) {
      await page.clock.runFor(seconds * 1_000);
      await spoken.filter({ hasText: text }).waitFor({ state: 'attached' });
    }
    await page.clock.runFor(10_000);
    await spoken
      .filter({ hasText: 'The time for this code is over.' })
      .waitFor({ state: 'attached' });
    expect(await timer.textContent()).toBe('0:00');
  });

  it('when the two minutes are over keeps what was typed, and has a new code in one click', async () => {
    const { page, certificate } = await waitingForCode();
    await page.getByLabel('Certificate PIN').fill(pin);
    const oldCode = await otpOf(certificate);
    await page.getByLabel('Authorization code').fill(oldCode);
    backoffice.clock.advance(121);
    // The page learns of it as from any change.
    await button(page, 'Authorize').click();
    await page.getByText('The two minutes for this code are over. The CA was not asked.').waitFor();
    expect(await page.getByLabel('Certificate PIN').inputValue()).toBe(pin);
    await button(page, 'Send a new code').click();
    await page.getByText('A new code was sent. Use the newest one.').waitFor();
    expect(await page.getByLabel('Certificate PIN').inputValue()).toBe(pin);
    expect(await codeDialog(page).getByRole('timer').textContent()).toMatch(/^(2:00|1:5\d)$/);
    await page.getByLabel('Authorization code').fill(await otpOf(certificate));
    await button(page, 'Authorize').click();
    await done(page).waitFor();
  });

  it('keeps the new window, though an answer from before it comes late', async () => {
    const certificate = await backoffice.newCertificate();
    const page = await browser.person('ana');
    allowNoise(page, refusals, /net::ERR_FAILED/);
    await page.clock.install();
    // Told of changes, the page would read again, and soon be right by itself.
    await page.route('**/api/events', (route) => route.abort());
    await page.goto(`/certificates/${certificate.certificateId}`);
    await renewUpToTheCode(page);
    await codeDialog(page).waitFor();
    backoffice.clock.advance(40);
    await page.reload();
    await button(page, 'Send a new code').waitFor();
    const late = closedGate();
    await page.route(/\/api\/renewals\/[^/]+$/, async (route) => {
      const response = await route.fetch();
      await late.opened;
      // Nobody may wait for it any more.
      await route.fulfill({ response }).catch(() => undefined);
    });
    const reading = page.waitForRequest(/\/api\/renewals\/[^/]+$/);
    await page.clock.runFor(15_000);
    const read = await reading;
    await button(page, 'Send a new code').click();
    await page.getByText('A new code was sent. Use the newest one.').waitFor();
    late.open();
    await read.response();
    await expectQuiet(page);
    expect(await codeDialog(page).getByRole('timer').textContent()).toMatch(/^(2:00|1:5\d)$/);
  });

  it('sends a new code only after the cool-down, which it tells in seconds', async () => {
    const { page } = await waitingForCode();
    await page.getByText(/^A new code can be sent in \d+ s\.$/).waitFor();
    expect(await button(page, 'Send a new code').isDisabled()).toBe(true);
    backoffice.clock.advance(31);
    await page.reload();
    await button(page, 'Send a new code').click();
    await page.getByText('A new code was sent. Use the newest one.').waitFor();
  });

  it('tells the tries that are left, and ends after the third with the way on', async () => {
    const { page } = await waitingForCode({ factors: ['pin'] });
    await page.getByText('3 tries left').waitFor();
    for (const left of ['2 tries left.', '1 try left.']) {
      await page.getByLabel('Certificate PIN').fill('0000');
      await button(page, 'Authorize').click();
      await codeDialog(page).getByRole('alert').filter({ hasText: left }).waitFor();
      expect(await page.getByLabel('Certificate PIN').inputValue()).toBe('');
      await codeDialog(page).locator('input[name=pin]:focus').waitFor();
    }
    await page.getByLabel('Certificate PIN').fill('0000');
    await button(page, 'Authorize').click();
    await outcome(
      page,
      'The PIN or the code was refused too often. The access is as it was',
    ).waitFor();
    await button(page, 'Start again').waitFor();
  });

  it('does not say that the time is over when the code was used up by a wrong PIN', async () => {
    const { page, certificate } = await waitingForCode();
    await page.getByLabel('Certificate PIN').fill('0000');
    await page.getByLabel('Authorization code').fill(await otpOf(certificate));
    await button(page, 'Authorize').click();
    await codeDialog(page).getByText('That code is used up').waitFor();
    expect(await codeDialog(page).getByRole('timer').textContent()).toBe('–:––');
    expect(await codeDialog(page).getByText('The time for this code is over.').count()).toBe(0);
  });

  it('keeps what was typed when there is no network, says so, and goes on when it is back', async () => {
    const { page, certificate } = await waitingForCode();
    allowNoise(page, /ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED/);
    await typeFactors(page, certificate);
    await page.context().setOffline(true);
    await button(page, 'Authorize').click();
    await codeDialog(page).getByText('You are offline.').waitFor();
    expect(await page.getByLabel('Certificate PIN').inputValue()).toBe(pin);
    await page.context().setOffline(false);
    await button(page, 'Authorize').click();
    await done(page).waitFor();
  });

  it('keeps no PIN and no code beyond the request: not in the page, its storage, its address or its history', async () => {
    const { page, certificate } = await waitingForCode();
    const secretPin = '73914682';
    const code = await otpOf(certificate);
    await page.getByLabel('Certificate PIN').fill(secretPin);
    await page.getByLabel('Authorization code').fill(code);
    const sent = page.waitForRequest(/\/authorization$/);
    await button(page, 'Authorize').click();
    expect((await sent).url()).not.toContain(secretPin);
    await codeDialog(page).getByRole('alert').waitFor();
    const kept = await page.evaluate(() =>
      JSON.stringify([
        document.documentElement.outerHTML,
        [...document.querySelectorAll('input')].map(({ value }) => value),
        Object.entries(localStorage),
        Object.entries(sessionStorage),
        location.href,
        history.state as unknown,
      ]),
    );
    expect(kept).not.toContain(secretPin);
    expect(kept).not.toContain(code);
    expect(backoffice.logged.join('')).not.toContain(secretPin);
  });

  it('tells that the outcome is unknown when the CA’s answer is lost', async () => {
    const { page, certificate } = await waitingForCode();
    await backoffice.switchCa(certificate.credentialId, {
      faults: [{ method: 'credentials/authorize', dropAnswer: true, times: 1 }],
    });
    await typeFactors(page, certificate);
    await button(page, 'Authorize').click();
    await outcome(page, 'It is not known whether the renewal succeeded').waitFor();
    await button(page, 'Start again').waitFor();
  });
});

describe('the focus', () => {
  it('stays with the card whose button is gone by its own success, so that nobody is thrown to the start of the page', async () => {
    const certificate = await backoffice.newCertificate({ services: 1 });
    await obtainGrant(backoffice, await backoffice.signedIn('ana'), certificate);
    const page = await openCertificate(certificate);
    const services = page.locator('section:focus-within', {
      hasText: 'Client services',
    });
    await button(page, /^Deactivate /).press('Enter');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Deactivate' }).press('Enter');
    await services.getByText('was deactivated.').waitFor();
    await button(page, /^Activate /).press('Enter');
    await services.getByText('1 service was activated.').waitFor();
  });

  it('an emergency stop that is under way cannot be closed over, and says so when it failed', async () => {
    const certificate = await backoffice.newCertificate();
    const ana = await backoffice.signedIn('ana');
    await obtainGrant(backoffice, ana, certificate);
    const page = await openCertificate(certificate, 'alda');
    const answers = await holdAnswers(page, '**/revocation');
    await button(page, 'Stop signing …').click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByLabel('Reason').fill('A drill');
    await dialog.getByRole('button', { name: 'Stop signing now' }).click();
    await dialog.locator('[aria-busy=true]').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.keyboard.press('Escape');
    answers.open();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    await button(page, 'Stop signing …').click();
    expect(await dialog.getByRole('alert').count()).toBe(0);
  });

  it('nor can a deactivation', async () => {
    const certificate = await backoffice.newCertificate({ services: 1 });
    const page = await openCertificate(certificate);
    const answers = await holdAnswers(page, '**/deactivation');
    await button(page, 'Deactivate service 1 …').click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByRole('button', { name: 'Deactivate' }).click();
    await dialog.locator('[aria-busy=true]').waitFor();
    await page.keyboard.press('Escape');
    answers.open();
    await dialog.getByRole('alert').waitFor();
    await page.unroute('**/deactivation');
    await dialog.getByRole('button', { name: 'Deactivate' }).click();
    await page.getByText('service 1 was deactivated.').waitFor();
    expect(await dialog.count()).toBe(0);
  });
});

describe('roles', () => {
  it('whoever was removed while looking sees nothing of the certificate after signing in again', async () => {
    const certificate = await backoffice.newCertificate();
    const page = await openCertificate(certificate, 'leaver');
    allowNoise(page, /404/);
    await backoffice.removeOperator('leaver');
    await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor();
    await signIn(page, 'leaver');
    await page.getByRole('heading', { name: 'Nothing here' }).waitFor();
    expect(await card(page).count()).toBe(0);
  });

  it('whoever lost a role while looking is refused once, and then not offered it any more', async () => {
    const certificate = await backoffice.newCertificate();
    const page = await openCertificate(certificate, 'rui');
    allowNoise(page, /403/);
    const alda = await backoffice.signedIn('alda');
    const path = `/api/accounts/${backoffice.accountId}/operators/${backoffice.operatorId('rui')}`;
    await button(page, 'Renew').click();
    expectAnswer(await alda.call('PATCH', path, { role: 'viewer' }), 200);
    try {
      await button(page, 'Continue to the authentication').click();
      await page.getByText('Your role in this account does not allow this.').waitFor();
      await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
      await page.getByText(/To renew, ask .*Operator ana/).waitFor();
      expect(await button(page, 'Renew').count()).toBe(0);
    } finally {
      expectAnswer(await alda.call('PATCH', path, { role: 'operator' }), 200);
    }
  });

  it('a viewer is not offered what the server would refuse, and is told whom to ask', async () => {
    const certificate = await backoffice.newCertificate({ services: 1 });
    const ana = await backoffice.signedIn('ana');
    await obtainGrant(backoffice, ana, certificate);
    const page = await openCertificate(certificate, 'vera');
    await page.getByText(/To renew, ask .*Operator ana/).waitFor();
    expect(await button(page, 'Renew').count()).toBe(0);
    expect(await button(page, /^(Dea|A)ctivate/).count()).toBe(0);
    expect(await page.getByText('Emergency stop').count()).toBe(0);
    expect(await page.getByText('Open in Temporal’s UI').count()).toBe(0);
  });

  it('an administrator stops signing in an emergency, with a reason, after being asked', async () => {
    const certificate = await backoffice.newCertificate({ services: 2 });
    const ana = await backoffice.signedIn('ana');
    await obtainGrant(backoffice, ana, certificate);
    const page = await openCertificate(certificate, 'alda');
    await page.getByRole('link', { name: 'Open in Temporal’s UI' }).waitFor();
    await button(page, 'Stop signing …').click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByLabel('Reason').fill('The client account may be in the wrong hands');
    await dialog.getByRole('button', { name: 'Stop signing now' }).click();
    const card = page.locator('section:focus', { hasText: 'Emergency stop' });
    await card.getByText('Signing was stopped. 2 client services were suspended.').waitFor();
    await page.getByText('Nothing can be signed with this certificate').waitFor();
    await page.getByText('Emergency stop').first().waitFor();
    // Once somebody has renewed there is something to stop again.
    await obtainGrant(backoffice, ana, certificate);
    await button(page, 'Stop signing …').waitFor();
  });
});
