/** What the pages do while a suspension runs: further browsers, set-up, applications that refuse, the security page. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { generateSync } from 'otplib';
import type { Account } from '../../src/accounts/contract.js';
import type { NewSuspension, OwnRequest, Suspension } from '../../src/recovery-desk/index.js';
import { type Person, person, snapshot, typePassword, typeRecoveryCode } from '../security/support.js';
import { PASSWORD, RP, startApp, type TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { approve, OLGA, signInSuspended, suspended } from './support.js';

let app: TestApp;
let rp: RelyingParty;
let wiki: RelyingParty;
let strict: RelyingParty;
let count = 0;

/** The application that hears of logouts, and the sessions whose end it was told. */
const loggedOut: unknown[] = [];
const listening = createServer(async (request, response) => {
  let form = '';
  for await (const piece of request) form += piece;
  loggedOut.push(decodeJwt(new URLSearchParams(form).get('logout_token') ?? '').sid);
  response.end();
});

beforeAll(async () => {
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  const hears = { backchannel_logout_uri: `${origin}/out`, backchannel_logout_session_required: true };
  app = await startApp({
    privateOrigins: [origin],
    policy: { firstEnrolment: 'invitation' },
    clients: [
      { ...RP, minimum_acr: '2fa' },
      { ...RP, ...hears, client_id: 'wiki', client_name: 'Wiki' },
      { ...RP, client_id: 'strict', client_name: 'Payroll', minimum_acr: '2fa', accept_suspended: false },
    ],
  });
  rp = new RelyingParty(app.issuer);
  wiki = new RelyingParty(app.issuer, 'wiki');
  strict = new RelyingParty(app.issuer, 'strict');
});
afterAll(async () => {
  listening.closeAllConnections();
  await new Promise((resolve) => listening.close(resolve));
  await app.stop();
});

const newLogin = (): string => {
  count += 1;
  return `ben${count}@example.com`;
};
const employee = (): Promise<Person> => person(app, newLogin());

const step = (page: Page, rest = ''): string => page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, `$1${rest}`);

async function suspend(account: Account, more: Partial<NewSuspension> = {}): Promise<Suspension> {
  const started = await app.app.desk.start(account, { hours: 24, ...more }, OLGA);
  return started.suspension;
}

async function accessCode({ id }: Suspension): Promise<string> {
  const issued = await app.app.desk.issueAccessCode(id, OLGA);
  return issued.status === 'issued' ? issued.code : issued.status;
}

/** Sets an authenticator up from the page that offers it; ends at the recovery codes, or where it goes on. */
async function setUpAuthenticator(browser: Browser, offered: Page): Promise<Page> {
  const chosen = await browser.submit(offered, { method: 'totp' });
  // Who has one already says first whether it is to go.
  const [, instead] = /href="([^"]+\/set-up\/totp\/instead\/[^"]+)"/.exec(chosen.html) ?? [];
  const page = instead ? await browser.open(instead) : chosen;
  const secret = /secret=([A-Z2-7]+)/.exec(page.html)?.[1] ?? '';
  return browser.submit(page, { code: generateSync({ secret }) });
}

/** The last page of the wizard, or typing one of the new recovery codes back. */
async function finishSetUp(browser: Browser, page: Page): Promise<Page> {
  const [code] = /[0-9A-Z]{4}(-[0-9A-Z]{4}){3}/.exec(page.text) ?? [];
  return code ? browser.submit(page, { code }) : browser.submit(page, {}, /\/set-up\/done$/);
}

const levels = async ({ id }: Account): Promise<string[]> => app.app.engine.levels(id);
const isSuspended = async ({ id }: Account): Promise<boolean> =>
  (await app.app.desk.listSuspensions({ accountId: id, isRunning: true }, { limit: 1 })).items.length > 0;

test('another browser needs an access code, once, and has no session before it', async () => {
  const { account } = await employee();
  const suspension = await suspend(account);
  const browser = app.browser();
  const { url, verifier } = rp.request();
  const second = await typePassword(browser, url, account.login);
  expect(second.h1).toBe('Enter the verification code');
  const methods = await browser.open(step(second, '/methods'));
  expect(methods.text).toContain('Access code');
  expect(await rp.silent(browser)).toBe('login_required');
  const code = await accessCode(suspension);
  const entry = await browser.open(/href="([^"]+\/access-code)"/.exec(methods.html)?.[1] ?? '');
  const wrong = await browser.submit(entry, { code: 'ABCDE-FGHJK' });
  expect({ status: wrong.status, text: wrong.text }).toMatchObject({
    status: 422,
    text: expect.stringContaining('That code did not work'),
  });
  const offered = await browser.submit(wrong, { code: ` ${code.toLowerCase()} ` });
  expect(offered.text).toContain('The second step is off for you until');
  const { claims } = await rp.tokens(await browser.submit(offered, {}, /\/set-up\/later$/), verifier);
  expect(claims).toMatchObject({ acr: 'urn:countersign:acr:1fa', amr: ['pwd'] });

  const other = app.browser();
  const again = await typePassword(other, rp.request().url, account.login);
  const used = await other.submit(await other.open(step(again, '/access-code')), { code });
  expect(used.status).toBe(422);
});

test('the same access code sent again while the first is on its way lets the browser in all the same', async () => {
  const { account } = await employee();
  const code = await accessCode(await suspend(account));
  const browser = app.browser();
  const second = await typePassword(browser, rp.request().url, account.login);
  const entry = await browser.open(step(second, '/access-code'));
  const form = { ...entry.forms[0]?.values, code };
  const { desk } = app.app;
  const { redeemAccessCode } = desk;
  desk.redeemAccessCode = async (...attempt) => {
    desk.redeemAccessCode = redeemAccessCode;
    const faster = await browser.clone().request(entry.url, { method: 'POST', form });
    expect(faster.headers.get('location')).toBe(step(second));
    return redeemAccessCode(...attempt);
  };
  const slower = await browser.request(entry.url, { method: 'POST', form });
  expect(slower.headers.get('location')).toBe(step(second));
});

test('too many wrong access codes: a wait, as with every other method', async () => {
  const { account } = await employee();
  const suspension = await suspend(account);
  const browser = app.browser();
  let page = await typePassword(browser, rp.request().url, account.login);
  page = await browser.open(step(page, '/access-code'));
  for (let tries = 0; tries < 12 && page.status !== 429; tries += 1) {
    page = await browser.submit(page, { code: 'ABCDE-FGHJK' });
  }
  expect(page.status).toBe(429);
  expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(page.text).toContain('Too many tries');
  const right = await browser.submit(page, { code: await accessCode(suspension) });
  expect(right.status).toBe(429);
});

test('without a single method left, another browser comes straight to the access code, and can ask for help', async () => {
  const { account, authenticator } = await employee();
  await app.app.desk.revokeFactors(account.id, [authenticator.factorId], OLGA);
  await app.app.engine.remove(account, (await app.app.engine.forAccount(account.id))[0]?.factors[0]?.id ?? '', {
    requestId: 'test',
  });
  await suspend(account);
  const browser = app.browser();
  const page = await typePassword(browser, rp.request().url, account.login);
  expect(page.h1).toBe('Enter an access code');
  const methods = await browser.open(step(page, '/methods'));
  expect(methods.text).toContain('No login method is set up');
  expect(methods.text).toContain('Cannot confirm login');
});

test('with "password alone" any browser with the right password is let in', async () => {
  const { account } = await employee();
  await suspend(account, { otherBrowsers: 'password_alone' });
  const { page, verifier } = await signInSuspended(app.browser(), rp, account.login);
  expect((await rp.tokens(page, verifier)).claims.acr).toBe('urn:countersign:acr:1fa');
  const [used] = (await app.app.audit.list({ accountId: account.id, types: ['suspension_used'] }, { limit: 5 })) ?? [];
  expect(used?.details).toMatchObject({ clearedBy: 'password_alone', allowedBy: 'olga' });
});

test('set-up in the sign-in that was let in: two factors at once, and the suspension is over', async () => {
  const { account } = await employee();
  const browser = await suspended(app, account);
  const { url, verifier } = rp.request();
  const offered = await typePassword(browser, url, account.login);
  expect(offered.text).toContain('I can confirm after all');
  const page = await finishSetUp(browser, await setUpAuthenticator(browser, offered));
  const { claims } = await rp.tokens(page, verifier);
  expect(claims).toMatchObject({ acr: 'urn:countersign:acr:2fa', amr: ['pwd', 'otp', 'mfa'] });
  expect(await isSuspended(account)).toBe(false);
});

test('set-up from the security page raises that very session; the others that were let in are out', async () => {
  const login = newLogin();
  const account = await app.account(login);
  const browser = await suspended(app, account);
  const first = await signInSuspended(browser, rp, login);
  const tokens = await rp.tokens(first.page, first.verifier);
  const [session] = await app.app.sessions.list(account.id);
  const suspension = (await app.app.desk.listSuspensions({ accountId: account.id }, { limit: 1 })).items[0];
  const other = app.browser();
  const atCode = await typePassword(other, rp.request().url, login);
  const code = await accessCode(suspension as Suspension);
  const letIn = await other.submit(await other.open(step(atCode, '/access-code')), { code });
  await other.submit(letIn, {}, /\/set-up\/later$/);
  expect(await rp.silent(other)).toBe('code');
  const sidAtWiki = async (who: Browser): Promise<unknown> => {
    const { url, verifier } = wiki.request({ prompt: 'none' });
    return (await wiki.tokens(await who.open(url), verifier)).claims.sid;
  };
  const [ours, theirs] = [await sidAtWiki(browser), await sidAtWiki(other)];

  const home = await browser.open('/account');
  expect(home.text).toMatch(/The second step is off for you Until .* only your password .* Turn it on now/);
  const offered = await browser.open(/href="([^"]+\/turn-on)"/.exec(home.html)?.[1] ?? '');
  expect(offered.text).toContain('The second step is off for you until');
  // There is nothing to continue with here: whoever came wants to set it up.
  expect(offered.forms.some(({ action }) => action.endsWith('/later'))).toBe(false);
  const codes = await setUpAuthenticator(browser, offered);
  expect(codes.h1).toBe('Save your recovery codes');
  const page = await finishSetUp(browser, codes);
  expect(page.url.pathname).toBe('/account');
  expect(page.text).toContain('Your account is protected by a second step');
  expect(await isSuspended(account)).toBe(false);
  // What it was is void at once; that it is gone is the outbox's work.
  expect(await rp.silent(other)).toBe('login_required');
  await app.mails();
  const [raised, ...rest] = await app.app.sessions.list(account.id);
  expect({ uid: raised?._id, acr: raised?.acr, rest }).toEqual({
    uid: session?._id,
    acr: 'urn:countersign:acr:2fa',
    rest: [],
  });
  expect(await rp.silent(browser)).toBe('code');
  expect((await rp.userinfo(tokens.access_token)).status).toBe(401);
  expect(theirs).toBeDefined();
  expect(loggedOut).toContain(theirs);
  expect(loggedOut).not.toContain(ours);
});

test('with methods that were lost, the security page of such a session leads through set-up, without a circle', async () => {
  const { account } = await employee();
  const browser = await suspended(app, account);
  await signInSuspended(browser, rp, account.login);
  const offered = await browser.open('/account');
  expect(offered.text).toContain('The second step is off for you until');
  expect(offered.text).toContain('I can confirm after all');
  const page = await finishSetUp(browser, await setUpAuthenticator(browser, offered));
  expect(page.url.pathname).toBe('/account');
  expect(page.h1).toBe('Your security');
});

test('found again: the old method ends the suspension and raises the session', async () => {
  const someone = await employee();
  const { account } = someone;
  const browser = await suspended(app, account);
  await signInSuspended(browser, rp, account.login);
  const offered = await browser.open('/account');
  const methods = await browser.open(/href="([^"]+\/methods)"/.exec(offered.html)?.[1] ?? '');
  expect(methods.text).toContain('Set up a login method');
  expect(methods.text).not.toContain('Cannot confirm login');
  const home = await typeRecoveryCode(browser, methods, someone);
  expect(home.h1).toBe('Your security');
  expect(await isSuspended(account)).toBe(false);
  const [end] = (await app.app.desk.listSuspensions({ accountId: account.id }, { limit: 1 })).items;
  expect(end?.end).toBe('factor_proved');
  expect(await rp.silent(browser)).toBe('code');
});

test('signed in with the password alone before it all: asks for help from there, types it once more, and is in', async () => {
  const login = newLogin();
  const account = await app.account(login);
  const browser = app.browser();
  const early = wiki.request();
  await wiki.tokens(await typePassword(browser, early.url, login), early.verifier);
  await new Promise((resolve) => setTimeout(resolve, 1_100));

  const { url, verifier } = rp.request();
  const stuck = await browser.open(url);
  expect(stuck.h1).toBe('Your account is not ready yet');
  const methods = await browser.open(/href="([^"]+\/methods)"/.exec(stuck.html)?.[1] ?? '');
  const form = await browser.open(/href="([^"]+\/cannot-confirm)"/.exec(methods.html)?.[1] ?? '');
  const waiting = await browser.submit(form, { circumstances: 'other' }, /cannot-confirm$/);
  const [request] = (await app.app.desk.listRequests({ accountId: account.id }, { limit: 1 })).items;
  const number = /<output[^>]*>([^<]+)<\/output>/.exec(waiting.html)?.[1] ?? '';
  await approve(app, { ...request, number } as OwnRequest);

  // What was signed in before gets nothing out of it, not even the set-up.
  const csrf = waiting.forms[0]?.values.csrf ?? '';
  const tried = await browser.request(`${app.issuer}${step(waiting, '/set-up')}`, {
    method: 'POST',
    form: { csrf, method: 'totp' },
  });
  expect(tried.headers.get('location')).toMatch(/\/auth\//);
  const password = await browser.open(waiting.url);
  expect(password.h1).toBe('Sign in to continue to Time Sheets');
  const again = await browser.submit(password, { login, password: PASSWORD });
  const { claims } = await rp.tokens(await browser.submit(again, {}, /\/set-up\/later$/), verifier);
  expect(claims).toMatchObject({ acr: 'urn:countersign:acr:1fa', amr: ['pwd'] });
});

test('a browser that the suspension did not let in cannot set anything up', async () => {
  const { account } = await employee();
  await suspended(app, account);
  const thief = app.browser();
  const page = await typePassword(thief, rp.request().url, account.login);
  const before = await snapshot(app);
  for (const [rest, form] of [
    ['/set-up', { method: 'totp' }],
    ['/set-up/totp', { code: '123456', label: '' }],
    ['/set-up/later', {}],
  ] as [string, Record<string, string>][]) {
    const csrf = page.forms[0]?.values.csrf ?? '';
    const answer = await thief.request(`${app.issuer}${step(page, rest)}`, { method: 'POST', form: { ...form, csrf } });
    expect({ rest, status: answer.status }).toEqual({ rest, status: 403 });
  }
  expect(await snapshot(app)).toEqual(before);
});

test('an application that takes nobody without the second step: the page says why, and leads back with the error', async () => {
  const login = newLogin();
  const account = await app.account(login);
  const browser = await suspended(app, account);
  const page = await typePassword(browser, strict.request().url, login);
  expect({ status: page.status, h1: page.h1 }).toEqual({ status: 403, h1: 'Payroll does not let you in yet' });
  expect(page.text).toContain('Payroll does not accept sign-ins while it is off');
  const back = await browser.submit(page, {}, /\/refused$/);
  expect(strict.answer(back).error).toBe('unmet_authentication_requirements');
  expect(await app.app.sessions.list(account.id)).toEqual([]);

  // By single sign-on it is the same, but for a silent request.
  await signInSuspended(browser, rp, login);
  expect(await strict.silent(browser)).toBe('unmet_authentication_requirements');
  const { url, verifier } = strict.request();
  const again = await browser.open(url);
  expect(again.h1).toBe('Payroll does not let you in yet');
  const offered = await browser.open(/<a class="primary" href="([^"]+)"/.exec(again.html)?.[1] ?? '');
  const done = await finishSetUp(browser, await setUpAuthenticator(browser, offered));
  expect((await strict.tokens(done, verifier)).claims.acr).toBe('urn:countersign:acr:2fa');
});

test('the same application in a browser that was not let in: an access code opens set-up there', async () => {
  const login = newLogin();
  const account = await app.account(login);
  const suspension = await suspend(account);
  const browser = app.browser();
  const refused = await typePassword(browser, strict.request().url, login);
  expect(refused.text).toContain('With an access code');
  const entry = await browser.open(/<a class="primary" href="([^"]+)"/.exec(refused.html)?.[1] ?? '');
  const page = await browser.submit(entry, { code: await accessCode(suspension) });
  expect(page.text).toContain('Set up the second step now');
});

test.each([
  ['somebody new', false],
  ['somebody who lost every method', true],
])('an access pass lets %s set a method up in that browser, once', async (_who, hasFactors) => {
  const login = newLogin();
  const account = hasFactors ? (await person(app, login)).account : await app.account(login);
  const none = await typePassword(app.browser(), rp.request().url, login);
  expect(none.text).not.toContain('access pass');
  const { pass } = await app.app.desk.issueAccessPass(account, 3600, OLGA);

  const browser = app.browser();
  const { url, verifier } = rp.request();
  const second = await typePassword(browser, url, login);
  const from = hasFactors ? await browser.open(step(second, '/methods')) : second;
  const href = /href="([^"]+\/access-pass)"/.exec(from.html)?.[1] ?? '';
  const wrong = await browser.submit(await browser.open(href), { code: 'ABCD-EFGH-JKLM-NPQR' });
  expect(wrong.status).toBe(422);
  const offered = await browser.submit(wrong, { code: pass.toLowerCase() });
  expect(offered.text).toContain('Your access pass lets you set up a login method');
  // Bound to the browser that used it.
  const thief = app.browser();
  const theirs = await typePassword(thief, rp.request().url, login);
  expect((await thief.open(step(theirs, '/set-up/totp'))).html).not.toMatch(/otpauth|secret=/);
  expect((await thief.open(step(theirs, '/access-pass'))).h1).not.toBe('Enter your access pass');

  const page = await finishSetUp(browser, await setUpAuthenticator(browser, offered));
  expect((await rp.tokens(page, verifier)).claims.acr).toBe('urn:countersign:acr:2fa');
  expect((await levels(account)).length).toBeGreaterThanOrEqual(2);
  const later = app.browser();
  const next = await typePassword(later, rp.request().url, login);
  expect((await later.open(step(next, '/set-up/totp'))).html).not.toMatch(/otpauth|secret=/);
});

test('"it was not me" ends the suspension with everything else', async () => {
  const { account } = await employee();
  const browser = await suspended(app, account);
  const { page, verifier } = await signInSuspended(browser, rp, account.login);
  const tokens = await rp.tokens(page, verifier);
  const token = await app.app.links.create('not_me', account.id, 60);
  const anybody = app.browser();
  await anybody.submit(await anybody.open(`/not-me/${token}`));
  expect(await isSuspended(account)).toBe(false);
  expect((await rp.userinfo(tokens.access_token)).status).toBe(401);
  const reports = await app.app.audit.list({ accountId: account.id, types: ['not_me_reported'] }, { limit: 5 });
  expect(reports).toHaveLength(1);
});
