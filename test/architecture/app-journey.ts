import { expect } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import { numberOn } from '../app/employee.js';
import { answerWith, approveWith, type Waiting, waitingOn } from '../plugins/app/approval.js';
import { overHttp, Phone } from '../plugins/app/phone.js';
import { Subscriber } from '../plugins/app/push-service.js';
import { typePassword } from '../security/support.js';
import type { TestApp } from '../support/app.js';
import type { Page } from '../support/browser.js';
import type { RelyingParty } from '../support/relying-party.js';

const ORIGIN = { requestId: 'journey', browser: 'journey', ip: '192.0.2.7' };
/** Nobody answers there: phones are woken in vain. */
const PUSH = 'http://127.0.0.1:9';

export const APP = { id: 'app', push: { privateOrigins: [PUSH] } };

/** Pairing, asking, listening and answering: everything that a person does with the app, at the computer and on the phone. */
export async function appJourney(app: TestApp, rp: RelyingParty, account: Account): Promise<void> {
  const { engine, outbox } = app.app;
  const begin = () => engine.beginEnrolment(account, 'app', ORIGIN);
  const type = (digits: string) => engine.confirmEnrolment(account, 'app', { digits }, ORIGIN);
  const pair = async (): Promise<Phone> => {
    const step = await begin();
    const phone = await Phone.make(overHttp(app.issuer), app.issuer);
    await phone.pair({ code: 'nobody’s' });
    await phone.pair({ login: account.login, typedCode: [step?.locals.typedGroups].flat().join('') });
    await phone.post('/device');
    await begin();
    await type(phone.wrongDigits());
    expect(await type(phone.digits())).toMatchObject({ status: 'enrolled' });
    return phone;
  };
  const [phone, other] = [await pair(), await pair()];
  expect((await phone.post('/push', { subscription: new Subscriber(`${PUSH}/phone`).subscription })).status).toBe(200);

  const watching = { accountId: account.id, factorId: phone.deviceId };
  const stop = engine.listen('app', watching, { changed: () => {}, revoked: () => {} });
  let browser = app.browser();
  const near = (page: Page, rest: string): Promise<Page> =>
    browser.open(page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, `$1${rest}`));
  const arrive = async (): Promise<Page> => {
    browser = app.browser();
    return near(await typePassword(browser, rp.request().url, account.login), '/with/app');
  };
  const last = async (): Promise<Waiting> => (await waitingOn(phone)).at(-1) as Waiting;

  let page = await arrive();
  // A stream ends once it has told something: the answer, which comes from the phone meanwhile.
  const [, href = '', since = ''] = /data-events="([^"]+)" data-since="(\d+)"/.exec(page.html) ?? [];
  const listening = browser.request(new URL(`${href}?since=${since}`, app.issuer));
  const number = numberOn(page).replace(/\s/g, '');
  await answerWith(phone, await last(), { decision: 'approve', number: number === '111111' ? '222222' : '111111' });
  expect((await listening).html).toContain('event: ');
  await approveWith(phone, await last(), number);
  await near(page, '/with/app');
  page = await browser.submit(page, {}, /\/with\/app$/);
  expect(page.url.origin).toBe('https://rp.example');

  for (const decision of ['not_now', 'not_me']) {
    page = await arrive();
    await browser.submit(page, {}, /\/with\/app\/send$/);
    await near(page, '/with/totp');
    page = await browser.submit(await near(page, '/with/app'), {}, /\/with\/app\/send$/);
    await answerWith(phone, await last(), { decision });
    await browser.submit(await near(page, '/with/app'), {}, /\/cancel$/);
  }
  expect((await arrive()).text).toContain('cannot be asked');
  await outbox.kick();
  stop();
  await other.post('/remove');
  await engine.remove(account, phone.deviceId, ORIGIN);
}
