import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decimal } from '../../../src/admin/api/routes/sms.js';
import { ADMIN_APP, type Administrator, administrator } from '../../support/administrator.js';
import { RP, startApp, type TestApp } from '../../support/app.js';
import { madeUpDelivery, WITH_SMS } from '../../support/made-up-delivery.js';

let app: TestApp;
let delivery: ReturnType<typeof madeUpDelivery>;
let admin: Administrator;
let auditor: Administrator;
let helpdesk: Administrator;
beforeAll(async () => {
  app = await startApp((issuer) => ({ clients: [RP, ADMIN_APP(issuer)] }));
  admin = await administrator(app, 'admin@example.com', ['admin']);
  auditor = await administrator(app, 'auditor@example.com', ['auditor']);
  helpdesk = await administrator(app, 'helpdesk@example.com', ['helpdesk']);
}, 60_000);
afterAll(() => app.stop());

const events = async (type: string) => (await auditor.get(`/audit-events?type=${type}`)).body.items;

test('where SMS is not offered, nothing is there', async () => {
  for (const path of ['/reports/sms', '/sms/countries/DE']) {
    const { status, body } = await admin.get(path);
    expect([path, status, body.code]).toEqual([path, 404, 'SMS_NOT_OFFERED']);
  }
  const answer = await admin.change('PUT', '/sms/countries/DE', { state: 'closed' }, '*');
  expect([answer.status, answer.body.code]).toEqual([404, 'SMS_NOT_OFFERED']);
});

test.each([
  [0, '0.00'],
  [7, '0.000007'],
  [55_300, '0.0553'],
  [2_960_000, '2.96'],
  [12_300_000_000, '12300.00'],
])('%i millionths are %s', (millionths, text) => {
  expect(decimal(millionths)).toBe(text);
});

describe('where it is offered', () => {
  beforeAll(() => {
    delivery = madeUpDelivery();
    app.app.engine.delivery = (method) => (method === 'sms' ? delivery : undefined);
  });

  test('the report counts, with amounts that no rounding has touched', async () => {
    const { status, body } = await auditor.get('/reports/sms?days=7');
    expect([status, delivery.asked]).toEqual([200, [7]]);
    expect(body).toMatchObject({ currency: 'USD', budget: { messages: 37, amount: '2.738', amountLimit: '20.00' } });
    expect(body.days[1]).toEqual({
      day: '2026-11-22',
      sent: 1,
      delivered: 0,
      failed: 1,
      used: 0,
      amount: '0.0553',
    });
    expect(body.countries.map((one: { country: string; state: string }) => `${one.country} ${one.state}`)).toEqual([
      'US open',
      'DE open',
      'GB closed',
    ]);
    expect(body.countries[2]).toMatchObject({ because: 'conversion', callingCode: '+44', conversion: 0.9 });
    expect(body.countries[1]).not.toHaveProperty('conversion');
  });

  test('the report is of 30 days unless told, and of 90 at most', async () => {
    await auditor.get('/reports/sms');
    expect(delivery.asked.at(-1)).toBe(30);
    for (const days of ['0', '91', 'x', '1.5'])
      expect((await auditor.get(`/reports/sms?days=${days}`)).status).toBe(400);
  });

  test('an administrator closes a country and opens it again, and both are written down', async () => {
    const closed = await admin.change('PUT', '/sms/countries/DE', { state: 'closed' });
    expect([closed.status, closed.body]).toMatchObject([
      200,
      { country: 'DE', state: 'closed', because: 'administrator' },
    ]);
    expect((await auditor.get('/sms/countries/DE')).body).toEqual(closed.body);
    expect(await events('sms_country_closed')).toMatchObject([
      { actor: { type: 'account', id: admin.account.id }, details: { country: 'DE' } },
    ]);
    expect((await admin.change('PUT', '/sms/countries/DE', { state: 'open' })).body.state).toBe('open');
    expect(await events('sms_country_opened')).toHaveLength(1);
  });

  test('what is so already is written down no second time', async () => {
    const before = (await events('sms_country_opened')).length;
    expect((await admin.change('PUT', '/sms/countries/DE', { state: 'open' })).status).toBe(200);
    expect(await events('sms_country_opened')).toHaveLength(before);
  });

  test('a decision that is not stored is not written down either', async () => {
    const { setCountry } = delivery;
    delivery.setCountry = async (...given) => {
      await setCountry(...given);
      throw new Error('broken off');
    };
    const before = (await events('sms_country_closed')).length;
    const decided = admin.change('PUT', '/sms/countries/US', { state: 'closed' });
    await expect(decided).rejects.toThrow('INTERNAL');
    delivery.setCountry = setCountry;
    expect(await events('sms_country_closed')).toHaveLength(before);
  });

  test('a decision names what it has seen', async () => {
    const etag = (await admin.get('/sms/countries/GB')).headers.get('etag') ?? '';
    const change = (ifMatch?: string) =>
      admin.request('PUT', '/sms/countries/GB', {
        body: { state: 'open' },
        headers: ifMatch === undefined ? {} : { 'if-match': ifMatch },
      });
    expect((await change()).status).toBe(428);
    expect((await change(etag)).status).toBe(200);
    expect((await change(etag)).status).toBe(412);
  });

  test.each(['XX', 'de', 'DEU', '49'])('%s is no country that has telephone numbers', async (country) => {
    for (const answer of [
      await admin.get(`/sms/countries/${country}`),
      await admin.change('PUT', `/sms/countries/${country}`, { state: 'open' }, '*'),
    ])
      expect([answer.status, answer.body.code]).toEqual([404, 'API_NOT_FOUND']);
  });

  test('a reason in free text is not taken: it could hold a number', async () => {
    const body = { state: 'closed', reason: '+49 30 901820' };
    const answer = await admin.change('PUT', '/sms/countries/DE', body, '*');
    expect([answer.status, answer.body.errors[0].path]).toEqual([400, 'body.reason']);
  });

  test('an auditor reads and decides nothing; the help desk neither', async () => {
    expect((await auditor.change('PUT', '/sms/countries/DE', { state: 'closed' }, '*')).body.scope).toBe('sms:write');
    expect((await helpdesk.get('/reports/sms')).status).toBe(403);
    expect((await helpdesk.change('PUT', '/sms/countries/DE', { state: 'closed' }, '*')).status).toBe(403);
  });

  test('a decision takes a fresh second factor', async () => {
    await app.database
      .collection('oidc')
      .updateOne(
        { 'payload.accountId': admin.account.id, ids: { $exists: true } },
        { $inc: { 'payload.loginTs': -660 } },
      );
    const stale = await admin.again();
    const answer = await stale.change('PUT', '/sms/countries/DE', { state: 'closed' }, '*');
    expect([answer.status, answer.body.code]).toEqual([401, 'API_FRESHNESS_REQUIRED']);
    expect((await stale.get('/sms/countries/DE')).body.state).toBe('open');
  });
});

describe('with the method itself', () => {
  let real: TestApp;
  let owner: Administrator;
  beforeAll(async () => {
    real = await startApp((issuer) => ({ clients: [RP, ADMIN_APP(issuer)], methods: WITH_SMS }));
    owner = await administrator(real, 'owner@example.com', ['owner']);
  }, 60_000);
  afterAll(() => real.stop());

  test('before the first message there are the countries of the configuration, and nothing to count', async () => {
    const { body } = await owner.get('/reports/sms');
    expect(body).toMatchObject({ budget: { messages: 0, amount: '0.00', isExhausted: false }, days: [] });
    expect(body.countries).toMatchObject([
      { country: 'DE', callingCode: '+49', state: 'open', because: 'configured', sent: 0 },
      { country: 'US', callingCode: '+1', state: 'open', because: 'configured', sent: 0 },
    ]);
  });

  test('a decision that cannot be written down is not made', async () => {
    const { record } = real.app.audit;
    real.app.audit.record = async (...given) => {
      await record(...given);
      throw new Error('broken off');
    };
    await expect(owner.change('PUT', '/sms/countries/DE', { state: 'closed' })).rejects.toThrow('INTERNAL');
    real.app.audit.record = record;
    expect((await owner.get('/sms/countries/DE')).body).toMatchObject({ state: 'open', because: 'configured' });
    expect((await owner.get('/audit-events?type=sms_country_closed')).body.items).toEqual([]);
  });

  test('a decision holds until the next one', async () => {
    expect((await owner.get('/sms/countries/LV')).body).toMatchObject({ state: 'closed', because: 'not_configured' });
    for (const state of ['open', 'closed', 'open']) {
      const answer = await owner.change('PUT', '/sms/countries/LV', { state });
      expect([answer.status, answer.body]).toMatchObject([200, { state, because: 'administrator' }]);
      expect((await owner.get('/sms/countries/LV')).body.state).toBe(state);
    }
    const listed = (await owner.get('/reports/sms')).body.countries;
    expect(listed.map(({ country }: { country: string }) => country)).toEqual(['DE', 'LV', 'US']);
  });
});
