/** The setting `providers`: every problem with its place, and no value in any of them. */
import { describe, expect, it } from '@jest/globals';
import { ZodError } from 'zod';
import { providersSchema } from '../../../plugins/sms/providers/index.js';
import { MESSAGE, makeProviders, twilioSettings } from './providers-support.js';

const JSON_BODY = { json: { to: '{to}', text: '{text}' } };
const http = (more: Record<string, unknown> = {}) => ({
  name: 'second',
  type: 'http',
  url: 'https://sms.example.com/send',
  body: JSON_BODY,
  ...more,
});

const places = (raw: unknown): string[] => {
  const parsed = providersSchema.safeParse(raw);
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.map(String).join('.'));
};

describe('what is right', () => {
  it.each<[string, unknown]>([
    ['Twilio with a number', twilioSettings()],
    ['Twilio with a name', twilioSettings({ from: 'Example AG' })],
    ['Twilio with a short code', twilioSettings({ from: '72345' })],
    ['Twilio with a service', twilioSettings({ from: undefined, messagingServiceSid: `MG${'0'.repeat(32)}` })],
    ['Twilio in a region', twilioSettings({ apiBase: 'https://api.dublin.ie1.twilio.com' })],
    ['a stand-in on this machine', twilioSettings({ apiBase: 'http://127.0.0.1:5001' })],
    ['a described one', http()],
    ['one with a form', http({ body: { form: { number: '{toDigits}', content: '{text}', ref: '{id}' } } })],
    ['the development transport', { name: 'outbox', type: 'outbox' }],
  ])('%s', (_name, provider) => {
    expect(places([provider])).toEqual([]);
  });

  it('has its defaults', () => {
    expect(providersSchema.parse([twilioSettings({ timeoutMs: undefined }), http()])).toMatchObject([
      { timeoutMs: 5_000, statusCallbacks: true },
      { timeoutMs: 5_000, method: 'POST', success: [200, 201, 202], headers: {} },
    ]);
  });
});

describe('what is wrong is named by its place', () => {
  it.each<[string, unknown[], string[]]>([
    ['nobody', [], ['']],
    ['another type', [{ name: 'x', type: 'fax' }], ['0.type']],
    ['the same name twice', [http(), http()], ['1.name']],
    ['a name that would not fit a path', [http({ name: 'a/b' })], ['0.name']],
    ['a setting that is none', [http({ redirect: true })], ['0']],
    ['no sender', [twilioSettings({ from: undefined })], ['0.from']],
    ['two senders', [twilioSettings({ messagingServiceSid: `MG${'0'.repeat(32)}` })], ['0.messagingServiceSid']],
    ['a sender that is none', [twilioSettings({ from: '+0123' })], ['0.from']],
    ['a key without its secret', [twilioSettings({ apiKeySid: `SK${'0'.repeat(32)}` })], ['0.api_key_secret_env']],
    ['a secret without its key', [twilioSettings({ api_key_secret_env: 'X' })], ['0.apiKeySid']],
    ['an account that is none', [twilioSettings({ accountSid: 'AC1' })], ['0.accountSid']],
    ['plain http', [twilioSettings({ apiBase: 'http://api.twilio.com' })], ['0.apiBase']],
    ['plain http, nearly local', [http({ url: 'http://127.0.0.1.example.com/' })], ['0.url']],
    ['plain http to a number that is not local', [http({ url: 'http://128.0.0.1/' })], ['0.url']],
    ['another scheme', [http({ url: 'file:///etc/passwd' })], ['0.url']],
    ['a password in the URL', [http({ url: 'https://a:b@sms.example.com/' })], ['0.url']],
    ['the number in the URL', [http({ url: 'https://sms.example.com/{to}' })], ['0.url']],
    ['the number in the query', [http({ url: 'https://sms.example.com/?to={toDigits}' })], ['0.url']],
    ['the text in the URL, encoded', [http({ url: 'https://sms.example.com/?t=%7Btext%7D' })], ['0.url']],
    ['the number in a header', [http({ headers: { 'x-to': '{to}' } })], ['0.headers.x-to']],
    ['a header of ours', [http({ headers: { 'Content-Type': 'text/plain' } })], ['0.headers.Content-Type']],
    ['a line break in a header', [http({ headers: { a: 'b\r\nc: d' } })], ['0.headers.a']],
    ['GET', [http({ method: 'GET' })], ['0.method']],
    ['no number', [http({ body: { json: { text: '{text}' } } })], ['0.body.json']],
    ['no text', [http({ body: { form: { to: '{to}' } } })], ['0.body.form']],
    ['a placeholder that is none', [http({ body: { json: ['{to}', '{text}', '{code}'] } })], ['0.body.json']],
    ['two bodies', [http({ body: { ...JSON_BODY, form: {} } })], ['0.body']],
    ['a redirect that counts as success', [http({ success: [302] })], ['0.success.0']],
    ['a time that is too long', [http({ timeoutMs: 60_000 })], ['0.timeoutMs', '']],
    [
      'several things in several places',
      [twilioSettings({ from: 'ä', timeoutMs: 0 }), http({ url: 'x' })],
      ['0.from', '0.timeoutMs', '1.url'],
    ],
  ])('%s', (_name, raw, expected) => {
    expect(places(raw)).toEqual(expected);
  });

  it('and no value is quoted', () => {
    const canary = 'canary-secret';
    const parsed = providersSchema.safeParse([
      twilioSettings({ auth_token_env: canary, accountSid: canary, from: `${canary}!`, apiBase: canary }),
      http({ headers: { authorization: { secret: canary } }, url: `https://${canary}:x@sms.example.com/{to}` }),
      { name: canary, type: canary },
    ]);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues.length).toBeGreaterThan(6);
    expect(parsed.error?.message).not.toContain(canary);
  });
});

describe('secrets', () => {
  const list = [
    twilioSettings({ apiKeySid: `SK${'0'.repeat(32)}`, api_key_secret_env: 'KEY' }),
    http({ headers: { authorization: { secret_env: 'SECOND' }, 'x-other': { secret_env: 'OTHER' } } }),
  ];
  const problemsWith = (secret: (variable: string) => string | undefined) => {
    try {
      makeProviders(list, { secret });
      return [];
    } catch (error) {
      if (!(error instanceof ZodError)) throw error;
      return error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
    }
  };

  it('that are missing are all named, each at its place', () => {
    expect(problemsWith(() => undefined)).toEqual([
      '0.auth_token_env: the environment variable TWILIO_AUTH_TOKEN is not set',
      '0.api_key_secret_env: the environment variable KEY is not set',
      '1.headers.authorization.secret_env: the environment variable SECOND is not set',
      '1.headers.x-other.secret_env: the environment variable OTHER is not set',
    ]);
    expect(problemsWith(() => 'secret')).toEqual([]);
  });

  it.each(['canary\nx', 'canary-ä', ' canary', 'canary '])(
    'that cannot stand in a header are not quoted: %j',
    (value) => {
      const problems = problemsWith((variable) => (variable === 'SECOND' ? value : 'fine'));
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(/^1\.headers\.authorization\.secret_env: what SECOND holds/);
      expect(problems[0]).not.toContain('canary');
    },
  );

  it('that cannot be read are told as whoever reads them tells it', () => {
    const fail = () => {
      throw new Error('is set twice');
    };
    expect(problemsWith(fail)[0]).toBe('0.auth_token_env: is set twice');
  });
});

describe('the development transport', () => {
  const outbox = [{ name: 'outbox', type: 'outbox' }];

  it('keeps what it is given, which then has arrived', async () => {
    const kept: unknown[] = [];
    const providers = makeProviders(outbox, { keepText: async (text) => void kept.push(text) });
    const handOver = { status: 'accepted', isDelivered: true };
    expect(await providers.send(MESSAGE)).toEqual({ handOver, provider: 'outbox', mayHaveSent: ['outbox'] });
    expect(kept).toEqual([MESSAGE]);
    expect(providers.find('outbox')?.readCallback).toBeUndefined();
    expect(providers.find('twilio')).toBeUndefined();
  });

  it('does not throw where it cannot', async () => {
    const keepText = () => Promise.reject(new Error(MESSAGE.to));
    expect((await makeProviders(outbox, { keepText }).send(MESSAGE)).handOver).toMatchObject({ status: 'refused' });
  });
});
