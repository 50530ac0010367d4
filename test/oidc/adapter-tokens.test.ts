import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createOidcStore, ensureIndexes, type OidcStore } from '../../src/oidc/adapter/index.js';
import { systemClock } from '../../src/platform/clock.js';
import { connectDatabase, type Database } from '../../src/platform/database.js';
import { testDatabase } from '../support/database.js';
import {
  authorizationForm,
  type BareServer,
  Browser,
  CALLBACK,
  gate,
  publicClient,
  redeem,
  refresh,
  secretBox,
  signIn,
  startBareServer,
  userinfoStatus,
  type Wrap,
} from './bare-provider.js';

/** Two nodes: a store, a connection and a provider each. */
let database: Awaited<ReturnType<typeof testDatabase>>;
let second: Database;
let store: OidcStore;
let otherStore: OidcStore;
let server: BareServer;
let other: BareServer;
/** Held at `consume` by the test that sets it. */
let atConsume: (model: string) => Promise<void> = async () => {};

const wrap: Wrap = (model, adapter) => ({
  ...adapter,
  async consume(id) {
    await atConsume(model);
    await adapter.consume(id);
  },
});

beforeAll(async () => {
  database = await testDatabase();
  second = await connectDatabase(database.uri, { name: database.name });
  await ensureIndexes(database);
  store = createOidcStore({ database, clock: systemClock, secretBox });
  otherStore = createOidcStore({ database: second, clock: systemClock, secretBox });
  server = await startBareServer(store, { wrap });
  other = await startBareServer(otherStore, { wrap, issuer: server.url });
  await store.clients.insert(publicClient('app'));
});

afterAll(async () => {
  await server.close();
  await other.close();
  await second.close();
  await database.drop();
});

beforeEach(() => {
  atConsume = async () => {};
});

const count = <T>(values: T[], wanted: T): number => values.filter((value) => value === wanted).length;

describe('a code', () => {
  it('redeemed 200 times at once on two nodes gives tokens once', async () => {
    const code = await signIn(server, new Browser(), 'app');
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => redeem(i % 2 ? server : other, 'app', code)),
    );
    expect(
      count(
        answers.map(({ status }) => status),
        200,
      ),
    ).toBe(1);
    expect(
      count(
        answers.map(({ error }) => error),
        'invalid_grant',
      ),
    ).toBe(199);
  });

  it('is used up once when all have read it unused', async () => {
    const code = await signIn(server, new Browser(), 'app');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 200 }, (_, i) => (i % 2 ? store : otherStore).adapter('AuthorizationCode').consume(code)),
    );
    expect(
      count(
        outcomes.map(({ status }) => status),
        'fulfilled',
      ),
    ).toBe(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ error: 'invalid_grant' });
    }
  });

  it('is not made new by a late save', async () => {
    const code = await signIn(server, new Browser(), 'app');
    const stale = await server.provider.AuthorizationCode.find(code);
    await store.adapter('AuthorizationCode').consume(code);
    await expect(stale?.save()).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await server.provider.AuthorizationCode.find(code))?.isValid).toBe(false);
  });
});

describe('a refresh token', () => {
  it('raced on two nodes is refused to the loser without ending the family; replayed later it ends it', async () => {
    const first = await redeem(server, 'app', await signIn(server, new Browser(), 'app'));
    const both = gate(2);
    atConsume = both;
    const answers = await Promise.all([
      refresh(server, 'app', first.refresh_token),
      refresh(other, 'app', first.refresh_token),
    ]);
    const winner = answers.find(({ status }) => status === 200);
    expect(answers.find(({ status }) => status !== 200)).toMatchObject({ status: 400, error: 'invalid_grant' });
    if (!winner) throw new Error('nobody won');
    expect(await userinfoStatus(server, winner.access_token)).toBe(200);
    const next = await refresh(other, 'app', winner.refresh_token);
    expect(next.status).toBe(200);

    expect(await refresh(server, 'app', first.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await userinfoStatus(other, next.access_token)).toBe(401);
    expect(await refresh(other, 'app', next.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  it('ends with its grant, and so does a token written after the revocation', async () => {
    const tokens = await redeem(server, 'app', await signIn(server, new Browser(), 'app'));
    const stored = await server.provider.RefreshToken.find(tokens.refresh_token);
    const grantId = String(stored?.grantId);
    await store.revokeGrant(grantId);
    expect(await database.collection('oidc').countDocuments({ 'payload.grantId': grantId })).toBe(0);
    expect(await server.provider.Grant.find(grantId)).toBeUndefined();
    expect(await userinfoStatus(server, tokens.access_token)).toBe(401);
    await stored?.save();
    expect(await refresh(server, 'app', tokens.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  it('revoking one grant leaves the others', async () => {
    const browsers = [new Browser(), new Browser()];
    const [mine, theirs] = await Promise.all(
      browsers.map(async (browser) => redeem(server, 'app', await signIn(server, browser, 'app'))),
    );
    const stored = await server.provider.RefreshToken.find(String(mine?.refresh_token));
    await store.revokeGrant(String(stored?.grantId));
    expect(await userinfoStatus(server, String(mine?.access_token))).toBe(401);
    expect(await userinfoStatus(server, String(theirs?.access_token))).toBe(200);
  });
});

describe('a client assertion', () => {
  it('is accepted once, also when presented 50 times at once on two nodes', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    await store.clients.insert({
      ...publicClient('keyed'),
      application_type: 'web',
      redirect_uris: ['https://app.example/cb'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig' }] },
    });
    const assertion = (jti: string) =>
      new SignJWT({ jti })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer('keyed')
        .setSubject('keyed')
        .setAudience(server.url)
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(privateKey);
    const push = async (at: BareServer, client_assertion: string): Promise<number> => {
      const form = { ...authorizationForm('keyed'), redirect_uri: 'https://app.example/cb', client_assertion };
      const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
      const body = new URLSearchParams({ ...form, client_assertion_type });
      return (await fetch(`${at.url}/request`, { method: 'POST', body })).status;
    };
    const once = await assertion('a');
    expect([await push(server, once), await push(other, once)]).toEqual([201, 401]);
    const raced = await assertion('b');
    const statuses = await Promise.all(Array.from({ length: 50 }, (_, i) => push(i % 2 ? server : other, raced)));
    expect([count(statuses, 201), count(statuses, 401)]).toEqual([1, 49]);
  });

  it('may carry any number as its end, and issuer and id do not run together', async () => {
    const soon = Date.now() / 1000 + 60;
    expect(await store.replay('i', 'far', 1e20)).toBe(true);
    expect(await store.replay('i', 'far', 1e20)).toBe(false);
    expect(await store.replay('ab', 'c', soon)).toBe(true);
    expect(await store.replay('a', 'bc', soon)).toBe(true);
  });
});

describe('a pushed request', () => {
  it('ends in one code, though two browsers hold it', async () => {
    const browser = new Browser();
    await signIn(server, browser, 'app');
    const body = new URLSearchParams(authorizationForm('app'));
    const pushed = await fetch(`${server.url}/request`, { method: 'POST', body });
    const { request_uri } = (await pushed.json()) as { request_uri: string };
    const use = (at: BareServer) => {
      const query = new URLSearchParams({ client_id: 'app', request_uri });
      return browser.copy().request(`${at.url}/auth?${query}`);
    };
    const both = gate(2);
    atConsume = both;
    const [one, two] = await Promise.all([use(server), use(other)]);
    const ends = [one, two].map((answer) => new URL(answer.headers.get('location') ?? CALLBACK).searchParams);
    expect(ends.filter((end) => end.has('code'))).toHaveLength(1);
    expect(ends.filter((end) => end.get('error') === 'invalid_request_uri')).toHaveLength(1);
    const late = await use(server);
    expect(late.headers.get('location') ?? '').not.toContain('code=');
  });
});

describe('a device code', () => {
  const ask = async (): Promise<{ device_code: string; user_code: string }> => {
    const body = new URLSearchParams({ client_id: 'tv', scope: 'openid' });
    return (await (await fetch(`${server.url}/device/auth`, { method: 'POST', body })).json()) as never;
  };

  beforeAll(() =>
    store.clients.insert({
      ...publicClient('tv'),
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: [],
      response_types: [],
    }),
  );

  it('is found by its user code, taken up by one browser and decided once', async () => {
    const { device_code, user_code } = await ask();
    const find = () => server.provider.DeviceCode.findByUserCode(user_code.replaceAll('-', ''));
    const [one, two] = await Promise.all([find(), find()]);
    if (!one || !two) throw new Error('not found');
    expect([one.jti, two.jti]).toEqual([device_code, device_code]);
    one.inFlight = true;
    two.inFlight = true;
    await one.save();
    await expect(two.save()).rejects.toMatchObject({ error: 'invalid_grant' });
    one.accountId = 'alice';
    two.accountId = 'bob';
    await one.save();
    await expect(two.save()).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await find())?.accountId).toBe('alice');
  });

  it('does not give its user code away to another while it lives', async () => {
    const { user_code } = await ask();
    const userCode = user_code.replaceAll('-', '');
    const adapter = store.adapter('DeviceCode');
    await expect(adapter.upsert('another', { kind: 'DeviceCode', userCode }, 60)).rejects.toMatchObject({
      error: 'temporarily_unavailable',
    });
    expect(await adapter.find('another')).toBeUndefined();
  });
});
