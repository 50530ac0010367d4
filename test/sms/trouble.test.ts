import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import type { Behaviour } from '../../src/demo/twilio/index.js';
import { typePassword } from '../security/support.js';
import type { Browser, Page } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import {
  codeSent,
  eventually,
  personWithPhone,
  pressSend,
  smsPage,
  startTexting,
  type Texting,
  textsTo,
} from './support.js';

let texting: Texting;
let rp: RelyingParty;
beforeAll(async () => {
  texting = await startTexting();
  rp = new RelyingParty(texting.app.issuer);
});
afterAll(() => texting.stop());

let people = 0;
/** Somebody who has just pressed "Send code", with Twilio in this state. */
async function asked(
  behaviour: Behaviour,
): Promise<{ account: Account; number: string; browser: Browser; page: Page; took: number }> {
  const { app, twilio } = texting;
  people += 1;
  const number = `+12125550${200 + people}`;
  const account = await personWithPhone(texting, `person${people}`, number);
  twilio.plan(behaviour, number);
  const browser = app.browser();
  const page = await smsPage(browser, await typePassword(browser, rp.request().url, account.login));
  const before = performance.now();
  return { account, number, browser, page: await pressSend(browser, page), took: performance.now() - before };
}

const attempts = async ({ id }: Account) =>
  (
    await texting.app.database
      .collection<{ _id: string; counters: Record<string, { count: number }> }>('attempts')
      .findOne({ _id: `account:${id}` })
  )?.counters;

test.each([
  ['a number that is none', { errorCode: 21211 }, /cannot receive texts/],
  ['a number that said STOP', { errorCode: 21610 }, /START/],
  ['a phone that is off', { errorCode: 30003 }, /could not be reached/],
  ['a landline', { errorCode: 30006 }, /could not be reached/],
  ['too many at once', { errorCode: 20429 }, /could not send/],
  ['an error of its own', { errorCode: 20500 }, /could not send/],
] satisfies [string, Behaviour, RegExp][])(
  '%s: the page says so, offers the rest, and no attempt is charged',
  async (_what, behaviour, words) => {
    const { account, browser, page } = await asked(behaviour);
    const told = await eventually(async () => {
      const again = await browser.open(page.url);
      return words.test(again.text) ? again : undefined;
    }, 6_000);
    expect(told.text).toContain('Use another login method');
    expect(told.text).toContain('This does not count as a wrong try.');
    expect(await texting.app.app.engine.obstacle(account.id, { id: 'sms', factors: [] })).toBeUndefined();
    const counted = Object.entries((await attempts(account)) ?? {}).filter(
      ([name, { count }]) => count > 0 && /method|all/.test(name),
    );
    expect(counted).toEqual([]);
  },
);

test('Twilio does not answer: nobody waits for it, the page says so within six seconds, and every other method works', async () => {
  const { account, browser, page, took } = await asked({ hangs: true });
  const pressed = performance.now();
  expect(took).toBeLessThan(2_000);
  const slow = await eventually(async () => {
    const again = await browser.open(page.url);
    return /longer than usual/.test(again.text) ? again : undefined;
  }, 6_000);
  expect(performance.now() - pressed).toBeLessThan(6_000);
  expect(slow.text).toContain('Other login methods');
  // Nobody knows whether it was sent: the page does not say that it was not.
  const messages = texting.app.database.collection('sms_messages');
  await eventually(
    async () => (await messages.findOne({ accountId: account.id, mayArrive: true })) ?? undefined,
    4_000,
  );
  expect((await browser.open(page.url)).text).toContain('longer than usual');
  const other = await browser.open(page.url.pathname.replace(/sms$/, 'totp'));
  expect(other.status).toBe(200);
}, 20_000);

test('one who waits holds nobody else up', async () => {
  const hanging = Array.from({ length: 4 }, () => asked({ hangs: true }));
  await Promise.all(hanging);
  const { number } = await asked({});
  const seen = textsTo(texting.twilio, number);
  expect(seen).toBeGreaterThanOrEqual(1);
  await eventually(() => (textsTo(texting.twilio, number) >= 2 ? true : undefined), 1_500);
}, 30_000);

test('a code that arrived although nobody heard of it still works', async () => {
  const { browser, page, number } = await asked({ slowMs: 5_400 });
  const code = await codeSent(texting.twilio, number, 1).catch(async () => {
    await pause(4_500);
    return codeSent(texting.twilio, number, 1);
  });
  const done = await browser.submit(page, { code });
  expect(done.url.origin).toBe('https://rp.example');
}, 30_000);
