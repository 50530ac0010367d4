import { afterAll, expect, test } from '@jest/globals';
import { generateSync } from 'otplib';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';

const running: TestApp[] = [];
const start = async (firstEnrolment: string): Promise<TestApp> => {
  const app = await startApp({ policy: { firstEnrolment, setUp: { required: false }, minimumLevel: '1fa' } });
  running.push(app);
  return app;
};
afterAll(() => Promise.all(running.map((app) => app.stop())));

const wishToAdd = async (app: TestApp, login: string): Promise<{ browser: Browser; page: Page }> => {
  await app.account(login);
  const browser = app.browser();
  const home = await browser.submit(await browser.open('/account'), { login, password: PASSWORD });
  expect(home.url.pathname).toBe('/account');
  return { browser, page: await browser.open('/account/add/totp') };
};

test('where nobody demands a second factor, a person sets one up from the security page', async () => {
  const app = await start('password');
  const { browser, page: choice } = await wishToAdd(app, 'vera@example.com');
  expect(choice.url.pathname).toMatch(/\/set-up$/);
  let page = await browser.submit(choice, { method: 'totp' });
  const secret = /secret=([A-Z2-7]+)/.exec(page.html)?.[1] ?? '';
  page = await browser.submit(page, { code: generateSync({ secret }) });
  const [code = ''] = /[0-9A-Z]{4}(-[0-9A-Z]{4}){3}/.exec(page.text) ?? [];
  page = await browser.submit(page, { code });
  expect(page.url.pathname).toBe('/account');
  const account = await app.app.accounts.findByLogin('vera@example.com');
  expect(await app.app.engine.levels(account?.id ?? '')).toEqual(['2fa', '2fa']);
});

test('the wish alone does not open set-up: whoever knows only the password is told to get an invitation', async () => {
  const app = await start('invitation');
  const { browser, page } = await wishToAdd(app, 'will@example.com');
  expect(page.h1).toBe('Your account is not ready yet');
  for (const [path, form] of [
    ['', { method: 'totp' }],
    ['/totp', { code: '123456' }],
  ] as const) {
    const csrf = page.forms[0]?.values.csrf ?? '';
    const answer = await browser.request(page.url.href + path, { method: 'POST', form: { ...form, csrf } });
    expect(answer.status).toBe(403);
  }
});
