/** @jest-environment <rootDir>/test/support/failure-environment.ts */
import { afterAll, afterEach, beforeAll, describe, it } from '@jest/globals';
import { budgets } from '../../domain/door-budgets.ts';
import { recordApiKeyUses } from '../../infra/postgres/api-keys.ts';
import { createConsequences } from '../../infra/postgres/consequences.ts';
import { inTransaction } from '../../infra/postgres/pool.ts';
import { hashSecret } from '../../infra/postgres/sealing.ts';
import { chargeGrants } from '../../infra/postgres/usage-counters.ts';
import { createAdministration } from '../../services/shared/administration.ts';
import { createOperatorDriver, expectAnswer } from '../../services/stack/operator-driver.ts';
import {
  goToCaAndBack,
  obtainGrant,
  operatorPassword,
  startTestBackoffice,
  type OperatorName,
  type TestBackoffice,
  type TestCertificate,
} from '../support/backoffice.ts';
import {
  allowNoise,
  expectAccessible,
  openBrowser,
  shot,
  signIn,
  type Looks,
  type Page,
  type TestBrowser,
} from './support.ts';

/**
 * Every screen and state, looked at: no axe violation, nothing that scrolls sideways, no complaint of the browser; and a picture of each in
 * `.local/screenshots`, to be looked at by people.
 */
let backoffice: TestBackoffice;
let browser: TestBrowser;
const certificates: Record<string, TestCertificate> = {};

const day = 86_400;

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  browser = await openBrowser(backoffice);
  const { store, database, clock } = backoffice;
  const ana = await backoffice.signedIn('ana');
  const rui = await backoffice.signedIn('rui');
  const lapsed = await backoffice.newCertificate({ services: 2 });
  const lapsedGrant = await obtainGrant(backoffice, ana, lapsed, { lifetimeSeconds: 60 });
  clock.advance(61);
  await createConsequences(store).suspendClientServices(lapsedGrant);
  const fresh = await backoffice.newCertificate({ services: 2 });
  await obtainGrant(backoffice, ana, fresh);
  const ending = await backoffice.newCertificate({ services: 1 });
  await obtainGrant(backoffice, ana, ending, { lifetimeSeconds: 6 * day });
  const used = await backoffice.newCertificate({ multisign: 1_000, services: 1 });
  const usedGrant = await obtainGrant(backoffice, ana, used);
  const now = clock.now();
  const lastSecond = Math.floor(now.getTime() / 1000);
  await inTransaction(database, (tx) =>
    chargeGrants(tx, [{ grantId: usedGrant, signatures: 931, lastSecond }], {
      policy: store.policy,
      now,
    }),
  );
  const renewedAgain = await backoffice.newCertificate({ services: 2 });
  const again = await obtainGrant(backoffice, ana, renewedAgain, { lifetimeSeconds: 60 });
  clock.advance(61);
  await createConsequences(store).suspendClientServices(again);
  await obtainGrant(backoffice, ana, renewedAgain);
  const colleagues = await backoffice.newCertificate();
  await goToCaAndBack(rui, colleagues);
  const never = await backoffice.newCertificate();
  const endedSoon = await backoffice.newCertificate({
    services: 1,
    notAfter: new Date(clock.now().getTime() + 20 * day * 1000).toISOString(),
  });
  await obtainGrant(backoffice, ana, endedSoon);
  Object.assign(certificates, {
    lapsed,
    fresh,
    ending,
    used,
    renewedAgain,
    colleagues,
    never,
    endedSoon,
  });
});
afterEach(() => browser.endVisits());
afterAll(async () => {
  await browser.close();
  await backoffice.close();
});

const pathOf = (name: string): string => {
  const certificate = certificates[name];
  if (certificate === undefined) throw new Error(`no certificate ${name}`);
  return `/certificates/${certificate.certificateId}`;
};

/** A key of a signing service, used a moment ago with the secret that was replaced; once. */
async function enterKey(): Promise<void> {
  const { database, clock, accountId } = backoffice;
  const administration = createAdministration({ database, clock });
  const name = 'faturação';
  if ((await administration.listApiKeys(accountId)).some((key) => key.name === name)) return;
  const { apiKeyId, apiKey } = await administration.createApiKey({ account: accountId, name });
  await administration.rotateApiKey(apiKeyId);
  const use = { keyHash: hashSecret(apiKey), apiKeyId, at: clock.now() };
  await recordApiKeyUses(database, [use]);
}

/** Buttons, links and fields by their names in both languages. */
const press = (page: Page, name: RegExp) => page.getByRole('button', { name }).first().click();
const renewButton = /^(Renew|Renovar)$/;
const seen = (page: Page) => page.locator('main h1').waitFor();

/** The screen of a certificate, with everything on it. */
async function certificate(page: Page, name: string): Promise<void> {
  await page.goto(pathOf(name));
  await page
    .getByRole('region', { name: /^(Timeline|Cronologia|Histórico)$/ })
    .locator('time')
    .first()
    .waitFor();
}

/** Own renewal that waits for its code: the id of it. */
async function waiting(page: Page, name: string): Promise<void> {
  const target = certificates[name];
  if (target === undefined) throw new Error(`no certificate ${name}`);
  const ana = await backoffice.signedIn('ana');
  const id = await goToCaAndBack(ana, target);
  await page.goto(`${pathOf(name)}?renewal=${id}`);
  await page.getByRole('timer').waitFor();
}

/** Of a link to choose a new password that was not mailed yet, for somebody whom no other test is about. */
async function newResetToken(): Promise<string> {
  const { database, sealer, url } = backoffice;
  await database.query('delete from door_budgets');
  const asked = await createOperatorDriver(url).call('POST', '/api/password-resets', {
    email: 'leaver@loja.example',
  });
  expectAnswer(asked, 202);
  const { rows } = await database.query<{ reset_id: string; sealed_token: string }>(
    'select r.reset_id, r.sealed_token from password_resets as r where r.ended_at is null order by r.created_at desc limit 1',
  );
  return sealer.open(rows[0]?.sealed_token ?? '', rows[0]?.reset_id ?? '');
}

type State = {
  readonly who?: OperatorName;
  readonly open: (page: Page) => Promise<void>;
};

const states: Readonly<Record<string, State>> = {
  certificates: {
    async open(page) {
      await page.goto('/certificates');
      await page.getByRole('meter').first().waitFor();
    },
  },
  'certificates-nothing-found': {
    async open(page) {
      await page.goto('/certificates?q=there+is+no+such+thing');
      await page.getByRole('button', { name: /^(Show all|Mostrar todos)/ }).waitFor();
    },
  },
  'certificates-empty': {
    who: 'stranger',
    async open(page) {
      await page.goto('/certificates');
      await page
        .getByText(/no certificates in your accounts|não há certificados nas suas contas/)
        .waitFor();
    },
  },
  'certificates-fault': {
    async open(page) {
      await page.route('**/api/certificates?*', (route) =>
        route.fulfill({
          status: 500,
          contentType: 'application/problem+json',
          json: {
            code: 'internal',
            title: 'x',
            detail: 'y',
            status: 500,
            instance: 'reference-1234',
          },
        }),
      );
      await page.goto('/certificates');
      await page.getByText('reference-1234').waitFor();
    },
  },
  'certificate-in-force': { open: (page) => certificate(page, 'fresh') },
  'certificate-ends-soon': { open: (page) => certificate(page, 'ending') },
  'certificate-usage-high': { open: (page) => certificate(page, 'used') },
  'certificate-blocked': { open: (page) => certificate(page, 'lapsed') },
  'certificate-never-granted': { open: (page) => certificate(page, 'never') },
  'certificate-binds': { open: (page) => certificate(page, 'endedSoon') },
  'certificate-services-wait': { open: (page) => certificate(page, 'renewedAgain') },
  'certificate-colleague-renews': { open: (page) => certificate(page, 'colleagues') },
  'certificate-viewer': { who: 'vera', open: (page) => certificate(page, 'lapsed') },
  'certificate-administrator': { who: 'alda', open: (page) => certificate(page, 'fresh') },
  'renew-dialog': {
    async open(page) {
      await certificate(page, 'lapsed');
      await press(page, renewButton);
      await page.getByRole('dialog').waitFor();
    },
  },
  'take-over-dialog': {
    async open(page) {
      await certificate(page, 'colleagues');
      await press(page, /^(Take over|Assumir)/);
      await page.getByRole('dialog').waitFor();
    },
  },
  'code-dialog': { open: (page) => waiting(page, 'never') },
  'code-dialog-rejected': {
    async open(page) {
      await waiting(page, 'never');
      await page.locator('input[name=pin]').fill('0000');
      await page.locator('input[name=otp]').fill('000000');
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').getByRole('alert').waitFor();
    },
  },
  'code-dialog-over': {
    async open(page) {
      await page.clock.install();
      await waiting(page, 'never');
      await page.clock.runFor(121_000);
      await page.getByRole('timer').filter({ hasText: '0:00' }).waitFor();
    },
  },
  'code-dialog-closed': {
    async open(page) {
      await waiting(page, 'never');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: /^(Enter the code|Introduzir o código)$/ }).waitFor();
    },
  },
  'renewal-abandoned': {
    async open(page) {
      await waiting(page, 'never');
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /^Abandon/ })
        .click();
      await page.getByRole('button', { name: /^(Start again|Começar de novo)$/ }).waitFor();
    },
  },
  'renewal-done': {
    async open(page) {
      const ana = await backoffice.signedIn('ana');
      const target = await backoffice.newCertificate({ services: 2 });
      const grant = await obtainGrant(backoffice, ana, target, { lifetimeSeconds: 1 });
      backoffice.clock.advance(2);
      await createConsequences(backoffice.storeAs('worker')).suspendClientServices(grant);
      const id = await obtainGrant(backoffice, ana, target);
      await page.goto(`/certificates/${target.certificateId}?renewal=${id}`);
      await page.getByText(/^(The access was renewed|O acesso foi renovado)$/).waitFor();
    },
  },
  'deactivate-dialog': {
    async open(page) {
      await certificate(page, 'fresh');
      await press(page, /^(Deactivate|Desativar)/);
      await page.getByRole('alertdialog').waitFor();
    },
  },
  'emergency-dialog': {
    who: 'alda',
    async open(page) {
      await certificate(page, 'fresh');
      await press(page, /^(Stop signing|Parar as assinaturas)/);
      await page.getByRole('alertdialog').waitFor();
    },
  },
  bell: {
    async open(page) {
      await certificate(page, 'fresh');
      await press(page, /^(Needs attention|Precisa de atenção)/);
      await page.locator('#attention a').first().waitFor();
    },
  },
  'user-menu': {
    async open(page) {
      await certificate(page, 'fresh');
      await press(page, /^(You|Você): /);
      await page.locator('#user-menu').waitFor();
    },
  },
  renewals: {
    async open(page) {
      await page.goto('/renewals');
      await page.getByRole('link', { name: /^Seal/ }).first().waitFor();
    },
  },
  'account-settings': {
    who: 'alda',
    async open(page) {
      await page.goto('/accounts');
      await page.getByRole('button', { name: /^(Save|Guardar)/ }).waitFor();
    },
  },
  'account-settings-viewer': {
    who: 'vera',
    async open(page) {
      await page.goto('/accounts');
      await page.getByText(/Operator alda/).waitFor();
    },
  },
  'account-operators': {
    who: 'alda',
    async open(page) {
      await page.goto(`/accounts/${backoffice.accountId}/operators`);
      await page.getByText('rui@loja.example').waitFor();
    },
  },
  'account-operators-not-allowed': {
    who: 'ana',
    async open(page) {
      await page.goto(`/accounts/${backoffice.accountId}/operators`);
      await page.getByText(/Operator alda/).waitFor();
    },
  },
  'invite-dialog': {
    who: 'alda',
    async open(page) {
      await page.goto(`/accounts/${backoffice.accountId}/operators`);
      await press(page, /^(Invite|Convidar)/);
      await page.getByRole('dialog').waitFor();
    },
  },
  'account-api-keys': {
    who: 'alda',
    async open(page) {
      await page.goto(`/accounts/${backoffice.accountId}/api-keys`);
      await page
        .getByRole('button', { name: /(key|chave)/i })
        .first()
        .waitFor();
    },
  },
  'new-key-dialog': {
    who: 'alda',
    async open(page) {
      await page.goto(`/accounts/${backoffice.accountId}/api-keys`);
      await press(page, /(key|chave)/i);
      await page.getByRole('dialog').waitFor();
    },
  },
  'api-keys-in-use': {
    who: 'alda',
    async open(page) {
      await enterKey();
      await page.goto(`/accounts/${backoffice.accountId}/api-keys`);
      await page.getByText(/(Old secret until|Segredo antigo até)/).waitFor();
    },
  },
  'rotation-dialog': {
    who: 'alda',
    async open(page) {
      await enterKey();
      await page.goto(`/accounts/${backoffice.accountId}/api-keys`);
      await press(page, /^(New secret for|Novo segredo para) faturação$/);
      await page.getByRole('dialog').waitFor();
    },
  },
  'new-secret': {
    who: 'alda',
    async open(page) {
      await enterKey();
      await page.goto(`/accounts/${backoffice.accountId}/api-keys`);
      await press(page, /^(New secret for|Novo segredo para) faturação$/);
      await page.getByRole('dialog').locator('button[type=submit]').click();
      await page.getByText(/^ca_[\w-]{40,}$/).waitFor();
    },
  },
  sessions: {
    async open(page) {
      await page.goto('/sessions');
      await page.getByRole('table').waitFor();
    },
  },
  'not-found': {
    async open(page) {
      await page.goto('/nowhere');
      await seen(page);
    },
  },
  'certificate-not-found': {
    async open(page) {
      await page.goto('/certificates/nobody-has-this-one');
      await seen(page);
    },
  },
  'sign-in-throttled': {
    async open(page) {
      const typed = { email: 'nobody@loja.example', password: 'not the password' };
      const { atOnce } = budgets.unknownBrowsers;
      await Promise.all(
        Array.from({ length: atOnce }, () =>
          createOperatorDriver(backoffice.url).signIn(typed.email, typed.password),
        ),
      );
      await page.context().clearCookies();
      await page.goto('/certificates');
      await signIn(page, typed);
      await page.getByText(/^(Wait|Espere) \d/).waitFor();
    },
  },
  'forgot-password': {
    async open(page) {
      await page.goto('/forgot-password');
      await page.getByRole('textbox').waitFor();
    },
  },
  'forgot-password-sent': {
    async open(page) {
      await page.goto('/forgot-password');
      await page.getByRole('textbox').fill('nobody@loja.example');
      await page.keyboard.press('Enter');
      await page.getByText(/^(A mail is on its way|Uma mensagem vai a caminho)$/).waitFor();
    },
  },
  'password-reset': {
    async open(page) {
      await page.goto(`/password-reset#${await newResetToken()}`);
      await page.locator('input[autocomplete=new-password]').waitFor();
    },
  },
  'password-reset-done': {
    async open(page) {
      await page.goto(`/password-reset#${await newResetToken()}`);
      await page.locator('input[autocomplete=new-password]').fill(operatorPassword);
      await page.keyboard.press('Enter');
      await page.getByText(/(was changed|foi alterada)$/).waitFor();
    },
  },
  'password-reset-ended': {
    async open(page) {
      await page.goto('/password-reset#not-a-token-that-anybody-has');
      await page.getByText(/^(This link has ended|Esta ligação terminou)$/).waitFor();
    },
  },
  'password-wrong': {
    async open(page) {
      await page.goto('/sessions');
      await page.locator('input[name=present-password]').fill('not the password');
      await page.locator('input[name=new-password]').fill('another long password');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').waitFor();
    },
  },
  'invitation-ended': {
    async open(page) {
      await page.goto('/invitation#not-a-token-that-anybody-has');
      await page.getByRole('link').first().waitFor();
    },
  },
};

async function look(name: string, looks: Looks, folder: string): Promise<void> {
  const state = states[name];
  if (state === undefined) throw new Error(`no state ${name}`);
  const page = await browser.person(state.who ?? 'ana', looks);
  allowNoise(page, /^console: .* (401|404|410|422|429|500) /);
  await state.open(page);
  await expectAccessible(page);
  await shot(page, `${folder}/${name}`);
}

const names = Object.keys(states);

describe('in English, light, 1280 px', () => {
  it.each(names)('%s', (name) => look(name, {}, 'en-light-1280'));
});

describe('in Portuguese, dark, 320 px', () => {
  it.each(names)('%s', (name) =>
    look(name, { language: 'pt-PT', colorScheme: 'dark', width: 320 }, 'pt-dark-320'),
  );
});

describe.each(['certificate-administrator', 'code-dialog'])('%s', (name) => {
  it.each([
    ['en', 'light', 320, 1],
    ['en', 'dark', 1280, 1],
    ['en', 'dark', 320, 1],
    ['en', 'light', 1280, 2],
    ['en', 'dark', 1280, 2],
    ['pt-PT', 'light', 1280, 1],
    ['pt-PT', 'light', 320, 1],
    ['pt-PT', 'dark', 1280, 1],
    ['pt-PT', 'light', 1280, 2],
    ['pt-PT', 'dark', 1280, 2],
  ] as const)('in %s, %s, %i px, at %i00 %%', (language, colorScheme, width, zoom) =>
    look(
      name,
      { language, colorScheme, width, zoom },
      `${language}-${colorScheme}-${width}-${zoom}00`,
    ),
  );
});
