/** Prevents: anything of a session, a token or an account working on after its end, on any node. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import type { Browser } from '../support/browser.js';
import { RelyingParty, type Tokens } from '../support/relying-party.js';
import { type Person, person, signIn, typePassword, typeRecoveryCode } from './support.js';

const SECOND_MS = 1_000;
const ESSENTIAL = JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:countersign:acr:2fa' } } });
let app: TestApp;
let other: TestApp;
let rp: RelyingParty;
let anna: Person;
let browser: Browser;
let tokens: Tokens;
let pendingCode: string;
let verifier: string;
let count = 0;

beforeAll(async () => {
  app = await startApp();
  // A second node of the same server: same issuer, same database.
  other = await startApp({}, { database: app.database, issuer: app.issuer });
  rp = new RelyingParty(app.issuer);
});
afterAll(async () => {
  await other.stop();
  await app.stop();
});
beforeEach(async () => {
  count += 1;
  anna = await person(app, `anna${count}@example.com`);
  browser = app.browser();
  tokens = await signIn(browser, rp, anna, { scope: 'openid offline_access', prompt: 'consent' });
  expect(tokens.refresh_token).toBeTruthy();
  const request = rp.request();
  const page = await browser.open(request.url);
  pendingCode = rp.answer(page).code ?? '';
  verifier = request.verifier;
  expect(pendingCode).not.toBe('');
  // A session that began in this very second counts as ended with it: times of sign-ins are whole seconds.
  await new Promise((resolve) => setTimeout(resolve, SECOND_MS));
});

const expectEverythingDead = async (): Promise<void> => {
  const began = Date.now();
  expect(await rp.silent(browser)).toBe('login_required');
  expect((await rp.refresh(tokens.refresh_token ?? '')).error).toBe('invalid_grant');
  expect((await rp.userinfo(tokens.access_token)).status).toBe(401);
  expect((await rp.exchange(pendingCode, verifier)).error).toBe('invalid_grant');
  const introspection = await rp.post('/token/introspection', { token: tokens.access_token });
  expect(await introspection.json()).toEqual({ active: false });
  expect((await browser.open('/account')).url.pathname).toMatch(/^\/sign-in\//);
  expect(Date.now() - began).toBeLessThan(10_000);
};

test('deactivated: sessions, refresh, userinfo, codes and a sign-in half done end at once', async () => {
  const half = app.browser();
  const page = await typePassword(half, rp.request().url, anna.account.login);
  await app.app.accounts.deactivate(anna.account.id);
  await expectEverythingDead();
  const refused = await half.submit(page, { code: anna.authenticator.code() });
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(refused.url.origin).toBe(app.issuer);
  const again = await typePassword(app.browser(), rp.request().url, anna.account.login);
  expect(again.status).toBe(403);
});

test('a password typed before "sign out everywhere" opens neither the second step nor the set-up', async () => {
  const half = app.browser();
  const page = await typePassword(half, rp.request().url, anna.account.login);
  const bare = await app.account(`bare${count}@example.com`);
  const wizard = app.browser();
  const set_up = await typePassword(
    wizard,
    rp.request({ acr_values: 'urn:countersign:acr:2fa', claims: ESSENTIAL }).url,
    bare.login,
  );
  const chosen = await wizard.submit(set_up, { method: 'totp' });
  expect(chosen.html).toContain('secret=');
  await new Promise((resolve) => setTimeout(resolve, SECOND_MS));
  for (const { id } of [anna.account, bare]) await app.app.sessions.endAll(id, { requestId: 'everywhere' });
  expect((await half.submit(page, { code: anna.authenticator.code() })).status).toBe(400);
  expect((await wizard.submit(chosen, { code: '000000' })).status).toBe(400);
  expect((await wizard.open(chosen.url)).html).not.toContain('secret=');
});

test('sign out everywhere, pressed on one node, ends all on the other within a second', async () => {
  const elsewhere = app.browser();
  await signIn(elsewhere, rp, anna);
  await new Promise((resolve) => setTimeout(resolve, SECOND_MS));
  const began = Date.now();
  // The other node is the one that is asked; this one must know.
  await other.app.sessions.endAll(anna.account.id, { requestId: 'other-node' });
  expect(await rp.silent(browser)).toBe('login_required');
  expect(Date.now() - began).toBeLessThan(SECOND_MS);
  await expectEverythingDead();
  expect(await rp.silent(elsewhere)).toBe('login_required');
  await new Promise((resolve) => setTimeout(resolve, SECOND_MS));
  expect((await signIn(app.browser(), rp, anna)).status).toBe(200);
});

test('the button on the security page does that, from another browser', async () => {
  const elsewhere = app.browser();
  await signIn(elsewhere, rp, anna);
  await new Promise((resolve) => setTimeout(resolve, SECOND_MS));
  const page = await elsewhere.open('/account/sign-out-everywhere');
  const done = await elsewhere.submit(page, {}, '/account/sign-out-everywhere');
  expect(done.status).toBe(200);
  await expectEverythingDead();
  expect(await rp.silent(elsewhere)).toBe('login_required');
});

test('ended on another node while a request of it is under way: it stays ended', async () => {
  const { uid } = (await app.app.provider.Session.findByUid(
    (await app.app.sessions.list(anna.account.id))[0]?._id ?? '',
  )) as {
    uid: string;
  };
  const { Client } = app.app.provider;
  const find = Client.find.bind(Client);
  let isEnded = false;
  // The request has read its session and its account, and looks for the application: right then the session ends elsewhere.
  Client.find = async (id) => {
    if (!isEnded) {
      isEnded = true;
      await other.app.sessions.end(anna.account.id, uid, { requestId: 'in-between' });
    }
    return find(id);
  };
  const raced = await browser.open(rp.request().url);
  Client.find = find;
  expect(isEnded).toBe(true);
  expect(raced.url.searchParams.get('code')).toBeNull();
  expect(await rp.silent(browser)).toBe('login_required');
  expect((await browser.open('/account')).url.pathname).toMatch(/^\/sign-in\//);
  expect((await rp.refresh(tokens.refresh_token ?? '')).error).toBe('invalid_grant');
});

test('a changed password ends every other session and its tokens, and keeps the one it was changed in', async () => {
  const owner = app.browser();
  await signIn(owner, rp, anna);
  let page = await owner.open('/account/password');
  page = await owner.submit(page, {
    current: 'orchard lantern 47 violet',
    password: 'meadow copper 93 signal',
    repeat: 'meadow copper 93 signal',
  });
  expect({ status: page.status, text: page.text.slice(0, 200) }).toMatchObject({ status: 200 });
  await expectEverythingDead();
  expect(await rp.silent(owner)).toBe('code');
});

test('a reset password ends all sessions and leaves the second factor exactly as it was', async () => {
  const factors = () => app.database.collection('factors').find({ accountId: anna.account.id }).toArray();
  const before = await factors();
  const token = await app.app.links.create('password_reset', anna.account.id, 3600);
  const thief = app.browser();
  let page = await thief.open(`/password-reset/${token}`);
  page = await thief.submit(page, { password: 'meadow copper 93 signal', repeat: 'meadow copper 93 signal' });
  expect(page.status).toBe(200);
  await expectEverythingDead();
  expect(await factors()).toEqual(before);
  await new Promise((resolve) => setTimeout(resolve, SECOND_MS));
  page = await typePassword(thief, rp.request().url, anna.account.login, 'meadow copper 93 signal');
  expect(page.url.pathname).toMatch(/^\/second-factor\/[^/]+$/);
  expect(await rp.silent(thief)).toBe('login_required');
  expect(page.text).not.toMatch(/set up/i);
  expect(rp.answer(await typeRecoveryCode(thief, page, anna)).code).toBeTruthy();
});
