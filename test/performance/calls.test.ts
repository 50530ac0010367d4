/** How often each request asks the database. A call costs more than all else a request does, so that a new one must be seen. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { generateSync } from 'otplib';
import { fetchOutcome, numberOn } from '../app/employee.js';
import { pairPhone } from '../app/trusted-phone.js';
import { PASSWORD, RP, startApp, type TestApp } from '../support/app.js';
import { Browser } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { type WatchedDatabase, watchedDatabase } from './database-calls.js';

interface Counted {
  name: string;
  calls: string[];
}

/** The most that each request may ask, and what for. Lower a number when a call was saved; raise none without a reason. */
const AT_MOST: Record<string, Record<string, number>> = {
  'full sign-in': {
    // The interaction written.
    'GET /auth': 1,
    // The interaction read.
    'GET /sign-in/:uid': 1,
    // The interaction read and written; an attempt counted for the network and for the login in one call, settled in another;
    // the account with its password by login. Where the application demands two factors, what is set up cannot change what is next.
    'POST /sign-in/:uid': 5,
    // The interaction read; it ended and the next one written in one call: the library's own way from prompt to prompt. The second
    // of a sign-in reads the account with it and writes grant, code and session; notes the sign-in in our list of sessions and in
    // the audit.
    'GET /auth/:uid (1)': 2,
    'GET /auth/:uid (2)': 4,
    // Interaction with its account, and factors.
    'GET /second-factor/:uid': 2,
    // Interaction with its account; attempt counted and settled; factors read and the code's time step claimed; challenge claimed;
    // audit; interaction written.
    'POST /second-factor/:uid/with/totp': 8,
  },
  'confirmed in the app': {
    'GET /auth': 1,
    'GET /sign-in/:uid': 1,
    'POST /sign-in/:uid': 5,
    'GET /auth/:uid (1)': 2,
    'GET /auth/:uid (2)': 4,
    // As for a code; what this sign-in and its account are asked already; whether answers are taken; the question asked.
    'GET /second-factor/:uid': 5,
    // Interaction with its account; how its question stands.
    'GET /second-factor/:uid/with/app/events': 2,
    // Interaction with its account; the question claimed, and the phone's use noted; audit; interaction written.
    'POST /second-factor/:uid/with/app': 5,
    // Device with its account and what waits; the request remembered, since each counts once. That the phone was heard of is written
    // later, with that of others.
    'POST /challenges': 2,
    // Device with its account and what waits; the request remembered; the guess counted and settled; the question answered.
    'POST /answer': 5,
  },
  'second application of a live session': {
    // Session with account and grant read; code and session written.
    'GET /auth': 2,
  },
  'code exchange': {
    // Code with session, grant and account read; code consumed; access token and refresh token written.
    'POST /token': 3,
  },
  refresh: {
    // Refresh token with session, grant and account read; the old one consumed; the new one and the access token written, and the
    // idle time of the session starts anew.
    'POST /token': 3,
  },
  userinfo: {
    // Access token with session, grant and account.
    'GET /me': 1,
  },
};

const LOGIN = 'anna@example.com';
let app: TestApp;
let database: WatchedDatabase;
let secret: string;
const codeAt = (secondsAgo: number): string =>
  generateSync({ secret, epoch: Math.floor(Date.now() / 1000) - secondsAgo });

async function counted<T>(name: string, work: () => Promise<T>): Promise<Counted & { answer: T }> {
  database.take();
  const answer = await work();
  return { name, answer, calls: database.take() };
}

class WatchedBrowser extends Browser {
  readonly requests: Counted[] = [];

  override async request(...args: Parameters<Browser['request']>): ReturnType<Browser['request']> {
    const [url, { method = 'GET' } = {}] = args;
    const path = new URL(url).pathname.replace(/\/[\w-]{20,}(?=\/|$)/, '/:uid');
    const { answer, ...request } = await counted(`${method} ${path}`, () => super.request(...args));
    this.requests.push(request);
    return answer;
  }
}

/** Requests of the same shape get a number. */
const numbered = (requests: readonly Counted[]): Counted[] =>
  requests.map((request, index) => {
    const same = requests.filter(({ name }) => name === request.name);
    if (same.length === 1) return request;
    return {
      ...request,
      name: `${request.name} (${requests.slice(0, index + 1).filter((r) => same.includes(r)).length})`,
    };
  });

function expectAtMost(operation: string, all: readonly Counted[]): void {
  const requests = numbered(all);
  const total = requests.reduce((sum, { calls }) => sum + calls.length, 0);
  const lines = requests.flatMap(({ name, calls }) => [`  ${name}: ${calls.length}`, ...calls.map((c) => `    ${c}`)]);
  const listing = [`${operation}: ${total} calls`, ...lines].join('\n');
  console.log(listing);
  const limits = AT_MOST[operation] ?? {};
  const over = requests.filter(({ name, calls }) => !(calls.length <= (limits[name] ?? -1)));
  // Else nobody has counted.
  expect(total).toBeGreaterThan(0);
  expect({ over: over.map(({ name, calls }) => ({ name, calls })), missing: missingOf(limits, requests) }).toEqual({
    over: [],
    missing: [],
  });
}

const missingOf = (limits: Record<string, number>, requests: readonly Counted[]): string[] =>
  Object.keys(limits).filter((name) => !requests.some((request) => request.name === name));

beforeAll(async () => {
  database = await watchedDatabase(`test_${randomBytes(6).toString('hex')}`);
  app = await startApp(
    {
      clients: [{ ...RP, issue_refresh_token: true, minimum_acr: '2fa' }],
      methods: [{ id: 'app' }, { id: 'totp' }],
    },
    { database },
  );
  const account = await app.account(LOGIN);
  const origin = { requestId: 'set-up' };
  const step = await app.app.engine.beginEnrolment(account, 'totp', origin);
  secret = new URL(String(step?.locals.otpauthUri)).searchParams.get('secret') ?? '';
  await app.app.engine.confirmEnrolment(account, 'totp', { code: codeAt(30) }, origin);
});
afterAll(async () => {
  await app.stop();
  await database.drop();
});

test('a sign-in with password and code, an exchange, a refresh, userinfo, and a second application', async () => {
  const rp = new RelyingParty(app.issuer);
  const browser = new WatchedBrowser(app.issuer);
  const { url, verifier } = rp.request();
  let page = await browser.open(url);
  page = await browser.submit(page, { login: LOGIN, password: PASSWORD });
  page = await browser.submit(page, { code: codeAt(0) });
  const { code = '' } = rp.answer(page);
  const exchange = await counted('POST /token', () => rp.exchange(code, verifier));
  const refresh = await counted('POST /token', () => rp.refresh(exchange.answer.refresh_token ?? ''));
  const userinfo = await counted('GET /me', () => rp.userinfo(refresh.answer.access_token));
  expect([exchange.answer.status, refresh.answer.status, userinfo.answer.status]).toEqual([200, 200, 200]);

  expectAtMost('full sign-in', browser.requests);
  expectAtMost('code exchange', [exchange]);
  expectAtMost('refresh', [refresh]);
  expectAtMost('userinfo', [userinfo]);

  browser.requests.length = 0;
  await browser.open(rp.request().url);
  expectAtMost('second application of a live session', browser.requests);
});

test('a sign-in that is confirmed in the app', async () => {
  const phone = await pairPhone(app, await app.account('bela@example.com'));
  const rp = new RelyingParty(app.issuer);
  const browser = new WatchedBrowser(app.issuer);
  let page = await browser.open(rp.request().url);
  page = await browser.submit(page, { login: 'bela@example.com', password: PASSWORD });
  const list = await counted('POST /challenges', () => phone.list());
  const [challenge] = list.answer;
  if (!challenge) throw new Error('nothing waits');
  const answer = await counted('POST /answer', () => phone.answer(challenge, 'approve', numberOn(page)));
  expect(answer.answer).toBe('approved');
  const [, events = ''] = /data-events="([^"]+)"/.exec(page.html) ?? [];
  expect((await browser.request(new URL(`${events}?since=1`, page.url))).html).toContain('data:answered');
  page = await fetchOutcome(browser, page);
  expect(rp.answer(page).code).toBeTruthy();
  expectAtMost('confirmed in the app', [...browser.requests, list, answer]);
});
