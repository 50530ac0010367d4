import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { importJWK, jwtVerify } from 'jose';
import type { AppData, Device } from '../../../plugins/app/data.js';
import { createPush, type Push } from '../../../plugins/app/push.js';
import { pushKeyCollection } from '../../../plugins/app/push-keys.js';
import { createPushAddresses, pushOptions } from '../../../plugins/app/push-options.js';
import type { FactorDeps, FactorMethod, FactorRecord } from '../../../src/factors/contract.js';
import { factorCollection } from '../../../src/factors/store.js';
import { createPostOutside } from '../../../src/platform/post-outside.js';
import { newAccount, type TwoNodes, twoNodes } from '../../factors/two-nodes.js';
import { PushService, Subscriber } from './push-service.js';

/** The part of the method that wakes phones, alone: two nodes' worth of it, in the order in which they were made. */
function pushingMethod(pushes: Push[], change: (deps: FactorDeps<AppData>) => FactorDeps<AppData>): FactorMethod {
  return {
    id: 'app',
    parseConfig: (raw) => raw,
    create(config, deps) {
      const push = createPush(pushOptions.parse(config), change(deps as unknown as FactorDeps<AppData>));
      pushes.push(push);
      return {
        method: 'app',
        kind: 'primary',
        evidenceFields: {},
        enrolmentFields: {},
        summarise: () => [],
        enrolment: {
          announcedAs: 'factor_enrolled',
          begin: async () => ({ view: '', locals: {} }),
          confirm: async () => ({ status: 'rejected', code: 'wrong' }),
        },
        begin: async () => ({ view: '', locals: {} }),
        verify: async () => ({ status: 'pending' }),
        remove: async () => false,
        deliver: push.deliver,
      };
    },
  };
}

describe('waking a phone', () => {
  let nodes: TwoNodes;
  let service: PushService;
  let a: Push;
  let b: Push;
  /** What names lead to, instead of the name server's answer. */
  let address = '127.0.0.1';

  beforeAll(async () => {
    service = await PushService.start();
    const pushes: Push[] = [];
    const resolve: Parameters<typeof createPostOutside>[0] = (_name, _options, callback) =>
      callback(null, [{ address, family: 4 }]);
    const method = pushingMethod(pushes, (deps) => ({ ...deps, postOutside: createPostOutside(resolve) }));
    nodes = await twoNodes([method], () => ({ privateOrigins: [service.origin], contact: 'mailto:it@example.com' }));
    [a, b] = pushes as [Push, Push];
  });
  afterAll(async () => {
    await nodes.stop();
    await service.stop();
  });
  beforeEach(() => {
    service.pushed.length = 0;
    service.answerWith(201);
    nodes.logged.length = 0;
    address = '127.0.0.1';
    nodes.clock.advance(3600);
  });

  let count = 0;
  async function phone(accountId = newAccount().id, state: 'active' | 'pending' = 'active'): Promise<Device> {
    const record: FactorRecord<AppData> = {
      _id: `phone-${count++}`,
      accountId,
      method: 'app',
      state,
      label: 'Pixel',
      createdAt: nodes.clock.now(),
      ...(state === 'pending' ? { browser: 'x', expiresAt: new Date('2099-01-01') } : {}),
      data: { key: { x: 'x', y: 'y' }, thumbprint: 't', model: 'Pixel', platform: 'android', offlineSecret: 's' },
    };
    await factorCollection(nodes.database).insertOne(record as unknown as FactorRecord);
    return record as Device;
  }
  const stored = async ({ _id }: Device) =>
    (await factorCollection(nodes.database).findOne({ _id }))?.data.push as AppData['push'];
  const request = { verb: 'POST', path: '/push', url: '', headers: {}, body: '', requestId: 'r' } as const;
  async function subscribe(device: Device, subscription: unknown, push = a): Promise<number> {
    const read = push.endpoint.body.safeParse({ subscription });
    if (!read.success) return 400;
    const account = { id: device.accountId, login: 'anna', name: 'Anna', email: 'anna@example.com' };
    return (await push.endpoint.handle({ device, account, body: read.data, params: {}, waiting: [], request })).status;
  }
  async function subscribed(path: string, accountId?: string) {
    const device = await phone(accountId);
    const subscriber = new Subscriber(`${service.origin}/${path}`);
    expect(await subscribe(device, subscriber.subscription)).toBe(200);
    return { device, subscriber };
  }

  const wake = async (accountId: string, push = a) => {
    const devices = await factorCollection(nodes.database).find({ accountId }).toArray();
    return push.wake(
      accountId,
      devices.map(({ _id }) => _id),
    );
  };

  test('the message says that a sign-in waits and nothing else, to the phone alone', async () => {
    const { device, subscriber } = await subscribed('secret-path');
    await wake(device.accountId, b);
    expect(service.pushed).toHaveLength(1);
    const [{ path, headers, body } = { path: '', headers: {}, body: Buffer.alloc(0) }] = service.pushed;
    expect(subscriber.decrypt(body)).toBe('{"type":"sign-in-waiting"}');
    expect(path).toBe('/secret-path');
    expect(headers).toMatchObject({ ttl: '120', urgency: 'high', topic: 'sign-in-waiting' });
    expect(headers['content-encoding']).toBe('aes128gcm');
    const seen = JSON.stringify(headers) + body.toString('latin1');
    for (const word of [device._id, device.accountId, 'Pixel', 'anna']) expect(seen).not.toContain(word);
  });

  test('it is signed with the key that phones subscribe to, for this service, for hours at most (RFC 8292)', async () => {
    const { device } = await subscribed('x');
    await wake(device.accountId);
    const [, token = '', k = ''] =
      /^vapid t=([^,]+), k=(\S+)$/.exec(String(service.pushed[0]?.headers.authorization)) ?? [];
    expect(k).toBe((await b.tell(device)).publicKey);
    const point = Buffer.from(k, 'base64url');
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'));
    const { payload } = await jwtVerify(token, await importJWK({ kty: 'EC', crv: 'P-256', x, y } as never, 'ES256'));
    expect(payload).toMatchObject({ aud: service.origin, sub: 'mailto:it@example.com' });
    expect(Number(payload.exp) - Date.now() / 1000).toBeLessThan(86_400);
  });

  test('one pair of keys for all nodes, and its private half is sealed', async () => {
    const device = await phone();
    const keys = await Promise.all([a, b, a, b].map(async (push) => (await push.tell(device)).publicKey));
    expect(new Set(keys).size).toBe(1);
    const all = await pushKeyCollection(nodes.database).find().toArray();
    expect(all).toHaveLength(1);
    expect(all[0]?.privateKey).toMatch(/^k1\./);
  });

  test('of nodes that start at once the first one makes the keys', async () => {
    const pushes: Push[] = [];
    const fresh = await twoNodes([pushingMethod(pushes, (deps) => deps)], () => ({}));
    try {
      const device = await phone();
      const told = [...pushes, ...pushes].map(async (push) => (await push.tell(device)).publicKey);
      const keys = await Promise.all(told);
      expect(new Set(keys).size).toBe(1);
      expect(await pushKeyCollection(fresh.database).countDocuments()).toBe(1);
    } finally {
      await fresh.stop();
    }
  });

  const signedWith = (index: number): string =>
    /k=(\S+)$/.exec(String(service.pushed[index]?.headers.authorization))?.[1] ?? '';
  const read = async ({ _id }: Device) =>
    (await factorCollection(nodes.database).findOne({ _id })) as unknown as Device;

  test('after a rotation a phone is woken with the pair it has subscribed to, until it subscribes anew', async () => {
    const { device } = await subscribed('before');
    const { publicKey: former } = await b.tell(device);
    expect(await Promise.all([a, b].map((push) => push.keys.rotate({ type: 'operator' }, false)))).toContain(undefined);
    nodes.clock.advance(2);
    await wake(device.accountId, b);
    expect(signedWith(0)).toBe(former);
    const told = await b.tell(await read(device));
    expect(told).toEqual({ publicKey: expect.not.stringMatching(former), state: 'failing' });
    expect((await a.keys.list()).map(({ state }) => state)).toEqual(['current', 'previous']);

    expect(await subscribe(device, new Subscriber(`${service.origin}/after`).subscription)).toBe(200);
    await wake(device.accountId, b);
    expect([signedWith(1), await b.tell(await read(device))]).toEqual([
      told.publicKey,
      { publicKey: told.publicKey, state: 'working' },
    ]);
  });

  test('a subscription from before pairs were told apart is for the first pair', async () => {
    const { device } = await subscribed('first');
    const pairs = await pushKeyCollection(nodes.database).findOne({});
    await factorCollection(nodes.database).updateOne({ _id: device._id }, { $unset: { 'data.push.key': 1 } });
    await wake(device.accountId);
    expect(signedWith(0)).toBe(pairs?.previous?.at(-1)?.publicKey);
  });

  test('in an emergency the former pairs are gone: nobody is woken with them, and phones are told to subscribe anew', async () => {
    const { device } = await subscribed('before');
    const { device: older } = await subscribed('older');
    await factorCollection(nodes.database).updateOne({ _id: older._id }, { $unset: { 'data.push.key': 1 } });
    expect(await a.keys.rotate({ type: 'operator' }, true)).toBeDefined();
    nodes.clock.advance(2);
    for (const phoneOf of [device, older]) {
      expect((await b.tell(await read(phoneOf))).state).toBe('failing');
      await wake(phoneOf.accountId, b);
      expect(await stored(phoneOf)).toEqual({ state: 'failing' });
    }
    expect(service.pushed).toEqual([]);
    expect(await a.keys.list()).toHaveLength(1);
  });

  test('every phone of the account, once each, and nobody else', async () => {
    const { device, subscriber } = await subscribed('first');
    await subscribed('second', device.accountId);
    await phone(device.accountId);
    await subscribed('stranger');
    await wake(device.accountId);
    expect(service.pushed.map(({ path }) => path).sort()).toEqual(['/first', '/second']);
    const first = service.pushed.find(({ path }) => path === '/first');
    expect(first && subscriber.decrypt(first.body)).toBe('{"type":"sign-in-waiting"}');
    const second = service.pushed.find(({ path }) => path === '/second');
    expect(() => second && subscriber.decrypt(second.body)).toThrow();
  });

  test('the subscription is sealed, may be changed and taken back, and belongs to an active phone', async () => {
    const { device, subscriber } = await subscribed('sealed-path');
    expect(await stored(device)).toMatchObject({ state: 'working' });
    const text = JSON.stringify(await stored(device));
    const { auth, p256dh } = subscriber.subscription.keys;
    for (const secret of ['sealed-path', auth, p256dh]) expect(text).not.toContain(secret);
    const other = new Subscriber(`${service.origin}/other`);
    expect(await subscribe(device, { ...other.subscription, expirationTime: null })).toBe(200);
    await wake(device.accountId);
    expect(service.pushed.map(({ path }) => path)).toEqual(['/other']);
    expect(await subscribe(device, null)).toBe(200);
    await wake(device.accountId);
    expect(service.pushed).toHaveLength(1);
    const pending = await phone(undefined, 'pending');
    expect(await subscribe(pending, other.subscription)).toBe(409);
    expect(await stored(pending)).toBeUndefined();
  });

  test('what is no subscription is refused', async () => {
    const device = await phone();
    const { endpoint, keys } = new Subscriber(`${service.origin}/x`).subscription;
    const offCurve = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64url');
    for (const wrong of [
      undefined,
      'x',
      {},
      { endpoint },
      { endpoint, keys: { ...keys, auth: 'short' } },
      { endpoint, keys: { ...keys, p256dh: offCurve } },
      { endpoint, keys: { ...keys, p256dh: keys.p256dh.slice(0, -4) } },
      { endpoint: 7, keys },
    ])
      expect([wrong, await subscribe(device, wrong)]).toEqual([wrong, 400]);
    expect(await stored(device)).toBeUndefined();
  });

  test.each([
    ['http', 'http://fcm.googleapis.com/x'],
    ['another host', 'https://example.com/x'],
    ['a host that only ends alike', 'https://evilfcm.googleapis.com/x'],
    ['a host that begins alike', 'https://fcm.googleapis.com.example.com/x'],
    ['the name above a wildcard', 'https://push.apple.com/x'],
    ['another port', 'https://fcm.googleapis.com:8443/x'],
    ['with credentials', 'https://user:word@fcm.googleapis.com/x'],
    ['this machine', 'https://127.0.0.1/x'],
    ['this machine by name', 'https://localhost/x'],
    ['another port of this machine', 'http://127.0.0.1:1/x'],
    ['metadata of a cloud', 'http://169.254.169.254/latest'],
    ['no address', 'fcm.googleapis.com'],
    ['a file', 'file:///etc/passwd'],
    ['too long', `https://fcm.googleapis.com/${'x'.repeat(2000)}`],
  ])('%s is not woken', async (_what, endpoint) => {
    const device = await phone();
    expect(await subscribe(device, { ...new Subscriber(endpoint).subscription, endpoint })).toBe(400);
    expect(await stored(device)).toBeUndefined();
  });

  test('the services of the browsers are known, further ones are configured', () => {
    const { read } = createPushAddresses(pushOptions.parse({ hosts: ['push.example.com', '*.push.example.net'] }));
    for (const host of [
      'fcm.googleapis.com',
      'updates.push.services.mozilla.com',
      'web.push.apple.com',
      'db5p.notify.windows.com',
      'push.example.com',
      'a.push.example.net',
    ])
      expect(read(`https://${host}/x`)?.hostname).toBe(host);
    expect(read('https://a.push.example.com/x')).toBeUndefined();
  });

  test.each([
    { hosts: ['*'] },
    { hosts: ['127.0.0.1'] },
    { hosts: ['https://push.example.com'] },
    { privateOrigins: ['http://push.example.com'] },
    { privateOrigins: ['https://push.example.com/path'] },
    { contact: 'it@example.com' },
  ])('the configuration %j is refused', (wrong) => {
    expect(pushOptions.safeParse(wrong).success).toBe(false);
  });

  test('a known name that leads to a private address is not called', async () => {
    const device = await phone();
    const { keys } = new Subscriber('x').subscription;
    expect(await subscribe(device, { endpoint: 'https://fcm.googleapis.com/x', keys })).toBe(200);
    await expect(wake(device.accountId)).rejects.toMatchObject({ code: 'PRIVATE_ADDRESS' });
    // The service would hear of these.
    for (const url of [`http://private.example.com:${service.port}/x`, `http://[::ffff:127.0.0.1]:${service.port}/x`])
      await expect(
        createPostOutside((_name, _options, callback) => callback(null, [{ address, family: 4 }]))(
          new URL(url),
          Buffer.from('x'),
          { headers: {} },
        ),
      ).rejects.toMatchObject({ code: 'PRIVATE_ADDRESS' });
    expect(service.pushed).toEqual([]);
    expect(await stored(device)).toMatchObject({ state: 'working' });
  });

  test('a redirect is not followed', async () => {
    const { device } = await subscribed('moved');
    service.answerWith(307, { location: `${service.origin}/elsewhere` });
    await wake(device.accountId);
    expect(service.pushed.map(({ path }) => path)).toEqual(['/moved']);
    expect(await stored(device)).toMatchObject({ state: 'working' });
  });

  test.each([404, 410])(
    '%i: the subscription is dropped, the phone says so, until it subscribes anew',
    async (status) => {
      const { device, subscriber } = await subscribed('gone');
      service.answerWith(status);
      await wake(device.accountId);
      expect(await stored(device)).toEqual({ state: 'failing' });
      await wake(device.accountId);
      expect(service.pushed).toHaveLength(1);
      service.answerWith(201);
      expect(await subscribe(device, subscriber.subscription)).toBe(200);
      await wake(device.accountId);
      expect(service.pushed).toHaveLength(2);
      expect(await stored(device)).toMatchObject({ state: 'working' });
    },
  );

  test('a phone that subscribed anew meanwhile keeps its new subscription', async () => {
    const { device } = await subscribed('old');
    const other = new Subscriber(`${service.origin}/new`);
    service.answer = (response) => {
      void subscribe(device, other.subscription).then(() => response.writeHead(410).end());
    };
    await wake(device.accountId);
    expect(await stored(device)).toMatchObject({ state: 'working' });
    service.answerWith(201);
    await wake(device.accountId);
    expect(service.pushed.map(({ path }) => path)).toEqual(['/old', '/new']);
  });

  test.each([429, 500, 503])('%i is tried again, and the subscription stays', async (status) => {
    const { device } = await subscribed('busy');
    service.answerWith(status);
    await expect(wake(device.accountId)).rejects.toMatchObject({ code: `STATUS_${status}` });
    expect(await stored(device)).toMatchObject({ state: 'working' });
  });

  test.each([400, 403, 413])('%i is not tried again, and the subscription stays', async (status) => {
    const { device } = await subscribed('refused');
    service.answerWith(status);
    await wake(device.accountId);
    expect(await stored(device)).toMatchObject({ state: 'working' });
    expect(JSON.stringify(nodes.logged)).toContain(String(status));
  });

  test('what nobody waits for any more is not sent; nor to a phone that is gone', async () => {
    const { device } = await subscribed('late');
    const until = nodes.clock.now().toISOString();
    await a.deliver({ wake: device._id, until });
    await factorCollection(nodes.database).deleteOne({ _id: device._id });
    await a.deliver({ wake: device._id, until: '2099-01-01T00:00:00.000Z' });
    expect(service.pushed).toEqual([]);
  });

  test('no log line and no error holds the address of a subscription', async () => {
    const { device } = await subscribed('capability');
    for (const status of [201, 307, 400, 410]) {
      service.answerWith(status, status === 307 ? { location: '/x' } : {});
      await wake(device.accountId);
    }
    const again = await subscribed('capability', device.accountId);
    service.answer = (response) => response.destroy();
    const error = await wake(again.device.accountId).catch((cause: unknown) => cause as Error);
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    expect(JSON.stringify(nodes.logged) + String((error as Error).stack)).not.toContain('capability');
  });
});
