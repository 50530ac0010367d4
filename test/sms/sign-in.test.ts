import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ACR } from '../../src/policy/levels.js';
import { typePassword } from '../security/support.js';
import { PASSWORD } from '../support/app.js';
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
let wiki: RelyingParty;
beforeAll(async () => {
  texting = await startTexting();
  rp = new RelyingParty(texting.app.issuer);
  wiki = new RelyingParty(texting.app.issuer, 'wiki', undefined, 'https://wiki.example/cb');
});
afterAll(() => texting.stop());

const messages = () => texting.app.database.collection<{ _id: string; status: string }>('sms_messages');

describe('signing in with a text', () => {
  test('the code is sent by a button, works once, and the tokens say how it was', async () => {
    const { app, twilio } = texting;
    const account = await personWithPhone(texting, 'anna', '+12125550101');
    const seen = textsTo(twilio, '+12125550101');
    const browser = app.browser();
    const { url, verifier } = rp.request();
    const second = await typePassword(browser, url, account.login);
    const list = await browser.open(second.url.pathname.replace(/(\/second-factor\/[^/]+).*/, '$1/methods'));
    expect(list.text).toContain('Code to ···· 01');
    const before = await smsPage(browser, second);
    await smsPage(browser, second);
    expect(textsTo(twilio, '+12125550101')).toBe(seen);
    expect(before.text).toContain('···· 01');
    expect(before.text).not.toContain('2125550101');

    const sent = await pressSend(browser, before);
    const code = await codeSent(twilio, '+12125550101', seen);
    const body = twilio.messages.find(({ to }) => to === '+12125550101')?.body ?? '';
    expect(body.split('\n').at(-1)).toBe(`@${new URL(app.issuer).hostname} #${code}`);
    expect(body.length).toBeLessThanOrEqual(160);
    const done = await browser.submit(sent, { code: `${code.slice(0, 3)} ${code.slice(3)}` });
    const { claims } = await rp.tokens(done, verifier);
    expect(claims).toMatchObject({ acr: ACR['2fa'] });
    expect([...(claims.amr as string[])].sort()).toEqual(['mca', 'mfa', 'pwd', 'sms']);
    expect(await messages().findOne({ accountId: account.id, purpose: 'sign_in' })).toMatchObject({
      status: expect.stringMatching(/sent|delivered/),
      usedAt: expect.any(Date),
    });
  });

  test('a code is worth nothing in another sign-in of the same account', async () => {
    const { app, twilio } = texting;
    const number = '+12125550102';
    const account = await personWithPhone(texting, 'ben', number);
    const [one, other] = [app.browser(), app.browser()];
    const first = await smsPage(one, await typePassword(one, rp.request().url, account.login));
    const second = await smsPage(other, await typePassword(other, rp.request().url, account.login));
    const seen = textsTo(twilio, number);
    const here = await pressSend(one, first);
    const code = await codeSent(twilio, number, seen);
    // The other one cannot send yet, but has the same form on its page's address.
    const there = await other.request(new URL(second.url.pathname, app.issuer), {
      method: 'POST',
      form: { ...second.forms[0]?.values, code },
    });
    expect(there.status).toBe(422);
    const done = await one.submit(here, { code });
    expect(done.url.origin).toBe('https://rp.example');
  });

  test('five visits, a new sign-in and a second application reset no limit; a right code ends the wait', async () => {
    const { app, twilio } = texting;
    const number = '+12125550103';
    const account = await personWithPhone(texting, 'cleo', number);
    const seen = textsTo(twilio, number);
    const browser = app.browser();
    const request = rp.request();
    const page = await pressSend(
      browser,
      await smsPage(browser, await typePassword(browser, request.url, account.login)),
    );
    const code = await codeSent(twilio, number, seen);
    const press = (from: Browser, { url, forms }: Page) =>
      from.request(new URL(`${url.pathname}/send`, app.issuer), {
        method: 'POST',
        form: { csrf: forms[0]?.values.csrf ?? '' },
      });
    let current = page;
    for (let visit = 0; visit < 5; visit += 1) {
      const uid = current.url.pathname.split('/')[2] ?? '';
      const back = await browser.open(`/auth/${uid}`);
      const isAsked = back.forms.some(({ names }) => names.includes('password'));
      const again = isAsked ? await browser.submit(back, { login: account.login, password: PASSWORD }) : back;
      current = await smsPage(browser, again);
      expect(current.url.pathname).not.toContain(uid);
      const refused = await press(browser, current);
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused.html).not.toContain(code);
    }
    const elsewhere = app.browser();
    const atOther = await typePassword(elsewhere, wiki.request().url, account.login);
    expect((await press(elsewhere, await smsPage(elsewhere, atOther))).status).toBe(429);
    expect(textsTo(twilio, number)).toBe(seen + 1);

    const done = await browser.submit(current, { code });
    expect(done.url.origin).toBe('https://rp.example');
    const next = app.browser();
    await pressSend(next, await smsPage(next, await typePassword(next, rp.request().url, account.login)));
    await codeSent(twilio, number, seen + 1);
  });

  test('what became of it stands on the page', async () => {
    const { app, twilio } = texting;
    const number = '+12125550104';
    const account = await personWithPhone(texting, 'dora', number);
    const seen = textsTo(twilio, number);
    const browser = app.browser();
    const page = await pressSend(
      browser,
      await smsPage(browser, await typePassword(browser, rp.request().url, account.login)),
    );
    await codeSent(twilio, number, seen);
    await eventually(
      async () =>
        (await messages().findOne({ accountId: account.id, purpose: 'sign_in', status: 'delivered' })) ?? undefined,
    );
    expect((await browser.open(page.url)).text).toContain('Code has arrived');
  });
});
