/** The stand-in answers as Twilio does: what a client may rely on there, it can rely on here. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startTwilio, type TwilioStandIn } from '../../src/demo/twilio/index.js';

const SID = `AC${'0a'.repeat(16)}`;
const TOKEN = 'token';
const FORM = { To: '+4915123456789', From: '+4915550000001', Body: 'Hello' };

let twilio: TwilioStandIn;
const heard: string[] = [];

beforeAll(async () => {
  const onMessage = ({ body }: { body: string }) => void heard.push(body);
  twilio = await startTwilio({ accountSid: SID, authToken: TOKEN, callbackEveryMs: 5, onMessage });
});
beforeEach(() => twilio.reset());
afterAll(() => twilio.stop());

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

async function post(
  form: Record<string, string>,
  {
    path = `/2010-04-01/Accounts/${SID}/Messages.json`,
    authorization = basic(SID, TOKEN),
    method = 'POST',
    type = 'application/x-www-form-urlencoded',
  } = {},
) {
  const response = await fetch(twilio.url + path, {
    method,
    headers: { authorization, 'content-type': type },
    ...(method === 'GET' ? {} : { body: new URLSearchParams(form).toString() }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const without = (name: keyof typeof FORM) => Object.fromEntries(Object.entries(FORM).filter(([key]) => key !== name));

describe('a message that is taken', () => {
  it('is answered with the whole resource', async () => {
    const { status, body } = await post(FORM);
    const sid = twilio.messages[0]?.sid ?? '';
    expect(sid).toMatch(/^SM[0-9a-f]{32}$/);
    const path = `/2010-04-01/Accounts/${SID}/Messages/${sid}`;
    const at = expect.stringMatching(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/);
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        account_sid: SID,
        api_version: '2010-04-01',
        body: 'Hello',
        date_created: at,
        date_sent: null,
        date_updated: at,
        direction: 'outbound-api',
        error_code: null,
        error_message: null,
        from: FORM.From,
        messaging_service_sid: null,
        num_media: '0',
        num_segments: '1',
        price: null,
        price_unit: null,
        sid,
        status: 'queued',
        subresource_uris: { media: `${path}/Media.json` },
        to: FORM.To,
        uri: `${path}.json`,
      },
    });
    expect(heard.at(-1)).toBe('Hello');
  });

  it('of a messaging service has no sender and no parts yet', async () => {
    const { body } = await post({ ...without('From'), MessagingServiceSid: `MG${'0'.repeat(32)}` });
    expect(body).toMatchObject({ from: null, status: 'accepted', num_segments: '0' });
  });

  it.each([
    ['a'.repeat(160), '1'],
    ['a'.repeat(161), '2'],
    ['a'.repeat(307), '3'],
    ['€'.repeat(80), '1'],
    ['€'.repeat(81), '2'],
    ['ł'.repeat(70), '1'],
    ['ł'.repeat(71), '2'],
  ])('has as many parts as are billed', async (Body, parts) => {
    expect((await post({ ...FORM, Body })).body.num_segments).toBe(parts);
  });

  it('is kept, newest first, 200 of them', async () => {
    for (let n = 0; n < 205; n += 1) await post({ ...FORM, Body: `n ${n}` });
    expect(twilio.messages).toHaveLength(200);
    expect(twilio.messages[0]?.body).toBe('n 204');
  });
});

describe('a message that is not', () => {
  const answer = (status: number, code: number, message: unknown = expect.any(String)) => ({
    status,
    body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
  });

  it.each<[string, Parameters<typeof post>, ReturnType<typeof answer>]>([
    ['no number', [without('To')], answer(400, 21604, "A 'To' phone number is required.")],
    ['no text', [without('Body')], answer(400, 21602, 'Message body is required.')],
    ['no sender', [without('From')], answer(400, 21603, "A 'From' phone number is required.")],
    ['no number that is one', [{ ...FORM, To: '12' }], answer(400, 21211)],
    ['too long a text', [{ ...FORM, Body: 'a'.repeat(1_601) }], answer(400, 21617)],
    ['a callback to somebody else', [{ ...FORM, StatusCallback: 'https://example.com/' }], answer(400, 21609)],
    ['a form of another kind', [FORM, { type: 'application/json' }], answer(400, 21604)],
    ['another token', [FORM, { authorization: basic(SID, 'other') }], answer(401, 20003, 'Authenticate')],
    ['nobody', [FORM, { authorization: 'Basic' }], answer(401, 20003)],
    ['an API key that is none', [FORM, { authorization: basic('undefined', 'undefined') }], answer(401, 20003)],
    ['another account', [FORM, { path: '/2010-04-01/Accounts/AC1/Messages.json' }], answer(404, 20404)],
    ['another method', [FORM, { method: 'GET' }], answer(404, 20404)],
  ])('%s', async (_name, request, expected) => {
    expect(await post(...request)).toEqual(expected);
    expect(twilio.messages).toEqual([]);
  });

  it.each([
    [21211, 400],
    [21610, 400],
    [21614, 400],
    [20429, 429],
    [20500, 500],
  ])('as it is planned for its number: %i', async (errorCode, status) => {
    twilio.plan({ errorCode }, FORM.To);
    expect(await post(FORM)).toEqual(answer(status, errorCode));
    expect((await post({ ...FORM, To: '+4915123456780' })).status).toBe(201);
    twilio.reset();
    expect((await post(FORM)).status).toBe(201);
  });
});

it('ends at once, whatever is still open', async () => {
  const own = await startTwilio({ accountSid: SID, authToken: TOKEN, callbackEveryMs: 60_000 });
  own.plan({ hangs: true }, FORM.To);
  const send = (To: string) =>
    fetch(`${own.url}/2010-04-01/Accounts/${SID}/Messages.json`, {
      method: 'POST',
      headers: { authorization: basic(SID, TOKEN), 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...FORM, To }).toString(),
    });
  const hanging = send(FORM.To).then(
    () => 'answered',
    () => 'broken off',
  );
  expect((await send('+4915123456780')).status).toBe(201);
  const start = performance.now();
  await own.stop();
  expect(await hanging).toBe('broken off');
  expect(performance.now() - start).toBeLessThan(500);
});
