import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { signIn } from '../../security/support.js';
import {
  ADMIN_APP,
  type Administrator,
  type ApiCaller,
  administrator,
  apiCaller,
} from '../../support/administrator.js';
import { RP, startApp, type TestApp } from '../../support/app.js';
import { FakeClock } from '../../support/clock.js';
import { RelyingParty } from '../../support/relying-party.js';

let app: TestApp;
let admin: Administrator;
let owner: Administrator;
const clock = new FakeClock();
beforeAll(async () => {
  app = await startApp((issuer) => ({ clients: [RP, ADMIN_APP(issuer)] }), { clock });
  admin = await administrator(app, 'admin@example.com', ['admin']);
  owner = await administrator(app, 'owner@example.com', ['owner']);
});
afterAll(() => app.stop());

const application = (id: string, more: Record<string, unknown> = {}) => ({
  client_id: id,
  client_name: 'Intranet',
  redirect_uris: ['https://rp.example/cb'],
  first_party: true,
  ...more,
});

describe('an application', () => {
  test('is registered with a secret that is shown once, changed, and removed', async () => {
    const made = await admin.post('/clients', application('intranet'));
    expect([made.status, made.body]).toEqual([
      201,
      expect.objectContaining({ client_id: 'intranet', source: 'registered', client_secret: expect.any(String) }),
    ]);
    const tokens = await signIn(
      app.browser(),
      new RelyingParty(app.issuer, 'intranet', made.body.client_secret),
      admin,
    );
    expect(tokens.status).toBe(200);
    const { body, headers } = await admin.get('/clients/intranet');
    expect(body.client_secret).toBeUndefined();
    expect(body).toMatchObject({ grant_types: ['authorization_code'], accept_suspended: true });
    const changed = await admin.change('PATCH', '/clients/intranet', {
      minimum_acr: '2fa',
      client_uri: 'https://rp.example/',
    });
    expect([changed.status, changed.body.minimum_acr]).toEqual([200, '2fa']);
    expect(
      (await admin.change('PATCH', '/clients/intranet', { client_name: 'X' }, headers.get('etag') ?? '')).status,
    ).toBe(412);
    expect((await admin.change('PATCH', '/clients/intranet', { minimum_acr: null })).body.minimum_acr).toBeUndefined();
    expect((await admin.get('/clients?limit=1')).body.items[0].client_id).toBe('intranet');
    expect((await admin.change('DELETE', '/clients/intranet')).status).toBe(204);
    expect((await admin.get('/clients/intranet')).status).toBe(404);
    const page = await app.browser().open(new RelyingParty(app.issuer, 'intranet').request().url);
    expect(page.status).toBe(400);
  });

  test('gets a new secret while the old one works for another day', async () => {
    const { body: made } = await admin.post('/clients', application('rotating'));
    const { body: rotated } = await admin.post('/clients/rotating/rotate-secret');
    expect(rotated.client_secret).not.toBe(made.client_secret);
    const introspect = async (secret: string) =>
      (await new RelyingParty(app.issuer, 'rotating', secret).post('/token/introspection', { token: 'x' })).status;
    clock.advance(3);
    expect([await introspect(made.client_secret), await introspect(rotated.client_secret)]).toEqual([200, 200]);
    expect(await introspect('wrong-secret-of-sufficient-length')).toBe(401);
    clock.advance(24 * 3_600);
    expect([await introspect(made.client_secret), await introspect(rotated.client_secret)]).toEqual([401, 200]);
    clock.advance(-24 * 3_600 - 3);
  });

  test('of the configuration file is shown and left alone', async () => {
    expect((await admin.get('/clients/rp')).body).toMatchObject({
      source: 'configuration',
      client_name: 'Time Sheets',
    });
    expect((await admin.get('/clients?source=configuration')).body.items).toHaveLength(2);
    const answers = [
      await admin.change('PATCH', '/clients/rp', { client_name: 'X' }),
      await admin.change('DELETE', '/clients/rp'),
      await admin.post('/clients/rp/rotate-secret'),
    ];
    expect(answers.map(({ body }) => body.code)).toEqual(Array(3).fill('CLIENT_CONFIGURED'));
    expect((await admin.post('/clients', application('rp'))).body.code).toBe('CLIENT_ID_TAKEN');
    expect((await admin.post('/clients', application('countersign-account'))).body.code).toBe('CLIENT_ID_TAKEN');
  });

  test.each([
    [{ redirect_uris: ['http://elsewhere.example/cb'] }, 'body.redirect_uris.0'],
    [{ resources: ['https://unknown.example/'] }, 'body.resources.0'],
    [{ api_scopes: ['accounts:read'] }, 'body.api_scopes'],
    [{ api_scopes: ['recovery:decide'] }, 'body.api_scopes.0'],
    [{ minimum_acr: 'high' }, 'body.minimum_acr'],
    [{ client_secret: 'x' }, 'body.client_secret'],
    [{ previous_secret: { secret: 'x', until: 9e12 } }, 'body.previous_secret'],
  ])('with %j is refused', async (more, path) => {
    const answer = await admin.post('/clients', application('wrong', more));
    expect([answer.status, answer.body.errors?.map((error: { path: string }) => error.path)]).toEqual([
      400,
      expect.arrayContaining([path]),
    ]);
  });
});

describe('a script', () => {
  let key: CryptoKeyOf;
  type CryptoKeyOf = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
  let jwk: JWK;
  const register = (id: string, scopes: string[]) =>
    owner.post('/clients', {
      client_id: id,
      client_name: 'Personnel system',
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
      resources: [`${app.issuer}/api/v1`],
      api_scopes: scopes,
    });
  const tokenOf = async (id: string, scope: string) => {
    const assertion = await new SignJWT({ jti: String(Math.random()) })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(id)
      .setSubject(id)
      .setAudience(app.issuer)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(key);
    const response = await fetch(`${app.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope,
        resource: `${app.issuer}/api/v1`,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }),
    });
    return (await response.json()) as { access_token: string; scope?: string };
  };
  let script: ApiCaller;
  beforeAll(async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    key = pair.privateKey;
    jwk = { ...(await exportJWK(pair.publicKey)), alg: 'ES256', use: 'sig' };
    expect((await register('personnel', ['accounts:read', 'accounts:write', 'passes:issue'])).status).toBe(201);
    const { access_token: token, scope } = await tokenOf(
      'personnel',
      'accounts:read accounts:write passes:issue recovery:decide roles:write',
    );
    expect(scope?.split(' ').sort()).toEqual(['accounts:read', 'accounts:write', 'passes:issue']);
    script = apiCaller(app.issuer, token);
  });

  test('does what its registration says, and the audit says that it was a script', async () => {
    expect((await script.get('/me')).body).toMatchObject({
      kind: 'client',
      clientId: 'personnel',
      roles: [],
      freshSeconds: 0,
    });
    const made = await script.post('/accounts', { login: 'new@example.com', name: 'New' });
    expect(made.status).toBe(201);
    const [event] = await app.app.audit.list({ accountId: made.body.id }, { limit: 1 });
    expect(event?.actor).toEqual({ type: 'client', id: 'personnel' });
    expect((await script.post(`/accounts/${made.body.id}/access-passes`, {})).status).toBe(201);
    expect((await script.post(`/accounts/${made.body.id}/deactivate`)).status).toBe(200);
  });

  test('never suspends, decides, revokes, grants roles or deletes', async () => {
    const { id } = await app.account('somebody@example.com');
    const answers = [
      await script.post(`/accounts/${id}/suspensions`, { hours: 24 }),
      await script.post('/recovery-requests/x/decision', { outcome: 'declined' }),
      await script.change('PUT', `/accounts/${id}/roles/auditor`, undefined, '*'),
      await script.change('DELETE', `/accounts/${id}/factors`, undefined, '*'),
      await script.change('DELETE', `/accounts/${id}`, undefined, '*'),
    ];
    expect(answers.map(({ body }) => body.code)).toEqual(Array(5).fill('API_SCRIPTS_FORBIDDEN'));
    expect((await script.get('/suspensions')).body.code).toBe('API_SCOPE_INSUFFICIENT');
    expect((await script.post(`/accounts/${admin.account.id}/deactivate`)).body.code).toBe('API_TARGET_FORBIDDEN');
  });

  test('is made, changed and given a new secret by owners alone: it could borrow the rights of who signs in to it', async () => {
    const resources = [`${app.issuer}/api/v1`];
    const answers = [
      await admin.post('/clients', application('borrower', { resources })),
      await admin.change('PATCH', '/clients/personnel', { client_name: 'X' }),
      await admin.change('DELETE', '/clients/personnel'),
    ];
    await admin.post('/clients', application('harmless'));
    answers.push(await admin.change('PATCH', '/clients/harmless', { resources }));
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(Array(4).fill([403, 'CLIENT_OUT_OF_REACH']));
    expect((await owner.change('PATCH', '/clients/harmless', { resources })).status).toBe(200);
    expect((await admin.post('/clients/harmless/rotate-secret')).status).toBe(403);
  });

  test('loses what its registration loses, at once', async () => {
    expect((await owner.change('PATCH', '/clients/personnel', { api_scopes: ['accounts:read'] })).status).toBe(200);
    clock.advance(3);
    expect((await script.post('/accounts', { login: 'late@example.com', name: 'Late' })).status).toBe(403);
    expect((await script.get('/accounts')).status).toBe(200);
    await owner.change('DELETE', '/clients/personnel');
    clock.advance(3);
    expect((await script.get('/accounts')).status).toBe(401);
  });

  test('cannot take the name of an account', async () => {
    expect((await register(admin.account.id, ['accounts:read'])).status).toBe(201);
    const { access_token: token } = await tokenOf(admin.account.id, 'accounts:read');
    expect((await apiCaller(app.issuer, token).get('/me')).body).toMatchObject({
      kind: 'client',
      scopes: ['accounts:read'],
    });
  });
});
