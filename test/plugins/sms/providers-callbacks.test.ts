/** What Twilio reports later: believed only with its signature, over the very address that it was told. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { StatusCallback } from '../../../plugins/sms/providers/index.js';
import { sign, startTwilio, type TwilioStandIn } from '../../../src/demo/twilio/index.js';
import {
  ACCOUNT_SID,
  AUTH_TOKEN,
  CALLBACK_BASE,
  MESSAGE,
  makeProviders,
  type SomeServer,
  someServer,
  twilioSettings,
} from './providers-support.js';

const URL_CALLED = `${CALLBACK_BASE}/twilio/msg-1`;
const FIELDS = { MessageSid: 'SM1', MessageStatus: 'delivered', To: MESSAGE.to, AccountSid: ACCOUNT_SID };

const provider = makeProviders([twilioSettings()]).find('twilio');

const read = (callback: Partial<StatusCallback>) =>
  provider?.readCallback?.({ messageId: 'msg-1', url: URL_CALLED, headers: {}, body: '', ...callback });

/** As Twilio would send it. */
const signed = (fields: Record<string, string>, url = URL_CALLED, token = AUTH_TOKEN): Partial<StatusCallback> => ({
  headers: { 'x-twilio-signature': sign(token, url, fields) },
  body: new URLSearchParams(fields).toString(),
});

describe('a status callback', () => {
  it.each([
    [{ MessageStatus: 'sent' }, { status: 'sent' }],
    [{ MessageStatus: 'delivered' }, { status: 'delivered' }],
    [
      { MessageStatus: 'undelivered', ErrorCode: '30003' },
      { status: 'failed', reason: 'unreachable', code: '30003' },
    ],
    [
      { MessageStatus: 'undelivered', ErrorCode: '30005' },
      { status: 'failed', reason: 'number_unusable', code: '30005' },
    ],
    [
      { MessageStatus: 'undelivered', ErrorCode: '30006' },
      { status: 'failed', reason: 'unreachable', code: '30006' },
    ],
    [
      { MessageStatus: 'undelivered', ErrorCode: '30007' },
      { status: 'failed', reason: 'blocked', code: '30007' },
    ],
    [
      { MessageStatus: 'failed', ErrorCode: '30008' },
      { status: 'failed', reason: 'provider_trouble', code: '30008' },
    ],
    [{ MessageStatus: 'failed' }, { status: 'failed', reason: 'provider_trouble', code: 'UNKNOWN' }],
  ])('%j', async (fields, expected) => {
    const receipt = await read(signed({ ...FIELDS, ...fields }));
    expect(receipt).toEqual({ messageId: 'msg-1', providerMessageId: 'SM1', ...expected });
  });

  it.each(['queued', 'accepted', 'sending', 'scheduled', '__proto__', 'toString', ''])(
    '%j says nothing new',
    async (status) => {
      expect(await read(signed({ ...FIELDS, MessageStatus: status }))).toBeUndefined();
    },
  );

  it('is known by Twilio’s own example', () => {
    const url = 'https://mycompany.com/myapp.php?foo=1&bar=2';
    const fields = {
      CallSid: 'CA1234567890ABCDE',
      Caller: '+12349013030',
      Digits: '1234',
      From: '+12349013030',
      To: '+18005551212',
    };
    expect(sign('12345', url, fields)).toBe('0/KCTR6DLpKmkAf8muzZqo1nDgQ=');
  });
});

describe('forged', () => {
  const good = signed(FIELDS);
  const header = (value: string | undefined) => ({ ...good, headers: { 'x-twilio-signature': value } });
  const signature = sign(AUTH_TOKEN, URL_CALLED, FIELDS);
  const sha256 = createHmac('sha256', AUTH_TOKEN).update(URL_CALLED).digest('base64');

  it.each<[string, Partial<StatusCallback>]>([
    ['without a signature', { ...good, headers: {} }],
    ['with an empty one', header('')],
    ['with one of the right length', header(Buffer.alloc(20).toString('base64'))],
    ['with one cut short', header(signature.slice(0, -1))],
    ['with one in other letters', header(signature.toLowerCase())],
    ['with another hash', header(sha256)],
    ['with umlauts', header('ä'.repeat(28))],
    ['signed with another token', signed(FIELDS, URL_CALLED, 'another')],
    ['signed with no token', signed(FIELDS, URL_CALLED, '')],
    ['of another message', { ...good, url: `${CALLBACK_BASE}/twilio/msg-2`, messageId: 'msg-2' }],
    ['at another host', { ...good, url: URL_CALLED.replace('login.example.com', 'login.example.org') }],
    ['with a query', { ...good, url: `${URL_CALLED}?a=b` }],
    ['over http', { ...good, url: URL_CALLED.replace('https', 'http') }],
    ['at no address', { ...good, url: 'nowhere' }],
    ['with another status', { ...good, body: good.body?.replace('delivered', 'failed') ?? '' }],
    ['with a field more', { ...good, body: `${good.body}&ErrorCode=30003` }],
    ['with a field less', { ...good, body: good.body?.replace(/&To=[^&]*/, '') ?? '' }],
    ['with a field twice', { ...good, body: `${good.body}&MessageStatus=failed` }],
    ['with the same field twice', { ...good, body: `${good.body}&MessageStatus=delivered` }],
    ['without a body', { ...good, body: '' }],
    ['as JSON', { ...good, body: JSON.stringify(FIELDS) }],
    ['of broken bytes', { ...good, body: '%%%=\u0000&&&=%ZZ' }],
  ])('%s', async (_name, callback) => {
    expect(await read(callback)).toBe('forged');
  });

  it('and the one they were made of is not', async () => {
    expect(await read(good)).toMatchObject({ status: 'delivered' });
  });
});

describe('nobody is called back', () => {
  it.each([
    ['where the configuration says so', { statusCallbacks: false }, CALLBACK_BASE],
    ['where Twilio could not reach us', {}, 'http://localhost:4000/callbacks/sms'],
  ])('%s', (_name, settings, callbackBase) => {
    const one = makeProviders([twilioSettings(settings)], { callbackBase }).find('twilio');
    expect(one?.readCallback).toBeUndefined();
  });
});

describe('the stand-in', () => {
  let twilio: TwilioStandIn;
  let us: SomeServer;
  beforeAll(async () => {
    twilio = await startTwilio({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN, callbackEveryMs: 10 });
    us = await someServer((response) => response.writeHead(204).end());
  });
  beforeEach(() => {
    twilio.reset();
    us.received.length = 0;
  });
  afterAll(async () => {
    await twilio.stop();
    await us.stop();
  });

  async function sendAndHear(): Promise<unknown[]> {
    const callbackBase = `${us.url}/callbacks/sms`;
    const providers = makeProviders([twilioSettings({ apiBase: twilio.url })], { callbackBase });
    await providers.send(MESSAGE);
    const deadline = Date.now() + 3_000;
    while (us.received.length < 3 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    return Promise.all(
      us.received.map(({ url, headers, body }) =>
        providers.find('twilio')?.readCallback?.({
          messageId: url.split('/').at(-1) ?? '',
          url: us.url + url,
          headers: headers as Record<string, string>,
          body,
        }),
      ),
    );
  }

  it('reports that a message was sent and delivered, in a way that the SDK believes', async () => {
    expect(await sendAndHear()).toEqual([
      undefined,
      { messageId: 'msg-1', providerMessageId: twilio.messages[0]?.sid, status: 'sent' },
      { messageId: 'msg-1', providerMessageId: twilio.messages[0]?.sid, status: 'delivered' },
    ]);
    expect(twilio.messages[0]).toMatchObject({ status: 'delivered' });
  });

  it.each([30003, 30006])('reports that it did not arrive: %i', async (errorCode) => {
    twilio.plan({ errorCode }, MESSAGE.to);
    expect((await sendAndHear()).at(-1)).toMatchObject({
      status: 'failed',
      reason: 'unreachable',
      code: String(errorCode),
    });
  });
});
