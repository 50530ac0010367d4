/** Texts with two server processes and a Twilio over HTTP: limits hold for both together, and callbacks are believed only when signed. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { sign, startTwilio, type TwilioStandIn } from '../../src/demo/twilio/index.js';
import { enrolAuthenticator, typePassword } from '../security/support.js';
import {
  ACCOUNT_SID,
  AUTH_TOKEN,
  codeSent,
  enrolPhone,
  eventually,
  smsPage,
  smsSettings,
  textsTo,
} from '../sms/support.js';
import { Browser, type Page } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Cluster, startCluster } from './cluster.js';

const BUDGET = 60;

let twilio: TwilioStandIn;
let cluster: Cluster;
let rp: RelyingParty;
beforeAll(async () => {
  twilio = await startTwilio({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN, callbackEveryMs: 10 });
  cluster = await startCluster(smsSettings(twilio, { budget: { messagesPerDay: BUDGET } }), {
    TWILIO_AUTH_TOKEN: AUTH_TOKEN,
  });
  rp = new RelyingParty(cluster.issuer);
}, 60_000);
afterAll(async () => {
  await cluster.stop();
  await twilio.stop();
});
beforeEach(() => {
  cluster.balancer.to = 'alternate';
});

let people = 0;
async function someone(): Promise<{ login: string; number: string }> {
  people += 1;
  const login = `person${people}`;
  const number = `+12125550${200 + people}`;
  const account = await cluster.office.account(login);
  await enrolAuthenticator(cluster.office, account);
  cluster.office.app.outbox.start();
  await enrolPhone({ app: cluster.office, twilio }, account, number);
  return { login, number };
}

const atSms = async (browser: Browser, login: string): Promise<Page> =>
  smsPage(browser, await typePassword(browser, rp.request().url, login));

const press = (browser: Browser, page: Page) =>
  browser.request(new URL(`${page.url.pathname}/send`, cluster.issuer), {
    method: 'POST',
    form: { csrf: page.forms[0]?.values.csrf ?? '' },
  });

test('300 times "Send code" at once, on two nodes: one is sent, everybody else is told to wait', async () => {
  const { login, number } = await someone();
  const browser = new Browser(cluster.issuer);
  const page = await atSms(browser, login);
  const seen = textsTo(twilio, number);
  const answers = await Promise.all(Array.from({ length: 300 }, () => press(browser, page)));
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  expect(counts).toEqual({ 303: 1, 429: 299 });
  const code = await codeSent(twilio, number, seen);
  expect(textsTo(twilio, number)).toBe(seen + 1);
  const done = await browser.submit(await browser.open(page.url), { code });
  expect(done.url.origin).toBe('https://rp.example');
}, 60_000);

test('asked on one node, typed on the other', async () => {
  const { login, number } = await someone();
  const browser = new Browser(cluster.issuer);
  const page = await atSms(browser, login);
  const seen = textsTo(twilio, number);
  cluster.balancer.to = 'a';
  expect((await press(browser, page)).status).toBe(303);
  const code = await codeSent(twilio, number, seen);
  cluster.balancer.to = 'b';
  const done = await browser.submit(await browser.open(page.url), { code });
  expect(done.url.origin).toBe('https://rp.example');
});

test('a status callback is believed when Twilio signed it, for this address and this content, and not otherwise', async () => {
  const { login, number } = await someone();
  const browser = new Browser(cluster.issuer);
  const page = await atSms(browser, login);
  const seen = textsTo(twilio, number);
  twilio.plan({ isSilent: true }, number);
  await press(browser, page);
  await codeSent(twilio, number, seen);
  const [{ sid, statusCallback = '' } = { sid: '' }] = twilio.messages.filter(({ to }) => to === number);
  const messages = cluster.office.database.collection<{ _id: string; status: string; reason?: string }>('sms_messages');
  const id = decodeURIComponent(statusCallback.split('/').at(-1) ?? '');
  const stored = async () => (await messages.findOne({ _id: id }))?.status;
  await eventually(async () => ((await stored()) === 'sent' ? true : undefined));
  const fields = { MessageSid: sid, MessageStatus: 'undelivered', ErrorCode: '30003', To: number };
  const post = (url: string, form: Record<string, string>, signature?: string) =>
    fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(signature ? { 'x-twilio-signature': signature } : {}),
      },
      body: new URLSearchParams(form),
    });
  const good = sign(AUTH_TOKEN, statusCallback, fields);
  const forged: [string, Record<string, string>, string | undefined][] = [
    [statusCallback, fields, undefined],
    [statusCallback, fields, 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='],
    [statusCallback, fields, sign('another token', statusCallback, fields)],
    [statusCallback, { ...fields, MessageStatus: 'delivered' }, good],
    [`${statusCallback}?more=1`, fields, good],
    [statusCallback.replace(/[^/]+$/, 'another'), fields, good],
  ];
  for (const [url, form, signature] of forged) {
    const { status } = await post(url, form, signature);
    expect(status).toBe(403);
  }
  expect(await stored()).toBe('sent');
  const elsewhere = statusCallback.replace(/[^/]+$/, 'no-such-message');
  expect((await post(elsewhere, fields, sign(AUTH_TOKEN, elsewhere, fields))).status).toBe(404);
  expect((await post(statusCallback.replace('/twilio/', '/nobody/'), fields, good)).status).toBe(404);
  expect((await post(statusCallback, fields, good)).status).toBe(204);
  expect(await stored()).toBe('failed');
  expect((await browser.open(page.url)).text).toMatch(/could not be reached/);
});

test(`a budget of ${BUDGET}: exactly so many go out, whatever is asked for on both nodes, and every other method works`, async () => {
  const sent = twilio.messages.length;
  const left = BUDGET - sent;
  const logins: string[] = [];
  for (let n = 0; n < 4; n += 1) logins.push((await someone()).login);
  const spent = twilio.messages.length;
  // One message per account stands in the way of the next: everybody may ask again at once.
  const attempts = cluster.office.database.collection<{ _id: string }>('attempts');
  const people = await Promise.all(
    logins.map(async (login) => {
      const browser = new Browser(cluster.issuer);
      return { browser, page: await atSms(browser, login) };
    }),
  );
  expect(spent).toBeLessThan(BUDGET);
  const statuses: number[] = [];
  for (let round = 0; round < 40 && statuses.filter((status) => status === 303).length < left + 5; round += 1) {
    await attempts.deleteMany({ _id: /^sms:(?!day:)/ });
    const answers = await Promise.all(
      people.flatMap(({ browser, page }) => [press(browser, page), press(browser, page)]),
    );
    statuses.push(...answers.map(({ status }) => status));
    if (answers.every(({ status }) => status === 503)) break;
  }
  await eventually(() => (twilio.messages.length >= BUDGET ? true : undefined), 5_000);
  expect(twilio.messages.length).toBe(BUDGET);
  expect(statuses.filter((status) => status === 303)).toHaveLength(BUDGET - spent);
  expect(statuses).toContain(503);
  const [{ browser, page } = { browser: new Browser(cluster.issuer), page: {} as Page }] = people;
  const list = await browser.open(page.url.pathname.replace(/\/with\/sms$/, '/methods'));
  expect(list.text).toContain('Out of service at the moment');
  expect((await browser.open(page.url.pathname.replace(/sms$/, 'totp'))).status).toBe(200);
}, 60_000);
