import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AdapterPayload } from 'oidc-provider';
import { createOidcStore, ensureIndexes, type OidcStore, SessionRevokedError } from '../../src/oidc/adapter/index.js';
import { systemClock } from '../../src/platform/clock.js';
import { testDatabase } from '../support/database.js';
import {
  authorizationUrl,
  type BareServer,
  Browser,
  CALLBACK,
  gate,
  publicClient,
  redeem,
  refresh,
  secretBox,
  signIn,
  silently,
  startBareServer,
} from './bare-provider.js';

interface Raw {
  _id: string;
  payload: AdapterPayload;
  ids?: string[];
  revokedAt?: Date;
  expiresAt: Date;
}

let database: Awaited<ReturnType<typeof testDatabase>>;
let store: OidcStore;
/** As another node has it. */
let otherStore: OidcStore;
let server: BareServer;
/** Held when a session is written by the test that sets it. */
let atSave: () => Promise<void> = async () => {};
/** Held when a session is ended by the test that sets it. */
let atDestroy: () => Promise<void> = async () => {};

beforeAll(async () => {
  database = await testDatabase();
  await ensureIndexes(database);
  store = createOidcStore({ database, clock: systemClock, secretBox });
  otherStore = createOidcStore({ database, clock: systemClock, secretBox });
  server = await startBareServer(store, {
    wrap: (model, adapter) =>
      model === 'Session'
        ? {
            ...adapter,
            async upsert(id, payload, expiresIn) {
              await atSave();
              await adapter.upsert(id, payload, expiresIn);
            },
            async destroy(id) {
              await atDestroy();
              await adapter.destroy(id);
            },
          }
        : adapter,
  });
  for (const id of ['first', 'app.one', '$app%2e']) await store.clients.insert(publicClient(id));
});

afterAll(async () => {
  await server.close();
  await database.drop();
});

beforeEach(() => {
  atSave = async () => {};
  atDestroy = async () => {};
});

const raw = async (uid: string): Promise<Raw> => {
  const found = await database.collection<Raw>('oidc').findOne({ _id: `Session:${uid}` });
  if (!found) throw new Error('no such session');
  return found;
};

const sessionOf = async (browser: Browser): Promise<AdapterPayload & { uid: string }> => {
  const found = await store.adapter('Session').find(browser.cookie('_session') ?? '');
  if (!found?.uid) throw new Error('the browser has no session');
  return { ...found, uid: found.uid };
};

/** Goes through a prompt up to the point where the provider takes over again. */
const upToResume = async (browser: Browser, clientId: string, prompt: string): Promise<string> => {
  const page = await browser.follow(authorizationUrl(server, clientId, { prompt }), `${server.url}/interaction/`);
  return (await browser.follow(page.href, `${server.url}/auth/`)).href;
};

/** Two tabs of one browser that resume at the same moment: both have read the session before either writes it. */
async function twoTabs(prompt: string) {
  const browser = new Browser();
  await signIn(server, browser, 'first');
  const { uid } = await sessionOf(browser);
  const before = browser.cookie('_session') ?? '';
  const resumes = [await upToResume(browser, 'app.one', prompt), await upToResume(browser, '$app%2e', prompt)] as const;
  const tabs = [browser.copy(), browser.copy()] as const;
  const both = gate(2);
  atSave = both;
  const codes = await Promise.all(
    tabs.map(async (tab, i) => (await tab.follow(resumes[i] ?? '', CALLBACK)).searchParams.get('code') ?? ''),
  );
  atSave = async () => {};
  return { uid, before, tabs, codes };
}

describe('two tabs that resume one session together', () => {
  it.each(['login', 'consent'])('keep each other’s application, tokens and cookie (prompt=%s)', async (prompt) => {
    const { uid, tabs, codes } = await twoTabs(prompt);
    const session = await store.sessions.find(uid);
    expect(Object.keys(session?.authorizations ?? {}).sort()).toEqual(['$app%2e', 'app.one', 'first']);
    for (const tab of tabs) {
      expect((await sessionOf(tab)).uid).toBe(uid);
      expect(await silently(server, tab, 'app.one')).toBe('code');
    }
    const tokens = await Promise.all(['app.one', '$app%2e'].map((id, i) => redeem(server, id, String(codes[i]))));
    expect(tokens.map(({ status }) => status)).toEqual([200, 200]);
    expect((await refresh(server, '$app%2e', String(tokens[1]?.refresh_token))).status).toBe(200);
  });

  it('leave at most two cookie values, and the one from before is dead', async () => {
    const { uid, before, tabs } = await twoTabs('consent');
    const { ids } = await raw(uid);
    expect([...(ids ?? [])].sort()).toEqual(tabs.map((tab) => tab.cookie('_session')).sort());
    expect(await store.adapter('Session').find(before)).toBeUndefined();
  });

  it('a stale tab does not undo what another tab changed', async () => {
    const adapter = store.adapter('Session');
    const begin = { uid: 'levels', kind: 'Session', iat: 1, exp: 1, accountId: 'alice', loginTs: 5, acr: '1fa' };
    await adapter.upsert('l0', { ...begin, jti: 'l0', state: { secret: 's' } }, 600);
    const [raised, stale] = [await adapter.find('l0'), await adapter.find('l0')];
    if (!raised || !stale) throw new Error('not found');
    await adapter.upsert('l0', { ...raised, acr: '2fa', amr: ['pwd', 'otp'], state: undefined }, 600);
    await adapter.upsert('l0', { ...stale, exp: 2 }, 600);
    const { payload } = await raw('levels');
    expect(payload).toMatchObject({ acr: '2fa', amr: ['pwd', 'otp'], exp: 2 });
    expect(payload).not.toHaveProperty('state');
  });
});

describe('a rotation', () => {
  it('lets the old cookie value be used once more by a request under way, then not', async () => {
    const browser = new Browser();
    await signIn(server, browser, 'first');
    const old = browser.copy();
    await browser.follow(await upToResume(browser, 'first', 'consent'), CALLBACK);
    expect(browser.cookie('_session')).not.toBe(old.cookie('_session'));
    const { uid } = await sessionOf(browser);
    expect((await sessionOf(old)).uid).toBe(uid);
    await browser.follow(await upToResume(browser, 'first', 'consent'), CALLBACK);
    expect(await silently(server, old, 'first')).toBe('login_required');
    expect(await silently(server, browser, 'first')).toBe('code');
  });

  it('at a login ends the cookie value from before at once', async () => {
    const browser = new Browser();
    await signIn(server, browser, 'first');
    const before = browser.copy();
    await browser.follow(await upToResume(browser, 'first', 'login'), CALLBACK);
    expect(await silently(server, before, 'first')).toBe('login_required');
    expect(await silently(server, browser, 'first')).toBe('code');
  });

  it('by a request from before somebody signed in does not lead into that person’s session', async () => {
    const adapter = store.adapter('Session');
    const anonymous = { uid: 'fixed', kind: 'Session', iat: 1, exp: 1, state: { secret: 's' } };
    await adapter.upsert('planted', { ...anonymous, jti: 'planted' }, 600);
    const [attacker, victim] = [await adapter.find('planted'), await adapter.find('planted')];
    if (!attacker || !victim) throw new Error('not found');
    await adapter.upsert('fresh', { ...victim, jti: 'fresh', accountId: 'alice', loginTs: 7 }, 600);
    expect(await adapter.find('planted')).toBeUndefined();
    await expect(adapter.upsert('slow', { ...attacker, jti: 'slow' }, 600)).rejects.toThrow(SessionRevokedError);
    await expect(
      adapter.upsert('slow', { ...attacker, jti: 'slow', accountId: 'mallory', loginTs: 8 }, 600),
    ).rejects.toThrow(SessionRevokedError);
    expect(await adapter.find('slow')).toBeUndefined();
    expect(await adapter.find('fresh')).toMatchObject({ uid: 'fixed', accountId: 'alice' });
  });
});

describe('an ended session', () => {
  it('stays ended though a request was under way', async () => {
    const browser = new Browser();
    await signIn(server, browser, 'first');
    const { uid } = await sessionOf(browser);
    let ended: AdapterPayload | undefined;
    atSave = async () => {
      ended ??= await otherStore.sessions.revoke(uid);
    };
    const answer = await browser.request(authorizationUrl(server, 'first', { prompt: 'none' }));
    atSave = async () => {};
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await answer.text()).not.toContain('code=');
    expect(ended).toMatchObject({ uid, accountId: 'alice', authorizations: { first: { sid: expect.any(String) } } });
    expect(await silently(server, browser, 'first')).toBe('login_required');
    expect(await store.sessions.find(uid)).toBeUndefined();
    expect(await store.sessions.isRevoked(uid)).toBe(true);
    expect(await store.sessions.revoke(uid)).toBeUndefined();
    const stone = await raw(uid);
    expect(stone).toMatchObject({ payload: { accountId: 'alice' }, revokedAt: expect.any(Date) });
    expect(stone.expiresAt.getTime() - Date.now()).toBeGreaterThan(172_000_000);
  });

  it('that never was cannot begin', async () => {
    expect(await store.sessions.revoke('unborn')).toBeUndefined();
    const payload = { uid: 'unborn', kind: 'Session', jti: 'u0', accountId: 'alice', iat: 1, exp: 1 };
    await expect(store.adapter('Session').upsert('u0', payload, 600)).rejects.toThrow(SessionRevokedError);
    expect(await store.adapter('Session').find('u0')).toBeUndefined();
    expect(await store.sessions.isRevoked('unborn')).toBe(true);
    expect(await store.sessions.isRevoked('unknown')).toBe(false);
  });

  it('revoked many times at once while it begins is ended, and told once', async () => {
    for (let i = 0; i < 10; i += 1) {
      const uid = `race${i}`;
      const payload = { uid, kind: 'Session', jti: uid, accountId: 'alice', iat: 1, exp: 1 };
      const [began, ...told] = await Promise.all([
        store
          .adapter('Session')
          .upsert(uid, payload, 600)
          .then(
            () => true,
            () => false,
          ),
        ...Array.from({ length: 4 }, () => store.sessions.revoke(uid)),
      ]);
      expect(told.filter(Boolean).length).toBeLessThanOrEqual(began ? 1 : 0);
      expect(await store.sessions.find(uid)).toBeUndefined();
      expect(await store.sessions.isRevoked(uid)).toBe(true);
    }
  });

  it('is one ended by the person: the logout leaves the same mark', async () => {
    const browser = new Browser();
    await signIn(server, browser, 'first');
    const { uid } = await sessionOf(browser);
    const stale = await sessionOf(browser);
    const form = await (await browser.request(`${server.url}/session/end`)).text();
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(form)?.[1] ?? '';
    const before = browser.copy();
    const done = await browser.request(`${server.url}/session/end/confirm`, { xsrf, logout: 'yes' });
    expect(done.status).toBe(303);
    expect(await store.sessions.isRevoked(uid)).toBe(true);
    expect(await silently(server, before, 'first')).toBe('login_required');
    await expect(store.adapter('Session').upsert(String(stale.jti), stale, 600)).rejects.toThrow(SessionRevokedError);
    await signIn(server, browser, 'first');
    expect((await sessionOf(browser)).uid).not.toBe(uid);
  });

  it('is ended by a logout though other tabs rotated its cookie value away meanwhile', async () => {
    const browser = new Browser();
    await signIn(server, browser, 'first');
    const { uid } = await sessionOf(browser);
    const form = await (await browser.request(`${server.url}/session/end`)).text();
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(form)?.[1] ?? '';
    const before = (await raw(uid)).ids ?? [];
    atDestroy = async () => {
      for (const jti of ['tab1', 'tab2']) {
        await otherStore.adapter('Session').upsert(jti, { ...(await otherStore.sessions.find(uid)), jti }, 600);
      }
      expect((await raw(uid)).ids).not.toEqual(expect.arrayContaining(before));
    };
    await browser.request(`${server.url}/session/end/confirm`, { xsrf, logout: 'yes' });
    expect(await store.sessions.isRevoked(uid)).toBe(true);
    expect(await store.adapter('Session').find('tab2')).toBeUndefined();
  });

  it('logout that leaves the session alive unsets the application and keeps the session', async () => {
    const browser = new Browser();
    await signIn(server, browser, 'first');
    await signIn(server, browser, 'app.one');
    const { uid } = await sessionOf(browser);
    const form = await (await browser.request(`${server.url}/session/end?client_id=app.one`)).text();
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(form)?.[1] ?? '';
    expect((await raw(uid)).payload.state).toMatchObject({ clientId: 'app.one' });
    await browser.request(`${server.url}/session/end/confirm`, { xsrf });
    const { payload } = await raw(uid);
    expect(Object.keys(payload.authorizations ?? {})).toEqual(['first']);
    expect(payload).not.toHaveProperty('state');
    expect((await sessionOf(browser)).uid).toBe(uid);
  });
});

describe('sessions of an account', () => {
  it('are listed while they live, and found by uid', async () => {
    const adapter = store.adapter('Session');
    for (const uid of ['s1', 's2', 's3']) {
      const payload = { uid, kind: 'Session', jti: uid, accountId: 'carol', loginTs: 1, iat: 1, exp: 1 };
      await adapter.upsert(uid, payload, uid === 's3' ? -1 : 600);
    }
    await adapter.upsert('d1', { uid: 'd1', kind: 'Session', jti: 'd1', accountId: 'dave', iat: 1, exp: 1 }, 600);
    await store.sessions.revoke('s2');
    expect((await store.sessions.list('carol')).map(({ uid }) => uid)).toEqual(['s1']);
    expect(await store.sessions.find('s1')).toMatchObject({ uid: 's1', jti: 's1', accountId: 'carol' });
    expect(await adapter.findByUid('s1')).toMatchObject({ uid: 's1' });
    expect(await adapter.findByUid('s2')).toBeUndefined();
    expect(await adapter.findByUid('s3')).toBeUndefined();
  });
});
