import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startTestBackoffice, type TestBackoffice } from '../support/backoffice.ts';
import {
  allowNoise,
  expectAccessible,
  expectQuiet,
  openBrowser,
  type Page,
  type TestBrowser,
} from './support.ts';

let backoffice: TestBackoffice;
let browser: TestBrowser;

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  browser = await openBrowser(backoffice);
});
afterAll(async () => {
  await browser.close();
  await backoffice.close();
});

async function signInPage(): Promise<Page> {
  const page = await browser.visitor();
  await page.goto('/certificates');
  await page.getByRole('heading', { level: 1 }).waitFor();
  return page;
}

it.each<[string, (page: Page) => Promise<unknown>, RegExp]>([
  [
    'an error on the console',
    (page) => page.evaluate(() => fetch('/api/certificates').then((answer) => answer.status)),
    /console: .*401 .* \/api\/certificates/,
  ],
  [
    'an exception',
    (page) =>
      Promise.all([
        page.waitForEvent('pageerror'),
        page.evaluate(() => {
          setTimeout(() => {
            throw new Error('one of ours');
          });
        }),
      ]),
    /page error: Error: one of ours/,
  ],
  [
    'a style that the policy forbids',
    (page) =>
      page.evaluate(() => {
        document.body.setAttribute('style', 'color: red');
      }),
    /policy: style-src-attr inline/,
  ],
  [
    'markup made of text',
    (page) =>
      page.evaluate(() => {
        try {
          document.body.innerHTML = '<b>bold</b>';
        } catch {
          // As it should be.
        }
      }),
    /policy: require-trusted-types-for/,
  ],
  [
    'a request to somebody else, even one that the policy stops',
    (page) => page.evaluate(() => fetch('http://127.0.0.1:1/').catch(() => undefined)),
    /policy: connect-src http:\/\/127.0.0.1:1\//,
  ],
  [
    'going to somebody else',
    (page) => page.goto('http://127.0.0.2:1/').catch(() => undefined),
    /request to http:\/\/127.0.0.2:1\//,
  ],
])('a page is not quiet after %s', async (_, trouble, heard) => {
  const page = await signInPage();
  await expectQuiet(page);
  await trouble(page);
  await expect(expectQuiet(page)).rejects.toThrow(heard);
  allowNoise(page, /./);
  await browser.endVisits();
});

it('what a page complained of is told at the end of its test at the latest', async () => {
  const page = await signInPage();
  await page.evaluate(() => fetch('/api/certificates').then((answer) => answer.status));
  await expect(browser.endVisits()).rejects.toThrow('/api/certificates');
  expect(page.isClosed()).toBe(true);
});

it('a page is not accessible with a picture that has no text, or with something that is too wide', async () => {
  const page = await signInPage();
  await expectAccessible(page);
  await page.evaluate(() => {
    document.querySelector('main img')?.removeAttribute('alt');
  });
  await expect(expectAccessible(page)).rejects.toThrow(/image-alt .*main|image-alt .*img/);
  await page.evaluate(() => {
    const picture = document.querySelector('main img');
    picture?.setAttribute('alt', '');
    picture?.setAttribute('width', '4000');
    picture?.setAttribute('class', '');
  });
  await expect(expectAccessible(page)).rejects.toThrow('IMG  is wider than the page');
  await browser.endVisits();
});
