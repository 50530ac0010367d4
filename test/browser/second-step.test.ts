import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { type Person as Employee, person as enrolled } from '../security/support.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import { FakeClock } from '../support/clock.js';
import type { RelyingParty } from '../support/relying-party.js';
import { type Application, claimsAt, relyingParty, startApplication } from './application.js';
import { launch, NARROW, Person } from './person.js';

jest.setTimeout(60_000);

/** Each step of an authenticator counts once: the clock moves on before each of them. */
const clock = new FakeClock();
let browser: Browser;
let application: Application;
let app: TestApp;
let rp: RelyingParty;
let anna: Employee;
beforeAll(async () => {
  browser = await launch();
  application = await startApplication();
  app = await startApp({ clients: [{ ...application.client, minimum_acr: '2fa' }] }, { clock });
  rp = relyingParty(app.issuer, application);
  anna = await enrolled(app, 'anna@example.com', () => clock.now());
});
afterAll(async () => {
  await browser?.close();
  await app?.stop();
  await application?.stop();
});

const nextCode = (employee = anna): string => {
  clock.advance(30);
  return employee.authenticator.code();
};

/** As far as the second step. */
async function arrive(options?: BrowserContextOptions): Promise<{ person: Person; verifier: string }> {
  const person = await Person.arrive(browser, [app.issuer, application.origin], options);
  const { url, verifier } = rp.request();
  await person.page.goto(url.href);
  await person.sees('Sign in to continue to Time Sheets');
  await person.signIn('anna@example.com', PASSWORD);
  await person.sees('Enter the verification code');
  return { person, verifier };
}

test.each<[string, BrowserContextOptions]>([
  ['', {}],
  [', narrow and dark', { viewport: NARROW, colorScheme: 'dark' }],
  [', without JavaScript', { javaScriptEnabled: false }],
])('the next sign-in asks for the code; a wrong one is said and asked for again%s', async (_how, options) => {
  const { person, verifier } = await arrive(options);
  const { page } = person;
  expect(await page.locator('#code').getAttribute('autocomplete')).toBe('one-time-code');
  await person.enter('Six digits', '000000');
  await page.locator('#problem').waitFor();
  await person.sees('Enter the verification code');
  expect(await person.text('#problem')).toContain('That code did not work');
  expect(await page.title()).toMatch(/^Problem: /);
  if (person.hasScript) expect(await person.focus()).toBe('problem');
  expect(await page.locator('#code').getAttribute('aria-describedby')).toContain('problem');
  await person.enter('Six digits', nextCode());
  expect(await claimsAt(await person.isBack(), rp, verifier)).toMatchObject({
    acr: 'urn:countersign:acr:2fa',
    amr: ['pwd', 'otp', 'mfa'],
  });
  await person.leave();
});

test.each<[string, BrowserContextOptions]>([
  ['', {}],
  [', narrow and dark', { viewport: NARROW, colorScheme: 'dark' }],
  [', without JavaScript', { javaScriptEnabled: false }],
])('other login methods: a recovery code, once%s', async (_how, options) => {
  const code = anna.recoveryCodes.pop() ?? '';
  const first = await arrive(options);
  await first.person.press('Other login methods');
  await first.person.sees('Other login methods');
  await first.person.press(/^Recovery code/);
  await first.person.sees('Enter a recovery code');
  await first.person.enter('Recovery code', code.toLowerCase().replaceAll('-', ' '));
  const claims = await claimsAt(await first.person.isBack(), rp, first.verifier);
  expect(claims.acr).toBe('urn:countersign:acr:2fa');
  await first.person.leave();

  const { person } = await arrive(options);
  await person.press('Other login methods');
  await person.sees('Other login methods');
  await person.press(/^Recovery code/);
  await person.sees('Enter a recovery code');
  await person.enter('Recovery code', code);
  await person.page.locator('#problem').waitFor();
  await person.sees('Enter a recovery code');
  expect(await person.text('#problem')).toContain('already used');
  // Back at the list the sign-in goes on where it was.
  await person.press('Other login methods');
  await person.sees('Other login methods');
  await person.press(/^Verification code/);
  await person.sees('Enter the verification code');
  await person.enter('Six digits', nextCode());
  await person.isBack();
  await person.leave();
});

test('cancel goes back to the application, which learns that it was cancelled', async () => {
  const { person } = await arrive();
  await person.press('Cancel and go back to Time Sheets');
  expect(new URL(await person.isBack()).searchParams.get('error')).toBe('access_denied');
  await person.leave();
});

test('Back after the sign-in shows that it has ended and leads to the application', async () => {
  const { person } = await arrive();
  const { page } = person;
  await person.enter('Six digits', nextCode());
  await person.isBack();
  await page.goBack();
  await person.sees('This sign-in has ended');
  await person.press('Start again from Time Sheets');
  await person.isBack();
  await person.leave();
});

test('a double click on Continue signs in once, and the button says that it is busy', async () => {
  const { person, verifier } = await arrive();
  const { page } = person;
  let posts = 0;
  await page.route('**/with/totp', async (route) => {
    posts += 1;
    await new Promise((resolve) => setTimeout(resolve, 700));
    await route.continue();
  });
  const said: string[] = [];
  await page.exposeFunction('heard', (words: string) => said.push(words));
  await page.evaluate(`{
    const button = document.querySelector('button.primary');
    new MutationObserver(() => heard(button.textContent + button.ariaDisabled)).observe(button, { childList: true });
  }`);
  await person.fill('Six digits', nextCode());
  await page.locator('button.primary').dblclick({ noWaitAfter: true });
  expect((await claimsAt(await person.isBack(), rp, verifier)).acr).toBe('urn:countersign:acr:2fa');
  expect(posts).toBe(1);
  expect(said).toEqual(['One moment …true']);
  await person.leave();
});

test('the same form sent twice without JavaScript still ends at the application', async () => {
  const { person, verifier } = await arrive({ javaScriptEnabled: false });
  await person.fill('Six digits', nextCode());
  await person.page.locator('button.primary').dblclick({ noWaitAfter: true });
  expect((await claimsAt(await person.isBack(), rp, verifier)).acr).toBe('urn:countersign:acr:2fa');
  await person.leave();
});

test('too many wrong codes: the wait is said and counts down', async () => {
  await enrolled(app, 'tim@example.com', () => clock.now());
  const person = await Person.arrive(browser, [app.issuer, application.origin], { viewport: NARROW });
  const { page } = person;
  await page.goto(rp.request().url.href);
  await person.signIn('tim@example.com', PASSWORD);
  await person.sees('Enter the verification code');
  for (let tries = 0; tries < 12; tries += 1) {
    await person.enter('Six digits', '000000');
    await page.locator('#problem').waitFor();
    await page.waitForLoadState('load');
    if ((await person.text('#problem')).includes('Too many tries')) break;
  }
  expect(await person.text('#problem')).toMatch(/Too many tries.*You can try again in/s);
  await page.getByText(/\(00:\d\d\)/).waitFor();
  await person.sees('Enter the verification code');
  await person.press('Other login methods');
  await person.sees('Other login methods');
  expect(await person.text('.row.off')).toContain('Available again in');
  await person.leave();
});
