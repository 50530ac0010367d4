/** Prevents: whoever knows the password, and nothing else, being signed in anywhere. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { PASSWORD, RP, startApp, type TestApp, testSecrets } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Person, person, typePassword, typeRecoveryCode } from './support.js';

let app: TestApp;
let anna: Person;
let clients: RelyingParty[];
let rp: RelyingParty;
let thief: Browser;
let halfWay: Page;
let started: ReturnType<RelyingParty['request']>;

beforeAll(async () => {
  app = await startApp({
    clients: ['rp', 'second', 'third'].map((client_id) => ({ ...RP, client_id, first_party: client_id !== 'third' })),
  });
  clients = ['rp', 'second', 'third'].map((id) => new RelyingParty(app.issuer, id));
  [rp] = clients as [RelyingParty];
  anna = await person(app, 'anna@example.com');
});
afterAll(() => app.stop());

beforeEach(async () => {
  thief = app.browser();
  started = rp.request();
  halfWay = await typePassword(thief, started.url, 'anna@example.com');
  expect(halfWay.url.pathname).toMatch(/^\/second-factor\//);
});

/** As the server signs cookies: a thief has the signature along with the value. */
const sign = (data: string): string =>
  createHmac('sha1', testSecrets.cookieKeys[0] ?? '')
    .update(data)
    .digest('base64url');

const expectNobody = async (browser: Browser): Promise<void> => {
  for (const client of clients) expect(await client.silent(browser)).toBe('login_required');
  const own = await browser.open('/account');
  expect(own.url.pathname).toMatch(/^\/sign-in\//);
};

test('no cookie, no page of ours and no application sees a session', async () => {
  const session = thief.cookie('countersign-session');
  const stored = await app.database
    .collection('oidc')
    .find({ ids: session ?? 'none', 'payload.accountId': { $exists: true } })
    .toArray();
  expect(stored).toEqual([]);
  await expectNobody(thief);
  expect(await app.app.sessions.list(anna.account.id)).toEqual([]);
});

test('every page of the account sends to the password, by GET and by POST', async () => {
  const csrf = halfWay.forms[0]?.values.csrf ?? '';
  for (const { path, fields } of app.app.web.pages.forms.filter((form) => form.path.startsWith('/account'))) {
    const url = `${app.issuer}${path.replace(':id', anna.authenticator.factorId).replace(':uid', 'x')}`;
    const form = { ...Object.fromEntries(Object.keys(fields).map((name) => [name, '1'])), csrf };
    const answer = await thief.request(url, { method: 'POST', form });
    expect({ path, to: new URL(answer.headers.get('location') ?? 'x:').pathname }).toEqual({ path, to: '/auth' });
    const page = await thief.open(url);
    expect({ path, on: page.url.pathname.split('/')[1] }).toEqual({ path, on: 'sign-in' });
  }
});

test('going on early: the resume address leads back to the second step or the password, never to the application', async () => {
  const uid = halfWay.url.pathname.split('/')[2] ?? '';
  const page = await thief.open(`/auth/${uid}`);
  expect(page.url.origin).toBe(app.issuer);
  expect(page.url.searchParams.get('code')).toBeNull();
  await expectNobody(thief);
});

test('a second tab and a second application start at the password', async () => {
  for (const client of clients) {
    const tab = await thief.open(client.request().url);
    expect(tab.url.pathname).toMatch(/^\/sign-in\//);
    expect(tab.forms.some(({ names }) => names.includes('password'))).toBe(true);
  }
  await expectNobody(thief);
});

test('the forms of the other steps do not take a half-finished sign-in', async () => {
  const uid = halfWay.url.pathname.split('/')[2] ?? '';
  const csrf = halfWay.forms[0]?.values.csrf ?? '';
  for (const { name, value } of thief.cookies().filter((cookie) => cookie.name.startsWith('countersign-interaction')))
    thief.setCookie(name, value, '/');
  for (const [path, form] of [
    [`/consent/${uid}`, { decision: 'allow' }],
    [`/sign-in/${uid}`, { login: 'anna@example.com', password: PASSWORD }],
    [`/sign-in/${uid}/switch`, { decision: 'switch' }],
  ] as [string, Record<string, string>][]) {
    const answer = await thief.request(`${app.issuer}${path}`, { method: 'POST', form: { ...form, csrf } });
    expect({ path, status: answer.status }).toEqual({ path, status: 400 });
  }
  for (const step of ['set-up', 'set-up/later', 'set-up/done', 'set-up/totp', 'set-up/recovery_code']) {
    const form: Record<string, string> =
      step === 'set-up' ? { method: 'totp' } : step.includes('_') ? { code: '1' } : {};
    const answer = await thief.request(`${app.issuer}/second-factor/${uid}/${step}`, {
      method: 'POST',
      form: { ...form, csrf },
    });
    expect({ step, status: answer.status, location: answer.headers.get('location') }).toEqual({
      step,
      status: 403,
      location: null,
    });
  }
  await expectNobody(thief);
});

test('a wizard cannot be entered by an account that has a factor', async () => {
  const uid = halfWay.url.pathname.split('/')[2] ?? '';
  for (const step of ['set-up', 'set-up/totp', 'set-up/recovery_code']) {
    const page = await thief.open(`/second-factor/${uid}/${step}`);
    expect({ step, secret: /secret=|otpauth/.test(page.html), h1: page.h1 }).toMatchObject({ step, secret: false });
    expect(page.text).not.toMatch(/[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/);
  }
  expect(await app.database.collection('factors').countDocuments({ state: 'pending' })).toBe(0);
});

test('with the second factor the very same browser gets all of it', async () => {
  const page = await typeRecoveryCode(thief, halfWay, anna);
  expect((await rp.tokens(page, started.verifier)).claims.sub).toBe(anna.account.id);
  expect(await rp.silent(thief)).toBe('code');
  expect((await thief.open('/account')).text).toContain('anna@example.com');
});

test('the cookie of before the sign-in is not the cookie of after it (session fixation)', async () => {
  const victim = app.browser();
  const planted = app.browser();
  await planted.open('/session/end');
  for (const { name, value, path } of planted.cookies()) victim.setCookie(name, value, path);
  const before = [victim.cookie('countersign-session') ?? ''];
  expect(before).not.toEqual(['']);
  const page = await typePassword(victim, rp.request().url, 'anna@example.com');
  before.push(victim.cookie('countersign-session') ?? '');
  expect(rp.answer(await typeRecoveryCode(victim, page, anna)).code).toBeTruthy();
  expect(await rp.silent(victim)).toBe('code');
  expect(before).not.toContain(victim.cookie('countersign-session'));
  for (const value of before) {
    const thief = app.browser();
    thief.setCookie('countersign-session', value);
    thief.setCookie('countersign-session.sig', sign(`countersign-session=${value}`));
    await expectNobody(thief);
  }
  await expectNobody(planted);
});
