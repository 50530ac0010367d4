/** Prevents: that a suspension lends a session from before it, with the password alone, what outlives the suspension. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import { OLGA, signInSuspended } from '../recovery-desk/support.js';
import { RP, startApp, type TestApp } from '../support/app.js';
import type { Browser } from '../support/browser.js';
import { FakeClock } from '../support/clock.js';
import { RelyingParty } from '../support/relying-party.js';
import { typePassword } from './support.js';

const STRICT = {
  ...RP,
  client_id: 'strict',
  redirect_uris: ['https://strict.example/cb'],
  minimum_acr: '2fa',
  issue_refresh_token: true,
};

const clock = new FakeClock(new Date('2026-11-23T07:55:00.400Z'));
let app: TestApp;
let open: RelyingParty;
let strict: RelyingParty;

beforeAll(async () => {
  app = await startApp(
    { clients: [RP, STRICT], sessions: { idleSeconds: 200_000, overallSeconds: 400_000 } },
    { clock },
  );
  open = new RelyingParty(app.issuer);
  strict = new RelyingParty(app.issuer, 'strict', undefined, 'https://strict.example/cb');
  Object.assign(strict, { secret: open.secret });
});
afterAll(() => app.stop());

/** Signed in with the password alone, to an application that is content with it; then the second step is lifted. */
async function signedInBefore(login: string): Promise<{ browser: Browser; account: Account }> {
  const account = await app.account(login);
  const browser = app.browser();
  const { url, verifier } = open.request();
  await open.tokens(await typePassword(browser, url, login), verifier);
  clock.advance(5);
  await app.app.desk.start(account, { hours: 24, otherBrowsers: 'password_alone' }, OLGA);
  return { browser, account };
}

test('it opens no application that asks for two factors: the password is asked for, and dated into the suspension', async () => {
  const { browser, account } = await signedInBefore('anna@example.com');
  expect(await strict.silent(browser)).toBe('login_required');
  const { page, verifier } = await signInSuspended(browser, strict, account.login);
  const tokens = await strict.tokens(page, verifier);
  expect(tokens.claims).toMatchObject({ acr: 'urn:countersign:acr:1fa' });
  clock.advance(86_401);
  expect(await strict.refresh(tokens.refresh_token ?? '')).toMatchObject({ error: 'invalid_grant' });
  expect((await strict.userinfo(tokens.access_token)).status).toBe(401);
  expect(await strict.silent(browser)).toBe('login_required');
});
