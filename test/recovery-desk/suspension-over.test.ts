/** Prevents: anything that a suspension let in from going on once it is over. No job runs in these tests: time alone ends it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import { type Person, person, signIn, typePassword } from '../security/support.js';
import { RP, startApp, type TestApp } from '../support/app.js';
import type { Browser } from '../support/browser.js';
import { FakeClock } from '../support/clock.js';
import { RelyingParty, type Tokens } from '../support/relying-party.js';
import { approve, fileRequest, OLGA, ORIGIN, recoveryBrowser, signInSuspended, suspended } from './support.js';

const clock = new FakeClock(new Date('2026-11-23T07:55:00.400Z'));
const now = () => clock.now();
let app: TestApp;
let rp: RelyingParty;
let anna: Person;
let count = 0;

beforeAll(async () => {
  app = await startApp(
    { clients: [{ ...RP, issue_refresh_token: true }], sessions: { idleSeconds: 200_000, overallSeconds: 400_000 } },
    { clock },
  );
  rp = new RelyingParty(app.issuer);
});
afterAll(() => app.stop());
beforeEach(async () => {
  count += 1;
  anna = await person(app, `anna${count}@example.com`, now);
});

const introspect = async (token: string): Promise<boolean> =>
  ((await (await rp.post('/token/introspection', { token })).json()) as { active: boolean }).active;

interface LetIn {
  browser: Browser;
  tokens: Tokens & { claims: Record<string, unknown> };
}

async function letIn(hours = 24): Promise<LetIn> {
  const browser = await suspended(app, anna.account, hours);
  const { page, verifier } = await signInSuspended(browser, rp, anna.account.login);
  return { browser, tokens: await rp.tokens(page, verifier) };
}

const codeFrom = async (browser: Browser): Promise<{ code: string; verifier: string }> => {
  const { url, verifier } = rp.request({ prompt: 'none' });
  return { code: rp.answer(await browser.open(url)).code ?? '', verifier };
};

test('while it runs: one factor, and the tokens say so', async () => {
  const { browser, tokens } = await letIn();
  expect(tokens.claims).toMatchObject({ acr: 'urn:countersign:acr:1fa', amr: ['pwd'] });
  expect((await rp.userinfo(tokens.access_token)).status).toBe(200);
  expect(await introspect(tokens.access_token)).toBe(true);
  expect(await rp.silent(browser)).toBe('code');
  expect((await rp.refresh(tokens.refresh_token ?? '')).status).toBe(200);
});

test.each([
  [24, 86_400],
  [48, 172_800],
])('%d hours: until the last second everything goes on, a second later nothing does', async (hours, seconds) => {
  const { browser, tokens } = await letIn(hours);
  clock.advance(seconds - 1);
  expect(await rp.silent(browser)).toBe('code');
  const fresh = await rp.refresh(tokens.refresh_token ?? '');
  expect(fresh.status).toBe(200);
  expect((await rp.userinfo(fresh.access_token)).status).toBe(200);
  const { code, verifier } = await codeFrom(browser);
  expect(code).not.toBe('');

  clock.advance(2);
  expect(await rp.exchange(code, verifier)).toMatchObject({ status: 400, error: 'invalid_grant' });
  expect(await rp.refresh(fresh.refresh_token ?? '')).toMatchObject({ status: 400, error: 'invalid_grant' });
  expect((await rp.userinfo(fresh.access_token)).status).toBe(401);
  expect(await introspect(fresh.access_token)).toBe(false);
  expect(await rp.silent(browser)).toBe('login_required');
  // The password leads to the second step again, in the browser that was let in too.
  expect((await typePassword(browser, rp.request().url, anna.account.login)).h1).toBe('Enter the verification code');
});

test('a password typed before it began is let in by it, and is void with it', async () => {
  const { browser, hash } = recoveryBrowser(app);
  const { url, verifier } = rp.request();
  const atSecondStep = await typePassword(browser, url, anna.account.login);
  clock.advance(60);
  await approve(app, await fileRequest(app, anna.account, hash));
  const offered = await browser.open(atSecondStep.url);
  const tokens = await rp.tokens(await browser.submit(offered, {}, /\/set-up\/later$/), verifier);
  expect(tokens.claims).toMatchObject({ amr: ['pwd'] });
  clock.advance(86_401);
  expect(await rp.refresh(tokens.refresh_token ?? '')).toMatchObject({ error: 'invalid_grant' });
  expect(await rp.silent(browser)).toBe('login_required');
});

test('an administrator ends it: within the same second all is refused', async () => {
  const { browser, tokens } = await letIn();
  const { code, verifier } = await codeFrom(browser);
  const { items } = await app.app.desk.listSuspensions({ accountId: anna.account.id }, { limit: 1 });
  expect((await app.app.desk.end(items[0]?.id ?? '', OLGA)).status).toBe('ended');
  expect(await rp.exchange(code, verifier)).toMatchObject({ error: 'invalid_grant' });
  expect((await rp.userinfo(tokens.access_token)).status).toBe(401);
  expect(await introspect(tokens.access_token)).toBe(false);
  expect(await rp.refresh(tokens.refresh_token ?? '')).toMatchObject({ error: 'invalid_grant' });
  expect(await rp.silent(browser)).toBe('login_required');
});

test('a session from before it, with two factors, goes on during it and after', async () => {
  const before = app.browser();
  const tokens = await signIn(before, rp, anna);
  clock.advance(5);
  await letIn();
  expect(await rp.silent(before)).toBe('code');
  clock.advance(86_402);
  expect(await rp.silent(before)).toBe('code');
  expect((await rp.refresh(tokens.refresh_token ?? '')).status).toBe(200);
});

test('a session from before it, with the password alone, was never let in by it', async () => {
  const ben = await app.account(`ben${count}@example.com`);
  const before = app.browser();
  const { url, verifier } = rp.request();
  const tokens = await rp.tokens(await typePassword(before, url, ben.login), verifier);
  clock.advance(5);
  await app.app.desk.start(ben, { hours: 24 }, OLGA);
  clock.advance(86_402);
  expect(await rp.silent(before)).toBe('code');
  expect((await rp.refresh(tokens.refresh_token ?? '')).status).toBe(200);
});

test('whoever proves a factor while it runs has signed in for good', async () => {
  await letIn();
  const other = app.browser();
  const tokens = await signIn(other, rp, anna);
  expect(tokens.claims).toMatchObject({ acr: 'urn:countersign:acr:2fa' });
  clock.advance(86_402);
  expect(await rp.silent(other)).toBe('code');
  expect((await rp.refresh(tokens.refresh_token ?? '')).status).toBe(200);
});

test('a second suspension brings nothing back that the first had let in', async () => {
  const { browser, tokens } = await letIn();
  clock.advance(86_401);
  await app.app.desk.start(anna.account, { hours: 24, otherBrowsers: 'password_alone' }, OLGA);
  expect(await rp.refresh(tokens.refresh_token ?? '')).toMatchObject({ error: 'invalid_grant' });
  expect(await rp.silent(browser)).toBe('login_required');
  const again = await signInSuspended(app.browser(), rp, anna.account.login);
  expect(rp.answer(again.page).code).toBeTruthy();
});

test('what ended by time is written down once, and its sessions end for applications too', async () => {
  const { browser } = await letIn();
  clock.advance(86_401);
  await Promise.all([app.app.desk.sweep(), app.app.desk.sweep(), app.app.desk.sweep()]);
  const ended = await app.app.audit.list({ accountId: anna.account.id, types: ['suspension_ended'] }, { limit: 9 });
  expect(ended.map(({ details }) => details?.end)).toEqual(['expired']);
  await app.mails();
  expect(await app.app.sessions.list(anna.account.id)).toEqual([]);
  expect(await rp.silent(browser)).toBe('login_required');
});

describe('hours are hours', () => {
  // Clocks in Berlin go back on 25 October 2026 and forward on 28 March 2027.
  test.each(['2026-10-24T20:00:00.000Z', '2027-03-27T20:00:00.000Z'])('over the change after %s', async (start) => {
    const account: Account = await app.account(`dst-${start}@example.com`);
    clock.set(new Date(start));
    for (const hours of [24, 48]) {
      const started = await app.app.desk.start(account, { hours }, OLGA);
      const { until, createdAt, id } = started.suspension;
      expect(until.getTime() - createdAt.getTime()).toBe(hours * 3_600_000);
      clock.advance(hours * 3600 - 1);
      expect((await app.app.desk.findSuspension(id))?.isRunning).toBe(true);
      clock.advance(1);
      expect((await app.app.desk.findSuspension(id))?.isRunning).toBe(false);
    }
  });
});

describe('further browsers', () => {
  test('the right password leads to the second step, never to a session', async () => {
    await letIn();
    const other = app.browser();
    const page = await typePassword(other, rp.request().url, anna.account.login);
    expect(page.h1).toBe('Enter the verification code');
    expect(await rp.silent(other)).toBe('login_required');
  });

  test('an access code lets one of them in, once, and dies with its suspension', async () => {
    await letIn();
    const { items } = await app.app.desk.listSuspensions({ accountId: anna.account.id }, { limit: 1 });
    const id = items[0]?.id ?? '';
    const issued = await app.app.desk.issueAccessCode(id, OLGA);
    if (issued.status !== 'issued') throw new Error(issued.status);
    const redeem = (hash: string, code = issued.code) =>
      app.app.desk.redeemAccessCode(anna.account, hash, code, ORIGIN);
    const outcomes = await Promise.all(['one', 'two', 'three', 'four'].map((hash) => redeem(hash)));
    expect(outcomes.filter(({ status }) => status === 'accepted')).toHaveLength(1);
    const next = await app.app.desk.issueAccessCode(id, OLGA);
    await app.app.desk.end(id, OLGA);
    expect((await redeem('five', next.status === 'issued' ? next.code : '')).status).not.toBe('accepted');
    expect((await app.app.desk.issueAccessCode(id, OLGA)).status).toBe('ended');
  });

  test('codes are guessed no faster than factors', async () => {
    await letIn();
    const guess = () => app.app.desk.redeemAccessCode(anna.account, 'hash', 'ABCDE-FGHJK', ORIGIN);
    for (let n = 0; n < 5; n += 1) expect((await guess()).status).toBe('rejected');
    expect((await guess()).status).toBe('throttled');
  });

  test('"password alone" lets them in, and the audit says whose choice it was', async () => {
    await app.app.desk.start(anna.account, { hours: 24, otherBrowsers: 'password_alone' }, OLGA);
    const { page } = await signInSuspended(app.browser(), rp, anna.account.login);
    expect(rp.answer(page).code).toBeTruthy();
    const [used] = await app.app.audit.list({ accountId: anna.account.id, types: ['suspension_used'] }, { limit: 1 });
    expect(used?.details).toMatchObject({ clearedBy: 'password_alone', allowedBy: 'olga' });
  });
});
