/** A phone that was just set up is tried once, as in a sign-in, and nothing depends on it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { DeviceClient } from '../../examples/device-cli/client.js';
import { ACR } from '../../src/policy/levels.js';
import { typePassword } from '../security/support.js';
import { RP, startApp, type TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import { FakeClock } from '../support/clock.js';
import { RelyingParty } from '../support/relying-party.js';
import { fetchOutcome, firstSignIn, numberOn, pairOn, skipTrial } from './employee.js';

const clock = new FakeClock(new Date('2046-03-02T09:00:00Z'));
const now = () => clock.now().getTime();

let app: TestApp;
let rp: RelyingParty;
beforeAll(async () => {
  app = await startApp(
    {
      methods: [{ id: 'app' }, { id: 'totp' }],
      policy: { firstEnrolment: 'password', setUp: { required: true } },
      clients: [RP],
    },
    { clock },
  );
  rp = new RelyingParty(app.issuer);
});
afterAll(() => app.stop());

let people = 0;
let login = '';
let browser: Browser;
beforeEach(() => {
  clock.advance(7_200);
  people += 1;
  login = `person-${people}@example.com`;
  browser = app.browser();
});

/** At the trial of the wizard. */
async function atTrial() {
  const account = await app.account(login);
  const { page, verifier } = await firstSignIn(browser, rp, login);
  return { account, verifier, ...(await pairOn(browser, page, { now, isTried: true })) };
}
const waitingOn = async (phone: DeviceClient) => {
  const [waiting, ...more] = await phone.list();
  if (!waiting || more.length > 0) throw new Error('not exactly one waits');
  return waiting;
};
const approve = async (phone: DeviceClient, page: Page) =>
  phone.answer(await waitingOn(phone), 'approve', numberOn(page));
const goOn = (page: Page): Promise<Page> => browser.submit(page, {}, /\/try\/app(\/[\w-]+)?$/);

describe('in set-up', () => {
  test('the page asks as a sign-in does, the phone is told that it is a trial, and set-up goes on', async () => {
    const { account, phone, page, verifier } = await atTrial();
    expect(page.h1).toBe('Try it: confirm on your phone');
    expect(page.text).toMatch(/only a trial of Pixel 9 : nobody signs in.*Pixel 9 is trusted already/);
    expect(page.text).not.toContain('Other login methods');
    expect(JSON.parse((await waitingOn(phone)).details)).toMatchObject({ trial: true });
    expect((await goOn(page)).text).toContain('Your phone has not answered yet');
    expect(await approve(phone, page)).toBe('approved');
    const done = await goOn(page);
    expect(done.h1).toBe('Your account is protected');
    const { claims } = await rp.tokens(await browser.submit(done, {}, /\/done$/), verifier);
    // What set-up gives, and no more.
    expect(claims).toMatchObject({ acr: ACR['2fa'], amr: ['pwd', 'swk', 'user', 'mca', 'mfa'] });
    const events = await app.app.audit.list({ accountId: account.id }, { limit: 20 });
    const types = events.map(({ type }) => type);
    expect(types).toContain('factor_tried');
    expect(types).not.toContain('factor_verified');
  });

  test('a trial that fails says what to look at, leaves the phone trusted, and can be repeated', async () => {
    const { phone, page } = await atTrial();
    await phone.answer(await waitingOn(phone), 'not_now');
    const failed = await browser.open(page.url);
    expect(failed.text).toMatch(/What to look at.*Notifications:.*Network:.*The number:.*Pixel 9 is trusted already/);
    expect((await phone.status()).state).toBe('active');
    const again = await browser.submit(failed, {}, /\/send$/);
    await approve(phone, again);
    expect((await goOn(again)).h1).toBe('Your account is protected');
  });

  test('it can be skipped, once and for all; what waited is over', async () => {
    const { phone, page, verifier } = await atTrial();
    const done = await skipTrial(browser, page);
    expect(done.h1).toBe('Your account is protected');
    expect(await phone.list()).toEqual([]);
    expect((await browser.open(page.url)).h1).toBe('Your account is protected');
    const { claims } = await rp.tokens(await browser.submit(done, {}, /\/done$/), verifier);
    expect(claims.acr).toBe(ACR['2fa']);
  });

  test('an answer to the trial lets nobody in: not another browser, nor the same sign-in on its page for the app', async () => {
    const { phone, page } = await atTrial();
    const other = app.browser();
    const elsewhere = await typePassword(other, rp.request().url, login);
    expect(elsewhere.h1).toBe('Confirm on your phone');
    const trial = (await phone.list()).find(({ details }) => JSON.parse(details).trial);
    if (!trial) throw new Error('nothing waits');
    await phone.answer(trial, 'approve', numberOn(page));
    expect((await fetchOutcome(other, elsewhere)).text).toContain('Your phone has not answered yet');
    const step = page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, '$1/with/app');
    const same = await browser.open(step);
    expect((await browser.submit(same, {}, /\/with\/app$/)).url.origin).not.toBe('https://rp.example');
    // Nor does another browser find the page of the trial.
    expect((await other.open(page.url)).h1).not.toBe('Try it: confirm on your phone');
  });
});

test('from the security page, after a pairing and whenever its owner likes', async () => {
  const { phone, page, verifier } = await atTrial();
  await rp.tokens(await browser.submit(await skipTrial(browser, page), {}, /\/done$/), verifier);
  const added = await browser.open('/account/add/app');
  const { phone: second, page: trial } = await pairOn(browser, added, { now, isTried: true });
  expect(trial.h1).toBe('Try it: confirm on your phone');
  expect(await phone.list()).toEqual([]);
  await approve(second, trial);
  const home = await goOn(trial);
  expect(home.text).toContain('It works: the trial was confirmed.');
  for (const _ of ['today', 'tomorrow']) {
    const again = await browser.submit(
      await browser.open('/account'),
      {},
      new RegExp(`/try/app/${phone.deviceId}/send$`),
    );
    expect(again.h1).toBe('Try it: confirm on your phone');
    await approve(phone, again);
    expect((await goOn(again)).url.pathname).toBe('/account');
  }
  const stranger = app.browser();
  expect((await stranger.open(`/account/try/app/${phone.deviceId}`)).h1).toMatch(/^Sign in/);
});
