/** What text messages cost, and the countries they go to. */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { startApp, type TestApp } from '../../support/app.js';
import { madeUpDelivery, WITH_SMS } from '../../support/made-up-delivery.js';
import { type Administrator, administrator, signInAt, travel } from './support.js';

let app: TestApp;
let ada: Administrator;
let real: TestApp['app']['engine']['delivery'];
beforeAll(async () => {
  app = await startApp({ methods: WITH_SMS });
  real = app.app.engine.delivery;
  ada = await administrator(app, 'ada@example.com', ['admin'], '/console/people');
}, 60_000);
afterEach(() => {
  app.app.engine.delivery = real;
  jest.useRealTimers();
});
afterAll(() => app.stop());

const reported = (...changes: Parameters<typeof madeUpDelivery>): void => {
  const delivery = madeUpDelivery(...changes);
  app.app.engine.delivery = () => delivery;
};
const openSms = () => ada.browser.open('/console/sms');

describe('where SMS is not offered', () => {
  test('there is no page, and nothing that leads to one', async () => {
    const without = await startApp();
    const olga = await administrator(without, 'olga@example.com', ['owner']);
    const overview = await olga.browser.open('/console/overview');
    expect([overview.status, overview.html.includes('/console/sms'), overview.text.includes('SMS today')]).toEqual([
      200,
      false,
      false,
    ]);
    expect((await olga.browser.open('/console/sms')).status).toBe(404);
    await without.stop();
  });
});

describe('the page', () => {
  test('before the first message, says so and shows the countries of the configuration', async () => {
    const page = await openSms();
    expect([page.status, page.h1]).toEqual([200, 'SMS']);
    expect(page.text).toContain('Nothing was sent yet.');
    expect(page.text).toMatch(/Germany \+49 0 0 0 0 – \$0\.00 Open/);
    expect(page.text).not.toContain('Countries that were closed');
    expect(page.html).toMatch(/<nav class="sections".*href="\/console\/sms" aria-current="page"/s);
  });

  test('shows what is used of the budget, each day, and what came of it in each country', async () => {
    reported();
    const page = await openSms();
    expect(page.text).toMatch(/37 of 500 messages/);
    expect(page.text).toMatch(/\$2\.74 of \$20\.00 spent/);
    expect(page.text).toMatch(/2026-11-22 1 0 0 1 \$0\.06/);
    expect(page.text).toMatch(/United States \+1 40 38 36 2 90 % \$2\.96 Open/);
    expect(page.html.match(/<rect class="part0"/g)).toHaveLength(1);
  });

  test('says first which countries were closed, and why', async () => {
    reported();
    const page = await openSms();
    expect(page.text).toMatch(/Countries that were closed United Kingdom Too few codes came back · since 24 Nov 2026/);
    expect(page.html).toContain('href="/console/sms/countries/GB/open"');
    const overview = await ada.browser.open('/console/overview');
    expect(overview.text).toMatch(/SMS today 37 of 500 messages One country was closed: too few codes came back\./);
  });

  test('says that the budget is used up, and until when', async () => {
    const { budget } = await madeUpDelivery().report(1);
    reported({ budget: { ...budget, messages: 500, isExhausted: true } });
    const page = await openSms();
    expect(page.text).toMatch(/The budget is used up: no codes go out by SMS until 25 Nov 2026/);
    expect(page.html).toContain('class="spent"');
  });

  test('shows no cost of a budget without a limit for it', async () => {
    const { budget } = await madeUpDelivery().report(1);
    const { amountLimit: _, ...unlimited } = budget;
    reported({ budget: unlimited });
    expect((await openSms()).text).not.toMatch(/spent/);
  });

  test('names countries as its reader does', async () => {
    reported();
    const page = await ada.browser.open('/console/sms?lang=de');
    expect(page.text).toContain('Vereinigtes Königreich');
    await ada.browser.open('/console/sms?lang=en');
  });

  test('of an auditor has nothing to decide; the help desk has none', async () => {
    const iris = await administrator(app, 'iris@example.com', ['auditor'], '/console/overview');
    const page = await iris.browser.open('/console/sms');
    expect([page.status, /\/(close|open)"|decide/.test(page.html)]).toEqual([200, false]);
    const hugo = await administrator(app, 'hugo@example.com', ['helpdesk']);
    expect(hugo.page.html).not.toContain('/console/sms');
    expect((await hugo.browser.open('/console/sms')).status).toBe(403);
  });
});

describe('a country', () => {
  const stateOf = async (country: string) => {
    const state = await app.app.engine.delivery('sms')?.country(country);
    return `${state?.isOpen ? 'open' : 'closed'} ${state?.because}`;
  };

  test('is closed and opened again, each with a page that says what follows', async () => {
    const close = await ada.browser.open('/console/sms/countries/DE/close');
    expect(close.h1).toBe('Close Germany to SMS');
    expect(await stateOf('DE')).toBe('open configured');
    const closed = await ada.browser.submit(close, {}, /close$/);
    expect(closed.text).toContain('Germany is closed: no SMS go there any more.');
    expect(closed.text).toMatch(/Countries that were closed Germany An administrator decided/);
    expect(await stateOf('DE')).toBe('closed administrator');
    const open = await ada.browser.open('/console/sms/countries/DE/open');
    expect((await ada.browser.submit(open, {}, /open$/)).text).toContain('Germany is open: SMS go there.');
    expect(await stateOf('DE')).toBe('open administrator');
    const audit = await ada.browser.open('/console/audit?type=sms_country_closed');
    expect(audit.text).toContain('Country closed to SMS');
  });

  test('that is on no list yet can be chosen', async () => {
    const page = await openSms();
    expect(page.html).toContain('<option value="LV">Latvia</option>');
    expect((await ada.browser.open('/console/sms/decide?country=LV')).h1).toBe('Open Latvia to SMS');
    expect((await ada.browser.open('/console/sms/decide?country=DE')).h1).toBe('Close Germany to SMS');
    for (const nowhere of ['XX', '', '<b>'])
      expect((await ada.browser.open(`/console/sms/decide?country=${encodeURIComponent(nowhere)}`)).status).toBe(404);
  });

  test('that somebody else decided on meanwhile is shown as it is now', async () => {
    const open = await ada.browser.open('/console/sms/countries/FR/open');
    await app.app.engine.delivery('sms')?.setCountry('FR', true);
    const stale = await ada.browser.submit(open, {}, /open$/);
    expect([stale.status, stale.text.includes('Changed elsewhere in the meantime')]).toEqual([412, true]);
  });

  test('is decided on after a fresh confirmation, which leads back to the page', async () => {
    const close = await ada.browser.open('/console/sms/countries/US/close');
    travel(660);
    const asked = await ada.browser.submit(close, {}, /close$/);
    expect(asked.url.pathname).not.toMatch(/^\/console\/sms$/);
    expect(await stateOf('US')).toBe('open configured');
    const back = await signInAt(ada.browser, asked.url, ada);
    expect(back.h1).toBe('Close United States to SMS');
    await ada.browser.submit(back, {}, /close/);
    expect(await stateOf('US')).toBe('closed administrator');
  });
});
