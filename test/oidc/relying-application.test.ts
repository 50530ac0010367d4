import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { type Person, person, signIn, typePassword, typeRecoveryCode } from '../security/support.js';
import { RP_SECRET, type TestApp } from '../support/app.js';
import type { Browser } from '../support/browser.js';
import type { RelyingParty } from '../support/relying-party.js';
import { API, application, startWithApplications } from './applications.js';

let app: TestApp;
let anna: Person;
/** Signed in with both factors; every test goes on in this session or a copy of it. */
let signedIn: Browser;
beforeAll(async () => {
  app = await startWithApplications();
  anna = await person(app, 'anna@example.com');
  signedIn = app.browser();
  await signIn(signedIn, application(app, 'rp'), anna);
});
afterAll(() => app.stop());

/** Tokens of the live session, for any first-party application. */
async function tokensFor(rp: RelyingParty, parameters: Record<string, string> = {}) {
  const { url, verifier } = rp.request(parameters);
  return rp.tokens(await signedIn.open(url), verifier);
}

describe('discovery', () => {
  test('says everything that relying applications read before they start', async () => {
    const document = (await (await fetch(`${app.issuer}/.well-known/openid-configuration`)).json()) as Record<
      string,
      unknown
    >;
    expect(document).toMatchObject({
      issuer: app.issuer,
      authorization_endpoint: `${app.issuer}/auth`,
      token_endpoint: `${app.issuer}/token`,
      jwks_uri: `${app.issuer}/jwks`,
      userinfo_endpoint: `${app.issuer}/me`,
      end_session_endpoint: `${app.issuer}/session/end`,
      introspection_endpoint: `${app.issuer}/token/introspection`,
      revocation_endpoint: `${app.issuer}/token/revocation`,
      pushed_authorization_request_endpoint: `${app.issuer}/request`,
      device_authorization_endpoint: `${app.issuer}/device/auth`,
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'ES256'],
      code_challenge_methods_supported: ['S256'],
      claims_parameter_supported: true,
      authorization_response_iss_parameter_supported: true,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    });
    expect(document.response_types_supported).toEqual(expect.arrayContaining(['code']));
    expect(String(document.response_types_supported)).not.toMatch(/token/);
    expect(document.grant_types_supported).not.toContain('implicit');
    expect(document.grant_types_supported).not.toContain('password');
    expect(document.token_endpoint_auth_methods_supported).toEqual(
      expect.arrayContaining(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']),
    );
    expect(document.scopes_supported).toEqual(
      expect.arrayContaining(['openid', 'offline_access', 'profile', 'email', 'phone', 'address', 'groups']),
    );
    expect(document.acr_values_supported).toEqual(
      expect.arrayContaining([
        'urn:countersign:acr:1fa',
        'urn:countersign:acr:2fa',
        'phr',
        'https://refeds.org/profile/mfa',
      ]),
    );
  });

  test('every public key has a kid and no private part', async () => {
    const { keys } = (await (await fetch(`${app.issuer}/jwks`)).json()) as { keys: Record<string, unknown>[] };
    expect(keys.map(({ kty }) => kty).sort()).toEqual(['EC', 'RSA']);
    for (const key of keys) {
      expect(typeof key.kid).toBe('string');
      for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(part);
    }
  });
});

describe('a real client library', () => {
  const flow = async (auth: client.ClientAuth, clientId: string, alg: 'RS256' | 'ES256') => {
    const config = await client.discovery(new URL(app.issuer), clientId, { id_token_signed_response_alg: alg }, auth, {
      execute: [client.allowInsecureRequests],
    });
    const verifier = client.randomPKCECodeVerifier();
    const state = client.randomState();
    const nonce = client.randomNonce();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: 'https://rp.example/cb',
      scope: 'openid profile email',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    const page = await signedIn.open(url);
    const tokens = await client.authorizationCodeGrant(config, page.url, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
    return { config, tokens };
  };

  test.each([
    ['client_secret_basic', 'RS256', client.ClientSecretBasic(RP_SECRET), 'rp'],
    ['client_secret_post', 'ES256', client.ClientSecretPost(RP_SECRET), 'post'],
  ] as const)(
    '%s, %s: code, user info, introspection, revocation, logout address',
    async (_name, alg, auth, clientId) => {
      const { config, tokens } = await flow(auth, clientId, alg);
      const { payload, protectedHeader } = await jwtVerify(
        tokens.id_token ?? '',
        createRemoteJWKSet(new URL(`${app.issuer}/jwks`)),
        { issuer: app.issuer, audience: clientId, algorithms: [alg] },
      );
      expect(protectedHeader).toMatchObject({ alg, kid: alg });
      expect(payload).toMatchObject({
        sub: anna.account.id,
        acr: 'urn:countersign:acr:2fa',
        amr: ['pwd', 'otp', 'mfa'],
      });
      expect(typeof payload.auth_time).toBe('number');

      expect(await client.fetchUserInfo(config, tokens.access_token, anna.account.id)).toMatchObject({
        name: 'anna',
        email: anna.account.email,
        email_verified: true,
      });
      expect(await client.tokenIntrospection(config, tokens.access_token)).toMatchObject({
        active: true,
        sub: anna.account.id,
        acr: 'urn:countersign:acr:2fa',
        auth_time: payload.auth_time,
      });
      await client.tokenRevocation(config, tokens.access_token);
      expect(await client.tokenIntrospection(config, tokens.access_token)).toEqual({ active: false });
      expect(client.buildEndSessionUrl(config, { state: 'x' }).href).toContain(`${app.issuer}/session/end?`);
    },
  );
});

describe('PKCE', () => {
  test('is required of every application that has not been let off', async () => {
    for (const clientId of ['rp', 'spa']) {
      const { url } = application(app, clientId).request({
        code_challenge: undefined,
        code_challenge_method: undefined,
      });
      const page = await signedIn.open(url);
      expect(page.url.searchParams.get('error')).toBe('invalid_request');
      expect(page.url.searchParams.get('error_description')).toContain('PKCE');
    }
  });

  test('can be waived for a confidential one', async () => {
    const rp = application(app, 'old');
    const { url } = rp.request({ code_challenge: undefined, code_challenge_method: undefined });
    const { code = '' } = rp.answer(await signedIn.open(url));
    const response = await rp.post('/token', { grant_type: 'authorization_code', code, redirect_uri: rp.redirectUri });
    expect(response.status).toBe(200);
  });

  test('plain challenges and wrong verifiers are refused', async () => {
    const rp = application(app, 'rp');
    const plain = await signedIn.open(rp.request({ code_challenge_method: 'plain' }).url);
    expect(plain.url.searchParams.get('error')).toBe('invalid_request');
    const { code = '' } = rp.answer(await signedIn.open(rp.request().url));
    expect(await rp.exchange(code, 'w'.repeat(43))).toMatchObject({ status: 400, error: 'invalid_grant' });
  });
});

describe('refresh', () => {
  test('rotates, keeps acr, amr and auth_time, and an old token ends the family', async () => {
    const rp = application(app, 'refreshing');
    const first = await tokensFor(rp, { scope: 'openid email' });
    expect(first.refresh_token).toBeDefined();
    const second = await rp.refresh(first.refresh_token ?? '');
    expect(second.refresh_token).not.toBe(first.refresh_token);
    const { acr, amr, auth_time, sub } = first.claims;
    expect(decodeJwt(second.id_token)).toMatchObject({ acr, amr, auth_time, sub });
    expect(await rp.refresh(first.refresh_token ?? '')).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await rp.refresh(second.refresh_token ?? '')).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect((await rp.userinfo(second.access_token)).status).toBe(401);
  });

  test('is for whoever asked for offline_access with consent, or whose application has it by its setting', async () => {
    const rp = application(app, 'rp');
    expect(await tokensFor(rp, { scope: 'openid' })).not.toHaveProperty('refresh_token');
    expect(await tokensFor(rp, { scope: 'openid offline_access' })).not.toHaveProperty('refresh_token');
    const { url, verifier } = rp.request({ scope: 'openid offline_access', prompt: 'consent' });
    const consent = await signedIn.open(url);
    const tokens = await rp.tokens(await signedIn.submit(consent, { decision: 'allow' }), verifier);
    expect(tokens.refresh_token).toBeDefined();
    expect(tokens.scope).toContain('offline_access');
    expect(await tokensFor(application(app, 'spa'))).toHaveProperty('refresh_token');
  });

  test('can be narrowed to a resource and fewer scopes, never widened', async () => {
    const rp = application(app, 'refreshing');
    const first = await tokensFor(rp, { scope: 'openid reports:read', resource: API });
    const wider = await rp.post('/token', {
      grant_type: 'refresh_token',
      refresh_token: first.refresh_token ?? '',
      scope: 'openid reports:write',
    });
    expect(await wider.json()).toMatchObject({ error: 'invalid_scope' });
    const same = await rp.refresh(first.refresh_token ?? '');
    expect(decodeJwt(same.access_token)).toMatchObject({
      aud: API,
      scope: 'reports:read',
      acr: 'urn:countersign:acr:2fa',
    });
  });
});

describe('pushed requests and DPoP', () => {
  test('a pushed request is used by its reference', async () => {
    const rp = application(app, 'pushing');
    const { url, verifier } = rp.request();
    expect((await signedIn.open(url)).url.searchParams.get('error')).toBe('invalid_request');
    const pushed = await rp.post('/request', Object.fromEntries(url.searchParams));
    expect(pushed.status).toBe(201);
    const { request_uri } = (await pushed.json()) as { request_uri: string };
    const short = new URL(`${app.issuer}/auth`);
    short.search = String(new URLSearchParams({ client_id: 'pushing', request_uri }));
    const tokens = await rp.tokens(await signedIn.open(short), verifier);
    expect(tokens.status).toBe(200);
    expect((await signedIn.open(short)).url.searchParams.get('code')).toBeNull();
  });

  test('a token bound to a key is worth nothing without it, and a proof is used once', async () => {
    const config = await client.discovery(new URL(app.issuer), 'rp', {}, client.ClientSecretBasic(RP_SECRET), {
      execute: [client.allowInsecureRequests],
    });
    const key = await client.randomDPoPKeyPair('ES256');
    const DPoP = client.getDPoPHandle(config, key);
    const rp = application(app, 'rp');
    const { url, verifier } = rp.request();
    const page = await signedIn.open(url);
    const tokens = await client.authorizationCodeGrant(
      config,
      page.url,
      { pkceCodeVerifier: verifier, expectedState: 's', expectedNonce: 'n' },
      {},
      { DPoP },
    );
    expect(tokens.token_type).toBe('dpop');
    expect(await client.fetchUserInfo(config, tokens.access_token, anna.account.id, { DPoP })).toMatchObject({
      sub: anna.account.id,
    });
    expect((await rp.userinfo(tokens.access_token)).status).toBe(401);
    const facts = await client.tokenIntrospection(config, tokens.access_token);
    expect(facts).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: expect.any(String) } });
  });
});

test('a code is good once, a second use ends what the first one got', async () => {
  const rp = application(app, 'rp');
  const { url, verifier } = rp.request();
  const { code = '' } = rp.answer(await signedIn.open(url));
  const tokens = await rp.exchange(code, verifier);
  expect(tokens.status).toBe(200);
  expect(await rp.exchange(code, verifier)).toMatchObject({ status: 400, error: 'invalid_grant' });
  expect((await rp.userinfo(tokens.access_token)).status).toBe(401);
});

test('tokens of a deactivated account are dead everywhere', async () => {
  const bo = await person(app, 'bo@example.com');
  const rp = application(app, 'refreshing');
  const tokens = await signIn(app.browser(), rp, bo);
  expect((await rp.userinfo(tokens.access_token)).status).toBe(200);
  await app.app.accounts.deactivate(bo.account.id);
  expect((await rp.userinfo(tokens.access_token)).status).toBe(401);
  for (const token of [tokens.access_token, tokens.refresh_token ?? '']) {
    expect(await (await rp.post('/token/introspection', { token })).json()).toEqual({ active: false });
  }
  expect(await rp.refresh(tokens.refresh_token ?? '')).toMatchObject({ status: 400, error: 'invalid_grant' });
});

test('a public client cannot ask about tokens of others', async () => {
  const tokens = await tokensFor(application(app, 'rp'));
  const answer = await application(app, 'spa').post('/token/introspection', { token: tokens.access_token });
  expect(await answer.json()).toEqual({ active: false });
  expect(decodeProtectedHeader(tokens.id_token)).toMatchObject({ kid: 'RS256' });
});

test('half way through a sign-in nothing can be had', async () => {
  const rp = application(app, 'rp');
  const cy = await person(app, 'cy@example.com');
  const browser = app.browser();
  expect(await rp.silent(browser)).toBe('login_required');
  const page = await typePassword(browser, rp.request().url, 'cy@example.com');
  expect(await rp.silent(browser)).toBe('login_required');
  await typeRecoveryCode(browser, page, cy);
  expect(await rp.silent(browser)).toBe('code');
});
