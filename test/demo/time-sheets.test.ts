import type { Server } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createDemoApp } from '../../src/demo/index.js';
import { systemClock } from '../../src/platform/clock.js';
import { testDatabase } from '../support/database.js';
import { startBareIssuer } from './bare-issuer.js';
import { PlainBrowser } from './browser.js';

let database: Awaited<ReturnType<typeof testDatabase>>;
let issuer: Awaited<ReturnType<typeof startBareIssuer>>;
let demo: Server;
let base: string;
let browser: PlainBrowser;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });

beforeAll(async () => {
  database = await testDatabase();
  const [port, issuerPort] = [await freePort(), await freePort()];
  base = `http://localhost:${port}`;
  issuer = await startBareIssuer(issuerPort, base);
  const app = createDemoApp({
    issuer: issuer.issuer,
    baseUrl: base,
    clientId: 'demo-app',
    clientSecret: 'demo-secret',
    accounts: [],
    database,
    clock: systemClock,
    log: (line) => console.warn(line),
  });
  await new Promise<void>((resolve) => {
    demo = app.listen(port, '127.0.0.1', resolve);
  });
});
beforeEach(() => {
  browser = new PlainBrowser();
  Object.assign(issuer.next, { accountId: 'acc_1', acr: 'urn:countersign:acr:1fa', amr: ['pwd'], refuse: false });
});
afterAll(async () => {
  for (const server of [demo, issuer.server]) {
    server.close();
    server.closeAllConnections();
  }
  await database.drop();
});

const signIn = (query = '') => browser.open(`${base}/app/sign-in${query}`);

test('signs in with PKCE, state, nonce and the API as resource; shows tokens and profile', async () => {
  const page = await signIn('?login_hint=anna%40example.com');
  expect(page.url).toBe(`${base}/app`);
  expect(page.text).toContain('Anna Alvarez');
  expect(page.text).toContain('urn:countersign:acr:1fa');
  expect(page.text).toContain('at+jwt');
  const asked = issuer.requests.at(-1);
  expect(asked?.get('code_challenge_method')).toBe('S256');
  expect(asked?.get('resource')).toBe(`${base}/api`);
  expect(asked?.get('login_hint')).toBe('anna@example.com');
  for (const name of ['state', 'nonce', 'code_challenge']) expect(asked?.get(name)?.length).toBeGreaterThan(20);
});

test('the API wants the second step; after the step-up it answers', async () => {
  await signIn();
  const refused = await browser.open(`${base}/app/call-api`, {});
  expect(refused.text).toContain('insufficient_user_authentication');
  expect(refused.text).toContain('Step up, then call again');
  Object.assign(issuer.next, { acr: 'urn:countersign:acr:2fa', amr: ['pwd', 'otp', 'mfa'] });
  await signIn('?ask=second');
  expect(JSON.parse(issuer.requests.at(-1)?.get('claims') ?? '')).toEqual({
    id_token: { acr: { essential: true, values: ['urn:countersign:acr:2fa', 'phr'] } },
  });
  const page = await browser.open(`${base}/app/call-api`, {});
  expect(page.text).toContain('It answered <b>200</b>');
  expect(page.text).toContain('Lighthouse');
});

test('asks for a fresh sign-in and for an essential level as the specification spells it', async () => {
  const page = await signIn('?ask=anew');
  expect(page.url).toBe(`${base}/app`);
  expect(issuer.requests.at(-1)?.get('max_age')).toBe('0');
  await signIn('?ask=prefer');
  expect(issuer.requests.at(-1)?.get('acr_values')).toBe('urn:countersign:acr:2fa');
  issuer.next.acr = 'phr';
  await signIn('?ask=key');
  expect(JSON.parse(issuer.requests.at(-1)?.get('claims') ?? '')).toEqual({
    id_token: { acr: { essential: true, value: 'phr' } },
  });
});

test('refreshes, and shows that the refresh token was rotated', async () => {
  await signIn();
  const page = await browser.open(`${base}/app/refresh`, {});
  expect(page.text).toContain('for a new API token');
  expect(page.text).toContain('rotated');
});

test('a sign-in that the issuer ended ends here too', async () => {
  await signIn();
  const findGrant = issuer.provider.Grant.find;
  issuer.provider.Grant.find = async () => undefined;
  try {
    const page = await browser.open(`${base}/app/refresh`, {});
    expect(page.text).toContain('Your sign-in has ended');
  } finally {
    issuer.provider.Grant.find = findGrant;
  }
  expect((await browser.open(`${base}/app`)).text).toContain('Signing in is done by your company');
});

test('a cancelled sign-in is told kindly', async () => {
  issuer.next.refuse = true;
  const page = await signIn();
  expect(page.text).toContain('The sign-in was cancelled');
  expect(page.text).toContain('access_denied');
});

test('an answer works once, and only in the browser that asked', async () => {
  await signIn();
  const callback = browser.visited.find((url) => url.startsWith(`${base}/callback`)) ?? '';
  expect((await browser.open(callback)).text).toContain('unknown_state');
  const start = await fetch(`${base}/app/sign-in`, { redirect: 'manual' });
  const state = new URL(start.headers.get('location') ?? '').searchParams.get('state');
  const stranger = await new PlainBrowser().open(`${base}/callback?code=x&state=${state}`);
  expect(stranger.text).toContain('unknown_state');
});

test('sign-out ends the session here and leads to the issuer with the ID token as hint', async () => {
  await signIn();
  await browser.open(`${base}/app/sign-out`, {});
  const left = browser.visited.map((url) => new URL(url)).find(({ pathname }) => pathname === '/session/end');
  expect(left?.searchParams.get('id_token_hint')).toMatch(/^ey/);
  expect(left?.searchParams.get('post_logout_redirect_uri')).toBe(`${base}/signed-out`);
  expect((await browser.open(`${base}/app`)).text).toContain('Signing in is done by your company');
});

test('a back-channel logout ends exactly the session it names, and no sign-in that is on its way', async () => {
  await signIn();
  const other = new PlainBrowser();
  await other.open(`${base}/app/sign-in`);
  const page = await browser.open(`${base}/app`);
  const sid = /&quot;sid&quot;: &quot;([^&]+)&quot;/.exec(page.text)?.[1] ?? '';
  expect(sid).not.toBe('');
  const underWay = await browser.open(`${base}/app/sign-in?ask=other`, undefined, `${base}/callback`);
  const client = await issuer.provider.Client.find('demo-app');
  if (!client) throw new Error('no client');
  const { IdToken } = issuer.provider as unknown as {
    IdToken: new (
      claims: object,
      options: object,
    ) => { mask: object; set(name: string, value: unknown): void; issue(options: object): Promise<string> };
  };
  const token = new IdToken({ sub: 'acc_1' }, { client, ctx: undefined });
  token.mask = { sub: null };
  token.set('jti', 'logout-1');
  token.set('events', { 'http://schemas.openid.net/event/backchannel-logout': {} });
  token.set('sid', sid);
  const order = await token.issue({ use: 'logout' });
  const answer = await fetch(`${base}/backchannel-logout`, {
    method: 'POST',
    body: new URLSearchParams({ logout_token: order }),
  });
  expect(answer.status).toBe(200);
  expect((await browser.open(`${base}/app`)).text).toContain('Signing in is done by your company');
  expect((await other.open(`${base}/app`)).text).toContain('Signed in as');
  expect((await browser.open(underWay.url)).text).toContain('Signed in as');
});

test('the television shows a code and connects once it was entered', async () => {
  const waiting = await browser.open(`${base}/tv`, {});
  const code = /class="digits">([^<]+)</.exec(waiting.text)?.[1] ?? '';
  expect(code).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
  expect(waiting.text).toContain('http-equiv="refresh"');
  const phone = new PlainBrowser();
  const form = await phone.open(`${issuer.issuer}/device?user_code=${code}`);
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(form.text)?.[1] ?? '';
  const sure = await phone.open(`${issuer.issuer}/device`, { xsrf, user_code: code });
  const again = /name="xsrf" value="([^"]+)"/.exec(sure.text)?.[1] ?? xsrf;
  await phone.open(`${issuer.issuer}/device`, { xsrf: again, user_code: code, confirm: 'yes' });
  let page = await browser.open(`${base}/tv`);
  for (let tries = 0; tries < 30 && page.text.includes('http-equiv="refresh"'); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    page = await browser.open(`${base}/tv`);
  }
  expect(page.text).toContain('This television is connected');
  expect((await browser.open(`${base}/tv/off`, {})).text).toContain('Connect this television');
});
