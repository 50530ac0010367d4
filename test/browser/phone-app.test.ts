import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import type { Account } from '../../src/accounts/contract.js';
import type { Step } from '../../src/factors/contract.js';
import { startApp, type TestApp } from '../support/app.js';
import { launch, NARROW, Person } from './person.js';
import { WaitingSignIns } from './waiting-sign-ins.js';

jest.setTimeout(60_000);

const ANDROID =
  'Mozilla/5.0 (Linux; Android 14; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Mobile Safari/537.36';
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1';
const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  userAgent: ANDROID,
  isMobile: true,
  hasTouch: true,
  serviceWorkers: 'block',
};
/** What the app does every few seconds, it does five times as often: nobody sees the difference but the tests' clock. */
const SOONER = '{ const later = setTimeout; window.setTimeout = (work, ms) => later(work, ms / 5); }';
const ORIGIN = { browser: 'computer', requestId: 'test' };

let browser: Browser;
let app: TestApp;
beforeAll(async () => {
  browser = await launch();
  app = await startApp({ methods: [{ id: 'app' }, { id: 'recovery_code' }] });
});
afterAll(async () => {
  await browser?.close();
  await app?.stop();
});

let count = 0;
const hire = (): Promise<Account> => {
  count += 1;
  return app.account(`anna${count}@example.com`);
};

/** What the set-up page on the computer shows. */
async function code(account: Account): Promise<{ href: string; typed: string }> {
  const step = await app.app.engine.beginEnrolment(account, 'app', ORIGIN);
  const { pairHref, typedGroups } = (step as Step).locals as { pairHref: string; typedGroups: string[] };
  return { href: pairHref, typed: typedGroups.join('-') };
}

const typeDigits = (account: Account, digits: string) =>
  app.app.engine.confirmEnrolment(account, 'app', { digits }, ORIGIN);

const holder = async (options: BrowserContextOptions = {}): Promise<Person> => {
  const person = await Person.arrive(browser, [app.issuer], { ...PHONE, ...options });
  await person.page.addInitScript(SOONER);
  return person;
};

const arrive = async (options: BrowserContextOptions = {}): Promise<Person> => {
  const person = await holder(options);
  await person.page.goto(`${app.issuer}/app/`);
  return person;
};

async function pair(person: Person, account: Account): Promise<void> {
  await person.page.goto((await code(account)).href);
  await person.sees('Set up this phone?');
  await person.press('Continue');
  await person.sees('Type these digits on your computer');
  await person.page.locator('output', { hasText: /\d{3} \d{3}/ }).waitFor();
  const result = await typeDigits(account, await person.text('output'));
  expect(result).toMatchObject({ status: 'enrolled' });
  await person.sees('This phone is set up');
  await person.press('Done');
  await person.sees('Accounts on this phone');
}

/** A phone that is trusted, and what waits for it. */
async function trusted(
  options: BrowserContextOptions = {},
): Promise<{ person: Person; account: Account; signIns: WaitingSignIns }> {
  const account = await hire();
  const person = await holder(options);
  const signIns = await WaitingSignIns.before(person.page, app.issuer);
  await pair(person, account);
  return { person, account, signIns };
}

describe('setting a phone up', () => {
  test.each<[string, BrowserContextOptions]>([
    ['', {}],
    [', narrow and dark', { viewport: NARROW, colorScheme: 'dark' }],
  ])(
    'by typing login and code; the digits; the account with a code that the server would take%s',
    async (_how, options) => {
      const account = await hire();
      const person = await arrive(options);
      const { page } = person;
      await person.sees('Set up this phone');
      await person.press('Type a code instead');
      await person.sees('Type the code');
      await person.press('Continue');
      expect(await person.text('#login-problem')).not.toBe('');
      expect(await person.text('#typed-code-problem')).not.toBe('');
      expect(await person.focus()).toBe('login');
      await person.fill('Login', account.login);
      await person.fill('Code', 'AAAA-AAAA');
      await code(account);
      await person.press('Continue');
      await person.sees('This code does not work');
      await person.press('Try again');
      await person.press('Type a code instead');
      await person.sees('Type the code');
      await person.fill('Login', ` ${account.login} `);
      await person.fill('Code', (await code(account)).typed.toLowerCase().replace('-', ' '));
      await person.press('Continue');
      await person.sees('Type these digits on your computer');
      await page.locator('output', { hasText: /\d{3} \d{3}/ }).waitFor();
      const digits = await person.text('output');
      expect(await typeDigits(account, digits.startsWith('0') ? '999999' : '000000')).toMatchObject({
        status: 'rejected',
      });
      await person.sees('Type these digits on your computer');
      expect(await typeDigits(account, digits)).toMatchObject({ status: 'enrolled' });
      await person.sees('This phone is set up');
      await person.press('Done');
      await person.sees('Accounts on this phone');
      expect(await person.text('.account')).toContain(account.login);
      await page.locator('.code-now', { hasText: /^\d{3} \d{3}$/ }).waitFor();
      await person.leave();
    },
  );

  test('the address keeps no code, nothing is set up without a tap, and Back leads home', async () => {
    const account = await hire();
    const person = await arrive();
    const { page } = person;
    let pairings = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/pairing')) pairings += 1;
    });
    await page.goto((await code(account)).href);
    await person.sees('Set up this phone?');
    expect(new URL(page.url())).toMatchObject({ hash: '', pathname: '/app/' });
    await page.goBack();
    await person.sees('Set up this phone');
    expect(pairings).toBe(0);
    await person.leave();
  });

  test('keys cannot be read, and stay over a reload', async () => {
    const { person } = await trusted();
    const { page } = person;
    await page.reload();
    await person.sees('Accounts on this phone');
    const kept = (await page.evaluate(`new Promise((resolve) => {
      const opening = indexedDB.open('countersign');
      opening.onsuccess = () => {
        const request = opening.result.transaction('accounts').objectStore('accounts').getAll();
        request.onsuccess = () => resolve(request.result.map(({ key, code }) => ({
          keys: [key.privateKey.extractable, code.key.extractable], plain: JSON.stringify({ key, code }),
        })));
      };
    })`)) as { keys: boolean[]; plain: string }[];
    expect(kept).toHaveLength(1);
    expect(kept[0]?.keys).toEqual([false, false]);
    expect(kept[0]?.plain).not.toMatch(/"d":|secret/);
    await person.leave();
  });

  test('in a tab of Safari on iOS it explains the Home Screen, and makes no key', async () => {
    const account = await hire();
    const person = await arrive({ userAgent: IPHONE });
    const { page } = person;
    await person.sees('Add this app to your Home Screen');
    await page.goto((await code(account)).href);
    await person.sees('Add this app to your Home Screen');
    expect(await person.text('.note')).toContain('ten minutes');
    expect(await page.locator('button').count()).toBe(0);
    expect(await page.evaluate('indexedDB.databases()')).toEqual([]);
    await person.leave();
  });
});

describe('confirming a sign-in', () => {
  test.each<[string, BrowserContextOptions]>([
    ['', {}],
    [', narrow and dark', { viewport: NARROW, colorScheme: 'dark' }],
  ])('shows what waits, takes the number, says what is wrong%s', async (_how, options) => {
    const { person, account, signIns } = await trusted(options);
    signIns.add('482915', { browser: '<b>Firefox</b> on Windows' });
    await person.sees('Is this your sign-in?');
    const facts = await person.text('dl');
    for (const fact of [account.login, 'Time Sheets', '<b>Firefox</b> on Windows', 'Riga, Latvia', '203.0.113.7'])
      expect(facts).toContain(fact);
    await person.enterNumber('48');
    expect(await person.text('#number-problem')).toBe('The number has 6 digits.');
    await person.enterNumber('111 111');
    await person.page.getByText('You can try 2 more times.').waitFor();
    await person.sees('Is this your sign-in?');
    await person.enterNumber('482 915');
    await person.sees('Approved');
    expect(signIns.answers).toEqual([expect.objectContaining({ decision: 'approve', number: '482915' })]);
    await person.press('Done');
    await person.sees('Accounts on this phone');
    await person.leave();
  });

  test('three wrong numbers, an answer elsewhere, time: this sign-in is over', async () => {
    const { person, signIns } = await trusted();
    signIns.add('482915');
    await person.sees('Is this your sign-in?');
    for (const left of ['2 more times', 'once more']) {
      await person.enterNumber('111111');
      await person.page.getByText(left).waitFor();
    }
    await person.enterNumber('111111');
    await person.sees('This sign-in is over');
    expect(await person.text('.lead')).toContain('wrong three times');
    await person.press('Done');
    const elsewhere = signIns.add('482915');
    await person.sees('Is this your sign-in?');
    signIns.waiting.splice(signIns.waiting.indexOf(elsewhere), 1);
    await person.sees('This sign-in is over');
    await person.press('Done');
    signIns.add('482915').expiresAt = new Date(Date.now() + 4_000);
    await person.sees('Is this your sign-in?');
    await person.sees('This sign-in is over');
    expect(signIns.answers).toEqual([]);
    await person.leave();
  });

  test('of several none is chosen; the one that is opened gets the number', async () => {
    const { person, signIns } = await trusted();
    signIns.add('111111', { application: 'Mail' });
    signIns.add('482915');
    await person.page.getByRole('button', { name: /^Mail/ }).waitFor();
    await person.sees('Accounts on this phone');
    expect(await person.text('.waiting-list')).toContain('Several sign-ins wait.');
    await person.press(/^Time Sheets/);
    await person.sees('Is this your sign-in?');
    await person.enterNumber('482915');
    await person.sees('Approved');
    expect(signIns.waiting.map(({ details }) => details.application)).toEqual(['Mail']);
    await person.leave();
  });

  test('not now; it wasn’t me asks once more, and can be taken back', async () => {
    const { person, signIns } = await trusted();
    signIns.add('482915');
    await person.sees('Is this your sign-in?');
    await person.press('Not now');
    await person.sees('Not now');
    // Twice before the browser has gone back.
    await person.page.evaluate(
      "{ const done = document.querySelector('button.primary'); done.click(); done.click(); }",
    );
    await person.sees('Accounts on this phone');
    expect(new URL(person.page.url()).pathname).toBe('/app/');
    signIns.add('482915');
    await person.sees('Is this your sign-in?');
    await person.press('It wasn’t me');
    await person.sees('Stop this sign-in?');
    await person.press('Back to the sign-in');
    await person.sees('Is this your sign-in?');
    await person.press('It wasn’t me');
    await person.press('Yes, stop it');
    await person.sees('The sign-in was stopped');
    expect(signIns.answers.map(({ decision, number }) => [decision, number])).toEqual([
      ['not_now', undefined],
      ['not_me', undefined],
    ]);
    await person.leave();
  });

  test('a number scanned outside the app stands in the sign-in that is opened, and is not sent by itself', async () => {
    const { person, signIns } = await trusted();
    await person.page.goto(`${app.issuer}/app/confirm#482915`);
    await person.page.getByText('No sign-in is waiting.').waitFor();
    signIns.add('482915');
    await person.sees('Is this your sign-in?');
    expect(await person.page.locator('#number').inputValue()).toBe('482 915');
    expect(signIns.answers).toEqual([]);
    await person.press('Approve');
    await person.sees('Approved');
    await person.leave();
  });

  test('without a connection nothing is claimed: the answer can be given again', async () => {
    const { person, signIns } = await trusted();
    signIns.add('482915');
    await person.sees('Is this your sign-in?');
    signIns.isAway = true;
    await person.enterNumber('482915');
    await person.page.getByText('No answer came from the server.').waitFor();
    await person.page.getByText('No connection.').first().waitFor();
    person.complaints.length = 0;
    await person.leave();
  });
});

describe('a phone and its accounts', () => {
  test('removed on the computer: no longer trusted, with the way to set up again', async () => {
    const { person, account } = await trusted();
    const [method] = await app.app.engine.forAccount(account.id);
    await app.app.engine.remove(account, method?.factors[0]?.id ?? '', ORIGIN);
    await person.page.reload();
    await person.page.getByText('This phone is no longer trusted').waitFor();
    await person.sees('Accounts on this phone');
    expect(await person.page.locator('.code-now').count()).toBe(0);
    await person.press('Set up again');
    await person.sees('Add an account');
    await pair(person, account);
    expect(await person.page.locator('.account').count()).toBe(1);
    await person.leave();
  });

  test('removed here: asked once, and the server no longer knows it', async () => {
    const { person, account } = await trusted();
    await person.page.getByRole('button', { name: /^About this account/ }).click();
    await person.sees('About this account');
    expect(await person.text('.facts')).toContain('Pixel 9');
    await person.press('Remove from this phone');
    await person.sees(`Remove ${account.login} from this phone?`);
    await person.press('Remove');
    await person.sees('Removed from this phone');
    expect(await app.app.engine.forAccount(account.id)).toEqual([]);
    await person.press('Done');
    await person.sees('Set up this phone');
    await person.leave();
  });

  test('two accounts have a key each, and the codes that the server expects', async () => {
    const { person } = await trusted();
    await pair(person, await hire());
    expect(await person.page.locator('.account').count()).toBe(2);
    await person.leave();
  });
});

test('German phones speak German', async () => {
  const person = await arrive({ locale: 'de-AT' });
  await person.sees('Dieses Telefon einrichten');
  expect(await person.page.locator('html').getAttribute('lang')).toBe('de');
  await person.leave();
});

test('a language is chosen in the app, and kept', async () => {
  const person = await arrive();
  const { page } = person;
  await person.sees('Set up this phone');
  await page.getByLabel('Language').selectOption('Français');
  await person.sees('Configurer ce téléphone');
  expect(await person.focus()).toBe('language');
  await page.reload();
  await person.sees('Configurer ce téléphone');
  expect(await page.locator('html').getAttribute('lang')).toBe('fr');
  await person.press('Saisir un code à la place');
  await person.sees('Saisir le code');
  expect(await page.locator('#language').isVisible()).toBe(false);
  await person.leave();
});

test('a phone whose clock is wrong is told, and by how much', async () => {
  const account = await hire();
  const person = await holder();
  await person.page.addInitScript('{ const now = Date.now; Date.now = () => now() + 180_000; }');
  await pair(person, account);
  expect(await person.text('.banner')).toContain('wrong by 3 minutes');
  await person.leave();
});
