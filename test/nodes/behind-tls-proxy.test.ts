/** A server process behind a proxy that ends TLS, set up as docs/operating.md tells: what people and applications see, and from where. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { stringify } from 'yaml';
import { rawRequest } from '../security/raw.js';
import { person, signIn, typePassword } from '../security/support.js';
import { freePort, RP, startApp, type TestApp } from '../support/app.js';
import { Browser } from '../support/browser.js';
import { testDatabase } from '../support/database.js';
import { RelyingParty } from '../support/relying-party.js';
import { environment } from './cluster.js';
import { ready, type ServerNode, spawnNode } from './node.js';
import { openTlsProxy, type TlsProxy } from './tls-proxy.js';

const ISSUER = 'https://login.example.com';
/** Where the browser really is, and where it says that it is. */
const HOME = '127.0.0.7';
const SPOOFED = '203.0.113.9';

const folder = mkdtempSync(join(tmpdir(), 'countersign-tls-'));
const plainFetch = globalThis.fetch;
let database: Awaited<ReturnType<typeof testDatabase>>;
let node: ServerNode;
let proxy: TlsProxy;
let port: number;
let office: TestApp;
const rp = new RelyingParty(ISSUER);
beforeAll(async () => {
  database = await testDatabase();
  port = await freePort();
  const settings = {
    listen: { port },
    trustedProxyHops: 1,
    policy: { firstEnrolment: 'password' },
    mail: { transport: 'smtp', smtp: { host: 'mail.example' } },
    clients: [{ ...RP, issue_refresh_token: true }],
    log: { level: 'error' },
    database: { name: database.name },
  };
  const file = join(folder, 'countersign.yaml');
  writeFileSync(file, stringify({ issuer: ISSUER, ...settings }));
  node = spawnNode(file, environment(database.uri));
  await ready(node);
  proxy = await openTlsProxy(port);
  office = await startApp({ ...settings, database: { allowEmbedded: true } }, { database, issuer: ISSUER });
}, 60_000);
afterAll(async () => {
  await node.kill();
  await proxy.stop();
  await office.stop();
  await database.drop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  globalThis.fetch = proxy.fetchFrom(HOME);
});
afterEach(() => {
  globalThis.fetch = plainFetch;
});

class WatchedBrowser extends Browser {
  readonly cookieLines: string[] = [];
  override async request(...args: Parameters<Browser['request']>): ReturnType<Browser['request']> {
    const answer = await super.request(...args);
    this.cookieLines.push(...answer.headers.getSetCookie());
    return answer;
  }
}

test('a sign-in up to refreshed tokens: https everywhere, every cookie Secure, and the address is the browser’s own', async () => {
  const anna = await person(office, 'anna@example.com');
  const browser = new WatchedBrowser(ISSUER);
  browser.headers = { 'x-forwarded-for': SPOOFED, 'x-forwarded-proto': 'http', 'x-real-ip': SPOOFED };
  const tokens = await signIn(browser, rp, anna);
  expect(browser.cookieLines.length).toBeGreaterThan(4);
  for (const line of browser.cookieLines) expect(line).toMatch(/^__(?:Host|Secure)-.*;\s*secure/i);

  const discovery = (await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json()) as Record<
    string,
    unknown
  >;
  expect(discovery.issuer).toBe(ISSUER);
  const endpoints = Object.entries(discovery).filter(([name]) => /_(?:endpoint|uri)$/.test(name));
  expect(endpoints.length).toBeGreaterThan(5);
  for (const [, endpoint] of endpoints) expect(endpoint).toMatch(/^https:\/\/login\.example\.com\//);
  const keys = createRemoteJWKSet(new URL(String(discovery.jwks_uri)), { [customFetch]: fetch });
  await jwtVerify(tokens.id_token, keys, { issuer: ISSUER, audience: 'rp' });
  expect((await rp.userinfo(tokens.access_token)).status).toBe(200);
  expect((await rp.refresh(tokens.refresh_token ?? '')).status).toBe(200);
  expect(await rp.silent(browser)).toBe('code');

  const events = await database.collection('audit_events').find({ accountId: anna.account.id }).toArray();
  const addresses = new Set(events.map(({ origin }) => origin?.ip).filter(Boolean));
  expect(addresses).toEqual(new Set([HOME]));
});

test('who claims another address at each attempt is counted at their own', async () => {
  for (let n = 0; n < 3; n += 1) {
    const browser = new Browser(ISSUER);
    browser.headers = { 'x-forwarded-for': `${SPOOFED}, 198.51.100.${n}` };
    expect((await typePassword(browser, rp.request().url, `nobody${n}`, 'wrong')).status).toBe(422);
  }
  const subjects = (await database.collection('attempts').distinct('_id')).map(String);
  expect(subjects.filter((id) => id.includes(HOME)).length).toBeGreaterThan(0);
  expect(subjects.filter((id) => /203\.0\.113|198\.51\.100/.test(id))).toEqual([]);
});

test('past the proxy: neither by the port itself nor by plain http does anybody get a page', async () => {
  const headers = { host: new URL(ISSUER).host };
  const answer = await rawRequest(port, '/.well-known/openid-configuration', { headers });
  expect(answer.status).toBe(421);
});
