import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ACR } from '../../src/policy/levels.js';
import { answerWith, approveWith, type Waiting, waitingOn } from '../plugins/app/approval.js';
import { overHttp, Phone } from '../plugins/app/phone.js';
import { typePassword } from '../security/support.js';
import { eventually } from '../sms/support.js';
import { RP, startApp, type TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import { FakeClock } from '../support/clock.js';
import { RelyingParty } from '../support/relying-party.js';
import { numberOn } from './employee.js';

const clock = new FakeClock(new Date('2046-03-02T09:00:00Z'));
const HERE = { requestId: 'set-up-of-the-test', browser: 'browser-of-the-test' };

let app: TestApp;
let rp: RelyingParty;
beforeAll(async () => {
  app = await startApp({ methods: [{ id: 'app' }, { id: 'totp' }], clients: [RP] }, { clock });
  rp = new RelyingParty(app.issuer);
});
afterAll(() => app.stop());

let people = 0;
let login = '';
let phone: Phone;
let browser: Browser;
beforeEach(async () => {
  clock.advance(7_200);
  people += 1;
  login = `person-${people}`;
  const account = await app.account(login);
  const { engine } = app.app;
  const step = await engine.beginEnrolment(account, 'app', HERE);
  phone = await Phone.make(overHttp(app.issuer), app.issuer);
  await phone.pair({ code: String(step?.locals.pairHref).split('#')[1] });
  const enrolled = await engine.confirmEnrolment(account, 'app', { digits: phone.digits() }, HERE);
  if (enrolled.status !== 'enrolled') throw new Error(`not enrolled: ${enrolled.status}`);
  browser = app.browser();
});

const only = async (): Promise<Waiting> => {
  const [waiting, ...more] = await waitingOn(phone);
  if (!waiting || more.length > 0) throw new Error('not exactly one waits');
  return waiting;
};
const typed = (page: Page): string => numberOn(page).replace(/\s/g, '');
const approve = async (page: Page) => expect((await approveWith(phone, await only(), typed(page))).status).toBe(200);
/** The button "I have confirmed", or the one to go on. */
const check = (page: Page, by = browser): Promise<Page> => by.submit(page, {}, /\/with\/app$/);
const again = (page: Page): Promise<Page> => browser.submit(page, {}, /\/with\/app\/send$/);
const near = (page: Page, rest: string): Promise<Page> =>
  browser.open(page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, `$1${rest}`));
const isThere = (page: Page): boolean => page.url.origin === 'https://rp.example';

describe('signing in', () => {
  test('the number of the page is typed on the phone; the tokens say how it was', async () => {
    const { url, verifier } = rp.request();
    const page = await typePassword(browser, url, login);
    expect(page.h1).toBe('Confirm on your phone');
    expect(page.text).toContain('Open the app on Pixel 9');
    expect(numberOn(page)).toMatch(/^\d{3} \d{3}$/);
    expect(numberOn(await near(page, ''))).toBe(numberOn(page));
    expect(numberOn(await near(page, '/with/app'))).toBe(numberOn(page));

    const early = await check(page);
    expect(early.status).toBe(200);
    expect(early.text).toContain('Your phone has not answered yet');
    expect(numberOn(early)).toBe(numberOn(page));
    expect(JSON.parse((await only()).details)).toMatchObject({ application: expect.any(String), ip: '127.0.0.1' });

    await approve(page);
    const approved = await near(page, '');
    expect(approved.h1).toBe('Confirmed on your phone');
    expect(approved.html).toContain('data-submit="fetch"');
    const { claims } = await rp.tokens(await check(approved), verifier);
    expect(claims).toMatchObject({ acr: ACR['2fa'] });
    expect([...(claims.amr as string[])].sort()).toEqual(['mca', 'mfa', 'pwd', 'swk', 'user']);
    expect(await waitingOn(phone)).toEqual([]);
  });

  test('two tabs of one sign-in that go on at once: it is done once, and the phone is not asked again', async () => {
    const page = await typePassword(browser, rp.request().url, login);
    await approve(page);
    const verified = await app.database.collection('audit_events').countDocuments({ type: 'factor_verified' });
    const done = await Promise.all([check(page), check(page)]);
    expect(done.some(isThere)).toBe(true);
    // Slower than the other's way to the application, or so fast that the other was not there yet.
    for (const one of done.filter((tab) => !isThere(tab)))
      expect(['This sign-in has ended', 'Confirmed on your phone']).toContain(one.h1);
    expect(await waitingOn(phone)).toEqual([]);
    expect(await app.database.collection('audit_events').countDocuments({ type: 'factor_verified' })).toBe(
      verified + 1,
    );
  });

  test('another browser with the same password gets nothing from it', async () => {
    const page = await typePassword(browser, rp.request().url, login);
    const thief = app.browser();
    const theirs = await typePassword(thief, rp.request().url, login);
    const waiting = (await waitingOn(phone)).map(async (one) => approveWith(phone, one, typed(page)));
    expect((await Promise.all(waiting)).map(({ status }) => status).sort()).toEqual([200, 422]);
    const refused = await check(theirs, thief);
    expect(refused.text).toContain('has not answered yet');
    expect(isThere(await check(page))).toBe(true);
  });

  test('a confirmation that comes after the password’s ten minutes is worth nothing', async () => {
    let page = await typePassword(browser, rp.request().url, login);
    clock.advance(599);
    page = await again(await near(page, '/with/app'));
    await approve(page);
    clock.advance(2);
    const late = await check(page);
    expect(isThere(late)).toBe(false);
    expect(late.status).toBeGreaterThanOrEqual(400);
    expect(await rp.silent(browser)).toBe('login_required');
  });
});

describe('what else can happen', () => {
  test('another way is chosen: the phone has nothing to answer; back again, a new number comes by the button alone', async () => {
    const page = await typePassword(browser, rp.request().url, login);
    const list = await near(page, '/methods');
    expect(list.text).toContain('Confirm in the app');
    await only();
    await near(page, '/with/totp');
    expect(await waitingOn(phone)).toEqual([]);
    const back = await near(page, '/with/app');
    expect([back.h1, numberOn(back)]).toEqual(['This number is no longer good', '']);
    await near(page, '/with/app/send');
    expect(await waitingOn(phone)).toEqual([]);
    const fresh = await again(back);
    expect(fresh.h1).toBe('Confirm on your phone');
    await approve(fresh);
    expect(isThere(await check(fresh))).toBe(true);
  });

  test('given up: the phone has nothing to answer', async () => {
    const page = await typePassword(browser, rp.request().url, login);
    await only();
    expect(rp.answer(await browser.submit(page, {}, /\/cancel$/))).toMatchObject({ error: 'access_denied' });
    expect(await waitingOn(phone)).toEqual([]);
  });

  test('"not now", three wrong numbers, and too late: each says what to do next', async () => {
    const page = await typePassword(browser, rp.request().url, login);
    await answerWith(phone, await only(), { decision: 'not_now' });
    const postponed = await near(page, '/with/app');
    expect(postponed.text).toContain('Not now');

    const second = await again(postponed);
    const wrong = String((Number(typed(second)) + 1) % 1_000_000).padStart(6, '0');
    const waiting = await only();
    for (let n = 0; n < 3; n += 1) await approveWith(phone, waiting, wrong);
    const over = await near(page, '/with/app');
    expect(over.h1).toBe('Too many wrong numbers');

    await again(over);
    clock.advance(120);
    const expired = await near(page, '/with/app');
    expect(expired.h1).toBe('This number is no longer good');
    const checked = await check(page);
    expect([checked.status, checked.h1]).toEqual([422, 'This number is no longer good']);
    const last = await again(expired);
    await approve(last);
    expect(isThere(await check(last))).toBe(true);
  });

  test('"It wasn’t me": nothing more is asked, other methods stay, and people are told', async () => {
    const page = await typePassword(browser, rp.request().url, login);
    await answerWith(phone, await only(), { decision: 'not_me' });
    const denied = await near(page, '/with/app');
    expect(denied.h1).toBe('This sign-in was refused');
    expect(denied.html).toContain('/methods"');
    const refused = await check(page);
    expect([refused.status, refused.h1]).toEqual([422, 'This sign-in was refused']);
    const next = app.browser();
    const other = await typePassword(next, rp.request().url, login);
    expect(other.h1).toBe('Your phone cannot be asked right now');
    expect(await waitingOn(phone)).toEqual([]);
    const asked = await next.submit(other, {}, /\/with\/app\/send$/);
    expect([asked.status, asked.h1]).toEqual([429, 'Your phone cannot be asked right now']);
    expect(Number(asked.headers.get('retry-after'))).toBe(900);
    const [event] = await app.database.collection('audit_events').find({ type: 'sign_in_denied' }).toArray();
    expect(event).toMatchObject({ details: { method: 'app', signInIp: '127.0.0.1' } });
  });

  test('the phone of an account that was deactivated is refused from then on, and confirms nothing', async () => {
    const page = await typePassword(browser, rp.request().url, login);
    const waiting = await only();
    const account = await app.app.accounts.findByLogin(login);
    await app.app.accounts.deactivate(account?.id ?? '');
    const refused = { status: 401, body: { code: 'DEVICE_REFUSED' } };
    expect(await phone.post('/challenges')).toMatchObject(refused);
    expect(await approveWith(phone, waiting, typed(page))).toMatchObject(refused);
  });

  test('a phone that listens is told that something has changed and no more, three times at most', async () => {
    const listening = [await phone.listen(), await phone.listen(), await phone.listen()];
    const [stream] = listening;
    expect(stream?.response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(stream?.response.headers.get('cache-control')).toBe('no-store');
    expect(stream?.response.headers.get('device-nonce')).toMatch(/^[\w-]{43}$/);
    expect(await phone.post('/watch')).toMatchObject({
      status: 429,
      headers: { 'retry-after': '60' },
      body: { code: 'TOO_MANY', serverTime: clock.now().toISOString() },
    });
    await typePassword(browser, rp.request().url, login);
    for (const { heard } of listening) await heard('event: changed\ndata:\n\n');
    await stream?.leave();
    await eventually(async () => ((await phone.listen().catch(() => undefined)) ? true : undefined));
    await phone.post('/remove');
    for (const { heard, text } of listening.slice(1)) {
      await heard('event: revoked\ndata:\n\n');
      expect(text()).toMatch(/^retry: 1000\n\n(event: changed\ndata:\n\n)+event: revoked\ndata:\n\n$/);
    }
  });

  test('while it waits the page is told at once', async () => {
    const page = await typePassword(browser, rp.request().url, login);
    const [, href = '', since = ''] = /data-events="([^"]+)" data-since="(\d+)"/.exec(page.html) ?? [];
    const answer = await browser.request(new URL(`${href}?since=${Number(since) - 1}`, app.issuer));
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    expect(answer.html).toContain('event: changed');
  });
});
