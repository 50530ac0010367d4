import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rawRequest } from '../security/raw.js';
import { startApp, type TestApp } from '../support/app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const REFUSALS = [
  { status: 404, code: 'PAGE_NOT_FOUND', path: '/nowhere' },
  { status: 404, code: 'PAGE_NOT_FOUND', path: '/assets/x/nothing.css' },
  { status: 405, code: 'METHOD_NOT_ALLOWED', path: '/forgot-password', method: 'DELETE' },
  { status: 405, code: 'METHOD_NOT_ALLOWED', path: '/', method: 'POST' },
  {
    status: 413,
    code: 'REQUEST_TOO_LARGE',
    path: '/forgot-password',
    method: 'POST',
    chunks: [Buffer.alloc(20_000, 'x')],
  },
  { status: 413, code: 'REQUEST_TOO_LARGE', path: '/auth', method: 'POST', chunks: [Buffer.alloc(70_000, 'x')] },
  { status: 421, code: 'REQUEST_FOREIGN_HOST', path: '/', host: 'elsewhere.example' },
  { status: 400, code: 'REQUEST_MALFORMED', path: '/forgot-password', method: 'POST', chunks: [Buffer.from('=&=')] },
  { status: 400, code: 'INTERACTION_ENDED', path: '/sign-in/x' },
];

test.each(REFUSALS)(
  '$status $code at $path: a page in our layout for people',
  async ({ status, path, method, chunks, host }) => {
    const answer = await rawRequest(app.port, path, {
      method,
      chunks,
      headers: {
        host: host ?? new URL(app.issuer).host,
        accept: 'text/html,*/*;q=0.8',
        'accept-language': 'de',
        'content-type': 'application/x-www-form-urlencoded',
      },
    });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body).toMatch(/<html lang="de">/);
    expect(answer.body).toMatch(/<h1>[^<]+<\/h1>/);
    expect(answer.body).toContain(`<code>${answer.headers['x-request-id']}</code>`);
    expect(answer.body).not.toMatch(/error\.[A-Z]|undefined|Error:/);
  },
);

test.each(REFUSALS)(
  '$status $code at $path: a problem (RFC 9457) for callers who want JSON',
  async ({ status, code, path, method, chunks, host }) => {
    for (const accept of ['application/json', 'application/problem+json', 'application/json, text/plain;q=0.5']) {
      const answer = await rawRequest(app.port, path, {
        method,
        chunks,
        headers: {
          host: host ?? new URL(app.issuer).host,
          accept,
          'content-type': 'application/x-www-form-urlencoded',
        },
      });
      expect(answer.status).toBe(status);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(JSON.parse(answer.body)).toEqual({
        type: 'about:blank',
        title: expect.stringMatching(/^[A-Z][a-z]/),
        status,
        code,
        requestId: answer.headers['x-request-id'],
      });
    }
  },
);

test('a method that a page does not have is answered with those it has', async () => {
  const headers = { host: new URL(app.issuer).host };
  const one = await rawRequest(app.port, '/forgot-password', { method: 'PUT', headers });
  expect(String(one.headers.allow).split(', ').sort()).toEqual(['GET', 'HEAD', 'POST']);
  const two = await rawRequest(app.port, '/', { method: 'OPTIONS', headers });
  expect([two.status, String(two.headers.allow).split(', ').sort()]).toEqual([405, ['GET', 'HEAD']]);
  expect((await rawRequest(app.port, '/forgot-password', { method: 'HEAD', headers })).status).toBe(200);
});

test('each answer has an id of its own, and no caller chooses it', async () => {
  const headers = { host: new URL(app.issuer).host, 'x-request-id': 'chosen' };
  const ids = await Promise.all(
    ['/forgot-password', '/nowhere', '/.well-known/openid-configuration', '/jwks'].map(
      async (path) => (await rawRequest(app.port, path, { headers })).headers['x-request-id'],
    ),
  );
  expect(new Set(ids).size).toBe(4);
  expect(ids).not.toContain('chosen');
});
