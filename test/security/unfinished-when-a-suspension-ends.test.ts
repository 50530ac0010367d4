/** Prevents: that a sign-in begun under a suspension is brought to its end after it: a page left open, a wizard, a question, a device, a token for later. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { generateSync } from 'otplib';
import { application, startWithApplications } from '../oidc/applications.js';
import { OLGA, signInSuspended, suspended } from '../recovery-desk/support.js';
import type { TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Person, person, typePassword } from './support.js';

let app: TestApp;
let strict: RelyingParty;
let eva: Person;
let browser: Browser;
let count = 0;

beforeAll(async () => {
  app = await startWithApplications({ policy: { firstEnrolment: 'invitation' } });
  strict = new RelyingParty(app.issuer, 'strict');
});
afterAll(() => app.stop());
beforeEach(async () => {
  count += 1;
  eva = await person(app, `eva${count}@example.com`);
  browser = await suspended(app, eva.account);
});

async function end(): Promise<void> {
  const { items } = await app.app.desk.listSuspensions({ accountId: eva.account.id, isRunning: true }, { limit: 1 });
  expect((await app.app.desk.end(items[0]?.id ?? '', OLGA)).status).toBe('ended');
}

const factors = async (): Promise<number> =>
  (await app.app.engine.forAccount(eva.account.id)).flatMap((method) => method.factors).length;

async function isOut(page: Page): Promise<void> {
  expect(page.url.searchParams.get('code')).toBeNull();
  expect(await strict.silent(browser)).toBe('login_required');
}

test('the page that offers to go on without', async () => {
  const offered = await typePassword(browser, strict.request().url, eva.account.login);
  await end();
  await isOut(await browser.submit(offered, {}, /\/set-up\/later$/));
});

test('the answer that was on its way', async () => {
  const offered = await typePassword(browser, strict.request().url, eva.account.login);
  const form = offered.forms.find(({ action }) => action.endsWith('/set-up/later'));
  const answer = await browser.request(form?.action ?? '', { method: 'POST', form: form?.values ?? {} });
  expect(answer.status).toBe(303);
  await end();
  await isOut(await browser.open(answer.headers.get('location') ?? ''));
});

test('the wizard with its secret on the screen', async () => {
  const before = await factors();
  const offered = await typePassword(browser, strict.request().url, eva.account.login);
  const choice = await browser.submit(offered, { method: 'totp' });
  const [, instead = ''] = /href="([^"]+\/set-up\/totp\/instead\/[^"]+)"/.exec(choice.html) ?? [];
  const page = await browser.open(instead);
  const secret = /secret=([A-Z2-7]+)/.exec(page.html)?.[1] ?? '';
  expect(secret).not.toBe('');
  await end();
  await isOut(await browser.submit(page, { code: generateSync({ secret }) }));
  expect(await factors()).toBe(before);
});

test('the question what the application may know', async () => {
  const third = application(app, 'third');
  const { url } = third.request({ scope: 'openid email offline_access', prompt: 'consent' });
  const offered = await typePassword(browser, url, eva.account.login);
  const consent = await browser.submit(offered, {}, /\/set-up\/later$/);
  expect(consent.forms.some(({ names }) => names.includes('decision'))).toBe(true);
  await end();
  await isOut(await browser.submit(consent, { decision: 'allow' }));
});

test('a token that outlives its session', async () => {
  const third = application(app, 'third');
  const request = { scope: 'openid offline_access', prompt: 'consent' };
  const { page, verifier } = await signInSuspended(browser, third, eva.account.login, request);
  const tokens = await third.tokens(await browser.submit(page, { decision: 'allow' }), verifier);
  expect(tokens.refresh_token).toBeTruthy();
  await end();
  expect(await third.refresh(tokens.refresh_token ?? '')).toMatchObject({ error: 'invalid_grant' });
});

test('a device that has not fetched its token', async () => {
  const tv = application(app, 'tv');
  const asked = (await (await tv.post('/device/auth', { scope: 'openid' })).json()) as Record<string, string>;
  let page = await browser.open(asked.verification_uri ?? '');
  page = await browser.submit(page, { user_code: asked.user_code ?? '' });
  page = await browser.submit(page, { confirm: 'yes' });
  page = await browser.submit(page, { login: eva.account.login, password: 'orchard lantern 47 violet' });
  page = await browser.submit(page, {}, /\/set-up\/later$/);
  expect(page.status).toBe(200);
  await end();
  const answer = await tv.post('/token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: asked.device_code ?? '',
  });
  expect(await answer.json()).toMatchObject({ error: 'invalid_grant' });
});

test('an access code, and a browser that was let in before', async () => {
  const { items } = await app.app.desk.listSuspensions({ accountId: eva.account.id, isRunning: true }, { limit: 1 });
  const issued = await app.app.desk.issueAccessCode(items[0]?.id ?? '', OLGA);
  await end();
  // A new one runs: neither the codes nor the browsers of the one before count in it.
  await app.app.desk.start(eva.account, { hours: 24 }, OLGA);
  const second = await typePassword(browser, strict.request().url, eva.account.login);
  expect(second.url.pathname).not.toMatch(/\/set-up$/);
  const entry = second.url.pathname.replace(/(\/second-factor\/[^/]+).*/, '$1/access-code');
  const code = issued.status === 'issued' ? issued.code : '';
  expect((await browser.submit(await browser.open(entry), { code })).status).toBe(422);
});
