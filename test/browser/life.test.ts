/** @jest-environment <rootDir>/test/support/failure-environment.ts */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { createProducer, type Producer } from '../../infra/kafka/producer.ts';
import {
  clientAccount,
  enterAccount,
  enterCertificate,
  type EnteredAccount,
  type EnteredCertificate,
} from '../support/entries.ts';
import { codeOnPhone, eventually } from '../support/from-outside.ts';
import { startSystem, type System } from '../support/system.ts';
import {
  allowNoise,
  expectAccessible,
  openBrowser,
  visitCa,
  type CaPages,
  type Page,
  type TestBrowser,
} from './support.ts';

/** The whole product as processes, and people with browsers: nothing is called but through pages, mails, CA and Kafka. */
let system: System;
let browser: TestBrowser;
let producer: Producer;
let account: EnteredAccount;

beforeAll(async () => {
  system = await startSystem({
    name: 'browser-life',
    env: { POLICY_REVOCATION_DELAY_SECONDS: '2' },
  });
  const { brokers } = system.kafka;
  producer = createProducer({ brokers, clientId: 'test', log: pino({ level: 'silent' }) });
  browser = await openBrowser({ url: system.urls.backoffice, simulatorUrl: system.urls.simulator });
  account = await enterAccount(system);
}, 90_000);
afterEach(() => browser.endVisits());
afterAll(async () => {
  await browser.close();
  await producer.stop();
  await system.stop();
}, 60_000);

const button = (page: Page, name: string | RegExp) =>
  page.getByRole('button', { name, exact: typeof name === 'string' });
/** The screen, without what the bell tells of it. */
const main = (page: Page) => page.getByRole('main');
const services = (page: Page) => page.getByRole('region', { name: 'Client services' });
const timeline = (page: Page) => page.getByRole('region', { name: 'Timeline' });

async function renew(
  page: Page,
  certificate: EnteredCertificate,
  visit: CaPages = {},
): Promise<void> {
  await button(page, 'Renew').click();
  await button(page, 'Continue to the authentication').click();
  await visitCa(page, { ...clientAccount, ...visit });
  await page.getByLabel('Certificate PIN').fill(certificate.pin);
  await page.getByLabel('Authorization code').fill(await codeOnPhone(system, certificate));
  await button(page, 'Authorize').click();
  await page.getByText('The access was renewed', { exact: true }).waitFor();
  await button(page, 'Done').click();
}

const sign = (certificate: EnteredCertificate, count: number): Promise<void> =>
  producer.send(
    system.kafka.topics.signatures,
    certificate.id,
    JSON.stringify({
      id: randomUUID(),
      certificateId: certificate.id,
      time: new Date().toISOString(),
      count,
    }),
  );

it('a grant lives before the eyes of its operator: given, nearly used up, blocked, suspended, renewed, active again; nobody loads the page again', async () => {
  const certificate = await enterCertificate(system, account, {
    services: ['Invoices', 'Archive'],
  });
  const page = await browser.person(account.operators.operator);
  await page.goto('/certificates');
  await page.getByRole('link', { name: certificate.alias }).click();
  await main(page).getByText('No access yet').waitFor();
  await renew(page, certificate, { multisign: 100 });
  await main(page).getByText('In force').first().waitFor();
  // What belongs to this visit of the page is gone when it is loaded again.
  await page.evaluate(() => {
    document.body.dataset['loaded'] = 'once';
  });

  await sign(certificate, 91);
  await main(page).getByText('Usage high').first().waitFor();
  await main(page).getByText('91 of 100', { exact: true }).waitFor();
  await timeline(page).getByText('90 %').first().waitFor();

  await sign(certificate, 9);
  await main(page).getByText('Nothing can be signed with this certificate').waitFor();
  await services(page).getByText('Suspended', { exact: true }).nth(1).waitFor();
  await main(page).getByText('100 of 100', { exact: true }).waitFor();
  expect(await page.evaluate(() => document.body.dataset['loaded'])).toBe('once');
  expect(await services(page).getByRole('button').count()).toBe(0);

  await renew(page, certificate);
  await services(page).getByText('2 services were active when they were suspended').waitFor();
  await services(page).getByRole('button', { name: 'Activate all 2' }).click();
  await services(page).getByText('2 services were activated.').waitFor();
  await services(page).getByText('Active', { exact: true }).nth(1).waitFor();
  await main(page).getByText('0 of 1,000,000,000', { exact: true }).waitFor();
  await expectAccessible(page);
});

it('an access ends by time while it is looked at, and every operator finds the mail as it was sent', async () => {
  const certificate = await enterCertificate(system, account, { services: ['Receipts'] });
  const page = await browser.person(account.operators.operator);
  await page.goto(`/certificates/${certificate.id}`);
  await renew(page, certificate, { lifetimeSeconds: 12 });
  await main(page)
    .getByText('Nothing can be signed with this certificate')
    .waitFor({ timeout: 30_000 });
  await services(page).getByText('Suspended', { exact: true }).waitFor();
  const recipients = page.getByRole('region', { name: 'Who is told and when' });
  await recipients
    .getByRole('button', { name: /Open the mail/ })
    .nth(2)
    .waitFor();
  await recipients
    .getByRole('button', { name: /Open the mail/ })
    .first()
    .click();
  await page
    .getByRole('dialog')
    .getByText(/Signing stopped/)
    .first()
    .waitFor();
  await page.getByRole('dialog').getByText(certificate.alias).first().waitFor();
  await expectAccessible(page);
});

it('a renewal of a colleague shows in the list, and the emergency stop of an administrator at once', async () => {
  const certificate = await enterCertificate(system, account, { services: ['Portal'] });
  const [watcher, administrator] = await Promise.all([
    browser.person(account.operators.viewer),
    browser.person(account.operators.admin),
  ]);
  await watcher.goto('/renewals');
  await watcher.getByText('Nobody is renewing').waitFor();
  await administrator.goto(`/certificates/${certificate.id}`);
  await button(administrator, 'Renew').click();
  await button(administrator, 'Continue to the authentication').click();
  await administrator.waitForURL(/oauth2|simulator/);
  await watcher.getByRole('link', { name: certificate.alias }).first().waitFor();
  await visitCa(administrator, clientAccount);
  await administrator.getByLabel('Certificate PIN').fill(certificate.pin);
  await administrator.getByLabel('Authorization code').fill(await codeOnPhone(system, certificate));
  await button(administrator, 'Authorize').click();
  await button(administrator, 'Done').click();
  await watcher.goto(`/certificates/${certificate.id}`);
  await main(watcher).getByText('In force').first().waitFor();
  await button(administrator, 'Stop signing …').click();
  const dialog = administrator.getByRole('alertdialog');
  await dialog.getByLabel('Reason').fill('A drill');
  await dialog.getByRole('button', { name: 'Stop signing now' }).click();
  await main(watcher).getByText('Nothing can be signed with this certificate').waitFor();
  await watcher
    .getByText(/Emergency stop/)
    .first()
    .waitFor();
});

it('somebody is invited by mail, chooses a password, and is in', async () => {
  const administrator = await browser.person(account.operators.admin);
  await administrator.goto(`/accounts/${account.accountId}/operators`);
  await button(administrator, /^Invite/).click();
  const dialog = administrator.getByRole('dialog');
  const email = `new-${account.accountId.slice(0, 8)}@example.test`;
  await dialog.getByLabel('E-mail address').fill(email);
  await dialog.getByLabel('Name').fill('Nuno Novo');
  await dialog.getByRole('button', { name: /invitation/ }).click();
  await administrator.getByText(email).first().waitFor();

  const link = await eventually('The invitation does not come', async () => {
    const { messages } = await system.mailbox.list('limit=1000');
    const message = messages.find(({ To }) => To[0]?.Address === email);
    if (message === undefined) return undefined;
    const { Text } = await system.mailbox.message(message.ID);
    return /http\S+\/invitation#\S+/.exec(Text)?.[0];
  });
  const page = await browser.visitor();
  await page.goto(link);
  await page.getByText('Nuno Novo').first().waitFor();
  // The token has left the address before anybody looks at it.
  expect(page.url()).not.toContain('#');
  await expectAccessible(page);
  await page.locator('input[autocomplete=new-password]').fill('a password of his own choice');
  await page.locator('form button[type=submit]').click();
  await page.getByRole('heading', { level: 1, name: /^(Certificates|Certificados)$/ }).waitFor();
  const logs = Object.values(await system.readLogs()).join('');
  expect(logs).not.toContain(link.split('#')[1]);
});

/** Presses Tab until this has the focus, as whoever has no mouse does. */
async function tabTo(page: Page, target: ReturnType<Page['locator']>): Promise<void> {
  await target.waitFor();
  for (let presses = 0; presses < 20; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error('Tab does not lead there');
}

it('somebody who has lost the password comes in again by a mail and the keyboard alone; what was open elsewhere ends', async () => {
  const { email, name, password } = account.operators.viewer;
  const elsewhere = await browser.person({ email, password });
  allowNoise(elsewhere, /^console: .*401 /);
  await elsewhere.goto('/certificates');
  await elsewhere.getByRole('button', { name: `You: ${name}` }).waitFor();

  const page = await browser.visitor();
  await page.goto('/certificates');
  await tabTo(page, page.getByRole('link', { name: 'Forgot your password?' }));
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Send the link' }).waitFor();
  await expectAccessible(page);
  await page.keyboard.type(email);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'A mail is on its way' }).waitFor();
  await expectAccessible(page);

  const mailTo = (subject: RegExp) =>
    eventually(`No mail says ${String(subject)}`, async () => {
      const { messages } = await system.mailbox.list('limit=1000');
      const mail = messages.find(
        ({ To, Subject }) => To[0]?.Address === email && subject.test(Subject),
      );
      return mail && (await system.mailbox.message(mail.ID)).Text;
    });
  const text = await mailTo(/^Choose a new password/);
  const [link = ''] = /http\S+\/password-reset#\S+/.exec(text) ?? [];
  await page.goto(link);
  const field = page.getByLabel('New password');
  await tabTo(page, field);
  // The token has left the address before anybody looks at it.
  expect(page.url()).not.toContain('#');
  await expectAccessible(page);
  await page.keyboard.type('a new password of one’s own');
  await page.keyboard.press('Enter');
  const done = page.getByRole('heading', { level: 1, name: 'Your password was changed' });
  await done.waitFor();
  expect(await done.evaluate((element) => element === document.activeElement)).toBe(true);
  await expectAccessible(page);

  await elsewhere.getByRole('dialog', { name: 'Your session has ended' }).waitFor();
  await tabTo(page, page.getByRole('link', { name: 'Go to sign in' }));
  await page.keyboard.press('Enter');
  await page.locator('input[name=email]').waitFor();
  await page.keyboard.type(email);
  await page.keyboard.press('Tab');
  await page.keyboard.type('a new password of one’s own');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Certificates' }).waitFor();
  expect(await mailTo(/was changed$/)).toContain('With the link of a mail to this address');

  const used = await browser.visitor();
  allowNoise(used, /^console: .*410 /);
  await used.goto(link);
  await used.getByRole('heading', { level: 1, name: 'This link has ended' }).waitFor();
  const logs = Object.values(await system.readLogs()).join('');
  expect(logs).not.toContain(link.split('#')[1]);
});
