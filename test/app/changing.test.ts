/** One phone in the place of another, from the security page and while the second step is off. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DeviceClient } from '../../examples/device-cli/client.js';
import { pairingFrom } from '../../examples/device-cli/links.js';
import type { Account } from '../../src/accounts/contract.js';
import { signInSuspended, suspended } from '../recovery-desk/support.js';
import { typePassword } from '../security/support.js';
import { RP, startApp, type TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import { FakeClock } from '../support/clock.js';
import { RelyingParty } from '../support/relying-party.js';
import { fetchOutcome, linkOn, numberOn, pairOn, refusal } from './employee.js';
import { pairPhone } from './trusted-phone.js';

const clock = new FakeClock(new Date('2046-03-02T09:00:00Z'));
const now = () => clock.now().getTime();

let app: TestApp;
let rp: RelyingParty;
beforeAll(async () => {
  app = await startApp(
    {
      methods: [{ id: 'app' }, { id: 'totp' }],
      policy: { firstEnrolment: 'invitation' },
      clients: [{ ...RP, minimum_acr: '2fa' }],
    },
    { clock },
  );
  rp = new RelyingParty(app.issuer);
});
afterAll(() => app.stop());

let people = 0;
let account: Account;
let phone: DeviceClient;
beforeEach(async () => {
  clock.advance(7_200);
  people += 1;
  account = await app.account(`person-${people}@example.com`);
  phone = await pairPhone(app, account, now);
});

async function signedIn(who = account, by = phone): Promise<Browser> {
  const browser = app.browser();
  const page = await typePassword(browser, rp.request().url, who.login);
  const [waiting] = await by.list();
  if (!waiting) throw new Error('nothing waits');
  await by.answer(waiting, 'approve', numberOn(page));
  await fetchOutcome(browser, page);
  return browser;
}
const changePage = (browser: Browser, by = phone): Promise<Page> => browser.open(`/account/change/app/${by.deviceId}`);
const phones = async (who = account): Promise<string[]> =>
  (await app.app.engine.forAccount(who.id)).flatMap(({ factors }) => factors.map(({ label }) => label));
const isTrusted = (one: DeviceClient): Promise<boolean> =>
  one.status().then(
    () => true,
    () => false,
  );

describe('from the security page', () => {
  test('the new phone is trusted, the old one refused at once, and one mail says which by which', async () => {
    const browser = await signedIn();
    const home = await browser.open('/account');
    const [, href = ''] = /href="([^"]*\/account\/change\/app\/[^"]+)"/.exec(home.html) ?? [];
    const page = await browser.open(href);
    expect(page.h1).toBe('Change “Pixel” for another phone');
    const { phone: next, page: after } = await pairOn(browser, page, { now, model: 'Fairphone 6' });
    expect(after.url.pathname).toBe('/account');
    expect(await phones()).toEqual(['Fairphone 6']);
    expect((await refusal(phone.status())).code).toBe('DEVICE_REFUSED');
    expect(await isTrusted(next)).toBe(true);
    const mails = (await app.mails()).filter(({ to }) => to === account.email);
    // The first of the phone that was there before; two of the same moment have no order.
    expect(mails.map(({ subject }) => subject).sort()).toEqual([
      'A login method was added',
      'A login method was replaced',
    ]);
    expect(mails.find(({ subject }) => subject.endsWith('replaced'))?.text).toMatch(
      /“Fairphone 6” took the place of “Pixel”.*“Pixel” can no longer be used/s,
    );
    const events = await app.app.audit.list({ accountId: account.id, types: ['factor_replaced'] }, { limit: 5 });
    expect(events).toMatchObject([{ actor: { id: account.id }, details: { label: 'Fairphone 6', replaced: 'Pixel' } }]);
  });

  test('a page that is out of date says so, and nothing is changed', async () => {
    const browser = await signedIn();
    const removed = await pairPhone(app, account, now);
    const { issuer, code } = pairingFrom(linkOn(await changePage(browser, removed)));
    const { digits } = await (await DeviceClient.create(issuer, { now })).pair({ code });
    const stale = await changePage(browser, removed);
    await app.app.engine.discard(account.id, String(removed.deviceId));
    for (const answer of [await browser.submit(stale, { digits }), await changePage(browser, removed)])
      expect({ status: answer.status, h1: answer.h1 }).toEqual({ status: 404, h1: 'This login method is gone' });
    expect(await phones()).toEqual(['Pixel']);
  });

  test('a phone of somebody else cannot be named, nor can a person without a fresh second step', async () => {
    const other = await app.account(`other-${people}@example.com`);
    const theirs = await pairPhone(app, other, now);
    const browser = await signedIn();
    expect((await changePage(browser, theirs)).status).toBe(404);
    clock.advance(301);
    expect((await changePage(browser)).h1).toBe('Confirm on your phone');
    expect([await phones(), await phones(other)]).toEqual([['Pixel'], ['Pixel']]);
  });
});

test('a phone that removes itself as the last second factor opens no set-up to whoever knows the password', async () => {
  const browser = await signedIn();
  await phone.remove();
  expect(await phones()).toEqual([]);
  // In the browser of the owner, who was signed in by that phone, as in any other.
  for (const one of [browser, app.browser()]) {
    const page =
      one === browser ? await one.open('/account/add/app') : await typePassword(one, rp.request().url, account.login);
    expect(page.h1).toBe('Your account is not ready yet');
    const setUp = page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, '$1/set-up');
    for (const path of ['/app', '/totp', '/try/app'])
      expect((await one.open(`${setUp}${path}`)).h1).toMatch(
        /^(You cannot set this up yet|Your account is not ready yet)$/,
      );
  }
});

describe('while the second step is off', () => {
  const choose = async (browser: Browser): Promise<Page> => {
    await signInSuspended(browser, rp, account.login);
    return browser.submit(await browser.open('/account'), { method: 'app' });
  };

  test('set-up asks whether the new phone replaces the lost one, and only then the lost one goes', async () => {
    const browser = await suspended(app, account);
    const page = await choose(browser);
    expect(page.h1).toBe('Does it take the place of an old one?');
    expect(page.text).toMatch(/It replaces “Pixel” .*It comes in addition I still have Pixel/);
    const [, href = ''] = /href="([^"]+\/instead\/[^"]+)"/.exec(page.html) ?? [];
    const pairing = await browser.open(href);
    expect(pairing.h1).toBe('Change “Pixel” for another phone');
    expect(await isTrusted(phone)).toBe(true);
    await pairOn(browser, pairing, { now, model: 'Fairphone 6' });
    expect(await phones()).toEqual(['Fairphone 6']);
    expect(await isTrusted(phone)).toBe(false);
    expect(
      (await app.app.desk.listSuspensions({ accountId: account.id, isRunning: true }, { limit: 1 })).items,
    ).toEqual([]);
  });

  test('where there are three phones, one of them must go', async () => {
    for (const _ of [2, 3]) await pairPhone(app, account, now);
    const browser = await suspended(app, account);
    const page = await choose(browser);
    expect(page.text.match(/It replaces “/g)).toHaveLength(3);
    expect(page.text).not.toContain('It comes in addition');
    const beside = await browser.open(page.url.pathname.replace(/\/instead$/, ''));
    expect({ status: beside.status, h1: beside.h1 }).toEqual({
      status: 400,
      h1: 'You cannot use this login method here',
    });
    expect(await phones()).toHaveLength(3);
  });

  test('one that was removed meanwhile is not replaced', async () => {
    const browser = await suspended(app, account);
    const page = await choose(browser);
    const [, href = ''] = /href="([^"]+\/instead\/[^"]+)"/.exec(page.html) ?? [];
    await app.app.engine.discard(account.id, String(phone.deviceId));
    expect((await browser.open(href)).h1).toBe('This login method is gone');
    expect(await phones()).toEqual([]);
  });
});
