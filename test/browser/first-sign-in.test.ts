import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { generateSync } from 'otplib';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { startApp, type TestApp } from '../support/app.js';
import type { RelyingParty } from '../support/relying-party.js';
import { type Application, claimsAt, relyingParty, startApplication } from './application.js';
import { launch, NARROW, Person } from './person.js';

jest.setTimeout(60_000);

const PASSWORD = 'quiet harbour 58 lantern';
const CODE = /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/;

let browser: Browser;
let application: Application;
let app: TestApp;
let rp: RelyingParty;
beforeAll(async () => {
  browser = await launch();
  application = await startApplication();
  app = await startApp({
    policy: { firstEnrolment: 'invitation', setUp: { required: true } },
    clients: [application.client],
  });
  rp = relyingParty(app.issuer, application);
});
afterAll(async () => {
  await browser?.close();
  await app?.stop();
  await application?.stop();
});

const arrive = (options?: BrowserContextOptions): Promise<Person> =>
  Person.arrive(browser, [app.issuer, application.origin], options);

/** Invites somebody and finds the link in the mail. */
async function invite(login: string): Promise<string> {
  const account = await app.account(login, { password: null, email: login });
  await app.app.sendInvitation(account, { type: 'operator' });
  const mail = (await app.mails()).find(({ to }) => to.includes(login));
  return /http\S+\/invitation\/\S+/.exec(mail?.text ?? '')?.[0] ?? '';
}

async function choosePassword(person: Person, link: string): Promise<void> {
  await person.page.goto(link);
  await person.sees('Choose your password');
  await person.fill('New password', PASSWORD);
  await person.fill('New password once more', PASSWORD);
  await person.press('Save the password');
  await person.sees('Your password is saved');
}

/** The key beside the QR code, as somebody would read it who cannot scan. */
async function readKey(person: Person): Promise<string> {
  const { page } = person;
  await page.getByText('I cannot scan it').click();
  return (await person.text('#key')).replace(/\s/g, '');
}

/** The whole way of a newcomer, from the mail to the application. */
async function firstSignIn(person: Person, login: string): Promise<void> {
  const { page } = person;
  await choosePassword(person, await invite(login));

  const { url, verifier } = rp.request();
  await page.goto(url.href);
  await person.sees('Sign in to continue to Time Sheets');
  await person.signIn(login, PASSWORD);
  await person.sees('Protect your account');
  expect(await person.text('main')).toContain('Time Sheets asks for a second step');
  await person.press(/^Set up/);

  await person.sees('Set up the authenticator app');
  expect((await page.locator('.qr svg').boundingBox())?.width).toBeGreaterThan(150);
  const secret = await readKey(person);
  await person.enter('Six digits', '000 000');
  await person.sees('Set up the authenticator app');
  expect(await person.text('#problem')).toContain('That code did not work');
  await person.enter('Six digits', generateSync({ secret }).replace(/(\d{3})/, '$1 '));

  await person.sees('Save your recovery codes');
  const codes = await page.locator('#codes li').allInnerTexts();
  expect(codes).toHaveLength(10);
  for (const code of codes) expect(code).toMatch(CODE);
  await person.fill('Type one of them', codes[3]?.toLowerCase() ?? '');
  await person.press('Finish');

  const claims = await claimsAt(await person.isBack(), rp, verifier);
  expect(claims).toMatchObject({ acr: 'urn:countersign:acr:2fa', amr: ['pwd', 'otp', 'mfa'] });
}

test('from the invitation to the application', async () => {
  const person = await arrive();
  await firstSignIn(person, 'anna@example.com');
  await person.leave();
});

test('the same on the narrowest phone, in the dark', async () => {
  const person = await arrive({ viewport: NARROW, colorScheme: 'dark', hasTouch: true, isMobile: true });
  await firstSignIn(person, 'ben@example.com');
  await person.leave();
});

test('the same without JavaScript', async () => {
  const person = await arrive({ viewport: NARROW, javaScriptEnabled: false });
  await firstSignIn(person, 'cleo@example.com');
  await person.leave();
});

test('the same with the keyboard alone; a problem takes the focus, its line leads to the field', async () => {
  const person = await arrive();
  const { page } = person;
  const { keyboard } = page;
  const type = async (name: string, text: string): Promise<void> => {
    await person.tabTo(name);
    await keyboard.type(text);
  };
  const press = async (name: string): Promise<void> => {
    await person.tabTo(name);
    await keyboard.press('Enter');
  };

  await page.goto(await invite('dora@example.com'));
  await person.sees('Choose your password');
  await type('New password', PASSWORD);
  await type('New password once more', 'something else');
  await keyboard.press('Enter');
  await page.locator('#problem').waitFor();
  expect(await person.focus()).toBe('problem');
  await press('The two new passwords are not the same. Type them again.');
  expect(await person.focus()).toBe('repeat');
  await page.goto(page.url());
  await type('New password', PASSWORD);
  await type('New password once more', PASSWORD);
  await press('Save the password');
  await person.sees('Your password is saved');

  const { url, verifier } = rp.request();
  await page.goto(url.href);
  await person.sees('Sign in to continue to Time Sheets');
  await type('Login', 'dora@example.com');
  await type('Password', PASSWORD);
  await keyboard.press('Enter');
  await person.sees('Protect your account');
  await press('Set up an authenticator app');
  await person.sees('Set up the authenticator app');
  await press('I cannot scan it');
  const secret = (await person.text('#key')).replace(/\s/g, '');
  await type('Six digits', '123456');
  await keyboard.press('Enter');
  await page.locator('#problem').waitFor();
  expect(await person.focus()).toBe('problem');
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  expect(await person.focus()).toBe('code');
  await keyboard.type(generateSync({ secret }));
  await press('Continue');
  await person.sees('Save your recovery codes');
  const [code = ''] = await page.locator('#codes li').allInnerTexts();
  await type('Type one of them', code);
  await press('Finish');
  expect((await claimsAt(await person.isBack(), rp, verifier)).acr).toBe('urn:countersign:acr:2fa');
  await person.leave();
});

test('recovery codes can be copied, saved as a file and printed', async () => {
  const person = await arrive({ permissions: ['clipboard-read', 'clipboard-write'] });
  const { page } = person;
  await choosePassword(person, await invite('emil@example.com'));
  await person.press('Continue');
  await person.sees('Sign in to continue to Countersign');
  await person.signIn('emil@example.com', PASSWORD);
  await person.press(/^Set up/);
  await person.sees('Set up the authenticator app');
  const secret = await readKey(person);
  await person.press('Copy');
  await page.getByText('Copied').waitFor();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(secret);
  await person.enter('Six digits', generateSync({ secret }));

  await person.sees('Save your recovery codes');
  const codes = await page.locator('#codes li').allInnerTexts();
  await person.press('Copy');
  await page.getByText('Copied').waitFor();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(codes.join('\n'));

  const waiting = page.waitForEvent('download');
  await person.press('Download');
  const file = await waiting;
  expect(file.suggestedFilename()).toBe('recovery-codes.txt');
  const lines = readFileSync(await file.path(), 'utf8')
    .trim()
    .split('\n');
  expect(lines[0]).toContain('emil@example.com');
  expect(lines.slice(2)).toEqual(codes);

  await page.evaluate('window.print = () => { window.printed = true; }');
  await person.press('Print');
  expect(await page.evaluate('window.printed')).toBe(true);
  await page.emulateMedia({ media: 'print' });
  expect(await page.locator('#codes').isVisible()).toBe(true);
  expect(await page.getByText('Recovery codes · Countersign · emil@example.com').isVisible()).toBe(true);
  for (const hidden of ['form', 'footer', '.bar']) expect(await page.locator(hidden).first().isVisible()).toBe(false);
  await page.emulateMedia({ media: null });

  await person.fill('Type one of them', 'AAAA-AAAA-AAAA-AAAA');
  await person.press('Finish');
  await person.sees('Save your recovery codes');
  expect(await page.locator('#codes li').allInnerTexts()).toEqual(codes);
  await person.fill('Type one of them', codes[0] ?? '');
  await person.press('Finish');
  await person.sees('Your security');
  expect(await person.text('main')).toContain('Your account is protected by a second step');
  await person.leave();
});
