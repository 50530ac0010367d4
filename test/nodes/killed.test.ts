/** `kill -9` of the node that just answered, between each two steps of a sign-in: the other node goes on from there. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { generateSync } from 'otplib';
import { type Person, person, signIn, typePassword, typeRecoveryCode } from '../security/support.js';
import { PASSWORD } from '../support/app.js';
import { Browser, type Page } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Cluster, startCluster } from './cluster.js';

let cluster: Cluster;
let rp: RelyingParty;
let anna: Person;
let browser: Browser;
let replaced: Promise<void> | undefined;
beforeAll(async () => {
  cluster = await startCluster({ policy: { firstEnrolment: 'password', setUp: { required: true } } });
  rp = new RelyingParty(cluster.issuer);
  anna = await person(cluster.office, 'anna@example.com');
}, 60_000);
afterAll(() => cluster.stop());
beforeEach(() => {
  browser = new Browser(cluster.issuer);
  cluster.balancer.to = 'a';
});
afterEach(async () => {
  await replaced;
  replaced = undefined;
}, 60_000);

const killA = async (): Promise<void> => {
  await cluster.nodes.a.kill();
  cluster.balancer.to = 'b';
  // For the next test, while this one goes on at B.
  replaced = cluster.revive('a');
};

/** One request whose redirect is not followed: the node dies with its answer just out. */
const post = (page: Page, values: Record<string, string>) => {
  const form = page.forms.find(({ names }) => Object.keys(values).every((name) => names.includes(name)));
  return browser.request(form?.action ?? '', { method: 'POST', form: { ...form?.values, ...values } });
};
const follow = (answer: Response): Promise<Page> => {
  expect(answer.status).toBe(303);
  return browser.open(answer.headers.get('location') ?? '');
};
const withRecoveryCode = (page: Page): URL =>
  new URL(page.url.href.replace(/(\/second-factor\/[^/]+).*/, '$1/with/recovery_code'));

test('after the authorization request and the login page', async () => {
  const { url, verifier } = rp.request();
  const started = await browser.request(url);
  await killA();
  const page = await browser.submit(await follow(started), { login: 'anna@example.com', password: PASSWORD });
  expect((await rp.tokens(await typeRecoveryCode(browser, page, anna), verifier)).claims.sub).toBe(anna.account.id);
});

test('after the right password', async () => {
  const { url, verifier } = rp.request();
  const answer = await post(await browser.open(url), { login: 'anna@example.com', password: PASSWORD });
  await killA();
  const page = await follow(answer);
  expect(page.url.pathname).toMatch(/^\/second-factor\//);
  expect((await rp.tokens(await typeRecoveryCode(browser, page, anna), verifier)).claims.sub).toBe(anna.account.id);
});

test('after the right code: the sign-in goes on, and the code is spent', async () => {
  const { url, verifier } = rp.request();
  const entry = await typePassword(browser, url, 'anna@example.com');
  const code = anna.recoveryCodes.pop() ?? '';
  const answer = await post(await browser.open(withRecoveryCode(entry)), { code });
  await killA();
  expect((await rp.tokens(await follow(answer), verifier)).claims).toMatchObject({
    sub: anna.account.id,
    acr: 'urn:countersign:acr:2fa',
  });
  const second = new Browser(cluster.issuer);
  const again = await typeRecoveryCode(second, await typePassword(second, rp.request().url, 'anna@example.com'), {
    ...anna,
    recoveryCodes: [code],
  });
  expect(again.status).toBe(422);
});

test('after a code was spent and before the answer: nobody is signed in, the code stays spent, another one does', async () => {
  const { url } = rp.request();
  const entry = await typePassword(browser, url, 'anna@example.com');
  const form = await browser.open(withRecoveryCode(entry));
  const code = anna.recoveryCodes.pop() ?? '';
  const write = cluster.gate.hold('update\0', 'Interaction:');
  const lost = post(form, { code });
  await write.reached;
  await killA();
  expect((await lost).status).toBe(502);
  expect(await rp.silent(browser)).toBe('login_required');
  const over = await browser.submit(form, { code });
  expect([over.status, over.h1]).toEqual([400, 'This sign-in has ended']);
  expect(over.html).toContain('href="https://rp.example/"');

  const { url: again, verifier } = rp.request();
  const entered = await browser.open(withRecoveryCode(await typePassword(browser, again, 'anna@example.com')));
  const refused = await browser.submit(entered, { code });
  expect(refused.status).toBe(422);
  const page = await typeRecoveryCode(browser, refused, anna);
  expect((await rp.tokens(page, verifier)).claims.sub).toBe(anna.account.id);
});

test('after the set-up of an authenticator was confirmed: it stays, its code is spent, the recovery codes come next', async () => {
  const ben = await cluster.office.account('ben@example.com');
  const { url, verifier } = rp.request();
  const start = await typePassword(browser, url, 'ben@example.com');
  const scan = await browser.submit(start, { method: 'totp' });
  const secret = /secret=([A-Z2-7]+)/.exec(scan.html)?.[1] ?? '';
  const code = generateSync({ secret });
  const answer = await post(scan, { code });
  await killA();
  const codes = await follow(answer);
  const [saved = ''] = /[0-9A-Z]{4}(-[0-9A-Z]{4}){3}/.exec(codes.text) ?? [];
  const page = await browser.submit(codes, { code: saved });
  expect((await rp.tokens(page, verifier)).claims.sub).toBe(ben.id);

  const second = new Browser(cluster.issuer);
  const enter = await typePassword(second, rp.request().url, 'ben@example.com');
  expect((await second.submit(enter, { code })).status).toBe(422);
  // Confirming the recovery codes did not spend the one that was typed.
  const entered = await typeRecoveryCode(second, enter, { account: ben, recoveryCodes: [saved] } as unknown as Person);
  expect(rp.answer(entered).code).toBeDefined();
});

test('between the authorization code and its exchange: it is good once', async () => {
  const { url, verifier } = rp.request();
  const page = await typeRecoveryCode(browser, await typePassword(browser, url, 'anna@example.com'), anna);
  await killA();
  const { claims } = await rp.tokens(page, verifier);
  expect(claims.sub).toBe(anna.account.id);
  expect(await rp.exchange(rp.answer(page).code ?? '', verifier)).toMatchObject({ error: 'invalid_grant' });
});

test('after a refresh: the new token is good, the old one is spent', async () => {
  const tokens = await signIn(browser, rp, anna);
  const refreshed = await rp.refresh(tokens.refresh_token ?? '');
  expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
  await killA();
  const next = await rp.refresh(refreshed.refresh_token ?? '');
  expect(next.status).toBe(200);
  expect(await rp.refresh(tokens.refresh_token ?? '')).toMatchObject({ error: 'invalid_grant' });
  expect(await rp.silent(browser)).toBe('code');
});
