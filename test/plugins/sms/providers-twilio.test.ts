/** Twilio through its own SDK, over HTTP, against the stand-in and against servers that answer what no stand-in would. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startTwilio, type TwilioStandIn } from '../../../src/demo/twilio/index.js';
import {
  ACCOUNT_SID,
  AUTH_TOKEN,
  listeningLogger,
  MESSAGE,
  makeProviders,
  nobody,
  SENDER,
  type SomeServer,
  someServer,
  trickle,
  twilioSettings,
} from './providers-support.js';

let twilio: TwilioStandIn;
const servers: SomeServer[] = [];

beforeAll(async () => {
  twilio = await startTwilio({
    accountSid: ACCOUNT_SID,
    authToken: AUTH_TOKEN,
    apiKey: { sid: `SK${'1b'.repeat(16)}`, secret: 'canary-key-secret' },
    callbackEveryMs: 5,
  });
});
beforeEach(() => twilio.reset());
afterAll(async () => {
  await twilio.stop();
  for (const server of servers) await server.stop();
});

const provider = (settings: Record<string, unknown> = {}, deps = {}) =>
  makeProviders([twilioSettings({ apiBase: twilio.url, statusCallbacks: false, ...settings })], deps).find('twilio');

const send = (settings: Record<string, unknown> = {}, message = MESSAGE) => provider(settings)?.send(message);

describe('a message', () => {
  it('is accepted with its id, and goes out as it is told', async () => {
    const handOver = await send();
    const [kept] = twilio.messages;
    expect(handOver).toEqual({ status: 'accepted', providerMessageId: kept?.sid });
    expect(kept).toMatchObject({ to: MESSAGE.to, from: SENDER, body: MESSAGE.text, validityPeriod: 300 });
    expect(kept?.statusCallback).toBeUndefined();
  });

  it('goes out by a messaging service, and with an API key', async () => {
    const messagingServiceSid = `MG${'2c'.repeat(16)}`;
    const settings = {
      from: undefined,
      messagingServiceSid,
      apiKeySid: `SK${'1b'.repeat(16)}`,
      api_key_secret_env: 'API_KEY_SECRET',
    };
    expect(await send(settings)).toMatchObject({ status: 'accepted' });
    expect(twilio.messages[0]).toMatchObject({ messagingServiceSid, from: undefined });
  });

  it('names the address of its status callback, the id in it encoded', async () => {
    const message = { ...MESSAGE, id: 'a/b?c' };
    // The stand-in calls nobody outside the machine.
    const callbackBase = 'http://127.0.0.1:9/callbacks/sms';
    await makeProviders([twilioSettings({ apiBase: twilio.url })], { callbackBase }).send(message);
    expect(twilio.messages[0]?.statusCallback).toBe(`${callbackBase}/twilio/a%2Fb%3Fc`);
  });
});

describe('a refusal', () => {
  const about = (reason: string, code: string, isAboutNumber: boolean) => ({
    status: 'refused',
    reason,
    code,
    isAboutNumber,
  });

  it.each([
    [21211, about('number_unusable', '21211', true)],
    [21614, about('number_unusable', '21614', true)],
    [21610, about('unsubscribed', '21610', true)],
    [21612, about('unreachable', '21612', false)],
    [21408, about('provider_trouble', '21408', false)],
    [20429, about('provider_trouble', '20429', false)],
    [20500, about('provider_trouble', '20500', false)],
    [20503, about('provider_trouble', '20503', false)],
  ])('%i', async (errorCode, expected) => {
    twilio.plan({ errorCode });
    expect(await send()).toEqual(expected);
    expect(twilio.messages).toEqual([]);
  });

  it.each([
    ['+15005550001', '21211'],
    ['+15005550002', '21612'],
    ['+15005550003', '21408'],
    ['+15005550004', '21610'],
    ['+15005550009', '21614'],
  ])('of the magic number %s', async (to, code) => {
    expect(await send({}, { ...MESSAGE, to })).toMatchObject({ status: 'refused', code });
  });

  it('of the sender, of wrong credentials and of a wrong account is trouble of ours', async () => {
    expect(await send({ from: '+15005550007' })).toEqual(about('provider_trouble', '21606', false));
    expect(await send({ accountSid: `AC${'0b'.repeat(16)}` })).toEqual(about('provider_trouble', '20003', false));
    const deps = { secret: () => 'another-token' };
    expect(await provider({}, deps)?.send(MESSAGE)).toEqual(about('provider_trouble', '20003', false));
  });

  it('of the connection was surely not sent', async () => {
    expect(await send({ apiBase: await nobody() })).toEqual(about('provider_trouble', 'ECONNREFUSED', false));
    expect(await send({ apiBase: 'https://no-such-host.invalid' })).toMatchObject({
      status: 'refused',
      reason: 'provider_trouble',
    });
  });

  it('does not ask a second time by itself', async () => {
    twilio.plan({ errorCode: 20429 });
    const before = twilio.requests;
    await send();
    expect(twilio.requests - before).toBe(1);
  });
});

describe('nobody knows what became of it', () => {
  const within = async (work: () => Promise<unknown> | undefined) => {
    const start = performance.now();
    const result = await work();
    return { result, ms: performance.now() - start };
  };

  it('where no answer comes in time', async () => {
    twilio.plan({ hangs: true });
    const { result, ms } = await within(() => send({ timeoutMs: 300 }));
    expect(result).toEqual({ status: 'unknown', code: 'TIMEOUT' });
    expect(ms).toBeLessThan(800);
  });

  it('where it comes too late: the message was sent', async () => {
    twilio.plan({ slowMs: 500 });
    expect(await send({ timeoutMs: 200 })).toEqual({ status: 'unknown', code: 'TIMEOUT' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(twilio.messages).toHaveLength(1);
  });

  it('where the connection breaks', async () => {
    twilio.plan({ breaksOff: true });
    expect(await send()).toEqual({ status: 'unknown', code: 'ECONNRESET' });
  });

  const json = { 'content-type': 'application/json' };
  it.each<[string, Parameters<typeof someServer>[0], string]>([
    ['an answer that trickles in', (response) => trickle(response, 201), 'TIMEOUT'],
    [
      'an answer without end',
      (response) => response.writeHead(201, json).end(`"${'x'.repeat(1_000_000)}"`),
      'ERR_BAD_RESPONSE',
    ],
    ['a page instead of an answer', (response) => response.writeHead(200).end('<html>'), 'ANSWER_UNREADABLE'],
    ['an empty answer', (response) => response.writeHead(201).end(), 'ANSWER_UNREADABLE'],
    ['null', (response) => response.writeHead(201, json).end('null'), 'ANSWER_UNREADABLE'],
    ['no id', (response) => response.writeHead(201, json).end('{}'), 'ANSWER_UNREADABLE'],
    ['the page of a gateway', (response) => response.writeHead(502).end('<html>'), 'HTTP_502'],
    ['a gateway without a word', (response) => response.writeHead(504).end(), 'HTTP_504'],
  ])('%s', async (_name, answer, code) => {
    const server = await someServer(answer);
    servers.push(server);
    const { result, ms } = await within(() => send({ apiBase: server.url, timeoutMs: 300 }));
    expect(result).toEqual({ status: 'unknown', code });
    expect(ms).toBeLessThan(800);
  });

  it('follows no redirect: number and text stay', async () => {
    const elsewhere = await someServer((response) => response.writeHead(201).end('{"sid":"SM1"}'));
    const server = await someServer((response) => response.writeHead(307, { location: elsewhere.url }).end());
    servers.push(elsewhere, server);
    expect(await send({ apiBase: server.url })).toMatchObject({ status: 'refused', code: 'HTTP_307' });
    expect(elsewhere.received).toEqual([]);
  });
});

describe('number, text and secrets', () => {
  it('stand in no line of the log and in no outcome, whatever goes wrong', async () => {
    const { logger, lines } = listeningLogger();
    const printed: string[] = [];
    const write = process.stderr.write.bind(process.stderr);
    process.stderr.write = ((chunk: unknown) => printed.push(String(chunk)) > 0) as typeof process.stderr.write;
    const outcomes: unknown[] = [];
    const over = async (settings: Record<string, unknown>) => {
      const all = [twilioSettings({ apiBase: twilio.url, statusCallbacks: false, timeoutMs: 200, ...settings })];
      outcomes.push(await makeProviders(all, { logger }).send(MESSAGE));
    };
    const echo = await someServer((response, { body, headers }) =>
      response.writeHead(400).end(JSON.stringify({ code: `${body}`, message: body, more_info: headers.authorization })),
    );
    servers.push(echo);
    try {
      for (const errorCode of [21211, 21610, 21614, 21612, 20429, 20500, 20003]) {
        twilio.plan({ errorCode });
        await over({});
      }
      twilio.plan({ hangs: true });
      await over({});
      twilio.plan({ breaksOff: true });
      await over({});
      await over({ apiBase: await nobody() });
      await over({ apiBase: echo.url });
      expect(outcomes.at(-1)).toMatchObject({ handOver: { status: 'refused', code: 'HTTP_400' } });
    } finally {
      process.stderr.write = write;
    }
    const seen = lines() + printed.join('') + JSON.stringify(outcomes);
    expect(lines().split('\n').length).toBeGreaterThan(10);
    const basic = Buffer.from(`${ACCOUNT_SID}:${AUTH_TOKEN}`).toString('base64');
    for (const canary of [MESSAGE.to, MESSAGE.to.slice(1), 'canary', '271828', AUTH_TOKEN, basic])
      expect([canary, seen.includes(canary)]).toEqual([canary, false]);
  });
});
