import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newSignIn } from '../factors/two-nodes.js';
import { PushService, Subscriber } from '../plugins/app/push-service.js';
import { typePassword } from '../security/support.js';
import { eventually } from '../sms/support.js';
import { startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';
import { numberOn } from './employee.js';
import { pairPhone, requestsOf } from './trusted-phone.js';

let app: TestApp;
let service: PushService;
beforeAll(async () => {
  service = await PushService.start();
  app = await startApp({ methods: [{ id: 'totp' }, { id: 'app', push: { privateOrigins: [service.origin] } }] });
});
afterAll(async () => {
  await app.stop();
  await service.stop();
});

test('a phone says where to wake it, is woken there, and learns when that is over', async () => {
  const account = await app.account('anna');
  const client = await pairPhone(app, account);
  const post = await requestsOf(client);
  expect((await client.status()).push).toEqual({ publicKey: expect.stringMatching(/^[\w-]{87}$/), state: 'none' });

  const subscriber = new Subscriber(`${service.origin}/anna`);
  const { subscription } = subscriber;
  expect(await post('/push', { subscription })).toMatchObject({ push: { state: 'working' } });
  expect((await client.status()).push.state).toBe('working');
  for (const wrong of [{ ...subscription, endpoint: 'https://example.com/' }, undefined, 'x'])
    await expect(post('/push', { subscription: wrong })).rejects.toMatchObject({ code: 'BAD_REQUEST' });

  const until = new Date(Date.now() + 60_000).toISOString();
  const wakeUp = { method: 'app', payload: { wake: client.deviceId, until } };
  const attempt = { id: 'x', isLast: false };
  await app.app.engine.deliver(wakeUp, attempt);
  expect(service.pushed.map(({ body }) => subscriber.decrypt(body))).toEqual(['{"type":"sign-in-waiting"}']);

  service.answerWith(410);
  await app.app.engine.deliver(wakeUp, attempt);
  expect((await client.status()).push.state).toBe('failing');
  expect(await post('/push', { subscription: null })).toMatchObject({ push: { state: 'none' } });
});

test('a removed phone is not woken', async () => {
  const client = await pairPhone(app, await app.account('ben'));
  const post = await requestsOf(client);
  await post('/push', { subscription: new Subscriber(`${service.origin}/ben`).subscription });
  await client.remove();
  await expect(post('/push', { subscription: null })).rejects.toMatchObject({ code: 'DEVICE_REFUSED' });
  const until = new Date(Date.now() + 60_000).toISOString();
  service.pushed.length = 0;
  await app.app.engine.deliver(
    { method: 'app', payload: { wake: client.deviceId, until } },
    { id: 'x', isLast: false },
  );
  expect(service.pushed).toEqual([]);
});

test('a sign-in that asks the phones wakes each of them once, and says no number; a reload wakes nobody', async () => {
  service.pushed.length = 0;
  service.answerWith(201);
  app.app.outbox.start();
  const account = await app.account('cleo');
  const subscribers = [];
  for (const name of ['one', 'two']) {
    const client = await pairPhone(app, account);
    const subscriber = new Subscriber(`${service.origin}/${name}`);
    await (await requestsOf(client))('/push', { subscription: subscriber.subscription });
    subscribers.push(subscriber);
  }
  const browser = app.browser();
  const second = await typePassword(browser, new RelyingParty(app.issuer).request().url, account.login);
  expect(service.pushed).toEqual([]);
  const ask = () => browser.open(second.url.pathname.replace(/(\/second-factor\/[^/]+).*/, '$1/with/app'));
  const page = await ask();
  const number = numberOn(page).replace(/\s/g, '');
  expect(number).toMatch(/^\d{6}$/);
  await eventually(() => (service.pushed.length >= 2 ? true : undefined));
  for (let n = 0; n < 3; n++) expect(numberOn(await ask()).replace(/\s/g, '')).toBe(number);
  await app.app.outbox.kick();
  expect(service.pushed.map(({ path }) => path).sort()).toEqual(['/one', '/two']);
  for (const { path, headers, body } of service.pushed) {
    const text = subscribers[path === '/one' ? 0 : 1]?.decrypt(body) ?? '';
    expect(text).toBe('{"type":"sign-in-waiting"}');
    expect(text + JSON.stringify(headers)).not.toContain(number);
  }
});

test('the same question asked twice at once, and again while it waits, wakes a phone once', async () => {
  service.pushed.length = 0;
  app.app.outbox.start();
  const account = await app.account('dora');
  const post = await requestsOf(await pairPhone(app, account));
  await app.database.collection('outbox').deleteMany({ accountId: account.id });
  await post('/push', { subscription: new Subscriber(`${service.origin}/dora`).subscription });
  const { engine } = app.app;
  const signIn = newSignIn(account);
  await Promise.all(Array.from({ length: 5 }, () => engine.begin(signIn, 'app')));
  expect(await engine.send(signIn, 'app')).toMatchObject({ status: 'refused', reason: 'wait' });
  await eventually(() => (service.pushed.length > 0 ? true : undefined));
  // What is sent stays there for a while.
  const ordered = (name: string) => app.database.collection(name).countDocuments({ accountId: account.id });
  expect([await ordered('outbox'), await ordered('app_challenges')]).toEqual([1, 1]);
  expect(service.pushed).toHaveLength(1);
});
