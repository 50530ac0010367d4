/** Prevents: that an access pass, or what it has opened, still lets somebody set a login method up after the person or an administrator said stop. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import { OLGA, ORIGIN } from '../recovery-desk/support.js';
import { startApp, type TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { person, typePassword } from './support.js';

let app: TestApp;
let rp: RelyingParty;
let account: Account;
let count = 0;

beforeAll(async () => {
  app = await startApp({ policy: { firstEnrolment: 'invitation' } });
  rp = new RelyingParty(app.issuer);
});
afterAll(() => app.stop());
beforeEach(async () => {
  count += 1;
  ({ account } = await person(app, `carl${count}@example.com`));
});

const step = (page: Page, rest: string): string => page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, `$1${rest}`);

const issue = async (): Promise<string> => (await app.app.desk.issueAccessPass(account, 3600, OLGA)).pass;

/** Somebody with the password and the pass, in a browser of their own. */
async function redeem(pass: string): Promise<Browser> {
  const browser = app.browser();
  const second = await typePassword(browser, rp.request().url, account.login);
  const opened = await browser.submit(await browser.open(step(second, '/access-pass')), { code: pass });
  expect(opened.url.pathname).toMatch(/\/set-up$/);
  return browser;
}

/** Whether that browser, with the password typed anew, is let into set-up. */
async function isSetUpOpen(browser: Browser): Promise<boolean> {
  const second = await typePassword(browser, rp.request().url, account.login);
  return /otpauth|secret=/.test((await browser.open(step(second, '/set-up/totp'))).html);
}

const isPassAskedFor = async (): Promise<boolean> => {
  const browser = app.browser();
  const second = await typePassword(browser, rp.request().url, account.login);
  return /\/access-pass"/.test((await browser.open(step(second, '/methods'))).html);
};

const revoked = async (): Promise<number> =>
  (await app.app.audit.list({ accountId: account.id, types: ['access_pass_revoked'] }, { limit: 9 })).length;

const STOPS: [string, () => Promise<unknown>][] = [
  ['"it was not me"', () => app.app.desk.notMe(account.id, ORIGIN)],
  [
    'a deactivation, once the account is active again',
    () => app.database.transaction((unit) => app.app.desk.accountClosed(account.id, OLGA, unit)),
  ],
];

test.each(STOPS)('after %s no pass lies ready', async (_what, stop) => {
  await issue();
  expect(await isPassAskedFor()).toBe(true);
  await stop();
  expect(await isPassAskedFor()).toBe(false);
  expect(await revoked()).toBe(1);
});

test.each(STOPS)('after %s the browser that has used one is shut out', async (_what, stop) => {
  const browser = await redeem(await issue());
  expect(await isSetUpOpen(browser)).toBe(true);
  await stop();
  expect(await isSetUpOpen(browser)).toBe(false);
});

test('a new pass takes the place of a used one, too', async () => {
  const browser = await redeem(await issue());
  const next = await issue();
  expect(await isSetUpOpen(browser)).toBe(false);
  expect(await isSetUpOpen(await redeem(next))).toBe(true);
});
