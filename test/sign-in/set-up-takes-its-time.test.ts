import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { generateSync } from 'otplib';
import { typePassword } from '../security/support.js';
import { startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ policy: { firstEnrolment: 'password', setUp: { required: true } } });
});
afterAll(() => app.stop());

test('a confirmed step starts the time of the sign-in anew, in the browser as on the server', async () => {
  await app.account('anna@example.com');
  const browser = app.browser();
  const rp = new RelyingParty(app.issuer);
  const { url, verifier } = rp.request();
  let page = await typePassword(browser, url, 'anna@example.com');
  page = await browser.submit(page, { method: 'totp' });
  const secret = /secret=([A-Z2-7]+)/.exec(page.html)?.[1] ?? '';
  const answer = await browser.request(page.url, {
    method: 'POST',
    form: { csrf: page.forms[0]?.values.csrf ?? '', code: generateSync({ secret }), label: '' },
  });
  expect(answer.status).toBe(303);
  const uid = page.url.pathname.split('/')[2];
  for (const [name, path] of [
    ['interaction', `/second-factor/${uid}`],
    ['resume', `/auth/${uid}`],
  ]) {
    const cookie = answer.headers.getSetCookie().find((line) => line.startsWith(`countersign-${name}=${uid};`)) ?? '';
    expect(cookie).toMatch(new RegExp(`; path=${path};.*; samesite=lax; httponly`));
    const lasts = Date.parse(/expires=([^;]+)/.exec(cookie)?.[1] ?? '') - Date.now();
    expect(Math.abs(lasts - 600_000)).toBeLessThan(10_000);
  }
  page = await browser.open(answer.headers.get('location') ?? '');
  const [code = ''] = /[0-9A-Z]{4}(-[0-9A-Z]{4}){3}/.exec(page.text) ?? [];
  expect((await rp.tokens(await browser.submit(page, { code }), verifier)).claims.acr).toContain('2fa');
});
