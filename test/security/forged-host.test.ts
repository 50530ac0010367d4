/** Prevents: a header that a stranger chose deciding about addresses, cookies or whose tries are counted. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { rawRequest } from './raw.js';

const SMTP = { transport: 'smtp', smtp: { host: 'mail.example' } };
const FORGED = {
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  'x-forwarded-for': '203.0.113.9',
  forwarded: 'host=evil.example;proto=https',
  'x-original-host': 'evil.example',
  'x-host': 'evil.example',
};

describe('without a proxy', () => {
  let app: TestApp;
  let host: string;
  beforeAll(async () => {
    app = await startApp();
    ({ host } = new URL(app.issuer));
    await app.account('anna@example.com');
  });
  afterAll(() => app.stop());

  test.each(['evil.example', '127.0.0.1', 'localhost', 'localhost:1', 'localhost:4000@evil.example'])(
    'Host: %s is refused on every kind of path',
    async (wrong) => {
      for (const path of [
        '/',
        '/.well-known/openid-configuration',
        '/forgot-password',
        '/auth',
        '/assets/x/countersign.css',
      ]) {
        const answer = await rawRequest(app.port, path, { headers: { host: wrong, accept: 'text/html' } });
        expect({ path, status: answer.status }).toEqual({ path, status: 421 });
        expect(answer.body).toMatch(/<h1>[^<]+<\/h1>/);
        expect(answer.body).toContain(String(answer.headers['x-request-id']));
        expect(answer.body).not.toContain('evil.example');
      }
    },
  );

  test('forwarded headers change nothing: discovery, redirects, mails, and who is counted', async () => {
    const discovery = await rawRequest(app.port, '/.well-known/openid-configuration', { headers: { host, ...FORGED } });
    expect(discovery.body).not.toContain('evil.example');
    expect(JSON.parse(discovery.body)).toMatchObject({ issuer: app.issuer, token_endpoint: `${app.issuer}/token` });
    const home = await rawRequest(app.port, '/account', { headers: { host, ...FORGED } });
    expect(home.headers.location).toMatch(new RegExp(`^${app.issuer}/auth`));
    const browser = app.browser();
    browser.headers = FORGED;
    await browser.submit(await browser.open('/forgot-password'), { login: 'anna@example.com' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const [mail] = await app.mails();
    expect(mail?.text).toContain(`${app.issuer}/password-reset/`);
    expect(JSON.stringify(mail)).not.toContain('evil.example');
    const ips = await app.database.collection('attempts').distinct('_id');
    expect(ips.map(String).filter((id) => id.includes('203.0.113.9'))).toEqual([]);
  });

  test('a path that looks like a host stays a path', async () => {
    for (const path of ['//evil.example/', '//evil.example/account', '/\\evil.example']) {
      const answer = await rawRequest(app.port, path, { headers: { host } });
      expect({ path, status: answer.status }).toEqual({ path, status: 404 });
    }
    const absolute = await rawRequest(app.port, 'http://evil.example/account', { headers: { host } });
    expect(String(absolute.headers.location ?? app.issuer)).toContain(app.issuer);
  });
});

describe('behind one proxy, with TLS', () => {
  const issuer = 'https://login.example';
  let app: TestApp;
  const through = { host: 'login.example', 'x-forwarded-proto': 'https', 'x-forwarded-for': '198.51.100.7' };
  beforeAll(async () => {
    app = await startApp(
      { trustedProxyHops: 1, listen: { port: 4000 }, mail: SMTP, database: { allowEmbedded: true } },
      { issuer },
    );
  });
  afterAll(() => app.stop());

  test('the proxy’s word for scheme and address counts, and only the last hop’s', async () => {
    const discovery = await rawRequest(app.port, '/.well-known/openid-configuration', { headers: through });
    expect(JSON.parse(discovery.body)).toMatchObject({ issuer, token_endpoint: `${issuer}/token` });
    const page = await rawRequest(app.port, '/forgot-password', { headers: through });
    expect(page.status).toBe(200);
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    const cookie = [page.headers['set-cookie']]
      .flat()
      .map((line) => String(line).split(';')[0])
      .join('; ');
    const body = Buffer.from(new URLSearchParams({ csrf, login: 'nobody@example.com' }).toString());
    const sent = await rawRequest(app.port, '/forgot-password', {
      method: 'POST',
      headers: {
        ...through,
        'x-forwarded-for': '203.0.113.9, 198.51.100.7',
        origin: issuer,
        cookie,
        'content-type': 'application/x-www-form-urlencoded',
      },
      chunks: [body],
    });
    expect(sent.status).toBe(303);
    const subjects = (await app.database.collection('attempts').distinct('_id')).map(String);
    expect(subjects.some((id) => id.includes('198.51.100.7'))).toBe(true);
    expect(subjects.some((id) => id.includes('203.0.113.9'))).toBe(false);
  });

  test.each([
    ['a foreign forwarded host', { ...through, 'x-forwarded-host': 'evil.example' }],
    ['no word that it came by TLS', { host: 'login.example' }],
    ['plain http', { ...through, 'x-forwarded-proto': 'http' }],
  ])('%s is refused with a page', async (_name, headers) => {
    for (const path of ['/forgot-password', '/.well-known/openid-configuration', '/auth']) {
      const answer = await rawRequest(app.port, path, {
        headers: { ...headers, accept: 'text/html' } as Record<string, string>,
      });
      expect({ path, status: answer.status }).toEqual({ path, status: 421 });
      expect(answer.body).toMatch(/<h1>/);
    }
  });

  test('names and flags of cookies, and HSTS', async () => {
    const lines: string[] = [];
    const jar: string[] = [];
    const get = async (path: string) => {
      const answer = await rawRequest(app.port, path, { headers: { ...through, cookie: jar.join('; ') } });
      for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
        lines.push(line);
        jar.push(line.split(';')[0] ?? '');
      }
      return answer;
    };
    const auth = await get(
      '/auth?client_id=rp&response_type=code&scope=openid&redirect_uri=https%3A%2F%2Frp.example%2Fcb&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256',
    );
    expect(auth.status).toBe(303);
    const page = await get(new URL(String(auth.headers.location), issuer).pathname);
    expect(page.status).toBe(200);
    expect(page.headers['strict-transport-security']).toBe('max-age=63072000');
    await get('/session/end');
    await get('/forgot-password?lang=de');
    const names = lines.map((line) => line.split('=')[0] ?? '');
    expect(names).toEqual(
      expect.arrayContaining([
        '__Host-session',
        '__Secure-interaction',
        '__Secure-resume',
        '__Host-csrf',
        '__Host-started',
        '__Host-lang',
      ]),
    );
    for (const line of lines) {
      const name = line.split('=')[0] ?? '';
      expect(line).toMatch(/;\s*secure/i);
      expect(line).toMatch(/;\s*httponly/i);
      expect(line).toMatch(/;\s*samesite=lax/i);
      expect(line).not.toMatch(/;\s*domain=/i);
      expect(name).toMatch(/^__(Host|Secure)-/);
      if (name.startsWith('__Host-')) expect(line).toMatch(/;\s*path=\/(;|$)/i);
    }
  });
});
