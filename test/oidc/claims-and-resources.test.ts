import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { type Person, person, signIn, typePassword } from '../security/support.js';
import { PASSWORD, type TestApp } from '../support/app.js';
import type { Browser } from '../support/browser.js';
import type { RelyingParty } from '../support/relying-party.js';
import { API, application, OPAQUE_API, SHORT_API, startWithApplications } from './applications.js';

const CLAIMS = {
  given_name: 'Anna',
  family_name: 'Alvarez',
  zoneinfo: 'Europe/Berlin',
  phone_number: '+4930123456',
  phone_number_verified: true,
  address: { formatted: 'Example Street 1, Berlin', country: 'DE' },
};

let app: TestApp;
let anna: Person;
/** Signed in with both factors; every test goes on in this session or a copy of it. */
let signedIn: Browser;
beforeAll(async () => {
  app = await startWithApplications();
  anna = await person(app, 'anna@example.com');
  await app.database
    .collection('accounts')
    .updateOne({ _id: anna.account.id as never }, { $set: { claims: CLAIMS, groups: ['staff'] } });
  signedIn = app.browser();
  await signIn(signedIn, application(app, 'rp'), anna);
});
afterAll(() => app.stop());

/** Tokens of the live session, for any first-party application. */
async function tokensFor(rp: RelyingParty, parameters: Record<string, string> = {}) {
  const { url, verifier } = rp.request(parameters);
  return rp.tokens(await signedIn.open(url), verifier);
}

describe('claims', () => {
  test('all standard scopes at userinfo; the ID Token stays small', async () => {
    const rp = application(app, 'rp');
    const tokens = await tokensFor(rp, { scope: 'openid profile email phone address groups' });
    expect(await (await rp.userinfo(tokens.access_token)).json()).toMatchObject({
      ...CLAIMS,
      sub: anna.account.id,
      name: 'anna',
      preferred_username: 'anna@example.com',
      email: anna.account.email,
      email_verified: true,
      groups: ['staff'],
    });
    expect(Object.keys(tokens.claims).sort()).toEqual(
      ['acr', 'amr', 'at_hash', 'aud', 'auth_time', 'exp', 'iat', 'iss', 'nonce', 'sub'].filter(
        (name) => name !== 'at_hash' || 'at_hash' in tokens.claims,
      ),
    );
  });

  test('only the scopes that were asked for', async () => {
    const rp = application(app, 'rp');
    const tokens = await tokensFor(rp, { scope: 'openid email' });
    expect(Object.keys((await (await rp.userinfo(tokens.access_token)).json()) as object).sort()).toEqual(
      expect.not.arrayContaining(['name', 'phone_number', 'address']),
    );
  });

  test('claims_in_id_token puts what the granted scopes allow into the ID Token, on refresh too', async () => {
    const rp = application(app, 'talkative');
    const tokens = await tokensFor(rp, { scope: 'openid profile email' });
    expect(tokens.claims).toMatchObject({
      name: 'anna',
      given_name: 'Anna',
      email: anna.account.email,
      email_verified: true,
    });
    const refreshed = decodeJwt((await rp.refresh(tokens.refresh_token ?? '')).id_token);
    expect(refreshed).toMatchObject({ name: 'anna', email: anna.account.email });
    for (const claims of [tokens.claims, refreshed]) {
      expect(claims).not.toHaveProperty('phone_number');
      expect(claims).not.toHaveProperty('groups');
    }
  });

  test('the claims parameter asks for single claims in either place', async () => {
    const rp = application(app, 'rp');
    const tokens = await tokensFor(rp, {
      claims: JSON.stringify({ id_token: { email: null }, userinfo: { given_name: { essential: true } } }),
    });
    expect(tokens.claims).toMatchObject({ email: anna.account.email });
    expect(tokens.claims).not.toHaveProperty('given_name');
    const info = await (await rp.userinfo(tokens.access_token)).json();
    expect(info).toEqual({ sub: anna.account.id, given_name: 'Anna' });
  });

  test('without an address on file there is neither email nor email_verified', async () => {
    const created = await app.app.accounts.create({
      login: 'nomail@example.com',
      name: 'No Mail',
      password: PASSWORD,
    });
    expect(created.ok).toBe(true);
    const rp = application(app, 'rp');
    const { url, verifier } = rp.request({ scope: 'openid email' });
    const tokens = await rp.tokens(await typePassword(app.browser(), url, 'nomail@example.com'), verifier);
    const info = (await (await rp.userinfo(tokens.access_token)).json()) as Record<string, unknown>;
    expect(Object.keys(info)).toEqual(['sub']);
  });

  test('an access token for an API leaves userinfo closed, so the ID Token has the claims', async () => {
    const tokens = await tokensFor(application(app, 'rp'), { scope: 'openid email reports:read', resource: API });
    expect(tokens.claims).toMatchObject({ email: anna.account.email });
  });
});

describe('resource indicators', () => {
  test('a JWT of at most five minutes for that audience, with acr, amr and auth_time inside', async () => {
    const tokens = await tokensFor(application(app, 'rp'), { scope: 'openid reports:read', resource: API });
    const { payload, protectedHeader } = await jwtVerify(
      tokens.access_token,
      createRemoteJWKSet(new URL(`${app.issuer}/jwks`)),
      { issuer: app.issuer, audience: API, typ: 'at+jwt' },
    );
    expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: 'ES256' });
    expect(payload).toMatchObject({
      sub: anna.account.id,
      client_id: 'rp',
      scope: 'reports:read',
      acr: 'urn:countersign:acr:2fa',
      amr: ['pwd', 'otp', 'mfa'],
      auth_time: tokens.claims.auth_time,
    });
    expect(Number(payload.exp) - Number(payload.iat)).toBe(300);
  });

  test("a resource's own time holds, and its own format", async () => {
    const short = decodeJwt(
      (await tokensFor(application(app, 'rp'), { scope: 'openid reports:read', resource: SHORT_API })).access_token,
    );
    expect(Number(short.exp) - Number(short.iat)).toBe(60);
    const rp = application(app, 'rp');
    const opaque = await tokensFor(rp, { scope: 'openid reports:read', resource: OPAQUE_API });
    expect(opaque.access_token).not.toContain('.');
    const facts = await (await rp.post('/token/introspection', { token: opaque.access_token })).json();
    expect(facts).toMatchObject({ active: true, aud: OPAQUE_API, acr: 'urn:countersign:acr:2fa' });
  });

  test('an unknown resource is invalid_target, an unknown scope is left out', async () => {
    const rp = application(app, 'rp');
    const unknown = await signedIn.open(rp.request({ resource: 'https://unknown.example/' }).url);
    expect(unknown.url.searchParams.get('error')).toBe('invalid_target');
    const tokens = await tokensFor(rp, { scope: 'openid reports:read admin', resource: API });
    expect(decodeJwt(tokens.access_token).scope).toBe('reports:read');
  });

  test('a resource that is not among the application’s own is invalid_target', async () => {
    const elsewhere = await signedIn.open(application(app, 'talkative').request({ resource: API }).url);
    expect(elsewhere.url.searchParams.get('error')).toBe('invalid_target');
  });

  test('userinfo refuses a token made for an API', async () => {
    const rp = application(app, 'rp');
    const tokens = await tokensFor(rp, { scope: 'openid reports:read', resource: OPAQUE_API });
    expect((await rp.userinfo(tokens.access_token)).status).toBe(403);
  });
});
