/** @jest-environment <rootDir>/test/support/failure-environment.ts */
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createOperatorDriver, expectAnswer } from '../../services/stack/operator-driver.ts';
import { createAdministration } from '../../services/shared/administration.ts';
import {
  obtainGrant,
  operatorPassword,
  startTestBackoffice,
  type TestBackoffice,
  type TestCertificate,
} from '../support/backoffice.ts';
import type { Locator } from 'playwright-core';
import { allowNoise, closedGate, openBrowser, type Page, type TestBrowser } from './support.ts';

let backoffice: TestBackoffice;
let browser: TestBrowser;
let fresh: TestCertificate;
let lapsed: TestCertificate;

/** More than one page of the list. */
const many = 60;

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  browser = await openBrowser(backoffice);
  const ana = await backoffice.signedIn('ana');
  lapsed = await backoffice.newCertificate({ services: 1 });
  await obtainGrant(backoffice, ana, lapsed, { lifetimeSeconds: 60 });
  backoffice.clock.advance(61);
  fresh = await backoffice.newCertificate({ services: 3 });
  await obtainGrant(backoffice, ana, fresh);
  const { database, clock, sealer } = backoffice;
  const administration = createAdministration({ database, clock, sealer });
  const { accountId } = await administration.createAccount({ name: 'Second account' });
  await administration.createOperator({
    account: accountId,
    email: 'ana@loja.example',
    name: 'Operator ana',
    role: 'viewer',
  });
  for (let number = 1; number <= many; number += 1) {
    await administration.createCertificate({
      account: accountId,
      authority: 'The simulated CA',
      alias: `Branch ${String(number).padStart(2, '0')}`,
      subject: `CN=Branch ${number}`,
      issuer: 'CN=CA',
      serial: `serial-${number}`,
      notAfter: new Date(clock.now().getTime() + 86_400_000_000).toISOString(),
      credentialId: `branch-${number}`,
      caAccount: 'branch@cliente.example',
    });
  }
});
afterEach(() => browser.endVisits());
afterAll(async () => {
  await browser.close();
  await backoffice.close();
});

const button = (page: Page, name: string | RegExp) =>
  page.getByRole('button', { name, exact: typeof name === 'string' });
/** What is told, not the name of its details. */
const entry = (timeline: Locator, text: string) => timeline.getByText(text, { exact: true });
const rows = (page: Page) =>
  page.getByRole('region', { name: 'Certificates' }).getByRole('listitem');

describe('the list of certificates', () => {
  it('has the soonest trouble first, and more on demand', async () => {
    const page = await browser.person('ana');
    await page.goto('/certificates');
    await page.getByText('50 of 62 certificates').waitFor();
    expect(await rows(page).first().textContent()).toContain('Blocked');
    expect(await rows(page).nth(1).textContent()).toContain('In force');
    await button(page, 'Show more').click();
    await page.getByText('62 certificates', { exact: true }).waitFor();
    expect(await rows(page).count()).toBe(62);
  });

  it('is searched and filtered by standing and account, all in the address, so that Back undoes it', async () => {
    const page = await browser.person('ana');
    await page.goto('/certificates');
    await page.getByLabel('Search').fill('serial-17');
    await page.getByText('1 certificate', { exact: false }).first().waitFor();
    await page.waitForURL(/q=serial-17/);
    expect(await rows(page).count()).toBe(1);
    await page.goto('/certificates');
    await button(page, /^Blocked/).click();
    await page.waitForURL(/standing=lapsed/);
    await rows(page).filter({ hasText: 'Branch' }).first().waitFor({ state: 'detached' });
    expect(await rows(page).count()).toBe(1);
    await page.goBack();
    await page.getByText('50 of 62 certificates').waitFor();
    await page.getByLabel('Account').selectOption({ label: 'Loja Azul' });
    await page.waitForURL(/account=/);
    await rows(page).filter({ hasText: 'Branch' }).first().waitFor({ state: 'detached' });
    expect(await rows(page).count()).toBe(2);
    await page.reload();
    await rows(page).first().waitFor();
    expect(await rows(page).count()).toBe(2);
  });

  it('says so when nothing fits, and leads back to everything', async () => {
    const page = await browser.person('ana');
    await page.goto('/certificates?q=no+such+thing');
    await page.getByText('No certificate fits this search.').waitFor();
    await button(page, 'Show all certificates').click();
    await page.getByText('50 of 62 certificates').waitFor();
    expect(await page.getByLabel('Search').inputValue()).toBe('');
  });
});

describe('a certificate that is not there', () => {
  it('stays not there while it is asked for again, without an empty screen in between', async () => {
    const page = await browser.person('ana');
    allowNoise(page, /^console: .* 404 /);
    await page.goto('/certificates/nobody-has-this-one');
    const heading = page.getByRole('heading', { name: 'Nothing here' });
    await heading.waitFor();
    const gate = closedGate();
    await page.route('**/api/certificates/nobody-has-this-one', async (route) => {
      await gate.opened;
      await route.continue();
    });
    const asked = page.waitForRequest('**/api/certificates/nobody-has-this-one');
    // As when the network was away: everything is read again.
    await page.evaluate(() => window.dispatchEvent(new Event('online')));
    await asked;
    expect(await heading.count()).toBe(1);
    gate.open();
  });
});

describe('client services', () => {
  it('are deactivated after being asked, and activated one by one or those that are chosen', async () => {
    const page = await browser.person('ana');
    await page.goto(`/certificates/${fresh.certificateId}`);
    for (const number of [1, 2, 3]) {
      await button(page, `Deactivate service ${number} …`).click();
      await page.getByRole('alertdialog').getByRole('button', { name: 'Deactivate' }).click();
      await page.getByText(`service ${number} was deactivated.`).waitFor();
    }
    await button(page, 'Activate service 3').click();
    await page.getByText('1 service was activated.').waitFor();
    await page.getByLabel('Choose service 1').check();
    await page.getByLabel('Choose service 2').check();
    await button(page, 'Activate the 2 chosen').click();
    await page.getByText('2 services were activated.').waitFor();
  });

  it('cannot be activated while the certificate may not sign, and that is said instead of offered', async () => {
    const page = await browser.person('ana');
    await page.goto(`/certificates/${lapsed.certificateId}`);
    await page.getByText('Nothing can be signed with this certificate').waitFor();
    expect(await button(page, /^Activate/).count()).toBe(0);
  });
});

describe('the timeline', () => {
  it('tells who did what, and is filtered', async () => {
    const page = await browser.person('ana');
    await page.goto(`/certificates/${fresh.certificateId}`);
    const timeline = page.getByRole('region', { name: 'Timeline' });
    await entry(timeline, 'Operator ana renewed the access.').waitFor();
    await timeline.getByLabel('Show').selectOption({ label: 'Suspensions' });
    await timeline.getByText('Nothing of this kind has happened yet.').waitFor();
    await button(page, 'Show everything').click();
    await entry(timeline, 'Operator ana renewed the access.').waitFor();
  });

  it('is saved as CSV and as JSON, as it is filtered', async () => {
    const page = await browser.person('ana');
    await page.goto(`/certificates/${fresh.certificateId}`);
    const timeline = page.getByRole('region', { name: 'Timeline' });
    await timeline.getByLabel('Show').selectOption({ label: 'Access' });
    await entry(timeline, 'Operator ana started a renewal.').waitFor({ state: 'detached' });
    const csv = page.waitForEvent('download');
    await timeline.getByRole('link', { name: 'Save as CSV: Access' }).click();
    const lines = (await readFile(await (await csv).path(), 'utf8')).trim().split('\r\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('at,type,action');
    const json = page.waitForEvent('download');
    await button(page, 'Save as JSON: Access').click();
    const entries = JSON.parse(await readFile(await (await json).path(), 'utf8')) as unknown;
    expect(JSON.stringify(entries)).toContain('Operator ana');
  });
});

describe('an account', () => {
  it('is set by its administrators: hour, zone and language', async () => {
    const page = await browser.person('alda');
    await page.goto('/accounts');
    await page.getByLabel('Send hour of reminders').selectOption({ label: '07:00' });
    await page.getByLabel('Time zone').fill('Atlantic/Azores');
    await button(page, 'Save').click();
    await page.getByText('Saved.').waitFor();
    const { body } = await (
      await backoffice.signedIn('alda')
    ).call('GET', `/api/accounts/${backoffice.accountId}`);
    expect(body).toMatchObject({ reminderHour: 7, timeZone: 'Atlantic/Azores', name: 'Loja Azul' });
    await page.getByLabel('Time zone').fill('Nowhere/Land');
    await button(page, 'Save').click();
    await page.getByText('This time zone is not known. Choose one from the list.').waitFor();
    expect(
      await page.getByLabel('Time zone').evaluate((field) => field === document.activeElement),
    ).toBe(true);
    await page.getByLabel('Time zone').fill('Europe/Lisbon');
    await button(page, 'Save').click();
    await page.getByText('Saved.').waitFor();
  });

  it('changes the role of an operator, and keeps its last administrator', async () => {
    const page = await browser.person('alda');
    await page.goto(`/accounts/${backoffice.accountId}/operators`);
    const row = (name: string) => page.getByRole('row').filter({ hasText: name });
    allowNoise(page, /^console: .* 409 /);
    await row('Operator leaver')
      .getByRole('button', { name: /^Change role/ })
      .click();
    await page
      .getByRole('dialog')
      .getByLabel(/^Viewer/)
      .check();
    await page.getByRole('dialog').locator('button[type=submit]').click();
    await page.getByText('Operator leaver has the role Viewer now.').waitFor();
    await row('Operator alda')
      .getByRole('button', { name: /^Change role/ })
      .click();
    await page
      .getByRole('dialog')
      .getByLabel(/^Viewer/)
      .check();
    await page.getByRole('dialog').locator('button[type=submit]').click();
    await page
      .getByText('The account would be left without an administrator. Nothing was changed.')
      .waitFor();
  });

  it('takes back what it offered when a role was changed meanwhile', async () => {
    const page = await browser.person('rui');
    allowNoise(page, /^console: .* 403 /);
    await page.goto(`/certificates/${lapsed.certificateId}`);
    await button(page, 'Renew').waitFor();
    const alda = await backoffice.signedIn('alda');
    const role = `/api/accounts/${backoffice.accountId}/operators/${backoffice.operatorId('rui')}`;
    expectAnswer(await alda.call('PATCH', role, { role: 'viewer' }), 200);
    await button(page, 'Renew').click();
    await button(page, 'Continue to the authentication').click();
    await page.getByText('Your role in this account does not allow this.').waitFor();
    await button(page, 'Cancel').click();
    await button(page, 'Renew').waitFor({ state: 'detached' });
    expectAnswer(await alda.call('PATCH', role, { role: 'operator' }), 200);
  });

  it('makes an API key whose secret is shown once, and revokes it', async () => {
    const page = await browser.person('alda');
    await page.goto(`/accounts/${backoffice.accountId}/api-keys`);
    await button(page, 'Make an API key').first().click();
    await page.getByRole('dialog').getByLabel('Name').fill('invoicing');
    await page.getByRole('dialog').getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('It is shown this once').waitFor();
    const secret = await page
      .getByText(/^ca_[\w-]{40,}$/)
      .or(page.locator('input[readonly]'))
      .first()
      .evaluate((element) => ('value' in element ? String(element.value) : element.textContent));
    expect(secret).toMatch(/^ca_[\w-]{40,}$/);
    await button(page, 'I have copied it').click();
    await page.getByRole('row').filter({ hasText: 'invoicing' }).getByText('Valid').waitFor();
    expect(await page.content()).not.toContain(secret);
    await page.reload();
    await page
      .getByRole('row')
      .filter({ hasText: 'invoicing' })
      .getByRole('button', { name: /^Revoke/ })
      .click();
    await page
      .getByRole('alertdialog')
      .or(page.getByRole('dialog'))
      .getByRole('button', { name: /^Revoke/ })
      .click();
    await page.getByText('invoicing is revoked. Whoever uses it is refused from now on.').waitFor();
  });
});

describe('an API key', () => {
  it('gets a new secret with the keyboard alone, and the list tells how long the old one works', async () => {
    const { accountId } = backoffice;
    const alda = await backoffice.signedIn('alda');
    const made = expectAnswer(
      await alda.call('POST', `/api/accounts/${accountId}/api-keys`, { name: 'payroll' }),
      201,
    ) as { apiKey: { id: string }; secret: string };
    const page = await browser.person('alda');
    await page.goto(`/accounts/${accountId}/api-keys`);
    const row = page.getByRole('row').filter({ hasText: 'payroll' });
    await row.getByText('Not yet').waitFor();
    const tabTo = async (name: string): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate(() => document.activeElement?.textContent ?? '');
        if (at === name) return;
      }
      throw new Error(`Tab does not lead to ${name}`);
    };
    await tabTo('New secret for payroll');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'A new secret for payroll' });
    await dialog.waitFor();
    expect(await dialog.getByLabel('Works for 1 day more').isChecked()).toBe(true);
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowUp');
    expect(await dialog.getByLabel('Works for 1 hour more').isChecked()).toBe(true);
    await page.keyboard.press('Enter');
    const group = page.getByRole('group', { name: 'The secret of payroll' });
    await group.getByText(/^The old secret works until .* \(Lisbon\)\.$/).waitFor();
    const secret = (await group.locator('code').textContent()) ?? '';
    expect(secret).toMatch(/^ca_[\w-]{43}$/);
    expect(secret).not.toBe(made.secret);
    // Another one would take its place.
    expect(await button(page, 'New secret for payroll').count()).toBe(0);
    await tabTo('I have copied it');
    await page.keyboard.press('Enter');
    await page
      .getByText(
        /^payroll is ready\. Its secret is not shown any more\. The old secret works until/,
      )
      .waitFor();
    expect(await page.content()).not.toContain(secret);
    await row.getByText(/^Old secret until/).waitFor();
    await row.getByText('Old secret not used').waitFor();
    await button(page, 'New secret for payroll').click();
    await dialog.getByText('A secret that was replaced before still works.').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    backoffice.clock.advance(3_600);
    await page.reload();
    await row.getByText('Valid').waitFor();
    expect(await row.getByText('Old secret').count()).toBe(0);
  });

  it('whose secret may be known to others gets one that ends the old one at once', async () => {
    const { accountId } = backoffice;
    const alda = await backoffice.signedIn('alda');
    const body = { name: 'leaked' };
    expectAnswer(await alda.call('POST', `/api/accounts/${accountId}/api-keys`, body), 201);
    const page = await browser.person('alda');
    await page.goto(`/accounts/${accountId}/api-keys`);
    await button(page, 'New secret for leaked').click();
    await page.getByRole('dialog').getByLabel('Ends at once').check();
    await button(page, 'Make the new secret').click();
    await page.getByRole('group').getByText('The old secret works no more.').waitFor();
  });
});

describe('one’s sessions', () => {
  it('are listed, and another one is ended at once', async () => {
    const page = await browser.person('rui');
    const other = await backoffice.signedIn('rui');
    await page.goto('/sessions');
    await page.getByText('This session').waitFor();
    await page.getByRole('table').getByRole('button', { name: /^End/ }).first().click();
    await page.getByText(/^The session of .* has ended\.$/).waitFor();
    expect((await other.call('GET', '/api/session')).status).toBe(401);
    expectAnswer(await other.signIn('rui@loja.example', operatorPassword), 200);
  });

  it('all end but the one on the screen, together or with another password', async () => {
    const page = await browser.person('rui');
    allowNoise(page, /^console: .*422 /);
    const [one, other] = [await backoffice.signedIn('rui'), await backoffice.signedIn('rui')];
    await page.goto('/sessions');
    await button(page, 'End all others').click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'End all others' }).click();
    await page.getByText('All other sessions have ended.', { exact: true }).waitFor();
    for (const driver of [one, other]) {
      expect((await driver.call('GET', '/api/session')).status).toBe(401);
    }

    const again = await backoffice.signedIn('rui');
    await page.getByLabel('Present password').fill('not the password');
    await page.getByLabel('New password').fill('too short');
    await page.keyboard.press('Enter');
    await page.getByText('The password is too short.').waitFor();
    await page.getByLabel('New password').fill('another long password');
    await page.keyboard.press('Enter');
    await page.getByText('This is not your present password.').waitFor();
    const present = page.getByLabel('Present password');
    expect(await present.evaluate((field) => field === document.activeElement)).toBe(true);
    await present.fill(operatorPassword);
    await page.keyboard.press('Enter');
    await page.getByText(/^Your password was changed\. All other sessions/).waitFor();
    expect(await present.inputValue()).toBe('');
    expect((await again.call('GET', '/api/session')).status).toBe(401);
    const back = { presentPassword: 'another long password', newPassword: operatorPassword };
    const driver = createOperatorDriver(backoffice.url);
    expectAnswer(await driver.signIn('rui@loja.example', back.presentPassword), 200);
    expectAnswer(await driver.call('PUT', '/api/me/password', back), 204);
  });
});

describe('without the stream of changes', () => {
  it('the page says so, and reads everything every 15 seconds', async () => {
    const page = await browser.person('ana');
    allowNoise(page, /\/api\/events/);
    await page.clock.install();
    await page.route('**/api/events', (route) => route.abort());
    await page.goto(`/certificates/${fresh.certificateId}`);
    await page.getByText('Connecting again; read every 15 seconds until then').waitFor();
    await button(page, 'Deactivate service 1 …').waitFor();
    const rui = await backoffice.signedIn('rui');
    expectAnswer(
      await rui.call('POST', `/api/client-services/${fresh.serviceIds[0]}/deactivation`),
      200,
    );
    await page.clock.runFor(16_000);
    await button(page, 'Activate service 1').waitFor();
  });
});
