import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { typePassword } from '../security/support.js';
import { eventually, personWithPhone, pressSend, smsPage, startTexting } from '../sms/support.js';
import { RelyingParty } from '../support/relying-party.js';
import { watchedDatabase } from './database-calls.js';

/**
 * How often it asks the database to have a code sent, until its arrival is known.
 *
 * The press: interaction with account and factors; what was sent before; whether answers are taken; the country; the limits and the
 * budget, counted in one call; message, code and audit stored; what stands counted, for the alert; the outbox. The page after it: the
 * same as of each, and what is shown of the message. The delivery: message begun and taken; counted; the country looked at, now and then;
 * the outbox settled. Three reports of Twilio, of which one is counted.
 */
const AT_MOST = { press: 11, page: 6, delivery: 5, reports: 4 };

test('a code by SMS', async () => {
  const database = await watchedDatabase(`test_${randomBytes(6).toString('hex')}`);
  const texting = await startTexting({}, { database });
  try {
    const { app } = texting;
    await personWithPhone(texting, 'anna', '+12125550101');
    const browser = app.browser();
    const page = await smsPage(
      browser,
      await typePassword(browser, new RelyingParty(app.issuer).request().url, 'anna'),
    );
    const messages = app.database.collection<{ _id: string; status: string; purpose: string }>('sms_messages');
    const settled = () => app.database.collection('outbox').countDocuments({ lane: 'texts', status: 'sent' });
    const before = await settled();
    // What is still on its way of the set-up.
    await pause(500);
    database.take();
    await pressSend(browser, page);
    await pause(500);
    const calls = database.take();
    console.log(calls.join('\n'));
    expect(
      await eventually(() => messages.findOne({ purpose: 'sign_in', status: 'delivered' }).then((m) => m ?? undefined)),
    ).toBeTruthy();
    expect(await settled()).toBe(before + 1);
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.length).toBeLessThanOrEqual(Object.values(AT_MOST).reduce((sum, count) => sum + count));
  } finally {
    await texting.stop();
    await database.drop();
  }
});
