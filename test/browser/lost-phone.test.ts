/** The lost phone on a Monday morning: an employee and a help desk, each in front of a browser of their own, and the mails between them. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { generateSync } from 'otplib';
import type { Browser } from 'playwright-core';
import { type Person as Enrolled, person as enrolled } from '../security/support.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import { type Application, claimsAt, relyingParty, startApplication } from './application.js';
import { launch, Person } from './person.js';

jest.setTimeout(60_000);

/** A telephone: the help desk may be on the way to work, too. */
const PHONE = { width: 360, height: 740 };

let browser: Browser;
let application: Application;
let app: TestApp;
let anna: Enrolled;
let hugo: Enrolled;
beforeAll(async () => {
  browser = await launch();
  application = await startApplication();
  app = await startApp({ policy: { firstEnrolment: 'invitation' }, clients: [application.client] });
  anna = await enrolled(app, 'anna@example.com');
  hugo = await enrolled(app, 'hugo@example.com');
  await app.app.accounts.grantRole(hugo.account.id, 'helpdesk');
  await app.mails();
});
afterAll(async () => {
  await browser?.close();
  await app?.stop();
  await application?.stop();
});

const arrive = (options = {}): Promise<Person> => Person.arrive(browser, [app.issuer, application.origin], options);

const mailTo = async ({ account }: Enrolled, subject: string) => {
  const mail = (await app.mails()).find((one) => one.to === account.email && one.subject === subject);
  if (!mail) throw new Error(`no mail "${subject}"`);
  return mail;
};

test('from the lost phone to the new one', async () => {
  const rp = relyingParty(app.issuer, application);
  const employee = await arrive();
  const { url, verifier } = rp.request();
  await employee.page.goto(url.href);
  await employee.signIn('anna@example.com', PASSWORD);
  await employee.sees('Enter the verification code');
  await employee.press('Other login methods');
  await employee.press(/^Cannot confirm login/);
  await employee.page.getByLabel('My phone is lost or was stolen').check();
  await employee.press('Send request');
  await employee.sees('Waiting for an administrator');
  expect(await employee.text('main')).toContain('to 1 administrator');
  const number = await employee.text('.number');

  const { text } = await mailTo(hugo, 'anna cannot confirm the login');
  expect(text).not.toContain(number);
  const helpDesk = await arrive({ viewport: PHONE, colorScheme: 'dark' });
  await helpDesk.page.goto(/https?:\S+\/console\/requests\/\S+/.exec(text)?.[0] ?? '');
  await helpDesk.sees(/^Sign in to continue/);
  await helpDesk.signIn('hugo@example.com', PASSWORD);
  await helpDesk.enter('Six digits', hugo.authenticator.code());
  await helpDesk.sees('anna');
  await helpDesk.fill('Request number', number.toLowerCase().replace(' ', ''));
  await helpDesk.page.getByText('Called the number on file').click();
  expect(await helpDesk.page.getByLabel(/^Verification code/).isChecked()).toBe(true);
  await helpDesk.press('Approve');
  await helpDesk.sees('anna can sign in');

  await employee.sees('Protect your account');
  await mailTo(anna, 'Your request was approved');
  await mailTo(anna, 'A login method was removed by an administrator');
  await employee.press('Set up an authenticator app');
  await employee.sees('Set up the authenticator app');
  await employee.page.getByText('I cannot scan it').click();
  const secret = (await employee.text('#key')).replaceAll(/\s/g, '');
  await employee.page.locator('#code').fill(generateSync({ secret }));
  await employee.press('Continue');
  if (await employee.page.locator('#codes').count()) throw new Error('the recovery codes that she has are still good');
  await employee.sees('Your account is protected');
  await employee.press(/^Continue/);
  expect(await claimsAt(await employee.isBack(), rp, verifier)).toMatchObject({
    acr: 'urn:countersign:acr:2fa',
    amr: ['pwd', 'otp', 'mfa'],
  });
  await mailTo(anna, 'Your second step is switched on again');

  await helpDesk.leave();
  await employee.leave();
});
