/** Prevents: an address of ours sending people, their codes or their words to somebody else's page. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RP, startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Person, person, signIn } from './support.js';

let app: TestApp;
let rp: RelyingParty;
let anna: Person;
beforeAll(async () => {
  app = await startApp({ clients: [RP] });
  rp = new RelyingParty(app.issuer);
  anna = await person(app, 'anna@example.com');
});
afterAll(() => app.stop());

const ELSEWHERE = [
  'https://evil.example/',
  '//evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/account/../../evil',
  '/account//evil.example',
  '/account@evil.example',
  '/account?next=https://evil.example',
  '/account#@evil.example',
  '/account\n/x',
  '/accountevil.example',
  'javascript:alert(1)',
  '/account/%2e%2e/%2e%2e/auth',
];

test.each(ELSEWHERE)('state %j of the account pages’ own sign-in leads to the account pages', async (state) => {
  for (const query of [
    `state=${encodeURIComponent(state)}`,
    `state=${encodeURIComponent(state)}&state=/account`,
    `state[]=${encodeURIComponent(state)}`,
  ]) {
    const answer = await app.browser().request(`${app.issuer}/account/signed-in?${query}`);
    expect(answer.status).toBe(303);
    const target = new URL(answer.headers.get('location') ?? '', app.issuer);
    expect(target.origin).toBe(app.issuer);
    expect(target.pathname).toMatch(/^\/account(\/|$)/);
  }
});

test.each([
  ...ELSEWHERE,
  'https://rp.example/cb/',
  'https://rp.example/cb?x=1',
  'https://rp.example.evil.example/cb',
  'https://RP.example/cb',
  'http://rp.example/cb',
])('redirect_uri %j: a page of ours, no redirect', async (redirect_uri) => {
  const answer = await app.browser().request(rp.request({ redirect_uri }).url);
  expect(answer.status).toBe(400);
  expect(answer.headers.get('location')).toBeNull();
  expect(answer.html).not.toContain('href="javascript:');
});

test('after signing out: only addresses that were registered', async () => {
  const browser = app.browser();
  const { id_token } = await signIn(browser, rp, anna);
  const url = new URL(`${app.issuer}/session/end`);
  url.searchParams.set('id_token_hint', id_token);
  for (const wrong of ELSEWHERE) {
    url.searchParams.set('post_logout_redirect_uri', wrong);
    const answer = await browser.request(url);
    expect({ wrong, status: answer.status, location: answer.headers.get('location') }).toEqual({
      wrong,
      status: 400,
      location: null,
    });
  }
  url.searchParams.delete('id_token_hint');
  url.searchParams.set('post_logout_redirect_uri', 'https://evil.example/');
  const unnamed = await browser.open(url);
  const out = await browser.submit(unnamed, { logout: 'yes' });
  expect(out.url.origin).toBe(app.issuer);
});

test('the language switch keeps to the page it is on', async () => {
  for (const query of ['lang=de', 'lang=//evil.example', 'lang=de&x=%22%3E%3Cscript%3E', 'x=//evil.example&lang=en']) {
    const page = await app.browser().open(`/forgot-password?${query}`);
    const links = [...page.html.matchAll(/href="([^"]*lang=[^"]*)"/g)].map(
      ([, href]) => new URL(String(href).replaceAll('&amp;', '&'), page.url),
    );
    expect(links.length).toBeGreaterThan(0);
    expect(links.every(({ origin, pathname }) => origin === app.issuer && pathname === '/forgot-password')).toBe(true);
    expect(page.html).not.toContain('"><script>');
  }
});

test('what the application or the address says about itself is words on our pages, never markup', async () => {
  for (const parameters of [
    { login_hint: '"><script>alert(1)</script>' },
    { login_hint: "' onfocus=alert(1) autofocus '" },
  ]) {
    const page = await app.browser().open(rp.request(parameters).url);
    expect(page.html).not.toContain('<script>alert');
    expect(page.html).not.toMatch(/value='/);
    expect(page.forms.some(({ values }) => values.login === parameters.login_hint)).toBe(true);
  }
});
