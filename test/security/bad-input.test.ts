/** Prevents: input that no form sends from doing anything at all. Every form of ours is in the table by itself. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { consolePaths } from '../admin/console/support.js';
import { fileRequest, recoveryBrowser } from '../recovery-desk/support.js';
import { AUTH_TOKEN, smsSettings } from '../sms/support.js';
import { RP, startApp, type TestApp } from '../support/app.js';
import type { Browser } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { ATTACKS, csrfOf, good, LEFT_OUT, MEGABYTE, NONSENSE, PARAMETERS } from './attacks.js';
import { rawBytes, rawRequest } from './raw.js';
import { type Person, person, signIn, snapshot, typePassword } from './support.js';

let app: TestApp;
let rp: RelyingParty;
let anna: Person;
/** A browser for which the form is alive, and the path with its parameters filled in. */
interface Live {
  browser: Browser;
  path: string;
}
const live: Record<string, (path: string) => Promise<Live>> = {};
let visitor: Browser;
let sessionUid: string;

beforeAll(async () => {
  // Nothing here is sent: the outbox rests.
  const clients = [RP, { ...RP, client_id: 'third', client_name: 'Third', first_party: false }];
  const { methods } = smsSettings({ url: 'http://127.0.0.1:9' });
  const settings = { methods: [...methods, { id: 'app' }], deviceFlow: { enabled: true }, clients };
  app = await startApp(settings, { env: { TWILIO_AUTH_TOKEN: AUTH_TOKEN } });
  rp = new RelyingParty(app.issuer);
  anna = await person(app, 'anna@example.com');
  visitor = app.browser();
  await signIn(visitor, rp, anna);
  sessionUid = (await app.app.sessions.list(anna.account.id))[0]?._id ?? '';

  const fill = (path: string, uid: string): string => path.replace(':uid', uid);
  const uidOf = (url: URL): string => url.pathname.split('/')[2] ?? '';
  const atPassword = app.browser();
  const passwordUid = uidOf((await atPassword.open(rp.request().url)).url);
  const atSecondStep = app.browser();
  const secondUid = uidOf((await typePassword(atSecondStep, rp.request().url, 'anna@example.com')).url);
  // Waits for an administrator, too: the forms of the request are alive.
  await fileRequest(app, anna.account, recoveryBrowser(app, atSecondStep).hash);
  const atConsent = visitor.clone();
  const third = new RelyingParty(app.issuer, 'third');
  const consentUid = uidOf((await atConsent.open(third.request().url)).url);
  live['sign-in'] = async (path) => ({ browser: atPassword, path: fill(path, passwordUid) });
  live['second-factor'] = async (path) => ({ browser: atSecondStep, path: fill(path, secondUid) });
  live.consent = async (path) => ({ browser: atConsent, path: fill(path, consentUid) });
  live.account = async (path) => ({
    browser: visitor,
    path: path.replace(':uid', sessionUid).replace(':id', anna.authenticator.factorId),
  });
  const consolePath = await consolePaths(app, visitor, anna.account);
  live.console = async (path) => ({ browser: visitor, path: consolePath(path) });
  for (const [segment, purpose] of [
    ['invitation', 'invitation'],
    ['password-reset', 'password_reset'],
    ['confirm-email', 'confirm_email'],
    ['not-me', 'not_me'],
  ] as const) {
    const token = await app.app.links.create(purpose, anna.account.id, 3600);
    live[segment] = async (path) => ({ browser: app.browser(), path: path.replace(':token', token) });
  }
}, 90_000);
afterAll(() => app.stop());

const contextOf = (path: string): Promise<Live> =>
  (live[path.split('/')[1] ?? ''] ?? (async () => ({ browser: app.browser(), path })))(path);

function expectClearRefusal(
  answer: { status: number; headers: Headers; html: string },
  status: number | readonly number[],
  name: string,
): void {
  const id = answer.headers.get('x-request-id') ?? 'none';
  expect({ name, status: [status].flat().includes(answer.status) ? 'as expected' : answer.status }).toEqual({
    name,
    status: 'as expected',
  });
  expect({ name, page: /<h1[^>]*>[^<]+<\/h1>/.test(answer.html), id: answer.html.includes(id) }).toEqual({
    name,
    page: true,
    id: true,
  });
  expect(answer.headers.get('cache-control')).toBe('no-store');
}

test('there are forms to attack, and a living context for each kind', () => {
  const kinds = new Set(app.app.web.pages.forms.map(({ path }) => path.split('/')[1]));
  expect([...kinds].filter((kind) => kind !== 'forgot-password' && !live[kind ?? ''])).toEqual([]);
  const paths = app.app.web.pages.forms.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(['/second-factor/:uid/with/sms/send', '/account/add/sms', '/account/add/app']),
  );
});

test('every form refuses a third of the malformed requests, each meets a third of the forms', async () => {
  for (const [place, { path: shape, fields }] of app.app.web.pages.forms.entries()) {
    const { browser, path } = await contextOf(shape);
    const csrf = await csrfOf(browser);
    const before = await snapshot(app);
    const attacks = ATTACKS.filter((_, nth) => (nth + place) % 3 === 0);
    for (const { name, status, body, headers = {}, method = 'POST' } of attacks) {
      const answer = await browser.clone().request(`${app.issuer}${path}`, {
        method,
        headers,
        ...(body ? { body: body(fields, csrf) } : {}),
      });
      expectClearRefusal(answer, status, `${method} ${shape}: ${name}`);
      if (status === 405) expect(answer.headers.get('allow')).toContain('POST');
    }
    expect({ shape, stored: await snapshot(app) }).toEqual({ shape, stored: before });
  }
}, 240_000);

test('the token of another browser is refused by every form', async () => {
  const strange = await csrfOf(app.browser());
  for (const { path: shape, fields } of app.app.web.pages.forms) {
    const { browser, path } = await contextOf(shape);
    await csrfOf(browser);
    const before = await snapshot(app);
    const answer = await browser.request(`${app.issuer}${path}`, { method: 'POST', body: good(fields, strange) });
    expectClearRefusal(answer, 403, shape);
    expect(await snapshot(app)).toEqual(before);
  }
}, 120_000);

test('a body in pieces without a length is cut off at the limit, and the answer still arrives', async () => {
  const answer = await rawRequest(app.port, '/forgot-password', {
    method: 'POST',
    headers: { host: new URL(app.issuer).host, 'content-type': 'application/x-www-form-urlencoded' },
    chunks: Array.from({ length: 16 }, () => Buffer.alloc(65_536, 'x')),
  });
  expect(answer.status).toBe(413);
  expect(answer.body).toContain(String(answer.headers['x-request-id']));
});

test('strange path parameters: unknown, never a fault, and nothing is written', async () => {
  const shapes = app.app.web.pages.forms.filter(({ path }) => path.includes(':'));
  const anonymous = app.browser();
  const csrf = await csrfOf(anonymous);
  const signedIn = visitor.clone();
  const signedInCsrf = await csrfOf(signedIn);
  const before = await snapshot(app, LEFT_OUT);
  for (const { path: shape, fields } of shapes) {
    const [browser, token] = /^\/(account|console)/.test(shape) ? [signedIn, signedInCsrf] : [anonymous, csrf];
    for (const parameter of PARAMETERS) {
      const url = `${app.issuer}${shape.replace(/:\w+/g, parameter)}`;
      for (const method of ['GET', 'POST']) {
        const answer = await browser.clone().request(url, {
          method,
          ...(method === 'POST'
            ? { form: { ...Object.fromEntries(Object.keys(fields).map((n) => [n, '1'])), csrf: token } }
            : {}),
        });
        const name = `${method} ${shape} ${parameter.slice(0, 20)}`;
        // Dots are taken away by whoever sends them: that is another page.
        if (answer.status === 200 && new URL(url).pathname.split('/').length < shape.split('/').length) continue;
        // Some pages lead back to their step or, for a fresh proof, through a sign-in: always to ourselves.
        if (method === 'GET' && answer.status === 303) {
          const target = new URL(answer.headers.get('location') ?? '', app.issuer);
          expect({ name, origin: target.origin }).toEqual({ name, origin: app.issuer });
        } else expectClearRefusal(answer, [400, 404, 405], name);
        expect(answer.html).not.toContain('<script>');
      }
    }
  }
  expect(await snapshot(app, LEFT_OUT)).toEqual(before);
}, 240_000);

test('an interaction of another browser is refused by every page of it', async () => {
  const other = app.browser();
  const otherUid = (await other.open(rp.request().url)).url.pathname.split('/')[2] ?? '';
  const names = ['countersign-interaction', 'countersign-interaction.sig'];
  for (const { path: shape, fields } of app.app.web.pages.forms.filter(
    ({ path }) => path.includes(':uid') && !path.startsWith('/account'),
  )) {
    const { browser, path } = await contextOf(shape);
    const thief = browser.clone();
    const csrf = await csrfOf(thief);
    const ownUid = path.split('/')[2] ?? '';
    const own = thief.cookies().filter((cookie) => names.includes(cookie.name) && cookie.path.endsWith(ownUid));
    expect(own).toHaveLength(2);
    for (const { name, value } of own) thief.setCookie(name, value, '/');
    const before = await snapshot(app);
    const url = `${app.issuer}${shape.replace(':uid', otherUid)}`;
    expectClearRefusal(await thief.request(url, { method: 'POST', body: good(fields, csrf) }), 400, shape);
    expect(await snapshot(app)).toEqual(before);
  }
}, 120_000);

test('a page of another step is refused with the right cookie', async () => {
  const { browser, path } = await contextOf('/second-factor/:uid');
  const uid = path.split('/')[2] ?? '';
  const csrf = await csrfOf(browser);
  for (const { name, value } of browser.cookies().filter((cookie) => cookie.name.startsWith('countersign-interaction')))
    browser.setCookie(name, value, '/');
  for (const shape of [`/sign-in/${uid}`, `/consent/${uid}`]) {
    const form: Record<string, string> = shape.startsWith('/sign')
      ? { login: 'anna@example.com', password: 'x' }
      : { decision: 'allow' };
    expectClearRefusal(
      await browser.request(`${app.issuer}${shape}`, { method: 'POST', form: { ...form, csrf } }),
      400,
      shape,
    );
  }
});

describe('the routes of the provider', () => {
  const JSON_ROUTES = [
    '/token',
    '/token/revocation',
    '/token/introspection',
    '/request',
    '/device/auth',
    '/me',
  ] as const;
  const PAGES = ['/auth', '/session/end/confirm', '/device'] as const;
  const basic = `Basic ${Buffer.from('rp:rp-secret-of-sufficient-length-000').toString('base64')}`;
  const names = [
    'client_id',
    'grant_type',
    'code',
    'token',
    'refresh_token',
    'redirect_uri',
    'xsrf',
    'user_code',
    'scope',
    'access_token',
  ];
  const BODIES: { name: string; body: string | Buffer; type?: string }[] = [
    { name: 'nothing', body: '' },
    { name: 'lists', body: names.map((name) => `${name}[]=x`).join('&') },
    { name: 'objects', body: names.map((name) => `${name}[$ne]=x`).join('&') },
    { name: 'repeated', body: names.map((name) => `${name}=a&${name}=b`).join('&') },
    { name: 'NUL', body: names.map((name) => `${name}=a%00b`).join('&') },
    { name: 'NUL as it is', body: names.map((name) => `${name}=a\0b`).join('&') },
    { name: 'not UTF-8', body: names.map((name) => `${name}=%ff%fe`).join('&') },
    { name: 'not UTF-8 as it is', body: Buffer.concat([Buffer.from('code='), Buffer.from([0xff, 0xfe])]) },
    { name: 'prototype', body: '__proto__=x&constructor=y&grant_type=__proto__&code=constructor' },
    {
      name: 'a code that is none',
      body: `grant_type=authorization_code&code=${'x'.repeat(5_000)}&redirect_uri=https://rp.example/cb&code_verifier=${'v'.repeat(43)}`,
    },
    {
      name: 'a code with operators',
      body: `grant_type=authorization_code&code={"$gt":""}&redirect_uri=https://rp.example/cb&code_verifier=${'v'.repeat(43)}`,
    },
    { name: 'a refresh token that is none', body: 'grant_type=refresh_token&refresh_token=%00%01' },
    {
      name: 'a device code that is none',
      body: 'grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=%24where',
    },
    { name: 'an unknown grant', body: 'grant_type=password&username=anna@example.com&password=x' },
    { name: 'a megabyte', body: `code=${MEGABYTE}` },
    { name: 'JSON', body: '{"grant_type":{"$ne":1},"token":["x"]}', type: 'application/json' },
    { name: 'XML', body: '<a/>', type: 'application/xml' },
    { name: 'multipart', body: '--b--', type: 'multipart/form-data; boundary=b' },
    { name: 'an unknown charset', body: 'grant_type=x', type: 'application/x-www-form-urlencoded; charset=klingon' },
  ];

  test.each(JSON_ROUTES)(
    '%s answers with an OAuth error and writes nothing',
    async (path) => {
      const before = await snapshot(app);
      for (const authorization of [
        undefined,
        basic,
        'Basic !!!',
        'Basic /////w==',
        `Bearer ${'x'.repeat(3_000)}`,
        'DPoP x',
      ]) {
        for (const { name, body, type = 'application/x-www-form-urlencoded' } of BODIES) {
          const response = await fetch(`${app.issuer}${path}`, {
            method: 'POST',
            headers: { 'content-type': type, ...(authorization ? { authorization } : {}) },
            body,
          });
          const text = await response.text();
          // A revocation of an unknown token and an introspection of one are right answers (RFC 7009 2.2, RFC 7662 2.2).
          const isNothing = response.status === 200 && /^(\{"active":false\})?$/.test(text);
          const isRefused =
            response.status >= 400 && response.status < 500 && typeof JSON.parse(text || '{}').error === 'string';
          expect({ path, name, authorization, status: response.status, ok: isNothing || isRefused }).toMatchObject({
            ok: true,
          });
          expect(response.headers.get('x-request-id')).toBeTruthy();
        }
      }
      expect(await snapshot(app)).toEqual(before);
    },
    120_000,
  );

  test.each(PAGES)(
    '%s answers with a page and writes nothing',
    async (path) => {
      const before = await snapshot(app, ['attempts', 'audit_events', 'oidc']);
      for (const { name, body, type = 'application/x-www-form-urlencoded' } of BODIES) {
        const browser = app.browser();
        let answer = await browser.request(`${app.issuer}${path}`, {
          method: 'POST',
          headers: { 'content-type': type },
          body,
        });
        if (path === '/auth' && answer.status === 303) {
          const target = new URL(answer.headers.get('location') ?? '', app.issuer);
          expect(target.origin).toBe(app.issuer);
          answer = await browser.request(target);
        }
        expect({ path, name, status: answer.status, ok: answer.status >= 400 && answer.status < 500 }).toEqual({
          path,
          name,
          status: answer.status,
          ok: true,
        });
        expect({ name, h1: /<h1/.test(answer.html) }).toEqual({ name, h1: true });
      }
      expect(await snapshot(app, ['attempts', 'audit_events', 'oidc'])).toEqual(before);
    },
    60_000,
  );

  test('authorization requests with nonsense in them', async () => {
    const nonsense: Record<string, string>[] = [
      { claims: 'null' },
      { claims: '[]' },
      { claims: '{' },
      { claims: '{"id_token":null}' },
      { claims: '{"id_token":{"acr":7}}' },
      { claims: '{"id_token":{"acr":{"values":"x","essential":"yes"}}}' },
      { claims: '{"id_token":{"acr":{"value":{"$ne":1}}}}' },
      { claims: '{"id_token":{"sub":{"value":["a"]}}}' },
      { acr_values: ' '.repeat(50) },
      { acr_values: '\0' },
      { max_age: '-1' },
      { max_age: '99999999999999999999' },
      { prompt: 'none second_factor' },
      { prompt: '__proto__' },
      { scope: '\0' },
      { ui_locales: 'x'.repeat(2_000) },
      { login_hint: '\0<script>' },
      { id_token_hint: 'a.b.c' },
      { request: 'a.b.c' },
      { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
      { resource: 'not a uri' },
      { response_mode: 'constructor' },
      { code_challenge: '\0' },
      { redirect_uri: 'javascript:alert(1)' },
      { redirect_uri: 'https://rp.example/cb/../evil' },
      { client_id: '\0' },
      { client_id: 'x'.repeat(5_000) },
      { client_id: '__proto__' },
      { state: '\0' },
      { lang: '../../etc/passwd' },
    ];
    for (const parameters of nonsense) {
      const answer = await app.browser().request(rp.request(parameters).url);
      expect({ parameters, status: answer.status, ok: answer.status >= 300 && answer.status < 500 }).toMatchObject({
        ok: true,
      });
      const location = answer.headers.get('location');
      if (location) expect(['https://rp.example', app.issuer]).toContain(new URL(location, app.issuer).origin);
      // Whatever was let through shows its page.
      if (location?.startsWith('/'))
        expect((await app.browser().open(rp.request(parameters).url)).status).toBeLessThan(500);
    }
  }, 60_000);
});

test('headers beyond any measure', async () => {
  const host = new URL(app.issuer).host;
  const answers = await Promise.all([
    rawBytes(app.port, `GET / HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(40_000)}\r\nConnection: close\r\n\r\n`),
    rawBytes(app.port, `GET /${'x'.repeat(40_000)} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    rawBytes(app.port, `GET /a\0b HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    rawBytes(app.port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'),
    rawBytes(
      app.port,
      `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
    ),
    rawBytes(app.port, 'nonsense\r\n\r\n'),
  ]);
  expect(answers.map((answer) => Number(answer.slice(9, 12)))).toEqual([431, 431, 400, 400, 400, 400]);
});

test('headers with nonsense in them change nothing', async () => {
  for (const headers of NONSENSE) {
    for (const path of ['/forgot-password', '/nowhere', '/account', '/sign-in/x']) {
      const { host } = new URL(app.issuer);
      const answer = await rawRequest(app.port, path, { headers: { host, ...headers } });
      expect({ path, status: answer.status, ok: answer.status < 500 }).toMatchObject({ ok: true });
    }
  }
});
