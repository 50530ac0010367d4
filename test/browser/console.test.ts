/** The console in real browsers, beside the employee who waits. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import type { Role } from '../../src/accounts/contract.js';
import { type Person as Enrolled, person as enrolled } from '../security/support.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import type { RelyingParty } from '../support/relying-party.js';
import { type Application, claimsAt, relyingParty, startApplication } from './application.js';
import { launch, NARROW, Person } from './person.js';

jest.setTimeout(90_000);

const PHONE = { width: 360, height: 740 };

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
    clients: [{ ...application.client, minimum_acr: '2fa' }],
  });
  rp = relyingParty(app.issuer, application);
});
afterAll(async () => {
  await browser?.close();
  await app?.stop();
  await application?.stop();
});

const newPerson = async (roles: readonly Role[] = []): Promise<Enrolled> => {
  count += 1;
  const someone = await enrolled(app, `person${count}@example.com`);
  for (const role of roles) await app.app.accounts.grantRole(someone.account.id, role);
  return someone;
};

const arrive = (options?: BrowserContextOptions): Promise<Person> =>
  Person.arrive(browser, [app.issuer, application.origin], options);

/** Password, and a recovery code: those need no waiting. */
async function signIn(person: Person, { account, recoveryCodes }: Enrolled): Promise<void> {
  await person.sees(/^Sign in/);
  await person.signIn(account.login, PASSWORD);
  await person.press('Other login methods');
  await person.press(/^Recovery code/);
  await person.enter('Recovery code', recoveryCodes.pop() ?? '');
}

async function administrator(options: BrowserContextOptions, roles: readonly Role[]): Promise<Person> {
  const person = await arrive(options);
  await person.page.goto(`${app.issuer}/console`);
  await signIn(person, await newPerson(roles));
  await person.sees('Requests');
  return person;
}

/** From the application to the waiting page; the number is what is read out on the telephone. */
async function askForHelp(employee: Enrolled, options: BrowserContextOptions = {}) {
  const person = await arrive(options);
  const { url, verifier } = rp.request();
  await person.page.goto(url.href);
  await person.signIn(employee.account.login, PASSWORD);
  await person.press('Other login methods');
  await person.press(/^Cannot confirm login/);
  await person.page.getByLabel('My phone is lost or was stolen').check();
  await person.press('Send request');
  await person.sees('Waiting for an administrator');
  return { person, verifier, number: await person.text('.number') };
}

test.each<[string, BrowserContextOptions, BrowserContextOptions]>([
  ['on a desk', {}, {}],
  ['on a phone, dark', { viewport: PHONE, colorScheme: 'dark' }, { viewport: NARROW }],
  ['without JavaScript, narrow', { viewport: NARROW, javaScriptEnabled: false }, { javaScriptEnabled: false }],
])(
  'lost phone, Monday 08:55: the queue shows it, the number decides it, the employee is in: %s',
  async (_how, theirs, ours) => {
    const admin = await administrator(theirs, ['helpdesk']);
    const before = await admin.page.title();
    const employee = await newPerson();
    const { person, verifier, number } = await askForHelp(employee, ours);
    const entry = admin.page.getByRole('link', { name: new RegExp(employee.account.name) });
    if (admin.hasScript) {
      // It appears by itself, and the title counts it.
      await entry.waitFor();
      expect(await admin.page.title()).not.toBe(before);
      expect(await admin.text('#announce')).toMatch(/waiting/);
    } else await admin.press('Refresh');
    await admin.sees('Requests');
    await entry.click();
    await admin.sees(employee.account.name);
    await admin.fill('Request number', number.toLowerCase());
    await admin.page.getByText('Called the number on file').click();
    await admin.page.getByText('Two days').click();
    await admin.press('Approve');
    await admin.sees(`${employee.account.name} can sign in`);
    expect(await admin.text('main')).toContain('Methods removed');

    if (!person.hasScript) await person.press('Look again');
    await person.sees('Protect your account');
    await person.press('Continue without it');
    const claims = await claimsAt(await person.isBack(), rp, verifier);
    expect(claims).toMatchObject({ acr: 'urn:countersign:acr:1fa', amr: ['pwd'] });
    await admin.leave();
    await person.leave();
  },
);

test.each<[string, BrowserContextOptions]>([
  ['light', {}],
  ['on a phone, dark', { viewport: NARROW, colorScheme: 'dark' }],
  ['in German, without JavaScript', { viewport: PHONE, javaScriptEnabled: false, locale: 'de' }],
])('every page of the console, as an owner walks through it: %s', async (_how, options) => {
  const owner = await newPerson(['owner']);
  const admin = await arrive(options);
  await admin.page.goto(`${app.issuer}/console`);
  const isGerman = options.locale === 'de';
  if (isGerman) await admin.page.goto(`${app.issuer}/console?lang=en`);
  await signIn(admin, owner);
  await admin.sees('Requests');
  const employee = await newPerson();
  const own = `/console/people/${employee.account.id}`;
  for (const [path, heading] of [
    ['/console?state=all', /Requests|Anfragen/],
    ['/console/people', /People|Personen/],
    ['/console/people?q=person', /People|Personen/],
    [own, employee.account.name],
    [`${own}?tab=sessions`, employee.account.name],
    [`${own}?tab=requests`, employee.account.name],
    [`${own}?tab=audit`, employee.account.name],
    ['/console/overview', /Overview|Überblick/],
    ['/console/audit', /Audit|Protokoll/],
    ['/console/clients', /Applications|Anwendungen/],
    ['/console/clients/rp', 'Time Sheets'],
    ['/console/new-client', /New application|Neue Anwendung/],
    [`${own}/suspend`, employee.account.name],
    [`${own}/access-pass`, employee.account.name],
    [`${own}/deactivate`, employee.account.name],
    [`${own}/roles`, employee.account.name],
    ['/console/requests/none', /Not found|Nicht gefunden/],
  ] as const) {
    await admin.page.goto(`${app.issuer}${path}${isGerman ? `${path.includes('?') ? '&' : '?'}lang=de` : ''}`);
    await admin.sees(heading);
    if (isGerman) expect(await admin.page.locator('html').getAttribute('lang')).toBe('de');
  }
  await admin.leave();
});

test('by the keyboard alone: from the queue to the decision', async () => {
  const employee = await newPerson();
  const admin = await administrator({}, ['helpdesk']);
  const { person, number } = await askForHelp(employee);
  await admin.page.getByRole('link', { name: new RegExp(employee.account.name) }).focus();
  await admin.page.keyboard.press('Enter');
  await admin.sees(employee.account.name);
  await admin.page.locator('#requestNumber').focus();
  await admin.page.keyboard.type(number);
  await admin.page.keyboard.press('Tab');
  await admin.page.keyboard.press('Space');
  expect(await admin.page.locator('#verifiedBy-called_number_on_file').isChecked()).toBe(true);
  await admin.page.keyboard.press('Enter');
  await admin.sees(`${employee.account.name} can sign in`);
  await admin.leave();
  await person.leave();
});

test('what is wrong takes the focus, and leads to its field', async () => {
  const employee = await newPerson();
  const { person } = await askForHelp(employee);
  const admin = await administrator({ viewport: PHONE }, ['helpdesk']);
  await admin.page.getByRole('link', { name: new RegExp(employee.account.name) }).click();
  await admin.sees(employee.account.name);
  await admin.page.getByText('In person').click();
  await admin.fill('Request number', 'ZZZ ZZZ');
  await admin.press('Approve');
  await admin.page.locator('#problem').waitFor();
  await admin.sees(employee.account.name);
  expect(await admin.focus()).toBe('problem');
  await admin.page.locator('#problem a').click();
  expect(await admin.focus()).toBe('requestNumber');
  await admin.leave();
  await person.leave();
});
