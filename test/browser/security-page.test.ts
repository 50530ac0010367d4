import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { generateSync } from 'otplib';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { type Person as Employee, person as enrolled } from '../security/support.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import { FakeClock } from '../support/clock.js';
import { launch, NARROW, Person } from './person.js';

jest.setTimeout(60_000);

const clock = new FakeClock();
let browser: Browser;
let app: TestApp;
beforeAll(async () => {
  browser = await launch();
  app = await startApp({}, { clock });
});
afterAll(async () => {
  await browser?.close();
  await app?.stop();
});

const employ = (name: string): Promise<Employee> => enrolled(app, `${name}@example.com`, () => clock.now());
const nextCode = ({ authenticator }: Employee): string => {
  clock.advance(30);
  return authenticator.code();
};

/** Signed in, on the security page. */
async function arrive(employee: Employee, options?: BrowserContextOptions): Promise<Person> {
  const person = await Person.arrive(browser, [app.issuer], options);
  await person.page.goto(`${app.issuer}/account`);
  await person.signIn(employee.account.login, PASSWORD);
  await person.sees('Enter the verification code');
  await person.enter('Six digits', nextCode(employee));
  await person.sees('Your security');
  return person;
}

test.each<[string, string, BrowserContextOptions]>([
  ['', 'anna', {}],
  [', narrow and dark', 'ben', { viewport: NARROW, colorScheme: 'dark' }],
  [', without JavaScript', 'cleo', { javaScriptEnabled: false }],
])('a second authenticator is added, renamed and removed%s', async (_how, name, options) => {
  const person = await arrive(await employ(name), options);
  const { page } = person;
  await person.press('Add another');
  await person.sees('Set up the authenticator app');
  await page.getByText('I cannot scan it').click();
  const secret = (await person.text('#key')).replace(/\s/g, '');
  await page.getByText('Give it a name (optional)').click();
  await person.fill('Name', 'Work phone');
  const epoch = Math.floor(clock.now().getTime() / 1000);
  const code = generateSync({ secret, epoch });
  await person.enter('Six digits', code.startsWith('0') ? '999999' : '000000');
  await page.locator('#problem').waitFor();
  await person.enter('Six digits', code);
  await person.sees('Your security');
  expect(await person.text('.note')).toContain('The login method is set up.');
  expect(await person.text('main')).not.toContain('Did not get in');

  await person.press('Rename Work phone');
  await person.sees('Give it another name');
  await person.fill('Name', ' ');
  await person.press('Save');
  await page.locator('#problem').waitFor();
  await person.sees('Give it another name');
  await person.fill('Name', 'Old phone');
  await person.press('Save');
  await person.sees('Your security');
  expect(await person.text('.note')).toContain('The new name is saved.');

  await person.press('Remove Old phone');
  await person.sees('Remove “Old phone”?');
  await person.press('Remove');
  await person.sees('Your security');
  expect(await person.text('.note')).toContain('The login method is removed.');
  expect(await person.text('main')).not.toContain('Old phone');
  await person.leave();
});

test('the last authenticator is removed only after what that means is said', async () => {
  const person = await arrive(await employ('last'));
  await person.press('Remove Authenticator');
  await person.sees('Remove “Authenticator”?');
  expect(await person.text('main')).toContain('This is your last one.');
  await person.press('Keep it');
  await person.sees('Your security');
  expect(await person.text('main')).toContain('Your account is protected by a second step');
  await person.leave();
});

test('new recovery codes end the old ones', async () => {
  const employee = await employ('dora');
  const person = await arrive(employee, { viewport: NARROW });
  const { page } = person;
  await person.press('Make new ones');
  await person.sees('Save your recovery codes');
  expect(await person.text('main')).toContain('codes from an earlier list no longer work');
  const codes = await page.locator('#codes li').allTextContents();
  expect(codes.map((code) => code.trim())).not.toContain(employee.recoveryCodes[0]);
  await person.fill('Type one of them', codes[9] ?? '');
  await person.press('Finish');
  await person.sees('Your security');
  expect(await person.text('.note')).toContain('Your new recovery codes are ready.');
  expect(await person.text('main')).toContain('10 left');
  await person.leave();
});

test('the password is changed; other browsers are out, this one stays', async () => {
  const employee = await employ('emil');
  const person = await arrive(employee);
  const other = await arrive(employee);
  await person.press('Change');
  await person.sees('Change your password');
  await person.fill('Current password', 'not the current one at all');
  await person.fill('New password', 'copper meadow 93 lighthouse');
  await person.fill('New password once more', 'copper meadow 93 lighthouse');
  await person.press('Save the password');
  await person.page.locator('#problem').waitFor();
  await person.sees('Change your password');
  expect(await person.text('#problem')).toContain('The current password is not correct.');
  await person.fill('Current password', PASSWORD);
  await person.fill('New password', 'copper meadow 93 lighthouse');
  await person.fill('New password once more', 'copper meadow 93 lighthouse');
  await person.press('Save the password');
  await person.sees('Your password is saved');
  await person.press('Continue');
  await person.sees('Your security');
  await other.page.goto(`${app.issuer}/account`);
  await other.sees('Sign in to continue to Countersign');
  await person.leave();
  await other.leave();
});

test('another browser is signed out from here, then all of them', async () => {
  const employee = await employ('fay');
  const other = await arrive(employee);
  const person = await arrive(employee);
  await person.press('End');
  await person.sees('Your security');
  expect(await person.text('.note')).toContain('That browser is signed out.');
  await other.page.goto(`${app.issuer}/account`);
  await other.sees('Sign in to continue to Countersign');

  await person.press('Sign out everywhere');
  await person.sees('Sign out everywhere?');
  await person.press('Sign out everywhere');
  await person.sees('You are signed out');
  await person.page.goto(`${app.issuer}/account`);
  await person.sees('Sign in to continue to Countersign');
  await person.leave();
  await other.leave();
});

test('after five minutes a change asks for the second step and comes back to the same form', async () => {
  const employee = await employ('gus');
  const person = await arrive(employee);
  clock.advance(301);
  await person.press('Rename Authenticator');
  await person.sees('Enter the verification code');
  await person.enter('Six digits', nextCode(employee));
  await person.sees('Give it another name');
  // Five more minutes pass while the form is open.
  clock.advance(301);
  await person.fill('Name', 'Mine');
  await person.press('Save');
  await person.sees('Enter the verification code');
  await person.enter('Six digits', nextCode(employee));
  await person.sees('Give it another name');
  await person.fill('Name', 'Mine');
  await person.press('Save');
  await person.sees('Your security');
  expect(await person.text('main')).toContain('Mine');
  await person.leave();
});
