/** Prevents: our pages in somebody's frame, somebody's script in our pages, and their words in caches and referrers. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RP, startApp, type TestApp } from '../support/app.js';
import type { Browser } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Person, person, signIn, typePassword } from './support.js';

let app: TestApp;
let rp: RelyingParty;
let anna: Person;
let pages: { name: string; status: number; html: string; headers: Headers }[];

beforeAll(async () => {
  app = await startApp({
    deviceFlow: { enabled: true },
    clients: [RP, { ...RP, client_id: 'third', client_name: 'Third <b>', first_party: false }],
  });
  rp = new RelyingParty(app.issuer);
  anna = await person(app, 'anna@example.com');
  const visitor = app.browser();
  await signIn(visitor, rp, anna);
  const half = app.browser();
  const second = await typePassword(half, rp.request().url, 'anna@example.com');
  const bare = await app.account('bare@example.com');
  const wizard = app.browser();
  const claims = JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:countersign:acr:2fa' } } });
  const chosen = await typePassword(wizard, rp.request({ claims }).url, bare.login);
  const link = (purpose: 'not_me' | 'confirm_email' | 'password_reset') => app.app.links.create(purpose, bare.id, 600);
  const anonymous = (): Browser => app.browser();
  const looks: [string, Browser, string | URL][] = [
    ['sign in', anonymous(), rp.request().url],
    ['second step', half, second.url],
    ['methods', half, `${second.url}/methods`],
    ['recovery code', half, `${second.url}/with/recovery_code`],
    ['set-up', wizard, chosen.url],
    ['set-up of an authenticator', wizard, `${chosen.url}/totp`],
    ['consent', visitor, new RelyingParty(app.issuer, 'third').request().url],
    ['security page', visitor, '/account'],
    ['password', visitor, '/account/password'],
    ['new recovery codes', visitor, '/account/add/recovery_code'],
    ['sign out everywhere', visitor, '/account/sign-out-everywhere'],
    ['forgot password', anonymous(), '/forgot-password'],
    ['reset', anonymous(), `/password-reset/${await link('password_reset')}`],
    ['not me', anonymous(), `/not-me/${await link('not_me')}`],
    ['confirm', anonymous(), `/confirm-email/${await link('confirm_email')}`],
    ['dead link', anonymous(), '/invitation/x'],
    ['ended', anonymous(), '/sign-in/x'],
    ['not found', anonymous(), '/nowhere'],
    ['wrong request', anonymous(), '/auth?client_id=rp'],
    ['log out', visitor, '/session/end'],
    ['logged out', anonymous(), '/session/end/success'],
    ['device', anonymous(), '/device'],
    [
      'switch',
      await (async () => {
        const b = app.browser();
        await signIn(b, rp, anna);
        return b;
      })(),
      rp.request({ prompt: 'login' }).url,
    ],
  ];
  pages = [];
  for (const [name, browser, url] of looks) {
    const page = await browser.open(url);
    if (name === 'switch') {
      pages.push({
        name,
        ...(await browser.submit(page, { login: bare.login, password: 'orchard lantern 47 violet' })),
      });
    } else pages.push({ name, ...page });
  }
}, 120_000);
afterAll(() => app.stop());

test('every kind of page is looked at', () => {
  expect(
    pages
      .map(({ name, status, html }) => ({ name, status, page: html.includes('<h1') }))
      .filter(({ page, status }) => !page || status >= 500),
  ).toEqual([]);
  expect(pages.find(({ name }) => name === 'switch')?.html).toContain('bare@example.com');
});

test('headers of each', () => {
  for (const { name, headers } of pages) {
    const csp = headers.get('content-security-policy') ?? '';
    const nonce = /'nonce-([\w-]{22,})'/.exec(csp)?.[1];
    expect({ name, nonce: Boolean(nonce) }).toEqual({ name, nonce: true });
    const directives = new Map(
      csp.split(';').map((part) => [part.trim().split(' ')[0], part.trim().split(' ').slice(1).join(' ')]),
    );
    expect({ name, ...Object.fromEntries(directives) }).toMatchObject({
      name,
      'default-src': "'none'",
      'frame-ancestors': "'none'",
      'base-uri': "'none'",
      'style-src': "'self'",
    });
    expect(csp).not.toMatch(/unsafe|\*|https?:/);
    expect({
      name,
      frame: headers.get('x-frame-options'),
      sniff: headers.get('x-content-type-options'),
      referrer: headers.get('referrer-policy'),
      cache: headers.get('cache-control'),
      by: headers.get('x-powered-by'),
      id: Boolean(headers.get('x-request-id')),
    }).toMatchObject({
      name,
      frame: expect.stringMatching(/DENY|SAMEORIGIN/),
      sniff: 'nosniff',
      referrer: 'same-origin',
      cache: expect.stringContaining('no-store'),
      by: null,
      id: true,
    });
  }
  const nonces = pages.map(({ headers }) => /'nonce-([\w-]+)'/.exec(headers.get('content-security-policy') ?? '')?.[1]);
  expect(new Set(nonces).size).toBe(pages.length);
});

test('no handler, style or script of its own in the markup of any; nothing from elsewhere', () => {
  for (const { name, html, headers } of pages) {
    const nonce = /'nonce-([\w-]+)'/.exec(headers.get('content-security-policy') ?? '')?.[1];
    const tags = [...html.matchAll(/<[a-z][^<>]*>/gi)].map(([tag]) => tag);
    expect({ name, handlers: tags.filter((tag) => /\son[a-z]+=/i.test(tag)) }).toEqual({ name, handlers: [] });
    expect({ name, styles: tags.filter((tag) => /\sstyle=|^<style/i.test(tag)) }).toEqual({ name, styles: [] });
    expect({ name, urls: tags.filter((tag) => /javascript:|<iframe|<base|<object/i.test(tag)) }).toEqual({
      name,
      urls: [],
    });
    const scripts = tags.filter((tag) => tag.startsWith('<script'));
    expect({
      name,
      scripts: scripts.filter((tag) => !tag.includes(`nonce="${nonce}"`) || !/src="\/assets\//.test(tag)),
    }).toEqual({ name, scripts: [] });
    const loaded = tags.filter((tag) => /^<(link|img|script)/.test(tag) && /(?:src|href)="https?:/.test(tag));
    expect({ name, loaded }).toEqual({ name, loaded: [] });
  }
  expect(pages.find(({ name }) => name === 'consent')?.html).not.toContain('Third <b>');
});
