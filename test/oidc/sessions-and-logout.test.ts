import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { type Person, person as personAt, signIn as signInWith, typePassword } from '../security/support.js';
import { RP, RP_SECRET, type TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import { FakeClock } from '../support/clock.js';
import { RelyingParty } from '../support/relying-party.js';
import { APPLICATIONS, application, startWithApplications } from './applications.js';

const OUT = 'https://rp.example/out';
const DAY = 86_400;
const clock = new FakeClock();

/** An application's end of back-channel logout. */
async function receiver(): Promise<{
  server: Server;
  origin: string;
  got: string[];
  answers: number[];
  readonly connections: number;
}> {
  const got: string[] = [];
  const answers: number[] = [];
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    got.push(new URLSearchParams(body).get('logout_token') ?? '');
    res.writeHead(answers.shift() ?? 204).end();
  });
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    server,
    origin,
    got,
    answers,
    get connections() {
      return connections;
    },
  };
}

let app: TestApp;
let told: Awaited<ReturnType<typeof receiver>>;
let unreachable: Awaited<ReturnType<typeof receiver>>;
let people = 0;
beforeAll(async () => {
  told = await receiver();
  unreachable = await receiver();
  app = await startWithApplications(
    {
      sessions: { idleSeconds: 3600, overallSeconds: DAY, refreshTokenSeconds: 30 * DAY },
      privateOrigins: [told.origin],
      clients: [
        ...APPLICATIONS,
        {
          ...RP,
          client_id: 'listening',
          backchannel_logout_uri: `${told.origin}/out`,
          backchannel_logout_session_required: true,
        },
        { ...RP, client_id: 'inside', backchannel_logout_uri: `${unreachable.origin}/out` },
      ],
    },
    { clock },
  );
});
afterAll(async () => {
  await app.stop();
  for (const { server } of [told, unreachable]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
beforeEach(() => {
  clock.set(new Date());
  told.got.length = 0;
  told.answers.length = 0;
});

const person = (): Promise<Person> => {
  people += 1;
  return personAt(app, `person${people}@example.com`, () => clock.now());
};
const named = (clientId: string): RelyingParty =>
  APPLICATIONS.some(({ client_id }) => client_id === clientId)
    ? application(app, clientId)
    : new RelyingParty(app.issuer, clientId, RP_SECRET);

async function signedIn(clientId = 'rp', parameters: Record<string, string> = {}) {
  const someone = await person();
  const browser = app.browser();
  const rp = named(clientId);
  return { someone, browser, rp, tokens: await signInWith(browser, rp, someone, parameters) };
}
async function also(browser: Browser, clientId: string) {
  const rp = named(clientId);
  const { url, verifier } = rp.request();
  return { rp, tokens: await rp.tokens(await browser.open(url), verifier) };
}
const logoutPage = (browser: Browser, parameters: Record<string, string>): Promise<Page> =>
  browser.open(`${app.issuer}/session/end?${new URLSearchParams(parameters)}`);

describe('logout asked for by an application', () => {
  test.each(['rp', 'post'])(
    'with its ID Token (%s): confirmed, back to the registered address with the state',
    async (clientId) => {
      const { someone, browser, rp } = await signedIn('refreshing');
      const { tokens } = await also(browser, clientId);
      const page = await logoutPage(browser, {
        id_token_hint: tokens.id_token,
        post_logout_redirect_uri: OUT,
        state: 'x y',
      });
      expect(page.status).toBe(200);
      expect(page.h1).not.toBe('');
      const done = await browser.submit(page, { logout: 'yes' });
      expect(done.url.href).toBe(`${OUT}?state=x+y`);
      expect(await rp.silent(browser)).toBe('login_required');
      expect((await rp.userinfo(tokens.access_token)).status).toBe(401);
      expect(await app.app.sessions.list(someone.account.id)).toEqual([]);
      const [event] = await app.app.audit.list(
        { accountId: someone.account.id, types: ['authn_logout'] },
        { limit: 5 },
      );
      expect(event).toMatchObject({ type: 'authn_logout', accountId: someone.account.id });
    },
  );

  test('refresh tokens of the session end with it, those of offline_access do not', async () => {
    const { browser, rp, tokens } = await signedIn('refreshing');
    const offline = named('rp');
    const { url, verifier } = offline.request({ scope: 'openid offline_access', prompt: 'consent' });
    const kept = await offline.tokens(await browser.submit(await browser.open(url), { decision: 'allow' }), verifier);
    await browser.submit(await logoutPage(browser, { client_id: 'rp' }), { logout: 'yes' });
    expect(await rp.refresh(tokens.refresh_token ?? '')).toMatchObject({ error: 'invalid_grant' });
    expect(await offline.refresh(kept.refresh_token ?? '')).toMatchObject({ status: 200 });
  });

  test('with client_id alone', async () => {
    const { browser, rp } = await signedIn();
    const page = await logoutPage(browser, { client_id: 'rp', post_logout_redirect_uri: OUT });
    expect(page.text).toContain('Time Sheets');
    expect((await browser.submit(page, { logout: 'yes' })).url.href).toBe(OUT);
    expect(await rp.silent(browser)).toBe('login_required');
  });

  test('without any hint: asked, and ends on a page of ours', async () => {
    const { browser, rp } = await signedIn();
    const page = await logoutPage(browser, { post_logout_redirect_uri: OUT });
    expect(await rp.silent(browser)).toBe('code');
    const done = await browser.submit(await logoutPage(browser, {}), { logout: 'yes' });
    expect(done.url.origin).toBe(app.issuer);
    expect(done.status).toBe(200);
    expect(page.status).toBe(200);
    expect(await rp.silent(browser)).toBe('login_required');
  });

  test('staying signed in is a choice', async () => {
    const { browser } = await signedIn();
    await browser.submit(await logoutPage(browser, { client_id: 'rp' }), {}, /\/session\/end\/confirm$/);
    expect(await named('talkative').silent(browser)).toBe('code');
  });

  test.each([
    ['an address that is not registered', { client_id: 'rp', post_logout_redirect_uri: 'https://evil.example/' }],
    ['a slash more', { client_id: 'rp', post_logout_redirect_uri: `${OUT}/` }],
    ['a hint that is no token', { id_token_hint: 'nonsense' }],
    ['an unknown application', { client_id: 'nobody' }],
  ])('%s: an error page, nobody is signed out', async (_name, parameters) => {
    const { browser, rp } = await signedIn();
    const page = await logoutPage(browser, parameters);
    expect(page.status).toBe(400);
    expect(page.title).toContain('Countersign');
    expect(await rp.silent(browser)).toBe('code');
  });

  test("another application's token, and a forged one", async () => {
    const { browser, rp, tokens } = await signedIn();
    expect((await logoutPage(browser, { id_token_hint: tokens.id_token, client_id: 'post' })).status).toBe(400);
    const [head, body] = tokens.id_token.split('.');
    expect((await logoutPage(browser, { id_token_hint: `${head}.${body}.${'A'.repeat(342)}` })).status).toBe(400);
    expect(await rp.silent(browser)).toBe('code');
  });
});

describe('back-channel logout', () => {
  const verified = async (token: string | undefined) => {
    const { payload, protectedHeader } = await jwtVerify(
      token ?? '',
      createRemoteJWKSet(new URL(`${app.issuer}/jwks`)),
      {
        issuer: app.issuer,
        audience: 'listening',
        typ: 'logout+jwt',
      },
    );
    expect(typeof protectedHeader.kid).toBe('string');
    expect(payload.events).toEqual({ 'http://schemas.openid.net/event/backchannel-logout': {} });
    expect(payload).not.toHaveProperty('nonce');
    return payload;
  };
  const delivered = async () => {
    app.app.outbox.start();
    await app.app.outbox.kick();
  };

  test('from the logout of another application', async () => {
    const { someone, browser } = await signedIn();
    const { tokens } = await also(browser, 'listening');
    await browser.submit(await logoutPage(browser, { client_id: 'rp' }), { logout: 'yes' });
    expect(told.got).toHaveLength(1);
    expect(tokens.claims.sid).toBeDefined();
    expect(await verified(told.got[0])).toMatchObject({ sub: someone.account.id, sid: tokens.claims.sid });
  });

  test('is sent again when the application did not take it', async () => {
    const { browser } = await signedIn('listening');
    told.answers.push(500, 500);
    await browser.submit(await logoutPage(browser, { client_id: 'rp' }), { logout: 'yes' });
    await delivered();
    expect(told.got).toHaveLength(2);
    clock.advance(600);
    await delivered();
    expect(told.got).toHaveLength(3);
    await verified(told.got[2]);
    clock.advance(6000);
    await delivered();
    expect(told.got).toHaveLength(3);
  });

  test('from a session ended on the security page of another browser', async () => {
    const { someone, browser, rp, tokens } = await signedIn('listening');
    const other = app.browser();
    clock.advance(60);
    await signInWith(other, named('rp'), someone);
    const page = await other.open(`${app.issuer}/account`);
    const uid = (await app.app.sessions.list(someone.account.id)).at(-1)?._id;
    await other.submit(page, {}, `/account/sessions/${uid}/end`);
    await delivered();
    expect(await verified(told.got[0])).toMatchObject({ sub: someone.account.id, sid: tokens.claims.sid });
    expect(await rp.silent(browser)).toBe('login_required');
    expect((await rp.userinfo(tokens.access_token)).status).toBe(401);
    expect(await rp.silent(other)).toBe('code');
  });

  test('from signing out everywhere; every token is dead at once', async () => {
    const { someone, browser, rp, tokens } = await signedIn('listening');
    const { rp: spa, tokens: kept } = await also(browser, 'spa');
    const other = app.browser();
    await signInWith(other, rp, someone);
    clock.advance(2);
    const page = await other.open(`${app.issuer}/account/sign-out-everywhere`);
    await other.submit(page, {}, '/account/sign-out-everywhere');
    await delivered();
    expect(told.got).toHaveLength(2);
    for (const each of [browser, other]) expect(await rp.silent(each)).toBe('login_required');
    expect(await (await rp.post('/token/introspection', { token: tokens.access_token })).json()).toEqual({
      active: false,
    });
    expect(await spa.refresh(kept.refresh_token ?? '')).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  test('never to a private address that the operator has not allowed', async () => {
    const { browser } = await signedIn('inside');
    await browser.submit(await logoutPage(browser, { client_id: 'rp' }), { logout: 'yes' });
    await delivered();
    expect(unreachable.got).toEqual([]);
    expect(unreachable.connections).toBeGreaterThan(0);
  });
});

describe('how long a session lives', () => {
  test('idle: it ends, unless it is used', async () => {
    const { browser, rp } = await signedIn();
    for (let i = 0; i < 3; i += 1) {
      clock.advance(3000);
      expect(await rp.silent(browser)).toBe('code');
    }
    clock.advance(3700);
    expect(await rp.silent(browser)).toBe('login_required');
  });

  test('a refresh is use; the overall time ends it all the same', async () => {
    const { browser, rp, tokens } = await signedIn('spa');
    let { refresh_token: token = '' } = tokens;
    for (let elapsed = 3000; elapsed < DAY; elapsed += 3000) {
      clock.advance(3000);
      const next = await rp.refresh(token);
      expect(next.status).toBe(200);
      token = next.refresh_token ?? '';
      if (elapsed === 45_000) expect(await rp.silent(browser)).toBe('code');
    }
    clock.advance(3000);
    expect(await rp.refresh(token)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await rp.silent(browser)).toBe('login_required');
  });

  test('the cookie does not end before the session can, nor after it', async () => {
    const { browser, rp, tokens } = await signedIn('spa');
    clock.advance(3000);
    const response = await browser.request(rp.request({ prompt: 'none' }).url);
    const lines = response.headers.getSetCookie().filter((line) => /^countersign-session(\.sig)?=/.test(line));
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      const [, expires = ''] = /; expires=([^;]+)/i.exec(line) ?? [];
      expect(Date.parse(expires)).toBe((Number(tokens.claims.auth_time) + DAY) * 1000);
    }
    const out = await browser.submit(await logoutPage(browser, { client_id: 'spa' }), { logout: 'yes' });
    expect(out.status).toBe(200);
    expect(browser.cookie('countersign-session')).toBeUndefined();
  });

  test('a refused refresh is no use', async () => {
    const { browser, rp, tokens } = await signedIn('spa');
    clock.advance(3000);
    expect((await rp.refresh(`${tokens.refresh_token}x`)).status).toBe(400);
    clock.advance(700);
    expect(await rp.silent(browser)).toBe('login_required');
  });

  test('a family of refresh tokens ends thirty days after the sign-in, however often it is rotated', async () => {
    const { browser, rp } = await signedIn();
    const { url, verifier } = rp.request({ scope: 'openid offline_access', prompt: 'consent' });
    const tokens = await rp.tokens(await browser.submit(await browser.open(url), { decision: 'allow' }), verifier);
    let { refresh_token: token = '' } = tokens;
    for (let day = 0; day < 29; day += 7) {
      const next = await rp.refresh(token);
      expect(next.status).toBe(200);
      token = next.refresh_token ?? '';
      const facts = (await (await rp.post('/token/introspection', { token })).json()) as { exp: number; iat: number };
      const left = (30 - day) * DAY;
      expect(facts.exp - facts.iat).toBeLessThanOrEqual(left);
      expect(facts.exp - facts.iat).toBeGreaterThan(left - 60);
      clock.advance(7 * DAY);
    }
    expect(await rp.refresh(token)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });
});

test('the deactivated cannot sign in, silently or with a password', async () => {
  const { someone, browser, rp } = await signedIn();
  await app.app.accounts.deactivate(someone.account.id);
  expect(await rp.silent(browser)).toBe('login_required');
  const page = await typePassword(app.browser(), rp.request().url, someone.account.login);
  expect(page.status).toBe(403);
});
