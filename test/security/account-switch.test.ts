/** Prevents: one person going on in another's session, or ending it, without having been asked. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
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

test('the right password of another account leads to the question, and nothing has happened yet', async () => {
  const browser = app.browser();
  await signIn(browser, rp, anna);
  const page = await typePassword(browser, rp.request({ prompt: 'login' }).url, 'ben@example.com');
  expect(page.status).toBe(200);
  expect(page.h1).toBe('Continue as ben@example.com?');
  expect(page.text).toContain('You are signed in as anna@example.com in this browser.');
  expect(page.html).not.toMatch(/onload|submit\(\)/);
  expect(await rp.silent(browser)).toBe('code');
  expect((await browser.open('/account')).text).toContain('anna@example.com');
});

test('switch: the first session ends with its tokens, the second person signs in with both factors', async () => {
  const browser = app.browser();
  const before = await signIn(browser, rp, anna);
  const thief = browser.clone();
  const { url, verifier } = rp.request({ prompt: 'login' });
  let page = await typePassword(browser, url, 'ben@example.com');
  page = await browser.submit(page, { decision: 'switch' });
  expect((await rp.userinfo(before.access_token)).status).toBe(401);
  expect(await rp.silent(browser)).toBe('login_required');
  page = await typeRecoveryCode(browser, page, ben);
  const { claims } = await rp.tokens(page, verifier);
  expect(claims).toMatchObject({ sub: ben.account.id, acr: 'urn:countersign:acr:2fa' });
  const home = await browser.open('/account');
  expect(home.text).toContain('ben@example.com');
  expect(home.text).not.toContain('anna@example.com');
  expect(await rp.silent(thief)).toBe('login_required');
});

test('continue: the other password is forgotten; who was signed in goes on, and proves the password where it was asked for', async () => {
  const browser = app.browser();
  await signIn(browser, rp, anna);
  const { url, verifier } = rp.request({ prompt: 'login' });
  let page = await typePassword(browser, url, 'ben@example.com');
  const question = page.url;
  page = await browser.submit(page, { decision: 'continue' });
  expect(page.forms.some(({ names }) => names.includes('password'))).toBe(true);
  page = await browser.submit(page, { login: 'anna@example.com', password: 'orchard lantern 47 violet' });
  if (page.url.origin === app.issuer) page = await typeRecoveryCode(browser, page, anna);
  expect((await rp.tokens(page, verifier)).claims.sub).toBe(anna.account.id);
  expect((await browser.open(question)).status).toBe(400);
});

test('continue: a sign-in that was opened before the first person signed in goes on as that person', async () => {
  const browser = app.browser();
  const { url, verifier } = rp.request();
  const early = await browser.open(url);
  await signIn(browser, rp, anna);
  let page = await browser.submit(early, { login: 'ben@example.com', password: 'orchard lantern 47 violet' });
  page = await browser.submit(page, { decision: 'continue' });
  expect((await rp.tokens(page, verifier)).claims.sub).toBe(anna.account.id);
});

test('an answer that is neither, a question without a password, and a reload', async () => {
  const browser = app.browser();
  await signIn(browser, rp, anna);
  const signInPage = await browser.open(rp.request({ prompt: 'login' }).url);
  const early = await browser.open(`${signInPage.url}/switch`);
  expect(early.url.pathname).toBe(signInPage.url.pathname);
  const forged = await browser.request(`${signInPage.url}/switch`, {
    method: 'POST',
    form: { csrf: signInPage.forms[0]?.values.csrf ?? '', decision: 'switch' },
  });
  expect(forged.headers.get('location')).toBe(signInPage.url.pathname);
  expect(await rp.silent(browser)).toBe('code');
  const page = await browser.submit(signInPage, { login: 'ben@example.com', password: 'orchard lantern 47 violet' });
  const wrong = await browser.request(page.url, {
    method: 'POST',
    form: { csrf: page.forms[0]?.values.csrf ?? '', decision: 'both' },
  });
  expect(wrong.status).toBe(400);
  expect((await browser.open(page.url)).h1).toBe('Continue as ben@example.com?');
  expect(await rp.silent(browser)).toBe('code');
});

test('the same person signing in again is not asked', async () => {
  const browser = app.browser();
  await signIn(browser, rp, anna);
  const page = await typePassword(browser, rp.request({ prompt: 'login' }).url, 'anna@example.com');
  expect(page.url.pathname).not.toMatch(/switch/);
});
