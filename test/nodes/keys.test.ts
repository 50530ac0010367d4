/** Rehearsals with two server processes, while people sign in: rotating the signing keys, replacing them in an emergency, sealing everything anew. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { stringify } from 'yaml';
import { runCli } from '../../src/cli/index.js';
import type { SealingKey } from '../../src/platform/secret-box.js';
import { type Person, person, signIn, typePassword } from '../security/support.js';
import { eventually } from '../sms/support.js';
import { freePort, RP, testSecrets } from '../support/app.js';
import { Browser } from '../support/browser.js';
import { RelyingParty, type Tokens } from '../support/relying-party.js';
import type { NodeName } from './balancer.js';
import { type Cluster, startCluster } from './cluster.js';
import { ready } from './node.js';

const DAY_MS = 86_400_000;
const API = 'https://api.example/';
const FOR_THE_API = { scope: 'openid read', resource: API };
const NEW: SealingKey = { id: 'new', key: Buffer.alloc(32, 8) };
const written = (keys: readonly SealingKey[]): string =>
  keys.map(({ id, key }) => `${id}:${key.toString('base64')}`).join();
/** Two at a time are enough to have a request under way at any moment. */
const WORKERS = 2;

let cluster: Cluster;
let rp: RelyingParty;
let folder: string;
let people: Person[];
beforeAll(async () => {
  cluster = await startCluster(
    {
      clients: [{ ...RP, issue_refresh_token: true, resources: [API] }],
      resources: [{ identifier: API, scopes: ['read'], accessTokenFormat: 'jwt' }],
    },
    // What the office makes is sealed with the former key, as if it had been there before this one.
    { COUNTERSIGN_SEALING_KEYS: written([NEW, ...testSecrets.sealingKeys]) },
  );
  rp = new RelyingParty(cluster.issuer);
  folder = mkdtempSync(join(tmpdir(), 'countersign-keys-'));
  const { name } = cluster.office.database;
  writeFileSync(join(folder, 'config.yaml'), stringify({ issuer: cluster.issuer, database: { name } }));
}, 90_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await cluster.stop();
});
let count = 0;
beforeEach(async () => {
  cluster.balancer.to = 'alternate';
  // New ones each time: each sign-in takes one of their ten recovery codes.
  people = await Promise.all(Array.from({ length: WORKERS }, () => person(cluster.office, `person.${count++}`)));
}, 30_000);

async function cli(...argv: string[]): Promise<string> {
  const said: string[] = [];
  const code = await runCli([...argv, '--config', join(folder, 'config.yaml')], {
    env: {
      MONGODB_URI: cluster.office.database.uri,
      COUNTERSIGN_SEALING_KEYS: written([NEW, ...testSecrets.sealingKeys]),
      COUNTERSIGN_COOKIE_KEYS: testSecrets.cookieKeys.join(),
      COUNTERSIGN_INDEX_KEY: testSecrets.indexKey.toString('base64'),
    },
    out: (line) => void said.push(line),
    err: (line) => void said.push(line),
  });
  if (code !== 0) throw new Error(said.join('\n'));
  return said.join('\n');
}

/** What one node publishes, past the balancer. */
const jwksAt = (node: NodeName): Promise<JSONWebKeySet> =>
  new Promise((resolve, reject) => {
    const headers = { host: new URL(cluster.issuer).host, connection: 'close' };
    const asked = request({ host: '127.0.0.1', port: cluster.ports[node], path: '/jwks', headers }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve(JSON.parse(text) as JSONWebKeySet));
    });
    asked.on('error', reject).end();
  });
const kidsOf = ({ keys }: JSONWebKeySet): string[] => keys.map(({ kid }) => String(kid));
const kidOf = (token: string): string => String(decodeProtectedHeader(token).kid);
const verify = (token: string, keys: JSONWebKeySet) => jwtVerify(token, createLocalJWKSet(keys));
/** Both publish the same: for each algorithm the one that signs, the next, and so many former ones. */
const published = (former: number): Promise<JSONWebKeySet> =>
  eventually(async () => {
    const [a, b] = [await jwksAt('a'), await jwksAt('b')];
    const isSame = kidsOf(a).join() === kidsOf(b).join();
    return isSame && a.keys.length === 2 * (2 + former) ? a : undefined;
  }, 10_000);

interface Issued {
  tokens: Tokens;
  at: number;
}

/** People sign in, and refresh, at both nodes in turn until told to stop; each token must be good at both nodes, unless it `mayBeVoid`. */
function traffic(mayBeVoid: (issued: Issued) => boolean = () => false) {
  const issued: Issued[] = [];
  const failures: unknown[] = [];
  let isOver = false;
  const check = async (tokens: Tokens): Promise<void> => {
    const one = { tokens, at: performance.now() };
    for (const node of ['a', 'b'] as const) {
      const keys = await jwksAt(node);
      for (const token of [tokens.id_token, tokens.access_token])
        await verify(token, keys).catch((error: unknown) => {
          if (!mayBeVoid(one)) throw error;
        });
    }
    issued.push(one);
  };
  const work = async (someone: Person): Promise<void> => {
    while (!isOver) {
      const tokens = await signIn(new Browser(cluster.issuer), rp, someone, FOR_THE_API);
      await check(tokens);
      const refreshed = await rp.refresh(tokens.refresh_token ?? '');
      if (refreshed.status !== 200) throw new Error(`not refreshed: ${refreshed.error}`);
      await check(refreshed);
    }
  };
  const running = people.map((someone) => work(someone).catch((error: unknown) => void failures.push(error)));
  return {
    issued,
    failures,
    /** Resolves after so many more sets of tokens. */
    async more(count: number) {
      const enough = issued.length + count;
      await eventually(() => (issued.length >= enough || failures.length > 0 ? true : undefined), 30_000);
    },
    async stop() {
      isOver = true;
      await Promise.all(running);
    },
  };
}

test('a rotation: nobody fails, not even an application that knows the keys of the day before', async () => {
  const before = await published(0);
  await cluster.office.database
    .collection('signing_keys')
    .updateMany({}, { $set: { 'next.createdAt': new Date(Date.now() - DAY_MS) } });
  const load = traffic();
  await load.more(2);
  await cli('keys', 'rotate');
  const after = await published(1);
  await load.more(4);
  await load.stop();
  expect(load.failures).toEqual([]);
  const signedBy = new Set(load.issued.map(({ tokens }) => kidOf(tokens.id_token)));
  // RS256: the current and the next of before.
  expect([...signedBy]).toEqual(kidsOf(before).slice(0, 2));
  for (const { tokens } of load.issued)
    for (const token of [tokens.id_token, tokens.access_token])
      for (const keys of [before, after]) await verify(token, keys);
}, 60_000);

test('an emergency: what the former keys signed is void, and new sign-ins are good at once', async () => {
  const former = kidsOf(await published(1));
  const old = await signIn(new Browser(cluster.issuer), rp, people[0] as Person, FOR_THE_API);
  let replacedAt = Number.POSITIVE_INFINITY;
  // A node may not have heard of it for two seconds.
  const load = traffic(({ tokens, at }) => former.includes(kidOf(tokens.id_token)) && at > replacedAt - 3_000);
  await load.more(2);
  replacedAt = performance.now();
  await cli('keys', 'rotate', '--emergency');
  const doneAt = performance.now();
  const after = await published(0);
  expect(kidsOf(after).filter((kid) => former.includes(kid))).toEqual([]);
  for (const token of [old.id_token, old.access_token])
    await expect(verify(token, after)).rejects.toThrow('no applicable key found');
  await load.more(4);
  await load.stop();
  expect(load.failures).toEqual([]);
  const late = load.issued.filter(({ at }) => at > doneAt + 6_000);
  expect(late.filter(({ tokens }) => former.includes(kidOf(tokens.id_token)))).toEqual([]);
  const last = load.issued.at(-1)?.tokens as Tokens;
  for (const token of [last.id_token, last.access_token]) await verify(token, after);
  const goesOn = await rp.refresh(old.refresh_token ?? '');
  await verify(goesOn.id_token, after);
  const hint = new URL(`${cluster.issuer}/session/end?id_token_hint=${old.id_token}`);
  expect((await new Browser(cluster.issuer).open(hint)).status).toBe(400);
}, 60_000);

test('sealing everything anew: nobody fails, and then the former key is needed no more', async () => {
  const byCode = await Promise.all(Array.from({ length: 4 }, (_, n) => person(cluster.office, `code.${n}`)));
  const signInByCode = async ({ account, authenticator }: Person, steps = 0): Promise<void> => {
    const browser = new Browser(cluster.issuer);
    const { url, verifier } = rp.request();
    const page = await typePassword(browser, url, account.login);
    const entry = page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, '$1/with/totp');
    const { claims } = await rp.tokens(
      await browser.submit(await browser.open(entry), { code: authenticator.code(steps) }),
      verifier,
    );
    expect(claims.amr).toEqual(['pwd', 'otp', 'mfa']);
  };
  const { database } = cluster.office;
  const formerly = { 'data.secret': /^test\./ };
  expect(await database.collection('factors').countDocuments(formerly)).toBeGreaterThan(byCode.length);
  const load = traffic();
  await load.more(1);
  const [said] = await Promise.all([cli('keys', 'reseal'), ...byCode.slice(0, 3).map((one) => signInByCode(one))]);
  expect(said).toContain('test seals nothing any more');
  expect(await database.collection('factors').countDocuments(formerly)).toBe(0);
  await load.more(1);
  await load.stop();
  expect(load.failures).toEqual([]);

  const port = await freePort();
  const node = cluster.spawn({ listen: { port } }, { COUNTERSIGN_SEALING_KEYS: written([NEW]) });
  await ready(node);
  cluster.ports.b = port;
  cluster.balancer.to = 'b';
  await signInByCode(byCode[3] as Person);
  await node.kill();
}, 90_000);
