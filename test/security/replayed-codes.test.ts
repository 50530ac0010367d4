/** Prevents: a code that counts twice, late, for somebody else, or before its factor is set up. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { FakeClock } from '../support/clock.js';
import { RelyingParty } from '../support/relying-party.js';
import { enrolAuthenticator, type Person, person, signIn, typePassword, typeRecoveryCode } from './support.js';

const clock = new FakeClock();
const now = () => clock.now();
let app: TestApp;
let rp: RelyingParty;
let anna: Person;
let count = 0;

beforeAll(async () => {
  app = await startApp({}, { clock });
  rp = new RelyingParty(app.issuer);
});
afterAll(() => app.stop());
beforeEach(async () => {
  count += 1;
  anna = await person(app, `anna${count}@example.com`, now);
});

const atSecondStep = async (someone: Person) => {
  const browser = app.browser();
  const { url, verifier } = rp.request();
  return { browser, verifier, page: await typePassword(browser, url, someone.account.login) };
};

test('the same code of an authenticator in two sign-ins at once lets one in', async () => {
  const both = [await atSecondStep(anna), await atSecondStep(anna)];
  const code = anna.authenticator.code();
  const pages = await Promise.all(both.map(({ browser, page }) => browser.submit(page, { code })));
  expect(pages.map(({ status }) => status).sort()).toEqual([303, 422]);
  const late = await atSecondStep(anna);
  expect((await late.browser.submit(late.page, { code })).status).toBe(422);
  const { page } = await atSecondStep(anna);
  expect(page.status).toBe(200);
});

test('a code of two steps ago, or of the step before one already used, is refused', async () => {
  const { browser, page } = await atSecondStep(anna);
  const old = await browser.submit(page, { code: anna.authenticator.code(-2) });
  expect(old.status).toBe(422);
  expect(old.text).toContain('That code did not work. It may be mistyped, already used or expired.');
  const used = await browser.submit(old, { code: anna.authenticator.code(-1) });
  expect(used.status).toBe(422);
  expect(rp.answer(await browser.submit(used, { code: anna.authenticator.code(1) })).code).toBeTruthy();
  const next = await atSecondStep(anna);
  expect((await next.browser.submit(next.page, { code: anna.authenticator.code(0) })).status).toBe(422);
});

test('a recovery code counts once, fifty browsers at once or not', async () => {
  const code = anna.recoveryCodes[0] ?? '';
  const all = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const half = await atSecondStep(anna);
      const entry = await half.browser.open(half.page.url.pathname.replace(/$/, '/with/recovery_code'));
      return { ...half, entry };
    }),
  );
  const pages = await Promise.all(all.map(({ browser, entry }) => browser.submit(entry, { code })));
  expect(pages.filter(({ status }) => status === 303)).toHaveLength(1);
});

test('codes of one account are worth nothing in the sign-in of another', async () => {
  const ben = await person(app, `ben${count}@example.com`, now);
  const { browser, page } = await atSecondStep(ben);
  const refused = await browser.submit(page, { code: anna.authenticator.code() });
  expect(refused.status).toBe(422);
  const entry = await browser.open(page.url.pathname.replace(/$/, '/with/recovery_code'));
  expect((await browser.submit(entry, { code: anna.recoveryCodes[1] ?? '' })).status).toBe(422);
  // And Anna's are all still good.
  const own = await atSecondStep(anna);
  expect(rp.answer(await own.browser.submit(own.page, { code: anna.authenticator.code() })).code).toBeTruthy();
});

test('a factor that was never confirmed lets nobody in', async () => {
  const { engine } = app.app;
  const account = await app.account(`cleo${count}@example.com`);
  await enrolAuthenticator(app, account, now);
  const step = await engine.beginEnrolment(account, 'totp', { requestId: 'pending' });
  const secret = new URL(String(step?.locals.otpauthUri)).searchParams.get('secret') ?? '';
  const { generateSync } = await import('otplib');
  const { browser, page } = await atSecondStep({ ...anna, account });
  const code = generateSync({ secret, epoch: Math.floor(now().getTime() / 1000) });
  expect((await browser.submit(page, { code })).status).toBe(422);
});

test('a password older than ten minutes has to be typed again; the code is not used up', async () => {
  const { browser, page } = await atSecondStep(anna);
  clock.advance(601);
  const late = await browser.submit(page, { code: anna.authenticator.code() });
  expect(late.status).toBe(400);
  expect(late.h1).toBe('This sign-in has ended');
  expect(await rp.silent(browser)).toBe('login_required');
  const fresh = await atSecondStep(anna);
  expect(rp.answer(await fresh.browser.submit(fresh.page, { code: anna.authenticator.code() })).code).toBeTruthy();
});

test('signing in again does not give tries back, and a right password does not either', async () => {
  const first = await atSecondStep(anna);
  let page = first.page;
  for (let n = 0; n < 5; n += 1) page = await first.browser.submit(page, { code: '000000' });
  const again = await atSecondStep(anna);
  const refused = await again.browser.submit(again.page, { code: '000000' });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(refused.html).toMatch(/<noscript>[\s\S]*<time datetime=/);
  // Another method is still open, and does not open the first one.
  expect(rp.answer(await typeRecoveryCode(again.browser, again.page, anna)).code).toBeTruthy();
  const third = await atSecondStep(anna);
  expect((await third.browser.submit(third.page, { code: anna.authenticator.code(1) })).status).toBe(429);
  clock.advance(3600);
  expect((await signIn(app.browser(), rp, anna)).status).toBe(200);
});
