import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import { enrolAuthenticator, typePassword } from '../security/support.js';
import { PASSWORD } from '../support/app.js';
import { FakeClock } from '../support/clock.js';
import { RelyingParty } from '../support/relying-party.js';
import {
  codeSent,
  enrolPhone,
  eventually,
  personWithPhone,
  pressSend,
  smsPage,
  startTexting,
  type Texting,
  textsTo,
} from './support.js';

const HOUR = 3600;
const ORIGIN = { requestId: 'test', browser: 'another-browser' };

let texting: Texting;
let rp: RelyingParty;
const clock = new FakeClock(new Date('2046-03-02T09:00:00Z'));
beforeAll(async () => {
  texting = await startTexting({}, { clock });
  rp = new RelyingParty(texting.app.issuer);
});
afterAll(() => texting.stop());

const phoneOf = async ({ id }: Account) =>
  (await texting.app.app.engine.forAccount(id)).find((method) => method.id === 'sms')?.factors[0];

describe('a number', () => {
  test('is kept sealed, shown by its last two digits, and belongs to one account', async () => {
    const { engine } = texting.app.app;
    const anna = await personWithPhone(texting, 'anna', '+12125550111');
    expect(await phoneOf(anna)).toMatchObject({ label: '···· 11', facts: { masked: '···· 11' }, level: '2fa' });
    const stored = await texting.app.database.collection('factors').findOne({ accountId: anna.id, method: 'sms' });
    expect(JSON.stringify(stored)).not.toContain('2125550111');

    const ben = await texting.app.account('ben');
    await enrolAuthenticator(texting.app, ben, () => clock.now());
    clock.advance(HOUR);
    const seen = textsTo(texting.twilio, '+12125550111');
    expect(await engine.confirmEnrolment(ben, 'sms', { country: 'US', number: '212 555 0111' }, ORIGIN)).toEqual({
      status: 'continued',
    });
    const code = await codeSent(texting.twilio, '+12125550111', seen);
    expect(await engine.confirmEnrolment(ben, 'sms', { code }, ORIGIN)).toEqual({ status: 'refused', reason: 'taken' });
    expect(await phoneOf(ben)).toBeUndefined();
    expect(await phoneOf(anna)).toBeDefined();
  });

  test('of two accounts that confirm it at the same moment it becomes one’s', async () => {
    const { engine } = texting.app.app;
    const number = '+12125550112';
    const people: { account: Account; code: string }[] = [];
    for (const login of ['cleo', 'dora']) {
      const account = await texting.app.account(login);
      await enrolAuthenticator(texting.app, account, () => clock.now());
      const seen = textsTo(texting.twilio, number);
      await engine.confirmEnrolment(account, 'sms', { country: 'US', number }, ORIGIN);
      people.push({ account, code: await codeSent(texting.twilio, number, seen) });
    }
    const results = await Promise.all(
      people.map(({ account, code }) => engine.confirmEnrolment(account, 'sms', { code }, ORIGIN)),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['enrolled', 'refused']);
    const stored = await texting.app.database.collection('factors').find({ method: 'sms', state: 'active' }).toArray();
    expect(stored.filter(({ accountId }) => people.some(({ account }) => account.id === accountId))).toHaveLength(1);
  });

  test.each([
    ['+12125550113', '+12125550114', false],
    ['+12125550115', '+12125550116', true],
  ])(
    'that takes the place of %s is not accepted for a day, and the old one is told',
    async (old, fresh, isRemovedFirst) => {
      const { app, twilio } = texting;
      clock.advance(3 * HOUR);
      const account = await personWithPhone(texting, `person${old}`, old);
      const seen = textsTo(twilio, old);
      clock.advance(HOUR);
      const before = await phoneOf(account);
      if (isRemovedFirst) await app.app.engine.remove(account, before?.id ?? '', ORIGIN);
      await enrolPhone(texting, account, fresh);
      const now = await phoneOf(account);
      expect(now).toMatchObject({ usableFrom: new Date(clock.now().getTime() + 24 * HOUR * 1000) });
      if (!isRemovedFirst) {
        await eventually(() => (textsTo(twilio, old) === seen + 1 ? true : undefined));
        expect(twilio.messages.find(({ to }) => to === old)?.body).toContain('was replaced');
      }

      const browser = app.browser();
      const second = await typePassword(browser, rp.request().url, account.login);
      expect(second.h1).toBe('Enter the verification code');
      const list = await browser.open(second.url.pathname.replace(/(\/second-factor\/[^/]+).*/, '$1/methods'));
      expect(list.text).toContain('New. You can use it from');
      const csrf = second.forms[0]?.values.csrf ?? '';
      const base = second.url.pathname.replace(/(\/second-factor\/[^/]+).*/, '$1');
      const send = await browser.request(new URL(`${base}/with/sms/send`, app.issuer), {
        method: 'POST',
        form: { csrf },
      });
      expect(send.status).toBe(503);
      const later = textsTo(twilio, fresh);
      clock.advance(24 * HOUR);
      const next = app.browser();
      await pressSend(next, await smsPage(next, await typePassword(next, rp.request().url, account.login)));
      await codeSent(twilio, fresh, later);
    },
  );

  test('that is the same as before is accepted at once', async () => {
    clock.advance(3 * HOUR);
    const account = await personWithPhone(texting, 'erin', '+12125550117');
    clock.advance(HOUR);
    await enrolPhone(texting, account, '+12125550117');
    expect(await phoneOf(account)).not.toHaveProperty('usableFrom');
  });

  test.each([
    ['not a number', { country: 'US', number: 'abc' }, 'invalid'],
    ['too long', { country: 'US', number: '+1212555011100' }, 'invalid'],
    ['a country that is not served', { country: 'FR', number: '+33612345678' }, 'country'],
    ['a landline', { country: 'DE', number: '+49301234567' }, 'not_mobile'],
    ['a premium number', { country: 'DE', number: '+499001234567' }, 'premium'],
    ['another country than picked that is not served', { country: 'US', number: '0033612345678' }, 'country'],
    ['no country at all', { country: 'XX', number: '2125550118' }, 'invalid'],
  ])('%s is refused before anything is sent or stored', async (what, evidence, reason) => {
    const { app, twilio } = texting;
    const account = await app.account(what.replaceAll(' ', '.'));
    await enrolAuthenticator(app, account, () => clock.now());
    const requests = twilio.requests;
    expect(await app.app.engine.confirmEnrolment(account, 'sms', evidence, ORIGIN)).toEqual({
      status: 'refused',
      reason,
    });
    expect(twilio.requests).toBe(requests);
    expect(await app.database.collection('factors').countDocuments({ accountId: account.id, method: 'sms' })).toBe(0);
  });
});

describe('a code lives five minutes', () => {
  test.each([
    [299, 'enrolled'],
    [300, 'rejected'],
  ])('that confirms a number, after %i s: %s', async (seconds, status) => {
    clock.advance(3 * HOUR);
    const number = `+12125550${seconds - 160}`;
    const account = await texting.app.account(`late${seconds}`);
    await enrolAuthenticator(texting.app, account, () => clock.now());
    const { engine } = texting.app.app;
    await engine.confirmEnrolment(account, 'sms', { country: 'US', number }, ORIGIN);
    const code = await codeSent(texting.twilio, number);
    clock.advance(seconds);
    expect(await engine.confirmEnrolment(account, 'sms', { code }, ORIGIN)).toMatchObject({ status });
  });

  test.each([
    [299, 'https://rp.example'],
    [300, undefined],
  ])('that signs in, after %i s', async (seconds, origin) => {
    clock.advance(3 * HOUR);
    const number = `+12125550${seconds - 150}`;
    const account = await personWithPhone(texting, `slow${seconds}`, number);
    const browser = texting.app.browser();
    const page = await smsPage(browser, await typePassword(browser, rp.request().url, account.login));
    const seen = textsTo(texting.twilio, number);
    const sent = await pressSend(browser, page);
    const code = await codeSent(texting.twilio, number, seen);
    clock.advance(seconds);
    const done = await browser.submit(sent, { code });
    expect(done.url.origin).toBe(origin ?? texting.app.issuer);
    expect(done.status).toBe(origin ? 303 : 422);
    if (!origin) expect(done.text).toContain('That code did not work.');
  });
});

describe('the wizard', () => {
  test('asks for a number after the first method; it can be skipped, and recovery codes come after it', async () => {
    const { app, twilio } = texting;
    clock.advance(3 * HOUR);
    const account = await app.account('fay');
    const browser = app.browser();
    const { url } = rp.request({
      acr_values: 'urn:countersign:acr:2fa',
      claims: JSON.stringify({ id_token: { acr: { essential: true, values: ['urn:countersign:acr:2fa'] } } }),
    });
    const choose = await typePassword(browser, url, account.login);
    expect(choose.text).toContain('Step 1 of 4');
    const scan = await browser.submit(choose, { method: 'totp' });
    const secret =
      new URL(/otpauth:[^"]+/.exec(scan.html)?.[0].replaceAll('&amp;', '&') ?? '').searchParams.get('secret') ?? '';
    const { generateSync } = await import('otplib');
    const code = generateSync({ secret, epoch: Math.floor(clock.now().getTime() / 1000) });
    const phone = await browser.submit(scan, { code });
    expect([phone.url.pathname.split('/').at(-1), phone.text.includes('Step 3 of 4')]).toEqual(['sms', true]);
    const wrong = await browser.submit(phone, { country: 'US', number: '123' });
    expect([wrong.status, wrong.text.includes('This is not a telephone number')]).toEqual([422, true]);
    const typed = await browser.submit(wrong, { country: 'US', number: '(212) 555-0119' });
    expect(typed.status).toBe(200);
    const sent = await codeSent(twilio, '+12125550119');
    const mistyped = await browser.submit(typed, { code: sent === '000000' ? '111111' : '000000' });
    expect(mistyped.status).toBe(422);
    const codes = await browser.submit(mistyped, { code: sent });
    expect([codes.url.pathname.split('/').at(-1), codes.text.includes('Step 4 of 4')]).toEqual(['recovery_code', true]);
    expect(await phoneOf(account)).toBeDefined();
  });

  test('"Not now" goes on without a number, and does not ask again in this sign-in', async () => {
    const { app } = texting;
    const account = await app.account('gil');
    const browser = app.browser();
    const claims = JSON.stringify({ id_token: { acr: { essential: true, values: ['urn:countersign:acr:2fa'] } } });
    const choose = await browser.submit(await browser.open(rp.request({ claims }).url), {
      login: account.login,
      password: PASSWORD,
    });
    const scan = await browser.submit(choose, { method: 'totp' });
    const secret =
      new URL(/otpauth:[^"]+/.exec(scan.html)?.[0].replaceAll('&amp;', '&') ?? '').searchParams.get('secret') ?? '';
    const { generateSync } = await import('otplib');
    const phone = await browser.submit(scan, {
      code: generateSync({ secret, epoch: Math.floor(clock.now().getTime() / 1000) }),
    });
    const codes = await browser.submit(phone, {}, /\/set-up\/skip$/);
    expect(codes.url.pathname).toMatch(/recovery_code$/);
    const skip = new URL(codes.url.pathname.replace(/recovery_code$/, 'skip'), app.issuer);
    for (const method of ['recovery_code', 'totp', 'nothing']) {
      const form = { csrf: codes.forms[0]?.values.csrf ?? '', method };
      expect((await browser.request(skip, { method: 'POST', form })).status).toBe(403);
    }
    const back = await browser.open(codes.url.pathname.replace(/\/recovery_code$/, ''));
    expect(back.url.pathname).toMatch(/recovery_code$/);
    const last = new URL(codes.url.pathname.replace(/recovery_code$/, 'done'), app.issuer);
    const early = await browser.request(last, { method: 'POST', form: { csrf: codes.forms[0]?.values.csrf ?? '' } });
    expect([early.status, early.headers.get('location')]).toEqual([303, codes.url.pathname]);
  });
});

test('where it may be the first method, the wizard offers it, and recovery codes follow', async () => {
  const first = await startTexting({ mayBeFirst: true }, { clock });
  try {
    const application = new RelyingParty(first.app.issuer);
    const account = await first.app.account('hal');
    const browser = first.app.browser();
    const claims = JSON.stringify({ id_token: { acr: { essential: true, values: ['urn:countersign:acr:2fa'] } } });
    const { url, verifier } = application.request({ claims });
    const choose = await typePassword(browser, url, account.login);
    const number = await browser.submit(choose, { method: 'sms' });
    const typed = await browser.submit(number, { country: 'US', number: '(212) 555-0121' });
    const codes = await browser.submit(typed, { code: await codeSent(first.twilio, '+12125550121') });
    expect(codes.url.pathname).toMatch(/recovery_code$/);
    const [code = ''] = /[0-9A-Z]{4}(-[0-9A-Z]{4}){3}/.exec(codes.text) ?? [];
    const done = await browser.submit(codes, { code });
    expect((await application.tokens(done, verifier)).claims.amr).toEqual(
      expect.arrayContaining(['pwd', 'sms', 'mfa']),
    );
  } finally {
    await first.stop();
  }
});
