/** Prevents: a phone number, a code or Twilio's secret standing where it is none's business. */
import { afterAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { AUTH_TOKEN, codeSent, eventually, pressSend, smsPage, startTexting, type Texting } from '../sms/support.js';
import { RelyingParty } from '../support/relying-party.js';
import { enrolAuthenticator, typePassword } from './support.js';
import { WatchedBrowser } from './watched-browser.js';

const lines: string[] = [];
const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
let texting: Texting;
afterAll(() => texting.stop());

test('canaries: set-up, sign-in, change, refusal and failure', async () => {
  texting = await startTexting({}, { logger });
  const { app, twilio } = texting;
  const rp = new RelyingParty(app.issuer);
  const account = await app.account('anna@example.com');
  const { code: authenticatorShows } = await enrolAuthenticator(app, account);
  const browser = new WatchedBrowser(app.issuer);
  const [first, second] = ['+12125550147', '+12125550158'];
  const canaries: Record<string, string> = {
    'first number': first.slice(2),
    'second number': second.slice(2),
    'a number that is refused': '2125550169',
    'the token of Twilio': AUTH_TOKEN,
  };
  const signIn = async () =>
    smsPage(browser, await typePassword(browser, rp.request({ prompt: 'login' }).url, account.login));

  // On the security page, with the authenticator a moment ago.
  const entry = await browser.open('/account/add/sms');
  const atPassword = await browser.submit(entry, { login: account.login, password: 'orchard lantern 47 violet' });
  const atNumber = await browser.submit(atPassword, { code: authenticatorShows(0) });
  twilio.plan({ errorCode: 21211 }, '+12125550169');
  const refusedPage = await browser.submit(atNumber, { country: 'US', number: '212-555-0169' });
  canaries['a code that was not sent'] = /nothing-to-see/.exec(refusedPage.html)?.[0] ?? 'no-such-code';
  await eventually(async () =>
    (await app.database.collection('sms_messages').findOne({ status: 'failed' })) ? true : undefined,
  );
  const restarted = await browser.submit(await browser.open('/account/add/sms'), { restart: '1' });
  await app.database.collection<{ _id: string }>('attempts').deleteMany({ _id: /sms/ });
  await browser.submit(restarted, { country: 'US', number: '(212) 555-0147' });
  canaries['first code'] = await codeSent(twilio, first);
  await browser.submit(await browser.open('/account/add/sms'), { code: canaries['first code'] });

  const page = await pressSend(browser, await signIn());
  canaries['second code'] = await codeSent(twilio, first, 1);
  const wrong = await browser.submit(page, { code: '000000' });
  expect(wrong.status).toBe(422);
  await browser.submit(wrong, { code: canaries['second code'] });

  const change = await browser.open('/account/add/sms');
  await browser.submit(change, { country: 'US', number: '(212) 555-0158' });
  canaries['third code'] = await codeSent(twilio, second);
  await browser.submit(await browser.open('/account/add/sms'), { code: canaries['third code'] });
  // The old number is told.
  await eventually(() => (twilio.messages.filter(({ to }) => to === first).length === 3 ? true : undefined));
  const mails = await app.mails();
  expect(mails.length).toBeGreaterThanOrEqual(2);

  const stored: Record<string, string> = {};
  for (const { name } of (await app.database.connection.db?.listCollections().toArray()) ?? []) {
    // What a mailbox holds in the tests is what a mailbox holds.
    if (name === 'demo_mails' || name.startsWith('system.')) continue;
    stored[name] = JSON.stringify(await app.database.collection(name).find({}).toArray());
  }
  const everything: Record<string, string> = {
    log: lines.join('\n'),
    ...stored,
    mails: JSON.stringify(mails),
    urls: browser.addresses.join('\n'),
  };
  expect(lines.length).toBeGreaterThan(10);
  for (const [what, canary] of Object.entries(canaries))
    for (const [where, text] of Object.entries(everything)) {
      const isSeen = text.includes(canary);
      expect([what, where, isSeen]).toEqual([what, where, false]);
    }
  expect(everything.factors).toContain('···· 58');
}, 30_000);
