import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import { FakeClock } from '../support/clock.js';
import { RelyingParty } from '../support/relying-party.js';

/** Sessions know whole seconds; "sign out everywhere" falls between two of them. */
const clock = new FakeClock(new Date(Math.floor(Date.now() / 1000) * 1000 + 400));
let app: TestApp;
beforeAll(async () => {
  app = await startApp({}, { clock });
});
afterAll(() => app.stop());

test('a sign-in right after "sign out everywhere" counts, one right before it does not', async () => {
  const account = await app.account('anna@example.com');
  const rp = new RelyingParty(app.issuer);
  const credentials = { login: account.login, password: PASSWORD };
  const before = app.browser();
  await before.submit(await before.open(rp.request().url), credentials);
  expect(await rp.silent(before)).toBe('code');

  await app.app.sessions.endAll(account.id, { requestId: 'test' });
  expect(await rp.silent(before)).toBe('login_required');

  const after = app.browser();
  await after.submit(await after.open(rp.request().url), credentials);
  expect(await rp.silent(after)).toBe('code');
  expect(await rp.silent(before)).toBe('login_required');
});
