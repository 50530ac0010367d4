import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rawRequest } from '../../security/raw.js';
import { ADMIN_APP, type Administrator, administrator } from '../../support/administrator.js';
import { RP, startApp, type TestApp } from '../../support/app.js';

let app: TestApp;
let admin: Administrator;
beforeAll(async () => {
  app = await startApp((issuer) => ({ clients: [RP, ADMIN_APP(issuer)], api: { requestsPerMinute: 120 } }), {
    path: '/tenant',
  });
  admin = await administrator(app, 'admin@example.com', ['admin']);
});
afterAll(() => app.stop());

const send = (raw: string | Buffer, type = 'application/json') =>
  admin.request('POST', '/accounts', { raw, headers: { 'content-type': type, 'idempotency-key': randomUUID() } });

describe('a body', () => {
  test.each<[string, string | Buffer, string | undefined, number, string]>([
    ['broken JSON', '{"login":', undefined, 400, 'API_BODY_MALFORMED'],
    ['a list', '[]', undefined, 400, 'API_INPUT_INVALID'],
    ['nothing', 'null', undefined, 400, 'API_INPUT_INVALID'],
    ['NUL', '{"login":"a\\u0000","name":"A"}', undefined, 400, 'API_BODY_MALFORMED'],
    ['half a character', '{"login":"a\\ud800","name":"A"}', undefined, 400, 'API_BODY_MALFORMED'],
    [
      'bytes that are not UTF-8',
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      undefined,
      400,
      'API_BODY_MALFORMED',
    ],
    ['depth', `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`, undefined, 400, 'API_BODY_MALFORMED'],
    ['endless depth', '['.repeat(60_000), undefined, 400, 'API_BODY_MALFORMED'],
    ['a form', 'login=a', 'application/x-www-form-urlencoded', 415, 'API_CONTENT_TYPE'],
    ['another charset', '{}', 'application/json; charset=latin1', 415, 'API_CONTENT_TYPE'],
    ['too much', `"${'x'.repeat(70_000)}"`, undefined, 413, 'REQUEST_TOO_LARGE'],
    ['a prototype', '{"login":"a","name":"A","__proto__":{"x":1}}', undefined, 400, 'API_INPUT_INVALID'],
  ])('of %s is refused', async (_name, raw, type, status, code) => {
    const answer = await send(raw, type);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });
});

describe('a path', () => {
  test.each([
    '/accounts/%00',
    '/accounts/%ff',
    '/accounts/%2e%2e%2fme',
    '/accounts/a%20b',
    `/accounts/${'x'.repeat(300)}`,
    '/accounts/%7B%24ne%7D',
    '/accounts/',
    '/nothing',
  ])('%s is 404', async (path) => {
    const answer = await admin.get(path);
    expect([answer.status, answer.body.code]).toEqual([404, 'API_NOT_FOUND']);
  });

  test('a method that it does not have is 405, with those it has', async () => {
    const answer = await admin.request('PUT', '/accounts');
    expect([answer.status, answer.body.code]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(answer.headers.get('allow')).toBe('GET, POST, HEAD');
    const role = await admin.change('PUT', `/accounts/${admin.account.id}/roles/king`, undefined, '*');
    expect(role.status).toBe(403);
  });

  test('HEAD is GET without the body', async () => {
    const answer = await admin.request('HEAD', '/accounts');
    expect([answer.status, answer.body]).toEqual([200, '']);
  });
});

test('another host is refused before anything is looked at', async () => {
  const answer = await rawRequest(app.port, '/tenant/api/v1/me', {
    headers: { host: 'elsewhere.example', accept: 'application/json', authorization: `Bearer ${admin.token}` },
  });
  expect(answer.status).toBe(421);
});

test('who asks too often waits, and nobody else does', async () => {
  const other = await administrator(app, 'other@example.com', ['auditor']);
  const answers = [];
  for (let n = 0; n < 130; n += 1) answers.push(await other.get('/me'));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]?.body.code).toBe('API_THROTTLED');
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await admin.get('/me')).status).toBe(200);
});
