/** Prevents: requests that no phone sends from doing anything at the API of phones. Every address of its description is in the table by itself. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { factorCollection } from '../../src/factors/store.js';
import { overHttp, Phone } from '../plugins/app/phone.js';
import { eventually } from '../sms/support.js';
import { startApp, type TestApp } from '../support/app.js';
import { FakeClock } from '../support/clock.js';
import { MEGABYTE, NONSENSE, PARAMETERS } from './attacks.js';
import { rawRequest } from './raw.js';
import { enrolAuthenticator, snapshot } from './support.js';

const ORIGIN = { requestId: 'test', browser: 'browser-of-the-test' };
/** Of accepted requests: what a phone that signs may write. */
const LEFT_OUT = ['attempts', 'audit_events', 'app_requests'];

let app: TestApp;
let phone: Phone;
let paths: string[];
beforeAll(async () => {
  // It stands still: when a phone was heard of last is written once a minute.
  const clock = new FakeClock(new Date('2046-03-02T09:00:00Z'));
  app = await startApp({ methods: [{ id: 'totp' }, { id: 'app' }] }, { clock });
  const anna = await app.account('anna@example.com');
  await enrolAuthenticator(app, anna, () => clock.now());
  const { engine } = app.app;
  const step = await engine.beginEnrolment(anna, 'app', ORIGIN);
  phone = await Phone.make(overHttp(app.issuer), app.issuer);
  await phone.pair({ code: String(step?.locals.pairHref).split('#')[1] });
  expect(await engine.confirmEnrolment(anna, 'app', { digits: phone.digits() }, ORIGIN)).toMatchObject({
    status: 'enrolled',
  });
  await phone.post('/device');
  // When it was heard of is written down a moment later.
  await eventually(async () => {
    const device = await factorCollection(app.database).findOne({ _id: phone.deviceId });
    return device?.data.lastContactAt instanceof Date || undefined;
  });
  const description = (await (await fetch(`${app.issuer}/device/v1/openapi.json`)).json()) as { paths: object };
  paths = Object.keys(description.paths).map((path) => path.replace(/\{\w+\}/g, 'A'.repeat(22)));
}, 60_000);
afterAll(() => app.stop());

/** Texts that are sent as a body. */
const BODIES: [string, string][] = [
  ['nothing', ''],
  ['no JSON', '{'],
  ['null', 'null'],
  ['a list', '[]'],
  ['a number', '7'],
  ['a text', '"x"'],
  ['an unknown member', '{"isAdmin":true}'],
  ['a name of Object.prototype', '{"__proto__":{"x":1},"constructor":1}'],
  ['operators', '{"code":{"$ne":""},"login":{"$gt":""},"answer":{"$ne":1},"subscription":{"$where":"1"}}'],
  ['lists', '{"code":["x"],"answer":["x"],"subscription":["x"]}'],
  ['texts that are none', '{"code":"\\u0000","answer":"a.b.c","subscription":{"endpoint":"x","keys":{}}}'],
  ['half a surrogate pair', '{"answer":"\\ud800","code":"\\ud800"}'],
  ['deep nesting', '['.repeat(8_000) + ']'.repeat(8_000)],
  ['a long text', `{"answer":"${'x'.repeat(16_000)}"}`],
];

test('there are addresses to attack', () => {
  expect(paths).toEqual(expect.arrayContaining(['/pairing', '/device', '/remove']));
});

test('signed nonsense is refused at every address, and changes nothing', async () => {
  const before = await snapshot(app, LEFT_OUT);
  for (const path of paths.filter((one) => one !== '/pairing')) {
    for (const [name, text] of BODIES) {
      const bh = createHash('sha256').update(text).digest('base64url');
      const answer = await phone.post(path, {}, { claims: { bh }, sentBody: text });
      expect({ path, name, status: answer.status, code: answer.body.code }).toEqual({
        path,
        name,
        status: 400,
        code: 'BAD_REQUEST',
      });
      expect(answer.body.serverTime).toMatch(/Z$/);
      expect(answer.headers['Device-Nonce']).toMatch(/^[\w-]{43}$/);
    }
  }
  expect(await snapshot(app, LEFT_OUT)).toEqual(before);
}, 60_000);

test('what is not signed, or not by a phone that is known, is refused and writes nothing at all', async () => {
  const stranger = await Phone.make(overHttp(app.issuer), app.issuer);
  const leftOut = ['attempts', 'audit_events'];
  const before = await snapshot(app, leftOut);
  for (const path of paths) {
    for (const [name, body] of [...BODIES, ['an empty object', '{}'] as const]) {
      for (const signature of ['', 'a.b.c', '..', 'x'.repeat(8_000), '\u00ff', 'e30.e30.e30', 'bnVsbA.e30.AA']) {
        const answer = await stranger.repeat({
          path,
          headers: { 'content-type': 'application/json', 'device-signature': signature },
          body,
        });
        const expected = path === '/pairing' ? 400 : 401;
        expect({ path, name, signature, status: answer.status }).toEqual({ path, name, signature, status: expected });
      }
    }
    expect(await stranger.post(path)).toMatchObject({ status: path === '/pairing' ? 400 : 401 });
  }
  expect(await snapshot(app, leftOut)).toEqual(before);
}, 120_000);

test('strange addresses, other verbs, too much of anything, headers with nonsense: a clear answer', async () => {
  const before = await snapshot(app, LEFT_OUT);
  const { host } = new URL(app.issuer);
  for (const parameter of PARAMETERS) {
    for (const shape of [`/device/v1/${parameter}`, `/device/v1/challenges/${parameter}/answer`]) {
      const { status } = await rawRequest(app.port, shape, {
        method: 'POST',
        headers: { host },
        chunks: [Buffer.from('{}')],
      });
      expect({ shape: shape.slice(0, 60), isClear: status >= 400 && status < 500 }).toMatchObject({ isClear: true });
    }
  }
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) {
    const { status } = await fetch(`${app.issuer}/device/v1/device`, { method });
    expect({ method, isClear: status >= 400 && status < 500 }).toMatchObject({ isClear: true });
  }
  const large = await fetch(`${app.issuer}/device/v1/device`, { method: 'POST', body: MEGABYTE });
  expect(large.status).toBe(413);
  for (const headers of NONSENSE) {
    const answer = await rawRequest(app.port, '/device/v1/device', { method: 'POST', headers: { host, ...headers } });
    expect({ headers: JSON.stringify(headers).slice(0, 60), isClear: answer.status < 500 }).toMatchObject({
      isClear: true,
    });
  }
  const foreign = await rawRequest(app.port, '/device/v1/device', {
    method: 'POST',
    headers: { host: 'evil.example' },
  });
  expect(foreign.status).toBe(421);
  expect(await snapshot(app, LEFT_OUT)).toEqual(before);
}, 60_000);

test('a signed request for another server, and one from a server that has another address, are refused', async () => {
  const elsewhere = randomBytes(4).toString('hex');
  for (const claims of [
    { aud: `http://${elsewhere}.example` },
    { htu: `http://${elsewhere}.example/device/v1/device` },
    { htu: `${app.issuer}/device/v1/device?x=1` },
    { htu: `${app.issuer}/device/v1/device#x` },
    { htu: `${app.issuer}//device/v1/device` },
  ])
    expect(await phone.post('/device', {}, { claims })).toMatchObject({
      status: 401,
      body: { code: 'DEVICE_REFUSED' },
    });
  // A query is no part of the address that is signed.
  expect((await phone.post('/device', {}, { sentPath: '/device?x=1' })).status).toBe(200);
});
