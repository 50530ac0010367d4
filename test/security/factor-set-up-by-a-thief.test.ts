/** Prevents: whoever phished the password of an account without a second step setting up their own. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateSync } from 'otplib';
import type { Account } from '../../src/accounts/contract.js';
import { PASSWORD, RP, startApp, type TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { typePassword } from './support.js';

const NEW_PASSWORD = 'meadow copper 93 signal';
const CLIENTS = [RP, { ...RP, client_id: 'strict', client_name: 'Payroll', minimum_acr: '2fa' }];
const policy = (firstEnrolment: string) => ({
  policy: { firstEnrolment, setUp: { required: true } },
  clients: CLIENTS,
});
const secretIn = (page: Page): string => /secret=([A-Z2-7]+)/.exec(page.html)?.[1] ?? '';

const expectNoSetUp = async (app: TestApp, browser: Browser, page: Page): Promise<void> => {
  const uid = page.url.pathname.split('/')[2] ?? '';
  expect(page.url.pathname).toBe(`/second-factor/${uid}/set-up`);
  expect(page.forms.some(({ names }) => names.includes('method'))).toBe(false);
  for (const path of ['set-up/totp', 'set-up/recovery_code']) {
    const shown = await browser.open(`/second-factor/${uid}/${path}`);
    expect({ path, secret: secretIn(shown) }).toEqual({ path, secret: '' });
    const sent = await browser.request(`${app.issuer}/second-factor/${uid}/${path}`, {
      method: 'POST',
      form: { csrf: page.forms[0]?.values.csrf ?? '', code: '000000' },
    });
    expect({ path, status: sent.status }).toEqual({ path, status: 403 });
  }
  expect(await app.database.collection('factors').countDocuments()).toBe(0);
  expect((await browser.open('/account/add/totp')).html).not.toContain('secret=');
};

describe('firstEnrolment: invitation', () => {
  let app: TestApp;
  let rp: RelyingParty;
  let strict: RelyingParty;
  beforeAll(async () => {
    app = await startApp(policy('invitation'));
    rp = new RelyingParty(app.issuer);
    strict = new RelyingParty(app.issuer, 'strict');
  });
  afterAll(() => app.stop());

  const invite = async (account: Account): Promise<string> => {
    await app.app.sendInvitation(account, { type: 'operator' });
    const mails = (await app.mails()).filter(({ to }) => to === account.email);
    return /https?:\S+\/invitation\/[\w-]+/.exec(mails[0]?.text ?? '')?.[0] ?? '';
  };

  test('the bare password is told how to go on, and nothing else', async () => {
    await app.account('anna@example.com');
    const thief = app.browser();
    const page = await typePassword(thief, strict.request().url, 'anna@example.com');
    await expectNoSetUp(app, thief, page);
    expect(await rp.silent(thief)).toBe('login_required');
  });

  test('where set-up is due but the application asks for nothing, the password does not open it either', async () => {
    const thief = app.browser();
    await expectNoSetUp(app, thief, await typePassword(thief, rp.request().url, 'anna@example.com'));
  });

  test('the browser that redeemed the invitation sets up; another one with the same password does not', async () => {
    const ben = await app.account('ben@example.com', { password: null, email: 'ben@mail.example' });
    const link = await invite(ben);
    const owner = app.browser();
    const chosen = await owner.submit(await owner.open(link), { password: NEW_PASSWORD, repeat: NEW_PASSWORD });
    expect(chosen.status).toBe(200);
    const thief = app.browser();
    await expectNoSetUp(app, thief, await typePassword(thief, strict.request().url, 'ben@example.com', NEW_PASSWORD));
    const { url, verifier } = strict.request();
    let page = await typePassword(owner, url, 'ben@example.com', NEW_PASSWORD);
    // The codes to fall back on do not come before the method itself.
    const uid = page.url.pathname.split('/')[2] ?? '';
    const early = await owner.open(`/second-factor/${uid}/set-up/recovery_code`);
    expect(early.text).not.toMatch(/[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/);
    page = await owner.submit(page, { method: 'totp' });
    const secret = secretIn(page);
    page = await owner.submit(page, { code: generateSync({ secret }) });
    // Broken off here: the method is set up, but this sign-in has not ended and nobody is signed in.
    expect(await strict.silent(owner)).toBe('login_required');
    const code = /[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(page.text)?.[0] ?? '';
    page = await owner.submit(page, { code });
    expect((await strict.tokens(page, verifier)).claims).toMatchObject({ acr: 'urn:countersign:acr:2fa' });
    // The permission went with the first use of it.
    const stored = await app.database
      .collection<{ _id: string; standing?: object }>('accounts')
      .findOne({ _id: ben.id });
    expect(stored?.standing ?? {}).not.toHaveProperty('firstEnrolment');
    await app.database.collection('factors').deleteMany({ accountId: ben.id });
  });

  test('a wizard broken off shows the same secret again; the pending method lets nobody in', async () => {
    const cleo = await app.account('cleo@example.com', { password: null, email: 'cleo@mail.example' });
    const owner = app.browser();
    await owner.submit(await owner.open(await invite(cleo)), { password: NEW_PASSWORD, repeat: NEW_PASSWORD });
    let page = await typePassword(owner, strict.request().url, 'cleo@example.com', NEW_PASSWORD);
    page = await owner.submit(page, { method: 'totp' });
    const secret = secretIn(page);
    expect(secret).not.toBe('');
    const again = await typePassword(owner, strict.request().url, 'cleo@example.com', NEW_PASSWORD);
    expect(secretIn(await owner.submit(again, { method: 'totp' }))).toBe(secret);
    const uid = again.url.pathname.split('/')[2] ?? '';
    const asProof = await owner.request(`${app.issuer}/second-factor/${uid}/with/totp`, {
      method: 'POST',
      form: { csrf: again.forms[0]?.values.csrf ?? '', code: generateSync({ secret }) },
    });
    expect(asProof.headers.get('location') ?? '').not.toMatch(/\/auth\//);
    expect(await strict.silent(owner)).toBe('login_required');
    await app.database.collection('factors').deleteMany({ accountId: cleo.id });
  });

  test('a reset password gives no permission: it neither clears, skips nor opens the set-up', async () => {
    const dora = await app.account('dora@example.com');
    const token = await app.app.links.create('password_reset', dora.id, 3600);
    const thief = app.browser();
    const done = await thief.submit(await thief.open(`/password-reset/${token}`), {
      password: NEW_PASSWORD,
      repeat: NEW_PASSWORD,
    });
    expect(done.status).toBe(200);
    expect(thief.cookie('countersign-enrolment')).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await expectNoSetUp(app, thief, await typePassword(thief, strict.request().url, 'dora@example.com', NEW_PASSWORD));
  });

  test('the permission of one account is worth nothing for another', async () => {
    const emil = await app.account('emil@example.com', { password: null, email: 'emil@mail.example' });
    const thief = app.browser();
    await thief.submit(await thief.open(await invite(emil)), { password: NEW_PASSWORD, repeat: NEW_PASSWORD });
    expect(thief.cookie('countersign-enrolment')).toBeTruthy();
    await expectNoSetUp(app, thief, await typePassword(thief, strict.request().url, 'anna@example.com'));
  });
});

describe('firstEnrolment: confirmed_email', () => {
  let app: TestApp;
  let strict: RelyingParty;
  beforeAll(async () => {
    app = await startApp(policy('confirmed_email'));
    strict = new RelyingParty(app.issuer, 'strict');
  });
  afterAll(() => app.stop());

  test('the link goes to the address on file, and opens the set-up only to the browser that follows it', async () => {
    await app.account('anna@example.com', { email: 'anna@mail.example' });
    const thief = app.browser();
    let page = await typePassword(thief, strict.request().url, 'anna@example.com');
    await expectNoSetUp(app, thief, page);
    page = await thief.submit(page, {}, '/send-link');
    const [mail] = (await app.mails()).filter(({ to }) => to === 'anna@mail.example');
    const link = /https?:\S+\/confirm-email\/[\w-]+/.exec(mail?.text ?? '')?.[0] ?? '';
    const owner = app.browser();
    await owner.submit(await owner.open(link), {}, /confirm-email/);
    await expectNoSetUp(app, thief, await typePassword(thief, strict.request().url, 'anna@example.com'));
    const chosen = await typePassword(owner, strict.request().url, 'anna@example.com', PASSWORD);
    expect(chosen.forms.some(({ names }) => names.includes('method'))).toBe(true);
  });

  test('mails of it have an end', async () => {
    const ben = await app.account('ben@example.com', { email: 'ben@mail.example' });
    const thief = app.browser();
    let page = await typePassword(thief, strict.request().url, ben.login);
    for (let n = 0; n < 6; n += 1) page = await thief.submit(page, {}, '/send-link');
    expect((await app.mails()).filter(({ to }) => to === 'ben@mail.example').length).toBeLessThanOrEqual(3);
  });
});
