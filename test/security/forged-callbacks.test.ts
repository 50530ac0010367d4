/** Prevents: whoever knows the address of status callbacks from doing anything there at all. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { sign } from '../../src/demo/twilio/index.js';
import { AUTH_TOKEN, codeSent, personWithPhone, startTexting, type Texting } from '../sms/support.js';
import { MEGABYTE } from './attacks.js';
import { rawBytes } from './raw.js';
import { snapshot } from './support.js';

const NUMBER = '+12125550171';
const lines: string[] = [];
const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
let texting: Texting;
/** Of a message that Twilio has in hand. */
let callback: string;
let before: Awaited<ReturnType<typeof snapshot>>;
beforeAll(async () => {
  texting = await startTexting({}, { logger });
  const account = await personWithPhone(texting, 'anna', '+12125550170');
  texting.twilio.plan({ isSilent: true }, NUMBER);
  const asked = { country: 'US', number: NUMBER };
  await texting.app.app.engine.confirmEnrolment(account, 'sms', asked, { requestId: 'test', browser: 'b' });
  await codeSent(texting.twilio, NUMBER);
  callback = texting.twilio.messages.find(({ to }) => to === NUMBER)?.statusCallback ?? '';
  // What the mails and texts of the set-up left to be done is done.
  await texting.app.app.outbox.stop();
  before = await snapshot(texting.app);
});
afterAll(() => texting.stop());

const FIELDS = { MessageSid: 'SM1', MessageStatus: 'failed', ErrorCode: '30003', To: NUMBER };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const post = async (url: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<number> =>
  (await fetch(url, { method: 'POST', headers: { ...FORM, ...headers }, body })).status;
const unchanged = async () => expect(await snapshot(texting.app)).toEqual(before);

test.each<[string, string | Buffer, number]>([
  ['nothing', '', 403],
  ['a megabyte', `MessageStatus=${MEGABYTE}`, 413],
  ['JSON', JSON.stringify(FIELDS), 403],
  ['operators', 'MessageStatus[$ne]=x&MessageSid[$gt]=', 403],
  ['names of Object.prototype', '__proto__=x&constructor=y&toString=z&MessageStatus=failed', 403],
  ['bytes that are not UTF-8', Buffer.from([0xff, 0xfe, 0x3d, 0xc0]), 403],
  ['NUL', 'MessageStatus=failed%00&ErrorCode=\0', 403],
  ['percent-encoding broken off', 'MessageStatus=%4&%=%ff', 403],
  ['thousands of fields', Array.from({ length: 2_500 }, (_, n) => `${n}=`).join('&'), 403],
])('%s, without a signature and with a wrong one', async (_name, body, status) => {
  for (const signature of ['', 'x', 'A'.repeat(28), '\u00ff'.repeat(28), 'A'.repeat(8_000)])
    expect(await post(callback, body, signature ? { 'x-twilio-signature': signature } : {})).toBe(status);
  await unchanged();
});

test('a right signature over fields of which one is there twice', async () => {
  for (const more of ['MessageStatus=delivered', 'ErrorCode=1', 'MessageStatus=failed']) {
    const body = `${new URLSearchParams(FIELDS)}&${more}`;
    const [name = '', value = ''] = more.split('=');
    for (const fields of [FIELDS, { ...FIELDS, [name]: value }])
      expect(await post(callback, body, { 'x-twilio-signature': sign(AUTH_TOKEN, callback, fields) })).toBe(403);
  }
  await unchanged();
});

test('a right signature for an address that is none of ours', async () => {
  const base = `${texting.app.issuer}/callbacks`;
  const id = callback.split('/').at(-1) ?? '';
  for (const path of [
    `sms/twilio/another`,
    `sms/twilio/${'x'.repeat(5_000)}`,
    `sms/twilio/%00`,
    `sms/twilio/%E0%A4%A`,
    `sms/twilio/%5B%22$ne%22%5D`,
    `sms/nobody/${id}`,
    `sms/__proto__/${id}`,
    `totp/twilio/${id}`,
    `constructor/twilio/${id}`,
    `sms/twilio/${id}/more`,
    `sms/twilio`,
  ]) {
    const url = `${base}/${path}`;
    const signature = sign(AUTH_TOKEN, url, FIELDS);
    const body = new URLSearchParams(FIELDS).toString();
    expect([path, await post(url, body, { 'x-twilio-signature': signature })]).toEqual([path, 404]);
  }
  await unchanged();
});

test('other methods, an address that names another host, and a signature that is there twice', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH'])
    expect([method, (await fetch(callback, { method })).status]).toEqual([method, 405]);
  const { host, pathname } = new URL(callback);
  const body = new URLSearchParams(FIELDS).toString();
  const rest = `Content-Type: ${FORM['content-type']}\r\nContent-Length: ${body.length}\r\nConnection: close`;
  const elsewhere = `https://login.evil.example${pathname}`;
  const good = sign(AUTH_TOKEN, callback, FIELDS);
  for (const [target, signatures] of [
    [elsewhere, [sign(AUTH_TOKEN, elsewhere, FIELDS)]],
    [pathname, [good, 'x']],
    [pathname, ['x', good]],
  ] as const) {
    const headers = signatures.map((one) => `X-Twilio-Signature: ${one}\r\n`).join('');
    const answer = await rawBytes(
      texting.app.port,
      `POST ${target} HTTP/1.1\r\nHost: ${host}\r\n${headers}${rest}\r\n\r\n${body}`,
    );
    expect([target, Number(answer.slice(9, 12))]).toEqual([target, 403]);
  }
  await unchanged();
});

test('nothing that was posted stands in the log', () => {
  expect(lines.filter((line) => line.includes('callback refused')).length).toBeGreaterThan(20);
  expect(lines.join('\n')).not.toContain(NUMBER.slice(2));
});

test('and the very same report, signed, is believed', async () => {
  const body = new URLSearchParams(FIELDS).toString();
  expect(await post(callback, body, { 'x-twilio-signature': sign(AUTH_TOKEN, callback, FIELDS) })).toBe(204);
  expect(await snapshot(texting.app)).not.toEqual(before);
});
