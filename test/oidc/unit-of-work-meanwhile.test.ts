/** What happens elsewhere while an answer is being written: it leaves with tokens that are worth nothing, or not at all. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Person, person, signIn, typePassword, typeRecoveryCode } from '../security/support.js';
import { RP, startApp, type TestApp } from '../support/app.js';
import type { Browser } from '../support/browser.js';
import { testDatabase } from '../support/database.js';
import { RelyingParty, type Tokens } from '../support/relying-party.js';
import { UnsteadyDatabase } from './unsteady-database.js';

const unsteady = new UnsteadyDatabase();
let database: Awaited<ReturnType<typeof testDatabase>>;
let app: TestApp;
let rp: RelyingParty;
beforeAll(async () => {
  database = await testDatabase();
  const clients = [{ ...RP, issue_refresh_token: true }];
  app = await startApp({ clients }, { database: unsteady.over(database) });
  rp = new RelyingParty(app.issuer);
});
afterEach(() => unsteady.steady());
afterAll(async () => {
  await app.stop();
  await database.drop();
});

const worthNothing = async (tokens: Tokens): Promise<void> => {
  expect(tokens.status).toBe(200);
  expect((await rp.userinfo(tokens.access_token)).status).toBe(401);
  for (const token of [tokens.access_token, tokens.refresh_token ?? ''])
    expect(await (await rp.post('/token/introspection', { token })).json()).toEqual({ active: false });
  expect(await rp.refresh(tokens.refresh_token ?? '')).toMatchObject({ status: 400, error: 'invalid_grant' });
};

let count = 0;
const begin = async (): Promise<{ someone: Person; browser: Browser; code: string; verifier: string }> => {
  count += 1;
  const someone = await person(app, `p${count}@example.com`);
  const browser = app.browser();
  const { url, verifier } = rp.request();
  const page = await typeRecoveryCode(browser, await typePassword(browser, url, someone.account.login), someone);
  return { someone, browser, verifier, code: rp.answer(page).code ?? '' };
};

test.each([
  ['its code is used again', async ({ code, verifier }) => void (await rp.exchange(code, verifier))],
  [
    'the person logs out in another tab',
    async ({ browser }) => {
      const page = await browser.open(`/session/end?client_id=${rp.clientId}`);
      expect((await browser.submit(page, { logout: 'yes' })).status).toBe(200);
    },
  ],
  ['the account is deactivated', async ({ someone }) => void (await app.app.accounts.deactivate(someone.account.id))],
  [
    'the person signs out everywhere',
    async ({ someone }) => void (await app.app.sessions.endAll(someone.account.id, undefined)),
  ],
  [
    'an administrator revokes the grant',
    async ({ someone }) => {
      const [grant] = await app.app.oidc.listGrants(someone.account.id);
      await app.app.oidc.revokeGrant(grant?.id ?? '');
    },
  ],
] as [string, (begun: Awaited<ReturnType<typeof begin>>) => Promise<void>][])(
  'tokens on their way while %s are worth nothing',
  async (_what, end) => {
    const begun = await begin();
    const { reached, release } = unsteady.hold('AccessToken:');
    const late = rp.exchange(begun.code, begun.verifier);
    await reached;
    await end(begun);
    release();
    await worthNothing(await late);
  },
);

test('a refresh token used again while the next one is on its way: the next one is worth nothing', async () => {
  const someone = await person(app, 'refresh@example.com');
  const tokens = await signIn(app.browser(), rp, someone);
  const { reached, release } = unsteady.hold('AccessToken:');
  const late = rp.refresh(tokens.refresh_token ?? '');
  await reached;
  expect(await rp.refresh(tokens.refresh_token ?? '')).toMatchObject({ error: 'invalid_grant' });
  release();
  await worthNothing(await late);
});

test('tokens that were written though the database could not say so: the answer has none, and its code is used', async () => {
  const { someone, code, verifier } = await begin();
  unsteady.losesAnswer = (operation, ...args) =>
    operation === 'bulkWrite' && JSON.stringify(args).includes('AccessToken:');
  expect(await rp.exchange(code, verifier)).toEqual({
    status: 503,
    error: 'server_error',
    error_description: expect.anything(),
  });
  unsteady.steady();
  expect(await rp.exchange(code, verifier)).toMatchObject({ status: 400, error: 'invalid_grant' });
  const written = { _id: /^(Access|Refresh)Token:/, 'payload.accountId': someone.account.id };
  expect(await database.collection('oidc').countDocuments(written as never)).toBe(0);
});
