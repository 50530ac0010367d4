/** A computer and a phone, each with a browser of its own, and the server between them. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { Account } from '../../src/accounts/contract.js';
import type { Step } from '../../src/factors/contract.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import { type Application, claimsAt, relyingParty, startApplication } from './application.js';
import { launch, Person } from './person.js';

jest.setTimeout(60_000);

const PHONE = { viewport: { width: 390, height: 844 } };
const ORIGIN = { browser: 'computer', requestId: 'test' };
let browser: Browser;
let application: Application;
let app: TestApp;
beforeAll(async () => {
  browser = await launch();
  application = await startApplication();
  app = await startApp({
    methods: [{ id: 'app' }, { id: 'totp' }, { id: 'recovery_code' }],
    clients: [{ ...application.client, minimum_acr: '2fa' }],
  });
});
afterAll(async () => {
  await browser?.close();
  await app?.stop();
  await application?.stop();
});

async function phoneOf(account: Account): Promise<Person> {
  const step = (await app.app.engine.beginEnrolment(account, 'app', ORIGIN)) as Step;
  const phone = await Person.arrive(browser, [app.issuer], PHONE);
  await phone.page.goto(String(step.locals.pairHref));
  await phone.press('Continue');
  await phone.page.locator('output', { hasText: /\d{3} \d{3}/ }).waitFor();
  const digits = await phone.text('output');
  await app.app.engine.confirmEnrolment(account, 'app', { digits }, ORIGIN);
  await phone.sees('This phone is set up');
  await phone.press('Done');
  await phone.sees('Accounts on this phone');
  return phone;
}

async function arrive(account: Account) {
  const rp = relyingParty(app.issuer, application);
  const { url, verifier } = rp.request();
  const computer = await Person.arrive(browser, [app.issuer, application.origin]);
  await computer.page.goto(url.href);
  await computer.signIn(account.login, PASSWORD);
  await computer.page.locator('output.number').waitFor();
  return { computer, rp, verifier, number: await computer.text('output.number') };
}

/** The app opens in a tab of its own: the page that waits stays where it is. */
async function openAppHere({ page }: Person): Promise<void> {
  const address = page.url();
  const link = page.getByRole('link', { name: 'Open the app on this device' });
  const [tab] = await Promise.all([page.waitForEvent('popup'), link.click()]);
  await tab.close();
  expect(page.url()).toBe(address);
  await link.waitFor();
}

test('the number of the page, typed on the phone, signs the computer in', async () => {
  const account = await app.account('anna@example.com');
  const phone = await phoneOf(account);
  const { computer, rp, verifier, number } = await arrive(account);
  await openAppHere(computer);
  await phone.sees('Is this your sign-in?');
  const facts = await phone.text('dl');
  for (const fact of ['anna@example.com', 'Time Sheets', '127.0.0.1']) expect(facts).toContain(fact);
  await phone.enterNumber(number.replaceAll(/\D/g, '') === '000000' ? '000001' : '000000');
  await phone.page.getByText('You can try 2 more times.').waitFor();
  await phone.enterNumber(number);
  await phone.sees('Approved');
  expect(await claimsAt(await computer.isBack(), rp, verifier)).toMatchObject({ acr: 'urn:countersign:acr:2fa' });
  await computer.leave();
  await phone.leave();
});

test('it wasn’t me: nobody is signed in, and the page offers other ways', async () => {
  const account = await app.account('ben@example.com');
  const phone = await phoneOf(account);
  const { computer } = await arrive(account);
  await phone.sees('Is this your sign-in?');
  await phone.press('It wasn’t me');
  await phone.press('Yes, stop it');
  await phone.sees('The sign-in was stopped');
  await computer.page.locator('#confirmation .note.bad').waitFor();
  await computer.page.context().close();
  await phone.leave();
});

test('without a network the code of the app signs the computer in', async () => {
  const account = await app.account('cleo@example.com');
  const phone = await phoneOf(account);
  await phone.page.evaluate('navigator.serviceWorker.ready.then(({ active }) => active.state)');
  await phone.until('navigator.serviceWorker.controller !== null');
  await phone.page.context().setOffline(true);
  await phone.page.reload();
  await phone.page.locator('.code-now', { hasText: /^\d{3} \d{3}$/ }).waitFor();
  const { computer, rp, verifier } = await arrive(account);
  await computer.press('Other login methods');
  await computer.press(/^Verification code/);
  await computer.sees('Enter the verification code');
  await computer.enter('Six digits', await phone.text('.code-now'));
  expect(await claimsAt(await computer.isBack(), rp, verifier)).toMatchObject({ acr: 'urn:countersign:acr:2fa' });
  await computer.leave();
  await phone.page.context().close();
});

/** From the page with the QR code to the digits in it. */
async function pairOnPage(computer: Person): Promise<Person> {
  const phone = await Person.arrive(browser, [app.issuer], PHONE);
  await phone.page.goto((await computer.page.locator('a[href*="/app/pair#"]').getAttribute('href')) ?? '');
  await phone.press('Continue');
  await phone.page.locator('output', { hasText: /\d{3} \d{3}/ }).waitFor();
  const digits = (await phone.text('output')).replace(/\D/g, '');
  await computer.page.locator('input[name=digits]').fill(digits);
  await computer.press('Continue');
  return phone;
}

/** The phone is led there by itself. */
async function confirmTrial(computer: Person, phone: Person): Promise<void> {
  await computer.sees('Try it: confirm on your phone');
  await phone.sees('This is a trial');
  await phone.enterNumber(await computer.text('output.number'));
  await phone.sees('Approved');
}

test('set-up ends with a trial; later the old phone is changed for a new one, which is tried too', async () => {
  const account = await app.account('olga@example.com');
  const rp = relyingParty(app.issuer, application);
  const { url, verifier } = rp.request();
  const computer = await Person.arrive(browser, [app.issuer, application.origin]);
  await computer.page.goto(url.href);
  await computer.signIn(account.login, PASSWORD);
  await computer.press(/Confirm in the app/);
  await openAppHere(computer);
  const old = await pairOnPage(computer);
  await confirmTrial(computer, old);
  await computer.sees('Save your recovery codes');
  const code = /(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}/.exec(await computer.text('main'))?.[0] ?? '';
  await computer.fill('Type one of them', code);
  await computer.press('Finish');
  expect(await claimsAt(await computer.isBack(), rp, verifier)).toMatchObject({ acr: 'urn:countersign:acr:2fa' });

  await computer.page.goto(`${app.issuer}/account`);
  await computer.sees('Your security');
  await computer.press(/^Change Chrome \(Linux\)/);
  await computer.sees(/^Change “.*” for another phone$/);
  const next = await pairOnPage(computer);
  await confirmTrial(computer, next);
  await computer.page.locator('.note.good', { hasText: 'It works' }).waitFor();
  await old.page.reload();
  await old.page.getByText('This phone is no longer trusted').waitFor();
  await computer.leave();
  await old.leave();
  await next.leave();
});
