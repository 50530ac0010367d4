/** What becomes of an answer whose writes wait for its end: none leaves without them, whatever kind of answer it is. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { mongo } from 'mongoose';
import type { AdapterPayload } from 'oidc-provider';
import { type Person, person, signIn, typePassword, typeRecoveryCode } from '../security/support.js';
import { RP, startApp, type TestApp } from '../support/app.js';
import { testDatabase } from '../support/database.js';
import { RelyingParty } from '../support/relying-party.js';
import { isFlush, UnsteadyDatabase } from './unsteady-database.js';

interface Raw {
  _id: string;
  payload?: AdapterPayload;
}

const unsteady = new UnsteadyDatabase();
let database: Awaited<ReturnType<typeof testDatabase>>;
let app: TestApp;
let rp: RelyingParty;
let anna: Person;
beforeAll(async () => {
  database = await testDatabase();
  app = await startApp(
    {
      clients: [
        { ...RP, issue_refresh_token: true },
        { ...RP, client_id: 'wiki', first_party: false },
      ],
    },
    { database: unsteady.over(database) },
  );
  rp = new RelyingParty(app.issuer);
  anna = await person(app, 'anna@example.com');
});
afterEach(() => {
  unsteady.steady();
});
afterAll(async () => {
  await app.stop();
  await database.drop();
});

const count = (filter: mongo.Filter<Raw>) => database.collection<Raw>('oidc').countDocuments(filter);
const live = (prefix: string) => count({ _id: new RegExp(`^${prefix}:`), payload: { $exists: true } });
const successes = () => database.collection('audit_events').countDocuments({ type: 'authn_login_success' });

test('a sign-in that could not be written: 503, no cookie, no code; nothing is told of it, and it can be tried again', async () => {
  const browser = app.browser();
  const page = await typePassword(browser, rp.request().url, 'anna@example.com');
  const before = [await successes(), await live('Session'), await live('AuthorizationCode')];
  const records = await database.collection('sessions').countDocuments();
  let resumed = '';
  unsteady.fails = (operation, writes) => {
    if (operation !== 'bulkWrite') return false;
    resumed = JSON.stringify(writes);
    return resumed.includes('AuthorizationCode:');
  };
  const failed = await typeRecoveryCode(browser, page, anna);
  expect(resumed).toContain('Session:');
  expect(failed.status).toBe(503);
  expect(failed.headers.get('retry-after')).toBe('5');
  expect(failed.headers.get('location')).toBeNull();
  expect(failed.headers.getSetCookie().filter((line) => line.includes('session'))).toEqual([]);
  expect(failed.text).not.toContain('code=');
  expect([await successes(), await live('Session'), await live('AuthorizationCode')]).toEqual(before);
  expect(await database.collection('sessions').countDocuments()).toBe(records);

  unsteady.fails = () => false;
  const again = await signIn(app.browser(), rp, anna);
  expect(again.claims.sub).toBe(anna.account.id);
  expect(await successes()).toBe(Number(before[0]) + 1);
});

test('tokens that could not be written: the error of OAuth, as JSON, with 503', async () => {
  const browser = app.browser();
  const { url, verifier } = rp.request();
  const page = await typeRecoveryCode(browser, await typePassword(browser, url, 'anna@example.com'), anna);
  unsteady.fails = (operation, writes) => operation === 'bulkWrite' && JSON.stringify(writes).includes('AccessToken:');
  const answer = await rp.post('/token', {
    grant_type: 'authorization_code',
    code: rp.answer(page).code ?? '',
    redirect_uri: rp.redirectUri,
    code_verifier: verifier,
  });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('5');
  expect(answer.headers.get('content-type')).toContain('application/json');
  const body = (await answer.json()) as Record<string, string>;
  expect(body).toEqual({ error: 'server_error', error_description: expect.any(String) });
});

test('a fault of the token endpoint gives up its tokens', async () => {
  const { url, verifier } = rp.request();
  const browser = app.browser();
  const page = await typeRecoveryCode(browser, await typePassword(browser, url, 'anna@example.com'), anna);
  const before = await live('AccessToken');
  const { IdToken } = app.app.provider;
  const issue = IdToken.prototype.issue;
  IdToken.prototype.issue = async () => {
    throw new Error('no key to sign with');
  };
  const answer = await rp.exchange(rp.answer(page).code ?? '', verifier);
  IdToken.prototype.issue = issue;
  expect(answer).toMatchObject({ status: 500, error: 'server_error' });
  expect(await live('AccessToken')).toBe(before);
});

test('a page of an interaction that could not be written is none', async () => {
  unsteady.fails = isFlush;
  const browser = app.browser();
  const failed = await browser.open(rp.request().url);
  expect([failed.status, failed.headers.getSetCookie().filter((line) => line.includes('interaction'))]).toEqual([
    503,
    [],
  ]);
});

test('a refusal is written like any answer: the interaction of a cancelled sign-in is over', async () => {
  const browser = app.browser();
  const page = await typePassword(browser, rp.request().url, 'anna@example.com');
  const uid = page.url.pathname.split('/').at(-1);
  expect(await count({ _id: `Interaction:${uid}`, payload: { $exists: true } })).toBe(1);
  const cancel = page.forms.find(({ action }) => action.endsWith('/cancel'));
  const answer = await browser.request(cancel?.action ?? '', { method: 'POST', form: cancel?.values ?? {} });
  const resume = answer.headers.get('location') ?? '';
  const cancelled = await browser.open(resume);
  expect(rp.answer(cancelled).error).toBe('access_denied');
  expect(await count({ _id: `Interaction:${uid}`, payload: { $exists: true } })).toBe(0);
});

test('a refusal is written like any answer: a refresh token replayed ends its family', async () => {
  const tokens = await signIn(app.browser(), rp, anna);
  const next = await rp.refresh(tokens.refresh_token ?? '');
  expect(next.status).toBe(200);
  expect((await rp.refresh(tokens.refresh_token ?? '')).status).toBe(400);
  expect((await rp.refresh(next.refresh_token ?? '')).status).toBe(400);
  expect((await rp.userinfo(next.access_token)).status).toBe(401);
});

test('after a fault nothing is written but the end of the interaction, and the browser keeps its session', async () => {
  const browser = app.browser();
  await signIn(browser, rp, anna);
  const silently = async () => rp.answer(await browser.open(rp.request({ prompt: 'none' }).url));
  expect(await silently()).toHaveProperty('code');
  const codes = await live('AuthorizationCode');
  // The fault comes when the session has been given a new cookie value already.
  const page = await typePassword(browser, rp.request({ prompt: 'login' }).url, 'anna@example.com');
  const entry = await browser.open(`${page.url.href}/with/recovery_code`);
  const form = entry.forms.find(({ names }) => names.includes('code'));
  const code = anna.recoveryCodes.pop() ?? '';
  const done = await browser.request(form?.action ?? '', { method: 'POST', form: { ...form?.values, code } });
  const resume = done.headers.get('location') ?? '';
  expect(resume).toContain('/auth/');
  unsteady.fails = (operation, filter) => operation === 'findOne' && JSON.stringify(filter).includes('Grant:');
  const failed = await browser.request(resume);
  unsteady.fails = () => false;
  expect(failed.status).toBe(500);
  expect(failed.headers.getSetCookie().filter((line) => /session/.test(line))).toEqual([]);
  expect(await live('AuthorizationCode')).toBe(codes);
  expect(await count({ _id: `Interaction:${resume.split('/').at(-1)}`, payload: { $exists: true } })).toBe(0);
  expect(await silently()).toHaveProperty('code');
});

test('the same form sent twice at once: the second goes where the first one leads, though that is still being written', async () => {
  const browser = app.browser();
  const { url, verifier } = rp.request();
  const page = await typePassword(browser, url, 'anna@example.com');
  const entry = await browser.open(`${page.url.href}/with/recovery_code`);
  const form = entry.forms.find(({ names }) => names.includes('code'));
  const code = anna.recoveryCodes.pop() ?? '';
  const send = () => browser.request(form?.action ?? '', { method: 'POST', form: { ...form?.values, code } });
  const { reached, release } = unsteady.hold('second_factor');
  const first = send();
  await reached;
  let looks = 0;
  unsteady.fails = (operation, pipeline) => {
    if (operation !== 'aggregate' || !JSON.stringify(pipeline).includes('Interaction:')) return false;
    looks += 1;
    // It has looked for the result, which was not there yet.
    if (looks === 2) setTimeout(release, 50);
    return false;
  };
  const second = await send();
  expect([second.status, second.headers.get('location')]).toEqual([303, expect.stringContaining('/auth/')]);
  expect((await first).headers.get('location')).toBe(second.headers.get('location'));
  expect(looks).toBeGreaterThan(2);
  const end = await browser.open(second.headers.get('location') ?? '');
  expect((await rp.tokens(end, verifier)).claims.sub).toBe(anna.account.id);
});

test('an interaction that was cancelled meanwhile stays cancelled: what was proved in it says that it is over', async () => {
  const browser = app.browser();
  const page = await typePassword(browser, rp.request().url, 'anna@example.com');
  const uid = page.url.pathname.split('/').at(-1);
  const cancel = page.forms.find(({ action }) => action.endsWith('/cancel'));
  const { reached, release } = unsteady.hold('second_factor');
  const late = typeRecoveryCode(browser, page, anna);
  await reached;
  const answer = await browser.request(cancel?.action ?? '', { method: 'POST', form: cancel?.values ?? {} });
  expect(rp.answer(await browser.open(answer.headers.get('location') ?? '')).error).toBe('access_denied');
  release();
  const refused = await late;
  expect([refused.status, refused.headers.getSetCookie()]).toEqual([400, []]);
  expect(refused.text).toContain('This sign-in has ended');
  expect(await count({ _id: `Interaction:${uid}`, payload: { $exists: true } })).toBe(0);
});

test('a consent that could not be written is none: nothing tells of it', async () => {
  const browser = app.browser();
  const wiki = new RelyingParty(app.issuer, 'wiki');
  const { url, verifier } = wiki.request();
  const page = await typeRecoveryCode(browser, await typePassword(browser, url, 'anna@example.com'), anna);
  const told = () => database.collection('audit_events').countDocuments({ type: 'consent_granted' });
  unsteady.fails = (operation, ...writes) => isFlush(operation) && JSON.stringify(writes).includes('Grant:');
  expect((await browser.submit(page, { decision: 'allow' })).status).toBe(503);
  expect(await told()).toBe(0);
  unsteady.steady();
  expect((await wiki.tokens(await browser.submit(page, { decision: 'allow' }), verifier)).status).toBe(200);
  expect(await told()).toBe(1);
});
