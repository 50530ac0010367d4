import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AdapterPayload, ClientMetadata } from 'oidc-provider';
import { createOidcStore, ensureIndexes, type OidcStore } from '../../src/oidc/adapter/index.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';
import { publicClient, secretBox } from './bare-provider.js';

interface Raw {
  _id: string;
  payload: AdapterPayload;
  expiresAt: Date;
}

const clock = new FakeClock();
const calls: string[] = [];
let database: Awaited<ReturnType<typeof testDatabase>>;
let store: OidcStore;

beforeAll(async () => {
  database = await testDatabase();
  await ensureIndexes(database);
  store = createOidcStore({
    database,
    clock,
    secretBox,
    onCall: (model, operation) => calls.push(`${model} ${operation}`),
  });
});

afterAll(() => database.drop());

const raw = (id: string) => database.collection<Raw>('oidc').findOne({ _id: id });

describe('a document', () => {
  it('past its end is there for nobody, though not swept yet', async () => {
    const codes = store.adapter('AuthorizationCode');
    const sessions = store.adapter('Session');
    const devices = store.adapter('DeviceCode');
    await codes.upsert('late', { kind: 'AuthorizationCode', jti: 'late' }, 60);
    await sessions.upsert('lateid', { kind: 'Session', uid: 'late', jti: 'lateid', accountId: 'erin' }, 60);
    const open = await sessions.find('lateid');
    await devices.upsert('latedev', { kind: 'DeviceCode', jti: 'latedev', userCode: 'LATE' }, 60);
    const soon = clock.now().getTime() / 1000 + 60;
    expect(await store.replay('iss', 'late', soon)).toBe(true);
    expect(await store.replay('iss', 'late', soon)).toBe(false);
    expect(await codes.find('late')).toBeDefined();
    expect(await store.sessions.list('erin')).toHaveLength(1);

    clock.advance(60);
    expect(await codes.find('late')).toBeUndefined();
    await expect(codes.consume('late')).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(store.adapter('PushedAuthorizationRequest').consume('late')).rejects.toMatchObject({
      error: 'invalid_request_uri',
    });
    expect(await sessions.find('lateid')).toBeUndefined();
    expect(await sessions.findByUid('late')).toBeUndefined();
    expect(await store.sessions.list('erin')).toEqual([]);
    await expect(sessions.upsert('lateid', open ?? {}, 60)).rejects.toMatchObject({ name: 'SessionRevokedError' });
    expect(await devices.findByUserCode('LATE')).toBeUndefined();
    expect(await store.replay('iss', 'late', soon + 60)).toBe(true);
    for (const id of ['AuthorizationCode:late', 'Session:late', 'UserCode:LATE']) expect(await raw(id)).not.toBeNull();
  });

  it('of a user code past its end leads to no device code, however long that lives', async () => {
    const devices = store.adapter('DeviceCode');
    await devices.upsert('dev', { kind: 'DeviceCode', jti: 'dev', userCode: 'PAST' }, 60);
    expect(await devices.findByUserCode('PAST')).toMatchObject({ jti: 'dev' });
    await database.collection<Raw>('oidc').updateOne({ _id: 'UserCode:PAST' }, { $set: { expiresAt: clock.now() } });
    expect(await devices.findByUserCode('PAST')).toBeUndefined();
    expect(await devices.find('dev')).toBeDefined();
  });

  it('used up stays used up', async () => {
    const codes = store.adapter('AuthorizationCode');
    await codes.upsert('used', { kind: 'AuthorizationCode', jti: 'used' }, 60);
    await codes.consume('used');
    const { consumed } = (await codes.find('used')) ?? {};
    clock.advance(2);
    await expect(codes.consume('used')).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await codes.find('used')).toMatchObject({ consumed });
  });

  it('without an end lives on', async () => {
    await store.adapter('InitialAccessToken').upsert('forever', { kind: 'InitialAccessToken' });
    clock.advance(400 * 86_400);
    expect(await store.adapter('InitialAccessToken').find('forever')).toMatchObject({ kind: 'InitialAccessToken' });
  });

  it('keeps names with dots and dollars, and leaves out what is undefined', async () => {
    const payload = {
      kind: 'Grant',
      jti: 'g',
      resources: { 'https://api.example.com/v1.0': 'read' },
      rar: [{ type: 'x', $where: '1', nothing: undefined }],
      result: { login: { accountId: 'a', acr: undefined } },
    } as unknown as AdapterPayload;
    await store.adapter('Grant').upsert('g', payload, 60);
    const { rar, result } = (await store.adapter('Grant').find('g')) ?? {};
    expect(await store.adapter('Grant').find('g')).toMatchObject({ resources: payload.resources as object });
    expect(rar).toEqual([{ type: 'x', $where: '1' }]);
    expect(Object.keys(rar?.[0] ?? {})).toEqual(['type', '$where']);
    expect(Object.keys(result?.login ?? {})).toEqual(['accountId']);
  });

  it('of a session keeps neither the cookie value in its payload nor undefined fields', async () => {
    const sessions = store.adapter('Session');
    const authorizations = { 'a.b$c%': { sid: '1', grantId: undefined }, seen: {} };
    await sessions.upsert('k0', { kind: 'Session', uid: 'k', jti: 'k0', acr: undefined, authorizations }, 60);
    const stored = (await raw('Session:k'))?.payload;
    expect(stored).toEqual({ kind: 'Session', uid: 'k', authorizations: { 'a%2eb%24c%25': { sid: '1' } } });
    expect(Object.keys(stored ?? {})).not.toContain('acr');
    const found = await sessions.find('k0');
    expect(found?.authorizations).toEqual({ 'a.b$c%': { sid: '1' } });
    await sessions.upsert('k0', { ...found, state: { secret: '$ids', clientId: undefined } }, 60);
    expect((await raw('Session:k'))?.payload.state).toEqual({ secret: '$ids' });
  });
});

describe('a client', () => {
  const secret = 'correct-horse-battery-staple-0123456789';
  const metadata: ClientMetadata = {
    ...publicClient('shop'),
    token_endpoint_auth_method: 'client_secret_basic',
    client_secret: secret,
  };

  it('is inserted once, its secret sealed to its id', async () => {
    expect(await store.clients.insert(metadata)).toBe(true);
    expect(await store.clients.insert({ ...metadata, client_name: 'other' })).toBe(false);
    expect(await store.clients.find('shop')).toEqual(metadata);
    expect(await store.clients.list()).toEqual([expect.not.objectContaining({ client_secret: secret })]);
    const stored = await database.collection<{ _id: string; sealedSecret: string }>('clients').findOne({ _id: 'shop' });
    expect(JSON.stringify(stored)).not.toContain(secret);
    expect(secretBox.open(stored?.sealedSecret ?? '', 'client/shop/secret').toString()).toBe(secret);
    expect(() => secretBox.open(stored?.sealedSecret ?? '', 'client/other/secret')).toThrow();
  });

  it('is read once in two seconds, known or not, and anew after a write', async () => {
    const adapter = store.adapter('Client');
    const reads = () => calls.filter((call) => call === 'Client find').length;
    clock.advance(3);
    const before = reads();
    const first = await adapter.find('shop');
    if (first) first.client_name = 'changed by a caller';
    expect(await adapter.find('shop')).toEqual(metadata);
    expect(await adapter.find('nobody')).toBeUndefined();
    expect(await adapter.find('nobody')).toBeUndefined();
    expect(reads() - before).toBe(2);
    clock.advance(2);
    await adapter.find('shop');
    expect(reads() - before).toBe(3);

    await store.clients.insert(publicClient('nobody'));
    expect(await adapter.find('nobody')).toMatchObject({ client_id: 'nobody' });
    await store.clients.replace(publicClient('shop'));
    expect(await adapter.find('shop')).toEqual(publicClient('shop'));
    expect(await store.clients.remove('shop')).toBe(true);
    expect(await adapter.find('shop')).toBeUndefined();
    expect(await store.clients.remove('shop')).toBe(false);
    expect(await store.clients.replace(metadata)).toBe(false);
  });

  it('changed on another node is seen after two seconds', async () => {
    const other = createOidcStore({ database, clock, secretBox });
    await store.clients.insert(publicClient('moved'));
    expect(await other.clients.find('moved')).toBeDefined();
    await store.clients.remove('moved');
    clock.advance(2);
    expect(await other.clients.find('moved')).toBeUndefined();
  });

  it('that could not be read is asked for again', async () => {
    const failing = { ...database, collection: database.collection };
    let isAway = true;
    failing.collection = ((name: string) => {
      const real = database.collection(name);
      return { findOne: (...args: [object]) => (isAway ? Promise.reject(new Error('away')) : real.findOne(...args)) };
    }) as unknown as typeof database.collection;
    const { clients } = createOidcStore({ database: failing, clock, secretBox });
    await expect(clients.find('moved')).rejects.toThrow('away');
    isAway = false;
    expect(await clients.find('moved')).toBeUndefined();
  });
});

describe('every query', () => {
  it('goes by an index, and looks at little more than it answers', async () => {
    const { db } = database.connection;
    if (!db) throw new Error('no database');
    for (let i = 0; i < 30; i += 1) {
      const other = `other${i}`;
      await store.adapter('Session').upsert(other, { kind: 'Session', uid: other, jti: other, accountId: other }, 60);
      await store.adapter('AccessToken').upsert(other, { kind: 'AccessToken', jti: other, grantId: other }, 60);
    }
    await db.command({ profile: 2 });
    const session = (jti: string) => ({ kind: 'Session', uid: 'q', jti, accountId: 'frank' });
    const sessions = store.adapter('Session');
    await sessions.upsert('q0', session('q0'), 60);
    await sessions.upsert('q1', { ...(await sessions.find('q0')), jti: 'q1', loginTs: 1 }, 60);
    await sessions.findByUid('q');
    await store.sessions.list('frank');
    await sessions.destroy('q1');
    await store.sessions.revoke('q');
    await store.sessions.revoke('q2');
    await store.sessions.isRevoked('q');
    for (const model of ['AuthorizationCode', 'RefreshToken', 'AccessToken', 'PushedAuthorizationRequest']) {
      const adapter = store.adapter(model);
      await adapter.upsert('q', { kind: model, jti: 'q', grantId: 'qg' }, 60);
      await adapter.find('q');
      await adapter.consume('q');
      await adapter.destroy('q');
      await adapter.revokeByGrantId('qg');
    }
    const devices = store.adapter('DeviceCode');
    await devices.upsert('q', { kind: 'DeviceCode', jti: 'q', userCode: 'Q', inFlight: true }, 60);
    await devices.upsert('q', { kind: 'DeviceCode', jti: 'q', userCode: 'Q', inFlight: true, accountId: 'f' }, 60);
    await devices.findByUserCode('Q');
    await store.revokeGrant('qg');
    await store.replay('q', 'q', clock.now().getTime() / 1000 + 5);
    await store.clients.insert(publicClient('q'));
    await store.clients.replace(publicClient('q'));
    await store.clients.find('q');
    await store.clients.list();
    await store.clients.remove('q');
    await db.command({ profile: 0 });

    const profile = await db
      .collection('system.profile')
      .find({ ns: /\.(oidc|clients)$/ })
      .toArray();
    const wasteful = profile.filter(({ keysExamined = 0, docsExamined = 0 }) => keysExamined + docsExamined > 12);
    expect(wasteful.map(({ op, planSummary }) => `${op} ${planSummary}`)).toEqual([]);
    const plans = profile.filter(({ op }) => op !== 'insert').map(({ op, planSummary }) => `${op} ${planSummary}`);
    expect(plans.length).toBeGreaterThan(40);
    expect(plans.filter((plan) => !/IXSCAN|IDHACK|EXPRESS/.test(plan))).toEqual([]);
  });
});
