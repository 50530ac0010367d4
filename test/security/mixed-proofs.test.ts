/** Prevents: what was proved once, or by somebody else, counting for another sign-in in the same browser or the same request. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { generateSync } from 'otplib';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Person, person, signIn, typePassword, typeRecoveryCode } from './support.js';

let app: TestApp;
let rp: RelyingParty;
let anna: Person;
let ben: Person;

beforeAll(async () => {
  app = await startApp();
  rp = new RelyingParty(app.issuer);
  anna = await person(app, 'anna@example.com');
  ben = await person(app, 'ben@example.com');
});
afterAll(() => app.stop());

test('a request for one person, begun by another: the first proof does not come back after the switch', async () => {
  const browser = app.browser();
  const { url, verifier } = rp.request({ claims: JSON.stringify({ id_token: { sub: { value: ben.account.id } } }) });
  let page = await typeRecoveryCode(browser, await typePassword(browser, url, 'anna@example.com'), anna);
  expect(page.url.pathname).toMatch(/^\/sign-in\//);
  page = await browser.submit(page, { login: 'ben@example.com', password: PASSWORD });
  page = await browser.submit(page, { decision: 'switch' });
  expect(page.url.pathname).toMatch(/^\/second-factor\//);
  expect(page.text).toContain('ben@example.com');
  expect(await rp.silent(browser)).toBe('login_required');
  page = await typeRecoveryCode(browser, page, ben);
  expect((await rp.tokens(page, verifier)).claims.sub).toBe(ben.account.id);
});

test('a password typed anew in the same request needs the second factor anew', async () => {
  const browser = app.browser();
  const { url } = rp.request({ claims: JSON.stringify({ id_token: { sub: { value: ben.account.id } } }) });
  let page = await typeRecoveryCode(browser, await typePassword(browser, url, 'anna@example.com'), anna);
  page = await browser.submit(page, { login: 'anna@example.com', password: PASSWORD });
  expect(page.url.pathname).toMatch(/^\/second-factor\//);
});

test('a second factor that was set up and removed again proves nothing', async () => {
  const carl = await app.account('carl@example.com');
  const demanded = { id_token: { acr: { essential: true, value: 'urn:countersign:acr:2fa' } } };
  const thief = app.browser();
  const { url } = rp.request({ claims: JSON.stringify(demanded) });
  let page = await typePassword(thief, url, 'carl@example.com');
  expect(page.url.pathname).toMatch(/\/set-up$/);
  page = await thief.submit(page, { method: 'totp' });
  const secret = /secret=([A-Z2-7]+)/.exec(page.html)?.[1] ?? '';
  page = await thief.submit(page, { code: generateSync({ secret }) });
  expect(page.url.pathname).toMatch(/recovery_code$/);
  for (const { factors } of await app.app.engine.forAccount(carl.id)) {
    for (const { id } of factors) await app.app.engine.remove(carl, id, { requestId: 'owner' });
  }
  const done = await thief.request(page.url.href.replace(/\/recovery_code$/, '/done'), {
    method: 'POST',
    form: { csrf: page.forms[0]?.values.csrf ?? '' },
  });
  expect(done.status).toBe(403);
  expect(await rp.silent(thief)).toBe('login_required');
});

test('somebody signs in in another tab meanwhile: their session is neither ended nor replaced unasked', async () => {
  const browser = app.browser();
  const page = await typePassword(browser, rp.request().url, 'ben@example.com');
  await signIn(browser, rp, anna);
  const stranger = await typeRecoveryCode(browser, page, ben).catch(() => browser.open(page.url));
  expect(stranger.status).toBe(400);
  expect((await browser.open('/account')).text).toContain('anna@example.com');
});
