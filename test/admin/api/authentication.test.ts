import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { SCOPES } from '../../../src/admin/index.js';
import { person, signIn } from '../../security/support.js';
import {
  ADMIN_APP,
  type Administrator,
  administrator,
  apiCaller,
  asAdministrator,
} from '../../support/administrator.js';
import { RP, startApp, type TestApp } from '../../support/app.js';
import { RelyingParty } from '../../support/relying-party.js';

let app: TestApp;
let owner: Administrator;
beforeAll(async () => {
  app = await startApp((issuer) => ({
    clients: [RP, ADMIN_APP(issuer), { ...ADMIN_APP(issuer), client_id: 'bound', dpop_bound_access_tokens: true }],
  }));
  owner = await administrator(app, 'owner@example.com', ['owner']);
});
afterAll(() => app.stop());

const base = (): string => `${app.issuer}/api/v1`;

describe('whoever presents no good token', () => {
  test('gets 401 with both schemes, as a problem', async () => {
    const answer = await apiCaller(app.issuer, '').get('/me');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer, DPoP algs="ES256/);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      type: `${base()}/docs#API_TOKEN_INVALID`,
      title: 'A valid access token is needed',
      status: 401,
      code: 'API_TOKEN_INVALID',
      requestId: answer.headers.get('x-request-id'),
    });
  });

  test.each([
    ['nonsense', () => 'nonsense'],
    ['a token with another signature', () => `${owner.token.slice(0, -6)}AAAAAA`],
    ['a token without a signature', () => `${owner.token.split('.').slice(0, 2).join('.')}.`],
  ])('%s is invalid_token', async (_name, token) => {
    const answer = await apiCaller(app.issuer, token()).get('/me');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate') ?? '').toContain('Bearer');
  });

  test('an ID Token, and an access token for another audience, are refused', async () => {
    const someone = await person(app, 'plain@example.com');
    const tokens = await signIn(app.browser(), new RelyingParty(app.issuer), someone, { scope: 'openid' });
    for (const token of [tokens.id_token, tokens.access_token]) {
      expect((await apiCaller(app.issuer, token).get('/me')).status).toBe(401);
    }
  });

  test('cookies of a signed-in browser mean nothing', async () => {
    const answer = await owner.browser.request(`${base()}/me`, { headers: { accept: 'application/json' } });
    expect(answer.status).toBe(401);
  });

  test('no other site may call from a browser', async () => {
    const answer = await owner.request('OPTIONS', '/me', { headers: { origin: 'https://evil.example' } });
    expect(answer.status).toBe(405);
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('a good token', () => {
  test('tells who calls and what they may do; five minutes at most', async () => {
    const { status, body } = await owner.get('/me');
    expect([status, body]).toEqual([
      200,
      {
        kind: 'account',
        clientId: 'admin-app',
        account: { id: owner.account.id, login: 'owner@example.com', name: 'owner' },
        roles: ['owner'],
        scopes: [...SCOPES],
        level: '2fa',
        authenticatedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        freshSeconds: expect.any(Number),
      },
    ]);
    expect(body.freshSeconds).toBeGreaterThan(550);
    const { exp = 0, iat = 0, session_uid: uid } = decodeJwt(owner.token);
    expect(exp - iat).toBeLessThanOrEqual(300);
    expect(uid).toEqual(expect.any(String));
  });

  test('the session’s id is in no token for anybody else', async () => {
    const tokens = await signIn(app.browser(), new RelyingParty(app.issuer), owner, { scope: 'openid' });
    expect(decodeJwt(tokens.id_token).session_uid).toBeUndefined();
  });

  test('works no longer than its session, its account and its role', async () => {
    const someone = await administrator(app, 'leaver@example.com', ['admin']);
    expect((await someone.get('/accounts')).status).toBe(200);
    await app.app.accounts.revokeRole(someone.account.id, 'admin');
    expect((await someone.get('/accounts')).body.code).toBe('API_SCOPE_INSUFFICIENT');
    const uid = decodeJwt(someone.token).session_uid as string;
    await app.app.sessions.end(someone.account.id, uid, { requestId: 'test' });
    expect((await someone.get('/me')).status).toBe(401);
    const again = await asAdministrator(app, someone);
    expect((await again.get('/me')).status).toBe(200);
    await app.app.accounts.deactivate(someone.account.id);
    expect((await again.get('/me')).status).toBe(401);
  });

  test('is refused once its person has signed out through an application', async () => {
    const someone = await administrator(app, 'signs-out@example.com', ['auditor']);
    expect((await someone.get('/me')).status).toBe(200);
    const page = await someone.browser.open(`/session/end?client_id=${someone.rp.clientId}`);
    await someone.browser.submit(page, { logout: 'yes' });
    expect((await someone.get('/me')).status).toBe(401);
  });

  test('is refused while the second factor of its account is suspended', async () => {
    const someone = await administrator(app, 'suspended@example.com', ['admin']);
    const other = await administrator(app, 'other-owner@example.com', ['owner']);
    const started = await other.post(`/accounts/${someone.account.id}/suspensions`, { hours: 24 });
    expect(started.status).toBe(201);
    expect((await someone.get('/me')).status).toBe(401);
  });
});

describe('a token bound to a key (RFC 9449)', () => {
  let pair: Awaited<ReturnType<typeof generateKeyPair>>;
  let jwk: JWK;
  let token: string;
  const proof = async (claims: Record<string, unknown>, key = pair.privateKey, header: JWK = jwk): Promise<string> =>
    new SignJWT({ jti: randomUUID(), iat: Math.floor(Date.now() / 1000), ...claims })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: header as never })
      .sign(key);
  const forMe = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
    htm: 'GET',
    htu: `${base()}/me`,
    ath: createHash('sha256').update(token).digest('base64url'),
    ...more,
  });
  const me = async (dpop?: string, scheme = 'DPoP') =>
    apiCaller(app.issuer, '').request('GET', '/me', { headers: { authorization: `${scheme} ${token}`, dpop } });

  beforeAll(async () => {
    pair = await generateKeyPair('ES256');
    jwk = await exportJWK(pair.publicKey);
    const rp = new RelyingParty(app.issuer, 'bound');
    const { url, verifier } = rp.request({ scope: `openid ${SCOPES.join(' ')}`, resource: base() });
    const { code } = rp.answer(await owner.browser.open(url));
    const response = await rp.post(
      '/token',
      { grant_type: 'authorization_code', code: code ?? '', redirect_uri: rp.redirectUri, code_verifier: verifier },
      { dpop: await proof({ htm: 'POST', htu: `${app.issuer}/token` }) },
    );
    ({ access_token: token } = (await response.json()) as { access_token: string });
  });

  test('opens with a proof, once', async () => {
    const made = await proof(forMe());
    expect((await me(made)).status).toBe(200);
    const replayed = await me(made);
    expect(replayed.status).toBe(401);
    expect(replayed.headers.get('www-authenticate')).toMatch(/^DPoP error="invalid_dpop_proof"/);
  });

  test('is no bearer token', async () => {
    const answer = await me(undefined, 'Bearer');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^DPoP error="invalid_token"/);
  });

  test.each<[string, () => Promise<string | undefined>]>([
    ['no proof', async () => undefined],
    ['another method', () => proof(forMe({ htm: 'POST' }))],
    ['another address', () => proof(forMe({ htu: `${base()}/accounts` }))],
    ['another token', () => proof(forMe({ ath: 'x' }))],
    ['an old proof', () => proof(forMe({ iat: 1 }))],
    [
      'another key',
      async () => {
        const thief = await generateKeyPair('ES256');
        return proof(forMe(), thief.privateKey, await exportJWK(thief.publicKey));
      },
    ],
  ])('%s is refused', async (_name, make) => {
    expect((await me(await make())).status).toBe(401);
  });
});
