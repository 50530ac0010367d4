import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { generateSync } from 'otplib';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ policy: { firstEnrolment: 'password', setUp: { required: true } } });
});
afterAll(() => app.stop());

test('password, set-up of an authenticator and recovery codes, then the application with 2fa', async () => {
  await app.account('anna@example.com');
  const rp = new RelyingParty(app.issuer);
  const browser = app.browser();
  const { url, verifier } = rp.request();
  let page = await browser.open(url);
  expect(page.h1).toContain('Time Sheets');
  page = await browser.submit(page, { login: 'anna@example.com', password: PASSWORD });
  page = await browser.submit(page, { method: 'totp' });
  const secret = /secret=([A-Z2-7]+)/.exec(page.html)?.[1] ?? '';
  page = await browser.submit(page, { code: generateSync({ secret }) });
  const code = /[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(page.text)?.[0] ?? '';
  page = await browser.submit(page, { code });
  const tokens = await rp.tokens(page, verifier);
  expect(tokens.claims).toMatchObject({ acr: 'urn:countersign:acr:2fa', amr: ['pwd', 'otp', 'mfa'] });
});
