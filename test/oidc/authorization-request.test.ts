import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateSync } from 'otplib';
import { type Person, person, signIn, typePassword, typeRecoveryCode } from '../security/support.js';
import { PASSWORD, type TestApp } from '../support/app.js';
import type { Browser } from '../support/browser.js';
import { application, startWithApplications } from './applications.js';

const ONE = 'urn:countersign:acr:1fa';
const TWO = 'urn:countersign:acr:2fa';
const REFEDS = 'https://refeds.org/profile/mfa';
const acrClaim = (acr: object) => JSON.stringify({ id_token: { acr } });

let app: TestApp;
let anna: Person;
let signedIn: Browser;
beforeAll(async () => {
  app = await startWithApplications();
  anna = await person(app, 'anna@example.com');
  signedIn = app.browser();
  await signIn(signedIn, application(app, 'rp'), anna);
});
afterAll(() => app.stop());

/** The answer to a request of this browser: claims of the ID Token, or the error. */
async function ask(
  browser: Browser,
  parameters: Record<string, string>,
  clientId = 'rp',
): Promise<Record<string, unknown>> {
  const rp = application(app, clientId);
  const { url, verifier } = rp.request(parameters);
  const page = await browser.open(url);
  const { error } = rp.answer(page);
  return error ? { error } : { ...(await rp.tokens(page, verifier)).claims };
}

/** A browser with a session of a password alone. */
async function passwordOnly(login: string): Promise<Browser> {
  await app.account(login);
  const browser = app.browser();
  await typePassword(browser, application(app, 'rp').request().url, login);
  return browser;
}

describe('acr', () => {
  test.each([
    ['acr_values', { acr_values: TWO }, TWO],
    ['the first value that is satisfied', { acr_values: `phr ${REFEDS} ${TWO}` }, REFEDS],
    ['an alias', { acr_values: REFEDS }, REFEDS],
    ['a weaker level', { acr_values: ONE }, ONE],
    ['an essential value', { claims: acrClaim({ essential: true, value: REFEDS }) }, REFEDS],
    ['essential values', { claims: acrClaim({ essential: true, values: [ONE] }) }, ONE],
    ['nothing asked', {}, TWO],
    ['voluntary values out of reach', { acr_values: 'phr' }, TWO],
    ['voluntary values nobody knows', { acr_values: 'urn:example:gold' }, TWO],
  ])('returned: %s', async (_name, parameters, acr) => {
    expect(await ask(signedIn, parameters as Record<string, string>)).toMatchObject({ acr });
  });

  test.each([
    ['an essential value out of reach', { claims: acrClaim({ essential: true, value: 'phr' }) }, 'rp'],
    ['an essential value nobody knows', { claims: acrClaim({ essential: true, values: ['urn:example:gold'] }) }, 'rp'],
    [
      'an essential one behind acr_values',
      { claims: acrClaim({ essential: true, value: 'phr' }), acr_values: ONE },
      'rp',
    ],
    ['values where the application insists', { acr_values: 'phr' }, 'demanding'],
  ])('unmet: %s', async (_name, parameters, clientId) => {
    expect(await ask(signedIn, parameters as Record<string, string>, clientId)).toEqual({
      error: 'unmet_authentication_requirements',
    });
    expect(await ask(signedIn, { ...parameters, prompt: 'none' } as Record<string, string>, clientId)).toEqual({
      error: 'unmet_authentication_requirements',
    });
  });

  test('a session of a password alone steps up for who asks for more, and keeps its auth_time', async () => {
    const rp = application(app, 'rp');
    const dora = await app.account('dora@example.com');
    const browser = app.browser();
    const first = rp.request();
    const before = await rp.tokens(await typePassword(browser, first.url, 'dora@example.com'), first.verifier);
    expect(before.claims).toMatchObject({ acr: ONE, amr: ['pwd'] });
    expect(await rp.silent(browser, { acr_values: TWO })).toBe('code');
    expect(await rp.silent(browser, { claims: acrClaim({ essential: true, value: TWO }) })).toBe('login_required');
    expect(await application(app, 'strict').silent(browser)).toBe('login_required');

    await new Promise((resolve) => setTimeout(resolve, 1100));
    const more = rp.request({ claims: acrClaim({ essential: true, value: TWO }) });
    let page = await browser.submit(await browser.open(more.url), { method: 'totp' });
    const secret = /secret=([A-Z2-7]+)/.exec(page.html)?.[1] ?? '';
    page = await browser.submit(page, { code: generateSync({ secret }) });
    const code = /[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(page.text)?.[0] ?? '';
    const after = await rp.tokens(await browser.submit(page, { code }), more.verifier);
    expect(after.claims).toMatchObject({
      acr: TWO,
      amr: ['pwd', 'otp', 'mfa'],
      auth_time: before.claims.auth_time,
      sub: dora.id,
    });
  });

  test('a client minimum cannot be edited away in the browser', async () => {
    const browser = await passwordOnly('eve@example.com');
    const strict = application(app, 'strict');
    const page = await browser.open(strict.request({ acr_values: ONE, claims: acrClaim({ value: ONE }) }).url);
    expect(page.url.pathname).toMatch(/^\/second-factor\/.*\/set-up/);
  });
});

describe('prompt and max_age', () => {
  test('prompt=none answers a live session and nothing else', async () => {
    const rp = application(app, 'rp');
    expect(await rp.silent(app.browser())).toBe('login_required');
    expect(await rp.silent(signedIn)).toBe('code');
    const both = await signedIn.open(rp.request({ prompt: 'none login' }).url);
    expect(both.url.searchParams.get('error')).toBe('invalid_request');
  });

  test('prompt=login asks for both factors again and moves auth_time', async () => {
    const rp = application(app, 'rp');
    const browser = signedIn.clone();
    const fay = await person(app, 'fay@example.com');
    const own = app.browser();
    const first = await signIn(own, rp, fay);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const second = await signIn(own, rp, fay, { prompt: 'login' });
    expect(second.claims).toMatchObject({ acr: TWO, sub: fay.account.id });
    expect(Number(second.claims.auth_time)).toBeGreaterThan(Number(first.claims.auth_time));
    // And a session older than max_age does too.
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect(await rp.silent(own, { max_age: '1' })).toBe('login_required');
    expect(await rp.silent(own, { max_age: '1000' })).toBe('code');
    const third = await signIn(own, rp, fay, { max_age: '1' });
    expect(Number(third.claims.auth_time)).toBeGreaterThan(Number(second.claims.auth_time));
    expect(await rp.silent(browser)).toBe('code');
  });

  test('prompt=login of the wrong password changes nothing of the session', async () => {
    const rp = application(app, 'rp');
    const page = await signedIn.open(rp.request({ prompt: 'login' }).url);
    expect((await signedIn.submit(page, { login: 'anna@example.com', password: 'no' })).status).toBe(422);
    expect(await rp.silent(signedIn)).toBe('code');
  });
});

describe('the sign-in page', () => {
  test('has the hint filled in', async () => {
    const page = await app.browser().open(application(app, 'rp').request({ login_hint: 'anna@example.com' }).url);
    expect(page.forms[0]?.values.login).toBe('anna@example.com');
  });

  test('speaks the language that the application asks for, on all its pages, unless the person chose one', async () => {
    const rp = application(app, 'rp');
    const browser = app.browser();
    let page = await browser.open(rp.request({ ui_locales: 'fr de' }).url);
    expect(page.html).toContain('<html lang="de"');
    page = await browser.submit(page, { login: 'anna@example.com', password: PASSWORD });
    expect(page.url.pathname).toContain('/second-factor/');
    expect(page.html).toContain('<html lang="de"');
    const chosen = app.browser();
    chosen.setCookie('countersign-lang', 'en');
    expect((await chosen.open(rp.request({ ui_locales: 'de' }).url)).html).toContain('<html lang="en"');
  });

  test('can be cancelled at each step: access_denied with the state, and the issuer', async () => {
    const rp = application(app, 'rp');
    const browser = app.browser();
    const answer = { error: 'access_denied', state: 's', iss: app.issuer };
    expect(rp.answer(await browser.submit(await browser.open(rp.request().url), {}, /\/cancel$/))).toMatchObject(
      answer,
    );
    const half = await typePassword(browser, rp.request().url, 'anna@example.com');
    expect(rp.answer(await browser.submit(half, {}, /\/cancel$/))).toMatchObject(answer);
    expect(await rp.silent(browser)).toBe('login_required');
  });
});

describe('how a request may come and how the answer goes back', () => {
  test('a POST becomes the same request by GET', async () => {
    const { url } = application(app, 'rp').request({ state: 'a b&c=ü' });
    const response = await fetch(`${app.issuer}/auth`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: 'https://rp.example', 'content-type': 'application/x-www-form-urlencoded' },
      body: url.searchParams,
    });
    expect(response.status).toBe(303);
    const target = new URL(response.headers.get('location') ?? '', app.issuer);
    expect(Object.fromEntries(target.searchParams)).toEqual(Object.fromEntries(url.searchParams));
    expect((await signedIn.open(target)).url.searchParams.get('state')).toBe('a b&c=ü');
    const json = await fetch(`${app.issuer}/auth`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(json.status).toBe(400);
  });

  test('form_post answers with a form that our own policy lets run', async () => {
    const { url } = application(app, 'rp').request({ response_mode: 'form_post' });
    const response = await signedIn.request(url);
    expect(response.status).toBe(200);
    expect(response.html).toContain('action="https://rp.example/cb"');
    expect(response.html).toMatch(/name="code" value="[\w-]+"/);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/script-src [^;]*'sha256-/);
    expect(policy).not.toContain('form-action');
  });

  test.each([
    ['unknown application', { client_id: 'nobody' }],
    ['foreign redirect_uri', { redirect_uri: 'https://evil.example/cb' }],
    ['redirect_uri with a slash more', { redirect_uri: 'https://rp.example/cb/' }],
    ['no redirect_uri', { redirect_uri: undefined }],
  ])('%s: a page of ours and no redirect', async (_name, parameters) => {
    const page = await app.browser().open(application(app, 'rp').request(parameters).url);
    expect(page.status).toBe(400);
    expect(page.url.origin).toBe(app.issuer);
    expect(page.title).toContain('Countersign');
  });

  test.each([
    ['implicit', { response_type: 'id_token' }],
    ['hybrid', { response_type: 'code id_token' }],
    ['unknown prompt', { prompt: 'select_account' }],
    ['claims that are no JSON', { claims: '{' }],
    ['a negative max_age', { max_age: '-1' }],
  ])('%s: an error to the application, never a 500', async (_name, parameters) => {
    const page = await signedIn.open(application(app, 'rp').request(parameters).url);
    expect(page.url.origin).toBe('https://rp.example');
    expect(page.url.href).toMatch(/error=(unsupported_response_type|unauthorized_client|invalid_request)/);
  });
});

describe('consent', () => {
  test("a stranger's application is asked for once, refused on no, and remembered within the session", async () => {
    const rp = application(app, 'third');
    const gus = await person(app, 'gus@example.com');
    const browser = app.browser();
    await signIn(browser, application(app, 'rp'), gus);
    expect(await rp.silent(browser, { scope: 'openid email' })).toBe('consent_required');
    const page = await browser.open(rp.request({ scope: 'openid email' }).url);
    expect(page.h1).toContain('Stranger');
    const refused = await browser.submit(page, { decision: 'deny' });
    expect(rp.answer(refused)).toMatchObject({ error: 'access_denied', state: 's' });
    const { url, verifier } = rp.request({ scope: 'openid email' });
    const tokens = await rp.tokens(await browser.submit(await browser.open(url), { decision: 'allow' }), verifier);
    expect(tokens.scope).toBe('openid email');
    expect(await rp.silent(browser, { scope: 'openid email' })).toBe('code');
    expect(await rp.silent(browser, { scope: 'openid email profile' })).toBe('consent_required');
  });

  test('none for an application of the house, native ones included', async () => {
    expect(await application(app, 'spa').silent(signedIn, { scope: 'openid email' })).toBe('code');
    const phone = application(app, 'phone-app');
    const { url, verifier } = phone.request();
    const page = await signedIn.open(url);
    expect(page.url.protocol).toBe('com.example.app:');
    expect(await phone.tokens(page, verifier)).toMatchObject({ status: 200 });
  });

  test('asked for expressly, the page says what is given', async () => {
    const page = await signedIn.open(application(app, 'rp').request({ scope: 'openid email', prompt: 'consent' }).url);
    expect(page.url.pathname).toContain('/consent/');
    expect(page.text).toContain('mail');
  });
});

test('a native application may listen on any port of this machine', async () => {
  const page = await signedIn.open(
    application(app, 'phone-app').request({ redirect_uri: 'http://127.0.0.1:51234/cb' }).url,
  );
  expect(page.url.host).toBe('127.0.0.1:51234');
  const evil = await signedIn.open(
    application(app, 'phone-app').request({ redirect_uri: 'http://127.0.0.1.evil.example/cb' }).url,
  );
  expect(evil.status).toBe(400);
});

test('both factors in any order of tabs: the second tab goes on where the first one signed in', async () => {
  const rp = application(app, 'rp');
  const hal = await person(app, 'hal@example.com');
  const browser = app.browser();
  const first = await browser.open(rp.request().url);
  const second = await browser.open(rp.request({ state: 'second' }).url);
  const half = await browser.submit(first, { login: 'hal@example.com', password: PASSWORD });
  expect(rp.answer(await typeRecoveryCode(browser, half, hal))).toHaveProperty('code');
  expect(await rp.silent(browser)).toBe('code');
  expect(second.url.pathname).toContain('/sign-in/');
});
