import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rawRequest } from '../security/raw.js';
import { startApp, type TestApp } from '../support/app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ methods: [{ id: 'app' }, { id: 'recovery_code' }] });
});
afterAll(() => app.stop());

const ask = (path: string, options: { method?: string; headers?: Record<string, string> } = {}) =>
  rawRequest(app.port, path, { ...options, headers: { host: new URL(app.issuer).host, ...options.headers } });

test.each([
  ['/app/', 'text/html; charset=utf-8'],
  ['/app/pair', 'text/html; charset=utf-8'],
  ['/app/confirm', 'text/html; charset=utf-8'],
  ['/app/app.js', 'text/javascript; charset=utf-8'],
  ['/app/app.css', 'text/css; charset=utf-8'],
  ['/app/app.webmanifest', 'application/manifest+json'],
  ['/app/icon.svg', 'image/svg+xml'],
  ['/app/icon-maskable-512.png', 'image/png'],
  ['/app/service-worker.js', 'text/javascript; charset=utf-8'],
])('%s is %s, checked each time, with headers of its own', async (path, type) => {
  const answer = await ask(path);
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': type,
    'cache-control': 'no-cache',
    'service-worker-allowed': '/app',
    'permissions-policy': 'camera=(self), microphone=(), geolocation=()',
    'x-content-type-options': 'nosniff',
  });
  const policy = String(answer.headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(policy).not.toMatch(/unsafe|nonce|https?:|\*/);
  expect(answer.headers['set-cookie']).toBeUndefined();
  const again = await ask(path, { headers: { 'if-none-match': String(answer.headers.etag) } });
  expect([again.status, again.body]).toEqual([304, '']);
  const head = await ask(path, { method: 'HEAD' });
  expect([head.status, head.body, head.headers['content-length']]).toEqual([200, '', answer.headers['content-length']]);
});

test('without its slash the folder is a redirect, for its addresses are relative', async () => {
  const answer = await ask('/app');
  expect([answer.status, answer.headers.location]).toEqual([303, '/app/']);
});

test.each([
  ['/app/%2e%2e%2fpackage.json', 404],
  ['/app/..%2f..%2fpackage.json', 404],
  ['/app/..%5cpackage.json', 404],
  ['/app/../package.json', 404],
  ['/app/%00', 404],
  ['/app/constructor', 404],
  ['/app/__proto__', 404],
  ['/app/pair/more', 404],
  ['/app/%E0%A4%A', 404],
])('%s is nothing of it', async (path, status) => {
  const answer = await ask(path);
  expect([path, answer.status]).toEqual([path, status]);
  expect(answer.body).not.toContain('countersign",');
});

test.each(['POST', 'PUT', 'DELETE'])('%s changes nothing there', async (method) => {
  for (const path of ['/app', '/app/', '/app/pair', '/app/app.js'])
    expect((await ask(path, { method })).status).toBe(405);
});

test('a server without the method has no such app', async () => {
  const other = await startApp({ methods: [{ id: 'totp' }] });
  const answer = await rawRequest(other.port, '/app/', { headers: { host: new URL(other.issuer).host } });
  await other.stop();
  expect(answer.status).toBe(404);
});
