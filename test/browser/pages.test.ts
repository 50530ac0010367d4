import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { type Person as Employee, person as enrolled } from '../security/support.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import type { RelyingParty } from '../support/relying-party.js';
import { type Application, relyingParty, startApplication } from './application.js';
import { launch, NARROW, Person } from './person.js';

jest.setTimeout(60_000);

const NEW_PASSWORD = 'slate orchid 77 windmill';

let browser: Browser;
let application: Application;
let app: TestApp;
let rp: RelyingParty;
beforeAll(async () => {
  browser = await launch();
  application = await startApplication();
  app = await startApp({
    clients: [
      { ...application.client, first_party: false },
      {
        client_id: 'tv',
        client_name: 'Television',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
        first_party: true,
      },
    ],
    deviceFlow: { enabled: true },
    branding: { links: [{ label: 'Help', href: 'https://help.example/' }] },
    policy: {
      firstEnrolment: 'password',
      groups: [{ group: 'newcomers', setUp: { required: true, deadline: '2099-01-31T00:00:00Z' } }],
    },
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
const queryOf = async (person: Person): Promise<Record<string, string>> =>
  Object.fromEntries(new URL(await person.isBack()).searchParams);

/** Signs in with a recovery code, which needs no waiting for the next half minute. */
async function signIn(person: Person, { account, recoveryCodes }: Employee): Promise<void> {
  await person.signIn(account.login, PASSWORD);
  await person.sees('Enter the verification code');
  await person.press('Other login methods');
  await person.sees('Other login methods');
  await person.press(/^Recovery code/);
  await person.sees('Enter a recovery code');
  await person.enter('Recovery code', recoveryCodes.pop() ?? '');
}

test.each<[string, string, BrowserContextOptions]>([
  ['', 'anna', {}],
  [', narrow and dark', 'ben', { viewport: NARROW, colorScheme: 'dark' }],
  [', without JavaScript', 'cleo', { viewport: NARROW, javaScriptEnabled: false }],
])(
  'an application of a third party asks for consent: no, then yes, then never again%s',
  async (_how, name, options) => {
    await app.account(`${name}@example.com`);
    const person = await arrive(options);
    const { url } = rp.request({ scope: 'openid profile email' });
    await person.page.goto(url.href);
    await person.sees('Sign in to continue to Time Sheets');
    await person.signIn(`${name}@example.com`, PASSWORD);
    await person.sees('Allow Time Sheets?');
    expect(await person.text('.ticks')).toContain('See your e-mail address');
    await person.press('Do not allow');
    expect(await queryOf(person)).toMatchObject({ error: 'access_denied' });
    await person.page.goto(url.href);
    await person.sees('Allow Time Sheets?');
    await person.press('Allow');
    expect(await queryOf(person)).toMatchObject({ code: expect.any(String) });
    await person.page.goto(url.href);
    expect(await queryOf(person)).toMatchObject({ code: expect.any(String) });
    await person.leave();
  },
);

test.each<[string, string, BrowserContextOptions]>([
  ['', 'dora', {}],
  [', without JavaScript', 'emil', { viewport: NARROW, javaScriptEnabled: false }],
])('a forgotten password: the link in the mail leads to a new one%s', async (_how, name, options) => {
  const login = `${name}@example.com`;
  await app.account(login, { email: login });
  const person = await arrive(options);
  await person.page.goto(rp.request().url.href);
  await person.sees('Sign in to continue to Time Sheets');
  await person.signIn(login, 'something i forgot');
  await person.page.locator('#problem').waitFor();
  expect(await person.text('#problem')).toContain('Login or password is not correct.');
  await person.sees('Sign in to continue to Time Sheets');
  await person.press('Forgot password?');
  await person.sees('Forgot your password?');
  await person.fill('Login', login);
  await person.press('Send the link');
  await person.sees('Check your mail');
  let link: string | undefined;
  for (let tries = 0; !link && tries < 50; tries += 1) {
    const mail = (await app.mails()).find(({ to }) => to.includes(login));
    link = /http\S+\/password-reset\/\S+/.exec(mail?.text ?? '')?.[0];
    if (!link) await person.page.waitForTimeout(100);
  }
  await person.page.goto(link ?? '');
  await person.sees('Choose a new password');
  await person.fill('New password', 'too short');
  await person.fill('New password once more', 'too short');
  await person.press('Save the password');
  await person.page.locator('#problem').waitFor();
  await person.sees('Choose a new password');
  await person.fill('New password', NEW_PASSWORD);
  await person.fill('New password once more', NEW_PASSWORD);
  await person.press('Save the password');
  await person.sees('Your password is saved');
  await person.press('Continue');
  await person.sees('Sign in to continue to Countersign');
  await person.signIn(login, NEW_PASSWORD);
  await person.sees('Your security');
  await person.page.goto(link ?? '');
  await person.sees('This link no longer works');
  await person.leave();
});

test('set-up that may wait: "Later" goes on, with the date until which it may', async () => {
  await app.account('newcomer@example.com', { groups: ['newcomers'] });
  const person = await arrive({ viewport: NARROW, colorScheme: 'dark' });
  await person.page.goto(rp.request().url.href);
  await person.signIn('newcomer@example.com', PASSWORD);
  await person.sees('Protect your account');
  expect(await person.text('main')).toContain('You can put it off until 31 Jan 2099');
  await person.press('Later');
  await person.sees('Allow Time Sheets?');
  await person.leave();
});

test('signing out asks first', async () => {
  await app.account('fay@example.com');
  const person = await arrive({ viewport: NARROW });
  await person.page.goto(`${app.issuer}/account`);
  await person.signIn('fay@example.com', PASSWORD);
  await person.sees('Your security');
  await person.press('Sign out');
  await person.sees('Sign out?');
  await person.press('Stay signed in');
  await person.page.goto(`${app.issuer}/account`);
  await person.sees('Your security');
  await person.press('Sign out');
  await person.sees('Sign out?');
  await person.page.locator('button.primary').click();
  await person.sees('You are signed out');
  await person.page.goto(`${app.issuer}/account`);
  await person.sees('Sign in to continue to Countersign');
  await person.leave();
});

test('another person in the same browser is asked about, not mixed up', async () => {
  await app.account('first@example.com');
  await app.account('second@example.com');
  const person = await arrive({ viewport: NARROW });
  await person.page.goto(`${app.issuer}/account`);
  await person.signIn('first@example.com', PASSWORD);
  await person.sees('Your security');
  await person.page.goto(rp.request({ prompt: 'login' }).url.href);
  await person.signIn('second@example.com', PASSWORD);
  await person.sees('Continue as second@example.com?');
  await person.page.locator('button[value=switch]').click();
  await person.sees('Allow Time Sheets?');
  await person.leave();
});

test.each<[string, string, BrowserContextOptions]>([
  ['', 'gus', { viewport: NARROW }],
  [', without JavaScript', 'hal', { javaScriptEnabled: false }],
])('a device without a keyboard is connected with its code%s', async (_how, name, options) => {
  const employee = await enrolled(app, `${name}@example.com`);
  const start = await fetch(`${app.issuer}/device/auth`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: 'tv', scope: 'openid' }),
  });
  const device = (await start.json()) as { device_code: string; user_code: string; verification_uri: string };
  const person = await arrive(options);
  await person.page.goto(device.verification_uri);
  await person.sees('Connect a device');
  await person.fill('Code on the device', 'AAAA-AAAA');
  await person.press('Continue');
  await person.page.locator('#problem').waitFor();
  await person.sees('Connect a device');
  await person.fill('Code on the device', device.user_code.toLowerCase());
  await person.press('Continue');
  await person.sees('Connect your device to Television?');
  expect(await person.text('output')).toContain(device.user_code);
  await person.press('Connect');
  await person.sees('Sign in to continue to Television');
  await signIn(person, employee);
  await person.sees('Your device is connected');
  const token = await fetch(`${app.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: 'tv',
      device_code: device.device_code,
    }),
  });
  expect(await token.json()).toMatchObject({ id_token: expect.any(String) });
  await person.leave();
});

test.each<[string, BrowserContextOptions]>([
  ['wide', {}],
  ['narrow and dark', { viewport: NARROW, colorScheme: 'dark' }],
])('errors say what happened and where to go, %s', async (_how, options) => {
  const person = await arrive(options);
  const { page } = person;
  await page.goto(`${app.issuer}/no-such-page`);
  await person.sees('There is no such page');
  expect(await person.text('.reference code')).toMatch(/^[\w-]{8,}$/);
  await page.goto(`${app.issuer}/sign-in/abcdefghijklmnop`);
  await person.sees('This sign-in has ended');
  await page.goto(rp.request({ client_id: 'nobody' }).url.href);
  await person.sees('The application’s request was not right');
  await page.goto(`${app.issuer}/invitation/unknown`);
  await person.sees('This link no longer works');
  await page.goto(`${app.issuer}/not-me/unknown`);
  await person.sees('This link no longer works');
  await person.leave();
});

test('a report that it was not me closes the account to others', async () => {
  const account = await app.account('ida@example.com');
  const token = await app.app.links.create('not_me', account.id, 3600);
  const person = await arrive({ viewport: NARROW });
  await person.page.goto(`${app.issuer}/not-me/${token}?what=factor_removed`);
  await person.sees('Was this not you?');
  await person.press('It was not me');
  await person.sees('Thank you, your account is closed to others');
  await person.press('Choose a new password');
  await person.sees('Forgot your password?');
  await person.leave();
});

test('German for a German browser; the switch at the foot wins and is remembered', async () => {
  const person = await arrive({ locale: 'de-AT', viewport: NARROW });
  const { page } = person;
  await page.goto(rp.request().url.href);
  await page.locator('h1').waitFor();
  expect(await page.locator('html').getAttribute('lang')).toBe('de');
  const heading = await person.text('h1');
  await person.sees(heading);
  expect(heading).not.toMatch(/Sign in/);
  await person.press('English');
  await person.sees('Sign in to continue to Time Sheets');
  await page.goto(`${app.issuer}/forgot-password`);
  await person.sees('Forgot your password?');
  await person.press('Deutsch');
  await page.locator('html[lang=de]').waitFor();
  await page.goto(rp.request().url.href);
  await person.sees(heading);
  await person.leave();
});
