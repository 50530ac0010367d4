/** The employee's side of the recovery desk in real browsers; the administrator decides at the desk itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Locator } from 'playwright-core';
import type { OwnRequest, RecoveryRequest } from '../../src/recovery-desk/index.js';
import { approve, OLGA } from '../recovery-desk/support.js';
import { type Person as Employee, person as enrolled } from '../security/support.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import type { RelyingParty } from '../support/relying-party.js';
import { type Application, claimsAt, relyingParty, startApplication } from './application.js';
import { launch, NARROW, Person } from './person.js';

jest.setTimeout(60_000);

let browser: Browser;
let application: Application;
let app: TestApp;
let rp: RelyingParty;
let count = 0;
beforeAll(async () => {
  browser = await launch();
  application = await startApplication();
  app = await startApp({
    policy: { firstEnrolment: 'invitation' },
    recoveryDesk: { usualHours: 'Monday to Friday, 8:00 to 18:00' },
    clients: [
      { ...application.client, minimum_acr: '2fa' },
      { ...application.client, client_id: 'strict', client_name: 'Payroll', accept_suspended: false },
    ],
  });
  rp = relyingParty(app.issuer, application);
});
afterAll(async () => {
  await browser?.close();
  await app?.stop();
  await application?.stop();
});

const newEmployee = (): Promise<Employee> => {
  count += 1;
  return enrolled(app, `dora${count}@example.com`);
};

const arrive = (options?: BrowserContextOptions): Promise<Person> =>
  Person.arrive(browser, [app.issuer, application.origin], options);

async function signIn(person: Person, { account }: Employee): Promise<string> {
  const { url, verifier } = rp.request();
  await person.page.goto(url.href);
  await person.sees(/^Sign in/);
  await person.signIn(account.login, PASSWORD);
  return verifier;
}

/** From the second step to the waiting page; returns the number. */
async function sendRequest(person: Person): Promise<string> {
  await person.press('Other login methods');
  await person.sees('Other login methods');
  await person.press(/^Cannot confirm login/);
  await person.sees('Cannot confirm login');
  await person.page.getByLabel('My phone is broken').check();
  await person.fill('Telephone number (optional)', '+49 30 1234');
  await person.press('Send request');
  await person.sees('Waiting for an administrator');
  return person.text('.number');
}

async function openRequests({ account }: Employee): Promise<RecoveryRequest[]> {
  return (await app.app.desk.listRequests({ accountId: account.id, state: 'open' }, { limit: 5 })).items;
}

async function approveOne(employee: Employee, number: string): Promise<void> {
  const [request] = await openRequests(employee);
  const decided = await approve(app, { ...request, number } as OwnRequest);
  expect(decided.status).toBe('decided');
}

const heading = (person: Person, text: string): Locator => person.page.locator('h1', { hasText: text });

test.each<[string, BrowserContextOptions]>([
  ['', {}],
  [', narrow and dark', { viewport: NARROW, colorScheme: 'dark' }],
])('the page goes on by itself within two seconds of the decision%s', async (_how, options) => {
  const employee = await newEmployee();
  const person = await arrive(options);
  const verifier = await signIn(person, employee);
  await person.sees('Enter the verification code');
  const number = await sendRequest(person);
  expect(number).toMatch(/^\S{3} \S{3}$/);
  // It listens before anything is decided.
  await sleep(300);
  const decidedAt = performance.now();
  await approveOne(employee, number);
  await heading(person, 'Protect your account').waitFor();
  expect(performance.now() - decidedAt).toBeLessThan(2_000);
  await person.sees('Protect your account');
  expect(await person.text('.lead')).toMatch(/The second step is off for you until \d+ \w+ \d{4}, \d\d:\d\d/);
  await person.press('Continue without it');
  const claims = await claimsAt(await person.isBack(), rp, verifier);
  expect(claims).toMatchObject({ acr: 'urn:countersign:acr:1fa', amr: ['pwd'] });
  await person.leave();
});

test('without JavaScript a press on the button looks again, and so does the page every 15 seconds', async () => {
  const employee = await newEmployee();
  const person = await arrive({ javaScriptEnabled: false });
  await signIn(person, employee);
  await person.sees('Enter the verification code');
  const number = await sendRequest(person);
  await person.press('Look again');
  await person.sees('Waiting for an administrator');
  await approveOne(employee, number);
  expect(await person.page.locator('noscript meta[http-equiv=refresh]').getAttribute('content')).toBe('15');
  await person.press('Look again');
  await person.sees('Protect your account');
  await person.press('Continue without it');
  await person.isBack();
  await person.leave();
});

test('where the page cannot listen, it asks', async () => {
  const employee = await newEmployee();
  const person = await arrive();
  await person.page.route('**/request/events*', (route) => route.fulfill({ status: 502, body: 'no streams here' }));
  await signIn(person, employee);
  await person.sees('Enter the verification code');
  await person.press('Other login methods');
  await person.press(/^Cannot confirm login/);
  await person.page.getByLabel('Something else').check();
  await person.press('Send request');
  await heading(person, 'Waiting for an administrator').waitFor();
  await approveOne(employee, await person.text('.number'));
  await heading(person, 'Protect your account').waitFor({ timeout: 8_000 });
  await person.page.context().close();
});

test('the browser was closed: opened again at another application, it shows the same request, and goes on', async () => {
  const employee = await newEmployee();
  const before = await arrive();
  await signIn(before, employee);
  await before.sees('Enter the verification code');
  const number = await sendRequest(before);
  const { cookies } = await before.page.context().storageState();
  await before.leave();
  // What outlives the browser has a date on it. An hour or a night later nothing of the sign-in is left.
  const kept = cookies.filter(({ expires, name }) => expires > 0 && !/interaction|resume/.test(name));
  const person = await arrive({ storageState: { cookies: kept, origins: [] } });
  await signIn(person, employee);
  await person.sees('Waiting for an administrator');
  expect(await person.text('.number')).toBe(number);
  await sleep(300);
  await approveOne(employee, number);
  await heading(person, 'Protect your account').waitFor({ timeout: 3_000 });
  await person.leave();
});

test('the sign-in is gone while the page waits: it says that it is approved, and leads back to the application', async () => {
  const employee = await newEmployee();
  const person = await arrive();
  await signIn(person, employee);
  await person.sees('Enter the verification code');
  const number = await sendRequest(person);
  await sleep(300);
  await person.page.context().clearCookies({ name: /^countersign-interaction/ });
  await approveOne(employee, number);
  await heading(person, 'Approved').waitFor({ timeout: 3_000 });
  await person.sees('Approved');
  await person.press('Start again from Time Sheets');
  await person.isBack();
  const verifier = await signIn(person, employee);
  await person.sees('Protect your account');
  await person.press('Continue without it');
  expect((await claimsAt(await person.isBack(), rp, verifier)).acr).toBe('urn:countersign:acr:1fa');
  await person.leave();
});

test('the thief asks first: the number that the employee reads out lets in the employee alone', async () => {
  const employee = await newEmployee();
  const thief = await arrive();
  await signIn(thief, employee);
  await thief.sees('Enter the verification code');
  const theirs = await sendRequest(thief);
  const person = await arrive();
  await signIn(person, employee);
  await person.sees('Enter the verification code');
  const number = await sendRequest(person);
  expect(number).not.toBe(theirs);
  expect(await person.text('.note')).toContain('Tell the administrator');
  await sleep(300);

  const first = (await openRequests(employee)).at(-1);
  const wrong = await approve(app, { ...first, number } as OwnRequest);
  expect(wrong).toMatchObject({ status: 'wrong_number', matches: expect.any(String) });
  const id = wrong.status === 'wrong_number' ? wrong.matches : undefined;
  expect(await approve(app, { id, number } as OwnRequest)).toMatchObject({ status: 'decided' });
  await heading(person, 'Protect your account').waitFor({ timeout: 3_000 });
  await heading(thief, 'Your request is no longer needed').waitFor({ timeout: 3_000 });
  await thief.press('Other login methods');
  await thief.press(/^Access code/);
  await thief.sees('Enter an access code');
  await thief.enter('Access code', 'ABCDE-FGHJK');
  await thief.page.locator('#problem').waitFor();
  await thief.sees('Enter an access code');
  expect(await thief.focus()).toBe('problem');
  await thief.leave();
  await person.leave();
});

test('declined, with its reason and the time until the next; confirmed after all, and cancelled', async () => {
  const employee = await newEmployee();
  const person = await arrive({ viewport: NARROW });
  await signIn(person, employee);
  await person.sees('Enter the verification code');
  await sendRequest(person);
  await person.press('I can confirm after all');
  await person.sees('Other login methods');
  expect(await person.text('.rows')).toContain('Your request is waiting');
  await person.press(/^Cannot confirm login/);
  await person.sees('Waiting for an administrator');
  await person.press('Cancel request');
  await person.sees('Your request is cancelled');
  await person.press('Send a new request');
  await person.sees('Cannot confirm login');
  await person.page.getByLabel('Something else').check();
  await person.page.getByLabel('Note (optional)').fill('My phone fell into the canal.');
  await person.press('Send request');
  await person.sees('Waiting for an administrator');
  await sleep(300);
  const [request] = await openRequests(employee);
  await app.app.desk.decide(request?.id ?? '', { outcome: 'declined', reason: 'Please come to room 214.' }, OLGA);
  await heading(person, 'Your request was declined').waitFor({ timeout: 3_000 });
  await person.sees('Your request was declined');
  expect(await person.text('main')).toMatch(/Please come to room 214\..*You can send a new request in 15 minutes/s);
  await person.leave();
});

test('what is missing is said, in focus, and leads to the choice', async () => {
  const employee = await newEmployee();
  const person = await arrive();
  await signIn(person, employee);
  await person.sees('Enter the verification code');
  await person.press('Other login methods');
  await person.press(/^Cannot confirm login/);
  await person.sees('Cannot confirm login');
  expect(await person.text('main')).toContain('Monday to Friday, 8:00 to 18:00');
  await person.page.evaluate("document.querySelector('form').noValidate = true");
  await person.press('Send request');
  await person.page.locator('#problem').waitFor();
  await person.sees('Cannot confirm login');
  expect(await person.focus()).toBe('problem');
  await person.press('Choose what has happened.');
  expect(await person.focus()).toBe('lost_or_stolen');
  await person.leave();
});

test('an application that takes nobody without the second step says why, and set-up is the way on', async () => {
  const account = await app.account('emil@example.com');
  await app.app.desk.start(account, { hours: 24, otherBrowsers: 'password_alone' }, OLGA);
  const person = await arrive();
  const { url } = rp.request({ client_id: 'strict' });
  await person.page.goto(url.href);
  await person.signIn(account.login, PASSWORD);
  await person.sees('Payroll does not let you in yet');
  await person.press('Set up the second step now');
  await person.sees('Protect your account');
  await person.page.goBack();
  await person.sees('Payroll does not let you in yet');
  await person.press('Back to Payroll');
  expect(new URL(await person.isBack()).searchParams.get('error')).toBe('unmet_authentication_requirements');

  await person.page.goto(`${app.issuer}/account`);
  await person.sees(/^Sign in/);
  await person.signIn(account.login, PASSWORD);
  await person.sees('Protect your account');
  await person.press('Continue without it');
  await person.sees('Your security');
  expect(await person.text('.status')).toContain('The second step is off for you');
  await person.press('Turn it on now');
  await person.sees('Protect your account');
  await person.leave();
});
