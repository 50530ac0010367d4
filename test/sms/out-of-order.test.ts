/** What comes late, from another tab, or in another order than the pages suggest. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import type { SignIn } from '../../src/factors/index.js';
import { enrolAuthenticator, typePassword } from '../security/support.js';
import { FakeClock } from '../support/clock.js';
import { RelyingParty } from '../support/relying-party.js';
import {
  codeSent,
  enrolPhone,
  personWithPhone,
  pressSend,
  smsPage,
  startTexting,
  type Texting,
  textsTo,
} from './support.js';

const HOUR = 3600;
const ORIGIN = { requestId: 'test', browser: 'browser-of-the-test' };

let texting: Texting;
const clock = new FakeClock(new Date('2046-03-02T09:00:00Z'));
beforeAll(async () => {
  texting = await startTexting({}, { clock });
});
afterAll(() => texting.stop());
beforeEach(() => clock.advance(25 * HOUR));

const newSignIn = (account: Account): SignIn => ({
  cid: randomBytes(16).toString('hex'),
  account,
  origin: ORIGIN,
  clientId: 'rp',
});

/** The code that a sign-in was sent. */
async function codeFor(signIn: SignIn, number: string): Promise<string> {
  const seen = textsTo(texting.twilio, number);
  expect(await texting.app.app.engine.send(signIn, 'sms')).toEqual({ status: 'sent' });
  return codeSent(texting.twilio, number, seen);
}

/** The code that a number to be set up was sent. */
async function codeToConfirm(account: Account, number: string): Promise<string> {
  const seen = textsTo(texting.twilio, number);
  const asked = await texting.app.app.engine.confirmEnrolment(account, 'sms', { country: 'US', number }, ORIGIN);
  expect(asked).toEqual({ status: 'continued' });
  return codeSent(texting.twilio, number, seen);
}

const submit = (signIn: SignIn, code: string) => texting.app.app.engine.submit(signIn, 'sms', { code });

describe('a code', () => {
  test('that confirms a number signs nobody in, and one that signs in confirms none', async () => {
    const { engine } = texting.app.app;
    const number = '+12125550121';
    const account = await personWithPhone(texting, 'ann', number);
    clock.advance(HOUR);
    const signIn = newSignIn(account);
    const toSignIn = await codeFor(signIn, number);
    clock.advance(60);
    const toConfirm = await codeToConfirm(account, number);
    expect(toConfirm).not.toBe(toSignIn);
    expect(await submit(signIn, toConfirm)).toMatchObject({ status: 'rejected', code: 'wrong' });
    expect(await engine.confirmEnrolment(account, 'sms', { code: toSignIn }, ORIGIN)).toMatchObject({ code: 'wrong' });
    expect(await submit(signIn, toSignIn)).toMatchObject({ status: 'verified' });
    expect(await submit(signIn, toSignIn)).toMatchObject({ status: 'rejected', code: 'used' });
    expect(await engine.confirmEnrolment(account, 'sms', { code: toConfirm }, ORIGIN)).toMatchObject({
      status: 'enrolled',
    });
    expect(await engine.confirmEnrolment(account, 'sms', { code: toConfirm }, ORIGIN)).toMatchObject({
      code: 'not_enrolled',
    });
  });

  test('on its way to a number that was replaced, confirmed anew or removed meanwhile is worth nothing', async () => {
    const { engine } = texting.app.app;
    const number = '+12125550122';
    const account = await personWithPhone(texting, 'bea', number);
    for (const next of [number, '+12125550123', undefined]) {
      clock.advance(25 * HOUR);
      const to = next === undefined ? '+12125550123' : number;
      const signIn = newSignIn(account);
      const code = await codeFor(signIn, to);
      clock.advance(60);
      if (next) await enrolPhone(texting, account, next);
      else await engine.remove(account, (await engine.forAccount(account.id))[1]?.factors[0]?.id ?? '', ORIGIN);
      expect(await submit(signIn, code)).toMatchObject({ status: 'rejected' });
    }
  });

  test('is not sent where no answer is taken any more', async () => {
    const { engine } = texting.app.app;
    const number = '+12125550124';
    const account = await personWithPhone(texting, 'cat', number);
    const signIn = newSignIn(account);
    for (let n = 0; n < 100; n += 1) {
      clock.advance(HOUR + 1);
      await submit(signIn, '000000');
    }
    expect(await submit(signIn, '000000')).toEqual({ status: 'throttled' });
    clock.advance(25 * HOUR);
    const requests = texting.twilio.requests;
    expect(await engine.send(newSignIn(account), 'sms')).toEqual({ status: 'throttled' });
    expect(texting.twilio.requests).toBe(requests);

    const browser = texting.app.browser();
    const second = await typePassword(browser, new RelyingParty(texting.app.issuer).request().url, account.login);
    const page = await smsPage(browser, second);
    const pressed = await pressSend(browser, page);
    expect([pressed.status, pressed.text.includes('is switched off')]).toEqual([429, true]);
    expect(texting.twilio.requests).toBe(requests);
  });
});

test('a number stays beside another method, whichever form is sent', async () => {
  const { app, twilio } = texting;
  const account = await app.account('dan');
  const requests = twilio.requests;
  const asked = await app.app.engine.confirmEnrolment(
    account,
    'sms',
    { country: 'US', number: '+12125550125' },
    ORIGIN,
  );
  expect(asked).toEqual({ status: 'rejected', code: 'not_enrolled' });
  expect(twilio.requests).toBe(requests);

  const { factorId } = await enrolAuthenticator(app, account, () => clock.now());
  const code = await codeToConfirm(account, '+12125550125');
  await app.app.engine.remove(account, factorId, ORIGIN);
  expect(await app.app.engine.confirmEnrolment(account, 'sms', { code }, ORIGIN)).toMatchObject({ status: 'rejected' });
  expect(await app.app.engine.forAccount(account.id)).toEqual([]);
});

test('of decisions on a country at the same moment each is made or is none', async () => {
  const control = texting.app.app.engine.delivery('sms');
  const outcomes = await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      texting.app.database.transaction(async (unit) => control?.setCountry(n % 3 ? 'FR' : 'IT', n % 2 === 0, unit)),
    ),
  );
  expect(outcomes).toContain('changed');
});
