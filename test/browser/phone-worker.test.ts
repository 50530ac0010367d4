import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { Step } from '../../src/factors/contract.js';
import { startApp, type TestApp } from '../support/app.js';
import { launch, Person } from './person.js';
import { launchWithCamera } from './phone-camera.js';

jest.setTimeout(60_000);

const PHONE = { viewport: { width: 390, height: 844 } };
const ORIGIN = { browser: 'computer', requestId: 'test' };
let browser: Browser;
let app: TestApp;
beforeAll(async () => {
  browser = await launch();
  app = await startApp({ methods: [{ id: 'app' }, { id: 'recovery_code' }] }, { path: '/auth' });
});
afterAll(async () => {
  await browser?.close();
  await app?.stop();
});

async function hire(name: string) {
  const account = await app.account(`${name}@example.com`);
  const step = (await app.app.engine.beginEnrolment(account, 'app', ORIGIN)) as Step;
  return { account, href: String(step.locals.pairHref) };
}

async function finish(person: Person, account: Awaited<ReturnType<typeof hire>>['account']): Promise<void> {
  await person.sees('Type these digits on your computer');
  await person.page.locator('output', { hasText: /\d{3} \d{3}/ }).waitFor();
  const digits = await person.text('output');
  expect(await app.app.engine.confirmEnrolment(account, 'app', { digits }, ORIGIN)).toMatchObject({
    status: 'enrolled',
  });
  await person.sees('This phone is set up');
  await person.press('Done');
  await person.sees('Accounts on this phone');
}

test('in flight mode the app opens, shows its code, and says that there is no connection', async () => {
  const { account, href } = await hire('anna');
  const person = await Person.arrive(browser, [new URL(app.issuer).origin], PHONE);
  const { page } = person;
  await page.goto(href);
  await person.sees('Set up this phone?');
  await person.press('Continue');
  await finish(person, account);
  await page.evaluate('navigator.serviceWorker.ready.then(({ active }) => active.state)');
  await person.until('navigator.serviceWorker.controller !== null');
  await page.context().setOffline(true);
  for (const path of ['/app/', '/app', '/app/confirm#482915']) {
    await page.goto(app.issuer + path);
    await page.locator('h1', { hasText: 'Accounts on this phone' }).waitFor();
    await page.locator('.code-now', { hasText: /^\d{3} \d{3}$/ }).waitFor();
    await page.getByText('No connection. Codes still work.').first().waitFor();
  }
  // Loaded when it is asked for, kept before that.
  expect(
    await page.evaluate(`caches.keys().then((names) => caches.open(names[0])).then((cache) => cache.keys())
    .then((keys) => keys.filter(({ url }) => url.includes('/scanner-')).length)`),
  ).toBe(1);
  await page.context().setOffline(false);
  await page.locator('.banner .note').waitFor({ state: 'detached' });
  await page.context().close();
});

test('a push message shows that a sign-in waits, whatever it says', async () => {
  const { origin } = new URL(app.issuer);
  const person = await Person.arrive(browser, [origin], { ...PHONE, permissions: ['notifications'], locale: 'de-DE' });
  const { page } = person;
  const devtools = await page.context().newCDPSession(page);
  const registration = new Promise<string>((resolve) => {
    devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const [own] = registrations.filter(({ scopeURL }) => scopeURL.includes('/app'));
      if (own) resolve(own.registrationId);
    });
  });
  await devtools.send('ServiceWorker.enable');
  await page.goto(`${app.issuer}/app/`);
  await person.until('navigator.serviceWorker.controller !== null');
  const registrationId = await registration;
  const [worker] = page.context().serviceWorkers();
  // This browser shows no notices: what it would be given is kept instead.
  await worker?.evaluate(`{
    self.shown = [];
    self.registration.showNotification = async (title, { body, tag }) => void self.shown.push({ title, body, tag });
  }`);
  for (const data of ['{"type":"sign-in-waiting"}', 'Call 0900 123 456 now'])
    await devtools.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data });
  let shown: unknown[] = [];
  for (let tries = 0; shown.length < 2 && tries < 50; tries += 1) {
    await page.waitForTimeout(100);
    shown = (await worker?.evaluate('self.shown')) as unknown[];
  }
  const notice = {
    title: 'Eine Anmeldung wartet',
    body: expect.stringContaining('Öffnen Sie die App'),
    tag: 'sign-in',
  };
  expect(shown).toEqual([notice, notice]);
  await person.leave();
});

test('the camera reads the code of the set-up page', async () => {
  const { account, href } = await hire('ben');
  const phone = await launchWithCamera(href);
  const person = await Person.arrive(phone, [new URL(app.issuer).origin], PHONE);
  await person.page.goto(`${app.issuer}/app/`);
  await person.sees('Set up this phone');
  await person.press('Scan the QR code');
  await finish(person, account);
  await person.leave();
  await phone.close();
});

test('a code of somebody else is said to be one, and the camera goes off with its screen', async () => {
  const phone = await launchWithCamera(`https://elsewhere.example/app/pair#${'a'.repeat(43)}`);
  const person = await Person.arrive(phone, [new URL(app.issuer).origin], PHONE);
  const { page } = person;
  await page.goto(`${app.issuer}/app/`);
  await person.press('Scan the QR code');
  await page.getByText('That code belongs to elsewhere.example.').waitFor();
  await person.sees('Scan the QR code');
  await page.evaluate("globalThis.track = document.querySelector('video').srcObject.getTracks()[0]");
  await person.press('Cancel');
  await person.sees('Set up this phone');
  expect(await page.evaluate('track.readyState')).toBe('ended');
  await person.leave();
  await phone.close();
});

test('without a camera it says so, and the code can be typed', async () => {
  const person = await Person.arrive(browser, [new URL(app.issuer).origin], PHONE);
  await person.page.goto(`${app.issuer}/app/`);
  await person.press('Scan the QR code');
  await person.page.getByText('The camera cannot be used.').waitFor();
  await person.sees('Scan the QR code');
  await person.press('Type instead');
  await person.sees('Type the code');
  await person.leave();
});
