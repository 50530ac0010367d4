/** Prevents: a stranger's wrong passwords making the owner wait, and guessing without waiting. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import { FakeClock } from '../support/clock.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Person, person, signIn, typePassword } from './support.js';

const clock = new FakeClock();
let app: TestApp;
let rp: RelyingParty;
let anna: Person;
beforeAll(async () => {
  app = await startApp({}, { clock });
  rp = new RelyingParty(app.issuer);
  anna = await person(app, 'anna@example.com', () => clock.now());
});
afterAll(() => app.stop());

test('five wrong passwords, then a wait that says how long and until when; the owner at the known browser goes on', async () => {
  const owner = app.browser();
  await signIn(owner, rp, anna);
  const stranger = app.browser();
  let page = await stranger.open(rp.request().url);
  for (let n = 0; n < 5; n += 1) {
    page = await stranger.submit(page, { login: 'anna@example.com', password: `wrong ${n}` });
    expect(page.status).toBe(422);
  }
  page = await stranger.submit(page, { login: 'anna@example.com', password: PASSWORD });
  expect(page.status).toBe(429);
  expect(page.headers.get('retry-after')).toBe('30');
  expect(page.text).toContain('You can try again in 30 seconds');
  expect(page.html).toMatch(/<noscript>[\s\S]*<time datetime=/);
  // A further guess while waiting does not make the wait longer, and another spelling is the same login.
  page = await stranger.submit(page, { login: '  ANNA@EXAMPLE.COM ', password: PASSWORD });
  expect([page.status, page.headers.get('retry-after')]).toEqual([429, '30']);
  const fresh = await typePassword(owner, rp.request({ prompt: 'login' }).url, 'anna@example.com');
  expect(fresh.url.pathname).toMatch(/^\/second-factor\//);
  // Nor does the owner's success let the stranger go on.
  page = await stranger.submit(page, { login: 'anna@example.com', password: PASSWORD });
  expect(page.status).toBe(429);
  clock.advance(31);
  page = await typePassword(stranger, rp.request().url, 'anna@example.com', 'wrong again');
  expect(page.status).toBe(422);
  page = await typePassword(stranger, rp.request().url, 'anna@example.com');
  expect([page.status, page.headers.get('retry-after')]).toEqual([429, '60']);
});

test('the mark of a known browser is for its own login, and cannot be made up', async () => {
  const ben = await person(app, 'ben@example.com', () => clock.now());
  const browser = app.browser();
  await signIn(browser, rp, ben);
  const known = browser.cookie('countersign-known') ?? '';
  const [id] = known.split('~');
  for (const value of [
    known,
    `${id}~${'A'.repeat(22)}`,
    `${'x'.repeat(22)}~${known.split('~')[1]}`,
    '~~~',
    'x'.repeat(3_000),
  ]) {
    const stranger = app.browser();
    stranger.setCookie('countersign-known', value);
    const page = await typePassword(stranger, rp.request().url, 'anna@example.com');
    expect(page.status).toBe(429);
  }
});

test('a known browser has its own limit', async () => {
  const ben = await person(app, 'dora@example.com', () => clock.now());
  const browser = app.browser();
  await signIn(browser, rp, ben);
  let page = await browser.open(rp.request({ prompt: 'login' }).url);
  for (let n = 0; n < 5; n += 1) page = await browser.submit(page, { login: 'dora@example.com', password: 'wrong' });
  expect((await browser.submit(page, { login: 'dora@example.com', password: PASSWORD })).status).toBe(429);
});

test('one address cannot try many logins without end', async () => {
  const stranger = app.browser();
  let page = await stranger.open(rp.request().url);
  const statuses = new Set<number>();
  for (let n = 0; n < 110 && !statuses.has(429); n += 1) {
    page = await stranger.submit(page, { login: `nobody${n}@example.com`, password: 'x' });
    statuses.add(page.status);
  }
  expect(statuses).toEqual(new Set([422, 429]));
  expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(60);
}, 60_000);
