/** A session, a sign-out or a deactivation at one node, and what the other one does from then on. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { person, signIn } from '../security/support.js';
import { Browser } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Cluster, startCluster } from './cluster.js';

/** From the answer that says it is done until it holds everywhere. */
const WITHIN_MS = 1_000;

let cluster: Cluster;
let rp: RelyingParty;
beforeAll(async () => {
  cluster = await startCluster();
  rp = new RelyingParty(cluster.issuer);
}, 60_000);
afterAll(() => cluster.stop());
beforeEach(() => {
  cluster.balancer.to = 'a';
});

const onlySession = async (accountId: string): Promise<string> => {
  const [session] = await cluster.office.app.sessions.list(accountId);
  return session?._id ?? '';
};

test.each([
  ['an authorization request', () => rp.request().url.href],
  ['a silent authorization request', () => rp.request({ prompt: 'none' }).url.href],
])(
  '%s under way at A while B ends its session: the session stays ended, and nothing of the answer leaves',
  async (what, address) => {
    const someone = await person(cluster.office, `${what.replaceAll(' ', '.')}@example.com`);
    const browser = new Browser(cluster.issuer);
    await signIn(browser, rp, someone);
    const uid = await onlySession(someone.account.id);
    const cookie = browser.cookie('countersign-session') ?? '';
    const elsewhere = new Browser(cluster.issuer);
    cluster.balancer.to = 'b';
    await signIn(elsewhere, rp, someone);
    const page = await elsewhere.open('/account');

    cluster.balancer.to = 'a';
    const write = cluster.gate.hold('update\0', 'Session:');
    const slow = browser.request(address());
    await write.reached;
    cluster.balancer.to = 'b';
    expect((await elsewhere.submit(page, {}, `/account/sessions/${uid}/end`)).status).toBe(200);
    write.release();

    const answer = await slow;
    expect(answer.headers.get('location') ?? '').not.toMatch(/[?&]code=/);
    expect(answer.status).toBe(303);
    expect(new URL(answer.headers.get('location') ?? '', cluster.issuer).pathname).toBe('/auth');
    expect(answer.headers.getSetCookie().filter((line) => /^countersign-session=[^;]/.test(line))).toEqual([]);
    for (const node of ['a', 'b'] as const) {
      cluster.balancer.to = node;
      const thief = new Browser(cluster.issuer);
      thief.setCookie('countersign-session', cookie);
      for (const { name, value } of browser.cookies())
        if (name === 'countersign-session.sig') thief.setCookie(name, value);
      expect(await rp.silent(thief)).toBe('login_required');
      expect(await rp.silent(browser)).toBe('login_required');
      expect((await browser.open('/account')).url.pathname).toMatch(/^\/sign-in\//);
      expect(await rp.silent(elsewhere)).toBe('code');
    }
  },
);

test('a code that was about to be issued for a session that ended is not worth anything', async () => {
  const someone = await person(cluster.office, 'late@example.com');
  const browser = new Browser(cluster.issuer);
  await signIn(browser, rp, someone);
  const uid = await onlySession(someone.account.id);
  const { url, verifier } = rp.request();
  const page = await browser.open(url);
  cluster.balancer.to = 'b';
  await cluster.office.app.sessions.end(someone.account.id, uid, { requestId: 'from-elsewhere' });
  cluster.balancer.to = 'a';
  expect(await rp.exchange(rp.answer(page).code ?? '', verifier)).toMatchObject({ error: 'invalid_grant' });
});

test.each([
  [
    'signing out everywhere at A',
    async (browser: Browser) => {
      cluster.balancer.to = 'a';
      const done = await browser.submit(
        await browser.open('/account/sign-out-everywhere'),
        {},
        '/account/sign-out-everywhere',
      );
      expect(done.status).toBe(200);
    },
  ],
  [
    'deactivation by an operator',
    async (_browser: Browser, accountId: string) => {
      await cluster.office.app.accounts.deactivate(accountId);
    },
  ],
])('%s holds at both nodes within a second: refresh, userinfo, introspection, session', async (what, end) => {
  const someone = await person(cluster.office, `${what.replaceAll(' ', '.')}@example.com`);
  const browser = new Browser(cluster.issuer);
  cluster.balancer.to = 'b';
  const tokens = await signIn(browser, rp, someone);
  expect((await rp.userinfo(tokens.access_token)).status).toBe(200);
  expect(await rp.silent(browser)).toBe('code');
  const copy = browser.clone();

  await end(browser, someone.account.id);
  const ended = performance.now();
  for (const node of ['b', 'a'] as const) {
    cluster.balancer.to = node;
    expect((await rp.userinfo(tokens.access_token)).status).toBe(401);
    const introspected = await rp.post('/token/introspection', { token: tokens.access_token });
    expect(await introspected.json()).toEqual({ active: false });
    expect(await rp.refresh(tokens.refresh_token ?? '')).toMatchObject({ error: 'invalid_grant' });
    expect(await rp.silent(copy)).toBe('login_required');
  }
  expect(performance.now() - ended).toBeLessThan(WITHIN_MS * 2);
});
