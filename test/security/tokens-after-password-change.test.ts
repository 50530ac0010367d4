/** Prevents: tokens from an old sign-in outliving the password they were got with. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PASSWORD, RP, startApp, type TestApp } from '../support/app.js';
import type { Browser } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Person, person, signIn, typeRecoveryCode } from './support.js';

const NEW_PASSWORD = 'granite teapot 83 willow';

let app: TestApp;
let rp: RelyingParty;
let anna: Person;

beforeAll(async () => {
  app = await startApp({ clients: [{ ...RP, issue_refresh_token: true }] });
  rp = new RelyingParty(app.issuer);
  anna = await person(app, 'anna@example.com');
});
afterAll(() => app.stop());

const changePassword = async (browser: Browser): Promise<void> => {
  let page = await browser.open('/account/password');
  if (page.url.pathname.startsWith('/second-factor/')) page = await typeRecoveryCode(browser, page, anna);
  page = await browser.submit(page, { current: PASSWORD, password: NEW_PASSWORD, repeat: NEW_PASSWORD });
  expect(page.status).toBe(200);
};

test('a refresh token whose session has run out ends with the password; the session that changed it goes on', async () => {
  const consent = { scope: 'openid offline_access', prompt: 'login consent' };
  const old = await signIn(app.browser(), rp, anna, consent);
  // A day later: the session has run out and was swept, the refresh token has 29 days left.
  await app.database.collection('sessions').deleteMany({ accountId: anna.account.id });
  await app.database.collection('oidc').deleteMany({ 'payload.kind': 'Session' });
  const kept = await rp.refresh(old.refresh_token ?? '');
  expect(kept.status).toBe(200);

  const browser = app.browser();
  const own = await signIn(browser, rp, anna, consent);
  await changePassword(browser);

  expect((await rp.refresh(kept.refresh_token ?? '')).error).toBe('invalid_grant');
  expect(await rp.silent(browser)).toBe('code');
  expect((await rp.refresh(own.refresh_token ?? '')).status).toBe(200);
  expect((await browser.open('/account')).text).toContain('anna@example.com');
});
