import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { contrast } from '../../src/http/theme.js';
import { rawRequest } from '../security/raw.js';
import { startApp, type TestApp } from '../support/app.js';

let app: TestApp;
let logo = '';
beforeAll(async () => {
  logo = join(mkdtempSync(join(tmpdir(), 'logo-')), 'ours.svg');
  writeFileSync(logo, '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>');
  const branding = { name: 'Countersign', companyName: 'Acme', accent: '#ffe000', logo };
  app = await startApp({ methods: [{ id: 'app' }, { id: 'recovery_code' }], branding });
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
  ['/app/logo.svg', 'image/svg+xml'],
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

test('it is the company’s: name, logo, and an accent that can be read', async () => {
  const page = (await ask('/app/')).body;
  expect(page).toContain('<title>Acme</title>');
  expect(page).toContain('data-logo="logo.svg"');
  const { name, theme_color } = JSON.parse((await ask('/app/app.webmanifest')).body);
  expect(name).toBe('Acme');
  expect(contrast(theme_color, '#ffffff')).toBeGreaterThan(4.5);
  expect((await ask('/app/app.css')).body).toContain(`--accent:${theme_color}`);
});

/** With the encodings that a browser takes. */
const askFor = async (path: string, encodings: string) => {
  const response = await fetch(`${app.issuer}${path}`, { headers: { 'accept-encoding': encodings } });
  return { headers: response.headers, text: await response.text() };
};

test.each([
  ['/app/app.js', () => '/app/app.js'],
  [
    'an asset of the pages',
    async () => /href="([^"]+countersign\.css)"/.exec((await ask('/forgot-password')).body)?.[1] ?? '',
  ],
])('%s comes compressed to whoever takes it, with a validator for each form', async (_what, where) => {
  const path = await where();
  const plain = await askFor(path, 'identity');
  expect([plain.headers.get('content-encoding'), plain.headers.get('vary')]).toEqual([null, 'Accept-Encoding']);
  const etags = new Set([plain.headers.get('etag')]);
  for (const [asked, encoding] of [
    ['gzip, deflate, br', 'br'],
    ['br;q=0, gzip', 'gzip'],
    ['gzip', 'gzip'],
  ] as const) {
    const answer = await askFor(path, asked);
    expect(answer.headers.get('content-encoding')).toBe(encoding);
    expect(Number(answer.headers.get('content-length'))).toBeLessThan(plain.text.length / 2);
    // Decompressed by whoever asked.
    expect(answer.text).toBe(plain.text);
    const etag = answer.headers.get('etag') ?? '';
    etags.add(etag);
    const known = (encodings: string) =>
      ask(path, { headers: { 'accept-encoding': encodings, 'if-none-match': etag } });
    expect([(await known(asked)).status, (await known('identity')).status]).toEqual([304, 200]);
  }
  expect(etags.size).toBe(3);
});

test('pictures are not compressed a second time', async () => {
  const icon = await askFor('/app/icon-512.png', 'br, gzip');
  expect([icon.headers.get('content-encoding'), icon.headers.get('vary')]).toEqual([null, null]);
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
