import { describe, expect, test } from '@jest/globals';
import type { AccountStore, PhoneAccount } from '../../plugins/app/phone/web/account-store.js';
import { createDeviceKey } from '../../plugins/app/phone/web/device-key.js';
import { importCodeKey } from '../../plugins/app/phone/web/one-time-code.js';
import { Phone } from '../../plugins/app/phone/web/phone.js';
import { Refusal } from '../../plugins/app/phone/web/protocol.js';

const NOW = Date.parse('2026-11-24T09:10:00.000Z');
const SERVER_TIME = '2026-11-24T09:10:42.000Z';

type Answer = [status: number, body: object];

/** A phone with one account; `answer` is the server. */
async function create(
  change: Partial<PhoneAccount>,
  answer: (path: string, body: string) => Answer | undefined | Promise<Answer>,
  stream?: ReadableStream<Uint8Array>,
) {
  const account: PhoneAccount = {
    id: 'device-1',
    key: await createDeviceKey(),
    code: { key: await importCodeKey(new Uint8Array(20), 'SHA1'), digits: 6, periodSeconds: 30 },
    login: 'anna',
    name: 'Anna',
    issuerName: 'Acme',
    state: 'active',
    expiresAt: SERVER_TIME,
    ...change,
  };
  const kept = new Map([[account.id, account]]);
  let offset: number | undefined;
  const store: AccountStore = {
    all: async () => [...kept.values()],
    put: async (one) => void kept.set(one.id, one),
    remove: async (id) => void kept.delete(id),
    clockOffset: async () => offset,
    keepClockOffset: async (offsetMs) => {
      offset = offsetMs;
    },
    language: async () => undefined,
    keepLanguage: async () => undefined,
  };
  const asked: string[] = [];
  const phone = await Phone.open({
    issuer: 'https://id.example',
    store,
    now: () => NOW,
    onChange: () => undefined,
    fetch: async (input, { body, signal } = {}) => {
      const path = new URL(String(input)).pathname;
      asked.push(path);
      if (path.endsWith('/watch') && stream) {
        const through = new TransformStream<Uint8Array, Uint8Array>();
        stream.pipeTo(through.writable, signal ? { signal } : {}).catch(() => undefined);
        return new Response(through.readable, { headers: { 'Content-Type': 'text/event-stream' } });
      }
      const [status, content] = (await answer(path, String(body))) ?? [0, {}];
      if (status === 0) throw new TypeError('no network');
      return new Response(JSON.stringify({ ...content, serverTime: SERVER_TIME }), { status });
    },
  });
  return { phone, account, kept, asked, offset: () => offset };
}

const refusedDevice: Answer = [401, { code: 'DEVICE_REFUSED' }];
const push = { publicKey: 'server-key', state: 'none' };
const stateOf = (change: object = {}): Answer => [
  200,
  { state: 'active', label: 'Pixel', issuerName: 'Acme', account: { login: 'anna', name: 'Anna' }, push, ...change },
];
const challenge = { id: 'c1', details: '{"at":"x"}', digits: 6, createdAt: SERVER_TIME, expiresAt: SERVER_TIME };

test('one refusal may be an accident, two are the end of the trust; a later yes takes it back', async () => {
  let refusals = 1;
  const { phone, kept, asked } = await create({}, () => {
    refusals -= 1;
    return refusals >= 0 ? refusedDevice : stateOf();
  });
  await phone.refresh();
  expect(phone.accounts[0]?.isRefused).toBeUndefined();
  refusals = 2;
  await phone.refresh();
  expect(kept.get('device-1')?.isRefused).toBe(true);
  asked.length = 0;
  await phone.look();
  expect(asked).toEqual([]);
  await phone.refresh();
  expect(kept.get('device-1')?.isRefused).toBeUndefined();
});

test('a pairing that the server does not know any more leaves no key behind', async () => {
  const { phone, kept } = await create({ state: 'pending' }, () => refusedDevice);
  await phone.look();
  expect([phone.accounts, kept.size]).toEqual([[], 0]);
});

test('no answer is no refusal: the account stays, and the app says that it is offline', async () => {
  const { phone, kept } = await create({}, () => undefined);
  await phone.refresh();
  await phone.look();
  expect([phone.isOffline, kept.get('device-1')?.isRefused]).toEqual([true, undefined]);
  await expect(phone.remove(phone.accounts[0] as PhoneAccount)).rejects.toBeInstanceOf(Refusal);
  expect(kept.size).toBe(1);
});

test('the server’s clock is kept for times without a network', async () => {
  const { phone, offset } = await create({}, () => [200, { challenges: [] }]);
  await phone.look();
  expect(offset()).toBe(42_000);
  expect(phone.serverNow()).toBe(NOW + 42_000);
});

test('a list that was on its way does not bring back what was answered', async () => {
  const { phone, account } = await create({}, (path) =>
    path.endsWith('/answer') ? [200, { outcome: 'postponed' }] : [200, { challenges: [challenge] }],
  );
  await phone.look();
  expect(phone.waiting.get('device-1')).toHaveLength(1);
  expect(await phone.answer(account, challenge, 'not_now')).toBe('postponed');
  await phone.look();
  expect(phone.waiting.get('device-1')).toEqual([]);
});

test('where to wake the phone is said once, and anew when the push service has given up', async () => {
  const sent: unknown[] = [];
  let state: object = push;
  const { phone } = await create({}, (path, body) => {
    if (!path.endsWith('/push')) return stateOf({ push: state });
    sent.push(JSON.parse(body));
    return [200, { push: { state: 'working' } }];
  });
  const wishes: unknown[][] = [];
  const subscribe = async (...wish: unknown[]) => {
    wishes.push(wish);
    return { endpoint: 'https://push.example/1', keys: { p256dh: 'p', auth: 'a' }, expirationTime: null };
  };
  await phone.refresh();
  await phone.wakeBy(subscribe);
  await phone.wakeBy(subscribe);
  expect(sent).toEqual([{ subscription: { endpoint: 'https://push.example/1', keys: { p256dh: 'p', auth: 'a' } } }]);
  state = { publicKey: 'server-key', state: 'failing' };
  await phone.refresh();
  await phone.wakeBy(subscribe);
  expect(wishes).toEqual([
    ['server-key', false],
    ['server-key', true],
  ]);
  await phone.wakeBy(async () => undefined);
  expect(sent).toHaveLength(2);
});

describe('listening', () => {
  /** The server's end of an answer that stays open. */
  const open = () => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const stream = new ReadableStream<Uint8Array>({
      start(own) {
        controller = own;
      },
    });
    return { stream, say: (text: string) => controller?.enqueue(new TextEncoder().encode(text)) };
  };
  const until = async (isSo: () => boolean): Promise<void> => {
    for (let tries = 0; !isSo(); tries += 1) {
      if (tries > 200) throw new Error('never');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const LIST = '/device/v1/challenges';

  test('what the server says is asked for, and nothing without its word', async () => {
    const { stream, say } = open();
    let challenges: object[] = [];
    const { phone, asked } = await create({}, () => [200, { challenges }], stream);
    const lists = (): number => asked.filter((path) => path === LIST).length;
    phone.listen();
    await until(() => asked.includes('/device/v1/watch'));
    // Nothing of it has come: something on the way may hold it back.
    await phone.look();
    expect(lists()).toBe(1);
    say('retry: 1000\n\n');
    await until(() => lists() === 2);
    await phone.look();
    expect(lists()).toBe(2);
    challenges = [challenge];
    say('event: chan');
    say('ged\r\ndata:\n\n:\n\n');
    await until(() => phone.waiting.get('device-1')?.length === 1);
    expect(lists()).toBe(3);
    phone.rest();
    await phone.look();
    expect(lists()).toBe(4);
  });

  test('a list that was not to be had is asked for again, also by a phone that is heard', async () => {
    const { stream, say } = open();
    let isAway = true;
    const { phone } = await create({}, () => (isAway ? undefined : [200, { challenges: [challenge] }]), stream);
    phone.listen();
    say('event: changed\n\n');
    await until(() => phone.isOffline);
    isAway = false;
    await phone.look();
    expect(phone.waiting.get('device-1')).toHaveLength(1);
    phone.rest();
  });

  test('what changed while a list was on its way is asked for once more', async () => {
    const { stream, say } = open();
    let answerFirst: (answer: Answer) => void = () => undefined;
    const first = new Promise<Answer>((resolve) => {
      answerFirst = resolve;
    });
    let lists = 0;
    const { phone, asked } = await create(
      {},
      () => {
        lists += 1;
        return lists === 1 ? first : [200, { challenges: [challenge] }];
      },
      stream,
    );
    const looking = phone.look();
    phone.listen();
    say('event: changed\n\n');
    await until(() => asked.includes('/device/v1/watch') && lists === 1);
    // Heard, and one list at a time.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(lists).toBe(1);
    answerFirst([200, { challenges: [] }]);
    await looking;
    expect(phone.waiting.get('device-1')).toHaveLength(1);
    phone.rest();
  });

  test('revoked: the state is asked for, twice, and the phone listens no more', async () => {
    const { stream, say } = open();
    const { phone, asked, kept } = await create({}, () => refusedDevice, stream);
    phone.listen();
    say('event: revoked\n\n');
    await until(() => kept.get('device-1')?.isRefused === true);
    phone.listen();
    await phone.look();
    expect(asked.filter((path) => path.endsWith('/watch'))).toHaveLength(1);
  });
});
