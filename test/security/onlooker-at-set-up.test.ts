import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { generateSync } from 'otplib';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ policy: { firstEnrolment: 'password', setUp: { required: true } } });
});
afterAll(() => app.stop());

const secretOn = (page: Page): string => /secret=([A-Z2-7]+)/.exec(page.html)?.[1] ?? 'none';

async function atSetUp(login: string): Promise<{ browser: Browser; page: Page; secret: string }> {
  const browser = app.browser();
  let page = await browser.open(new RelyingParty(app.issuer).request().url);
  page = await browser.submit(page, { login, password: PASSWORD });
  page = await browser.submit(page, { method: 'totp' });
  return { browser, page, secret: secretOn(page) };
}

test('whoever looked at the set-up page before does not hold the secret that the owner confirms', async () => {
  const account = await app.account('anna@example.com');
  const thief = await atSetUp(account.login);
  const owner = await atSetUp(account.login);
  expect(owner.secret).not.toBe(thief.secret);

  const tooLate = await thief.browser.submit(thief.page, { code: generateSync({ secret: thief.secret }) });
  expect(tooLate.status).toBe(422);
  expect(await app.app.engine.forAccount(account.id)).toEqual([]);

  // The refused page has begun anew in the thief's browser: the owner is asked to begin anew as well, and told why.
  const again = await owner.browser.submit(owner.page, { code: generateSync({ secret: owner.secret }) });
  expect(again.status).toBe(422);
  const code = generateSync({ secret: secretOn(again) });
  expect((await owner.browser.submit(again, { code })).text).toContain('recovery codes');
  const [method] = await app.app.engine.forAccount(account.id);
  expect(method?.factors).toHaveLength(1);
  expect(secretOn(again)).not.toBe(thief.secret);
});

test('a reload in the same browser shows the same secret', async () => {
  const account = await app.account('ben@example.com');
  const { browser, page, secret } = await atSetUp(account.login);
  expect(secretOn(await browser.open(page.url))).toBe(secret);
});
