import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PASSWORD, RP, startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ clients: [{ ...RP, issue_refresh_token: true }] });
});
afterAll(() => app.stop());

test('ending a session that was broken off after its tombstone still ends its grants', async () => {
  const account = await app.account('anna@example.com');
  const rp = new RelyingParty(app.issuer);
  const browser = app.browser();
  const { url, verifier } = rp.request();
  const page = await browser.submit(await browser.open(url), { login: account.login, password: PASSWORD });
  const { refresh_token: token = '' } = await rp.tokens(page, verifier);
  expect(token).not.toBe('');
  const [session] = await app.app.sessions.list(account.id);
  const uid = session?._id ?? '';

  await app.app.oidc.sessions.revoke(uid);
  const grants = app.database.collection('oidc');
  expect(await grants.countDocuments({ 'payload.kind': 'RefreshToken' })).toBe(1);
  expect(await app.app.sessions.end(account.id, uid, { requestId: 'test' })).toBe(true);
  expect(await grants.countDocuments({ 'payload.kind': { $in: ['RefreshToken', 'Grant'] } })).toBe(0);
  expect((await rp.refresh(token)).error).toBe('invalid_grant');
});
