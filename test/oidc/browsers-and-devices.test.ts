import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { type Person, person, signIn, typePassword, typeRecoveryCode } from '../security/support.js';
import { PASSWORD, RP_SECRET, startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';
import { application, startWithApplications } from './applications.js';

const TWO = 'urn:countersign:acr:2fa';

/** A request as a proxy or a stranger writes it: `fetch` chooses the host itself. */
function raw(
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; cookies: string[]; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      host: '127.0.0.1',
      port,
      path,
      headers: { accept: 'text/html,application/json', ...headers },
    });
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, cookies: response.headers['set-cookie'] ?? [], body }),
      );
    });
    outgoing.end();
  });
}

let app: TestApp;
let anna: Person;
beforeAll(async () => {
  app = await startWithApplications();
  anna = await person(app, 'anna@example.com');
});
afterAll(() => app.stop());

describe('the device flow', () => {
  const begin = async () => {
    const tv = application(app, 'tv');
    const answer = (await (await tv.post('/device/auth', { scope: 'openid email' })).json()) as Record<string, string>;
    const poll = async () => {
      const response = await tv.post('/token', {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: answer.device_code ?? '',
      });
      return (await response.json()) as Record<string, string>;
    };
    return { answer, poll };
  };

  test('stays pending until both factors are proved, then the token says so', async () => {
    const { answer, poll } = await begin();
    const browser = app.browser();
    expect(await poll()).toMatchObject({ error: 'authorization_pending' });
    let page = await browser.open(answer.verification_uri ?? '');
    expect(page.title).toContain('Countersign');
    page = await browser.submit(page, { user_code: answer.user_code ?? '' });
    expect(page.text).toContain('Television');
    expect(page.text).toContain(answer.user_code ?? 'no code');
    page = await browser.submit(page, { confirm: 'yes' });
    page = await browser.submit(page, { login: 'anna@example.com', password: PASSWORD });
    expect(await poll()).toMatchObject({ error: 'authorization_pending' });
    page = await typeRecoveryCode(browser, page, anna);
    expect(page.status).toBe(200);
    expect(page.text).toContain('Television');
    const tokens = await poll();
    const claims = JSON.parse(Buffer.from(tokens.id_token?.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ sub: anna.account.id, acr: TWO, amr: ['pwd', 'otp', 'mfa'], aud: 'tv' });
    expect(await poll()).toMatchObject({ error: 'invalid_grant' });
  });

  test('refused on the page, and by cancelling the sign-in: access_denied at the device', async () => {
    const first = await begin();
    const browser = app.browser();
    let page = await browser.open(first.answer.verification_uri ?? '');
    page = await browser.submit(page, { user_code: first.answer.user_code ?? '' });
    await browser.submit(page, { abort: 'yes' });
    expect(await first.poll()).toMatchObject({ error: 'access_denied' });

    const second = await begin();
    page = await browser.open(second.answer.verification_uri ?? '');
    page = await browser.submit(page, { user_code: second.answer.user_code ?? '' });
    page = await browser.submit(page, { confirm: 'yes' });
    page = await browser.submit(page, {}, /\/cancel$/);
    expect(page.url.origin).toBe(app.issuer);
    expect(await second.poll()).toMatchObject({ error: 'access_denied' });
  });

  test('a code nobody was given says so on the page', async () => {
    const browser = app.browser();
    const page = await browser.open(`${app.issuer}/device`);
    const again = await browser.submit(page, { user_code: 'AAAA-BBBB' });
    expect(again.status).toBe(400);
    expect(again.forms[0]?.names).toContain('user_code');
  });

  test('is off unless it is switched on', async () => {
    const plain = await startApp();
    const document = (await (await fetch(`${plain.issuer}/.well-known/openid-configuration`)).json()) as object;
    expect(document).not.toHaveProperty('device_authorization_endpoint');
    expect((await fetch(`${plain.issuer}/device`)).status).toBe(404);
    await plain.stop();
  });
});

describe('calls from pages of other origins', () => {
  const spaOrigin = 'https://spa.example';
  const allowed = (response: Response): string | null => response.headers.get('access-control-allow-origin');
  const preflight = (path: string, method: string) =>
    fetch(`${app.issuer}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin: spaOrigin,
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization',
      },
    });

  test('discovery and keys are for everybody', async () => {
    for (const path of ['/.well-known/openid-configuration', '/jwks']) {
      const response = await fetch(app.issuer + path, { headers: { origin: 'https://anybody.example' } });
      expect(allowed(response)).toBe('https://anybody.example');
    }
  });

  test('token and userinfo answer the own origin of a public application, preflight included', async () => {
    const spa = application(app, 'spa');
    const { url, verifier } = spa.request();
    const browser = app.browser();
    await signIn(browser, application(app, 'rp'), anna);
    const { code = '' } = spa.answer(await browser.open(url));
    expect(allowed(await preflight('/token', 'POST'))).toBe(spaOrigin);
    const grant = { grant_type: 'authorization_code', code, redirect_uri: spa.redirectUri, code_verifier: verifier };
    const response = await spa.post('/token', grant, { origin: spaOrigin });
    expect(response.status).toBe(200);
    expect(allowed(response)).toBe(spaOrigin);
    const { access_token } = (await response.json()) as { access_token: string };
    const asked = await preflight('/me', 'GET');
    expect(allowed(asked)).toBe(spaOrigin);
    expect(asked.headers.get('access-control-allow-headers')).toContain('authorization');
    const info = (origin: string) =>
      fetch(`${app.issuer}/me`, { headers: { origin, authorization: `Bearer ${access_token}` } });
    expect(allowed(await info(spaOrigin))).toBe(spaOrigin);
    const foreign = await info('https://evil.example');
    expect(foreign.status).toBe(400);
    expect(allowed(foreign)).toBeNull();
  });

  test('a foreign origin gets no token, nor does the null origin of a native application', async () => {
    for (const [clientId, origin] of [
      ['spa', 'https://evil.example'],
      ['rp', 'https://rp.example'],
      ['phone-app', 'null'],
    ] as const) {
      const response = await application(app, clientId).post(
        '/token',
        { grant_type: 'refresh_token', refresh_token: 'x' },
        { origin },
      );
      expect(response.status).toBe(400);
      expect(allowed(response)).toBeNull();
      expect(await response.json()).toMatchObject({ error: 'invalid_request' });
    }
  });
});

describe('applications registered while the server runs', () => {
  const metadata = {
    client_secret: RP_SECRET,
    client_name: 'Latecomer',
    redirect_uris: ['https://rp.example/cb'],
    first_party: true,
    minimum_acr: '2fa',
    claims_in_id_token: true,
  };

  test('work at once, with everything that is ours', async () => {
    const rp = new RelyingParty(app.issuer, 'latecomer');
    expect((await app.browser().open(rp.request().url)).status).toBe(400);
    expect(await app.app.oidc.clients.insert({ client_id: 'latecomer', ...metadata })).toBe(true);
    await app.account('only-password@example.com');
    const browser = app.browser();
    await typePassword(browser, application(app, 'rp').request().url, 'only-password@example.com');
    expect(await application(app, 'rp').silent(browser)).toBe('code');
    expect(await rp.silent(browser)).toBe('login_required');
    const tokens = await signIn(app.browser(), rp, anna, { scope: 'openid email' });
    expect(tokens.claims).toMatchObject({ acr: TWO, email: anna.account.email, aud: 'latecomer' });
    await app.app.oidc.clients.remove('latecomer');
    expect((await rp.userinfo(tokens.access_token)).status).toBe(401);
  });

  test.each([
    ['minimum_acr', 'gold'],
    ['minimum_acr', ['2fa']],
    ['first_party', 'yes'],
    ['claims_in_id_token', 1],
    ['require_pkce', 'no'],
    ['accept_suspended', null],
    ['cors_origins', 'https://a.example'],
    ['cors_origins', ['https://a.example/path']],
    ['cors_origins', ['null']],
    ['issue_refresh_token', 'true'],
    ['acr_values_required', {}],
  ])('%s: %j is refused', async (name, value) => {
    const { Client } = app.app.provider as unknown as { Client: { validate(metadata: object): Promise<void> } };
    const wrong = { client_id: 'wrong', ...metadata, [name]: value };
    await expect(Client.validate({ ...wrong, [name]: undefined })).resolves.toBeUndefined();
    await expect(Client.validate(wrong)).rejects.toMatchObject({
      error: 'invalid_client_metadata',
      error_description: expect.stringContaining(name),
    });
  });

  test('a public one cannot be let off PKCE', async () => {
    const { Client } = app.app.provider as unknown as { Client: { validate(metadata: object): Promise<void> } };
    const { client_secret: _secret, ...open } = metadata;
    const wrong = { client_id: 'wrong', ...open, token_endpoint_auth_method: 'none', require_pkce: false };
    await expect(Client.validate(wrong)).rejects.toMatchObject({ error: 'invalid_client_metadata' });
  });

  test('a wrong one that lies in the database all the same lets nobody in, and is no server fault', async () => {
    await app.app.oidc.clients.insert({ client_id: 'broken', ...metadata, minimum_acr: 'gold' });
    const page = await app.browser().open(new RelyingParty(app.issuer, 'broken').request().url);
    expect(page.status).toBe(400);
    expect(page.url.origin).toBe(app.issuer);
  });
});

describe('an issuer with a path', () => {
  let below: TestApp;
  beforeAll(async () => {
    below = await startWithApplications({}, { path: '/people/id' });
  });
  afterAll(() => below.stop());

  test('works from discovery to logout, and keeps its cookies to itself', async () => {
    const bea = await person(below, 'bea@example.com');
    const config = await client.discovery(new URL(below.issuer), 'rp', {}, client.ClientSecretBasic(RP_SECRET), {
      execute: [client.allowInsecureRequests],
    });
    const metadata = config.serverMetadata();
    expect(metadata.issuer).toBe(below.issuer);
    for (const [name, value] of Object.entries(metadata)) {
      if (name.endsWith('_endpoint') || name === 'jwks_uri') expect(value).toMatch(`${below.issuer}/`);
    }

    const rp = application(below, 'rp');
    const browser = below.browser();
    const { url, verifier } = rp.request();
    const post = await browser.request(url.origin + url.pathname, {
      method: 'POST',
      form: Object.fromEntries(url.searchParams),
    });
    expect(post.status).toBe(303);
    let page = await browser.open(new URL(post.headers.get('location') ?? '', url));
    expect(page.url.pathname).toMatch(/^\/people\/id\/sign-in\//);
    const assets = [...page.html.matchAll(/(?:href|src)="([^"]*\/assets\/[^"]*)"/g)].map(([, href = '']) => href);
    expect(assets.length).toBeGreaterThan(1);
    for (const href of assets) {
      expect(href).toMatch(/^\/people\/id\/assets\//);
      expect((await browser.request(new URL(href, page.url))).status).toBe(200);
    }
    page = await browser.submit(page, { login: 'bea@example.com', password: PASSWORD });
    const answer = await typeRecoveryCode(browser, page, bea);
    expect(rp.answer(answer).iss).toBe(below.issuer);
    expect((await rp.tokens(answer, verifier)).claims).toMatchObject({ iss: below.issuer, acr: TWO });
    expect(browser.cookies().length).toBeGreaterThan(0);
    for (const { name, path } of browser.cookies()) expect(`${name} ${path}`).toMatch(/ \/people\/id(\/|$)/);

    expect((await browser.open(`${below.issuer}/account`)).text).toContain('bea@example.com');
    expect((await browser.open(`${below.issuer}/device`)).status).toBe(200);
    const logout = await browser.open(`${below.issuer}/session/end?client_id=rp`);
    await browser.submit(logout, { logout: 'yes' });
    expect(await rp.silent(browser)).toBe('login_required');
  });

  test('nothing answers beside the path', async () => {
    const { origin } = new URL(below.issuer);
    for (const path of ['/auth', '/token', '/account', '/.well-known/openid-configuration', '/people/idx/auth']) {
      expect((await fetch(origin + path)).status).toBe(404);
    }
  });
});

describe('behind a proxy', () => {
  let proxied: TestApp;
  beforeAll(async () => {
    proxied = await startApp(
      {
        trustedProxyHops: 1,
        database: { allowEmbedded: true },
        mail: { transport: 'smtp', smtp: { host: 'smtp.example.com' } },
      },
      { issuer: 'https://login.example.com' },
    );
  });
  afterAll(() => proxied.stop());
  const host = 'login.example.com';
  const discovery = '/.well-known/openid-configuration';

  test('addresses are those of the issuer', async () => {
    const headers = { host, 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.7' };
    const { status, body } = await raw(proxied.port, discovery, headers);
    expect(status).toBe(200);
    const { issuer, ...document } = JSON.parse(body) as Record<string, unknown>;
    expect(issuer).toBe('https://login.example.com');
    for (const [name, value] of Object.entries(document)) {
      if (name.endsWith('_endpoint')) expect(String(value)).toMatch(/^https:\/\/login\.example\.com\//);
    }
  });

  test('another host or scheme is refused, however it is named', async () => {
    const https = { 'x-forwarded-proto': 'https' };
    for (const headers of [
      { ...https, host: 'evil.example' },
      { ...https, host, 'x-forwarded-host': 'evil.example' },
      { ...https, host: `${host}:8443` },
      { host, 'x-forwarded-proto': 'http' },
      { host },
    ]) {
      const { status, body } = await raw(proxied.port, discovery, headers);
      expect(status).toBe(421);
      expect(body).not.toContain('evil.example');
    }
  });

  test('cookies carry the prefixes that bind them to this host', async () => {
    const { url } = new RelyingParty(proxied.issuer).request();
    const { cookies } = await raw(proxied.port, url.pathname + url.search, { host, 'x-forwarded-proto': 'https' });
    const names = cookies.map((cookie) => cookie.split('=')[0]);
    expect(names).toEqual(expect.arrayContaining(['__Secure-interaction', '__Secure-resume']));
    for (const cookie of cookies) {
      expect(cookie).toMatch(/^__(Host|Secure)-/);
      expect(cookie).toMatch(/; secure/i);
      expect(cookie).toMatch(/; httponly/i);
      expect(cookie).toMatch(/; samesite=lax/i);
    }
  });
});
