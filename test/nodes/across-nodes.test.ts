import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { generateSync } from 'otplib';
import { person, signIn, typePassword, typeRecoveryCode } from '../security/support.js';
import { eventually } from '../sms/support.js';
import { PASSWORD } from '../support/app.js';
import { Browser } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import type { NodeName } from './balancer.js';
import { type Cluster, startCluster } from './cluster.js';

let cluster: Cluster;
let rp: RelyingParty;
beforeAll(async () => {
  cluster = await startCluster({ policy: { firstEnrolment: 'password', setUp: { required: true } } });
  rp = new RelyingParty(cluster.issuer);
}, 60_000);
afterAll(() => cluster.stop());
beforeEach(() => {
  cluster.balancer.to = 'a';
});

const jwksOf = async (node: NodeName) => {
  cluster.balancer.to = node;
  return (await (await fetch(`${cluster.issuer}/jwks`)).json()) as Parameters<typeof createLocalJWKSet>[0];
};

test('two nodes that start at the same moment on an empty database have the same signing keys', async () => {
  // Each with the next one, which is made when the servers run.
  const all = await eventually(async () => {
    const keys = [await jwksOf('a'), await jwksOf('b')];
    return keys.every((set) => set.keys.length === 4) ? keys : undefined;
  });
  expect(all[0]?.keys.map(({ alg }) => alg)).toEqual(['RS256', 'RS256', 'ES256', 'ES256']);
  expect(all[1]).toEqual(all[0]);
  expect(await cluster.office.database.collection('signing_keys').countDocuments()).toBe(2);
});

test('a first sign-in with set-up whose every request goes to the other node than the one before', async () => {
  await cluster.office.account('anna@example.com');
  const { balancer } = cluster;
  balancer.to = 'alternate';
  balancer.answeredBy = [];
  const browser = new Browser(cluster.issuer);
  const { url, verifier } = rp.request();
  let page = await browser.submit(await browser.open(url), { login: 'anna@example.com', password: PASSWORD });
  page = await browser.submit(page, { method: 'totp' });
  const secret = /secret=([A-Z2-7]+)/.exec(page.html)?.[1] ?? '';
  page = await browser.submit(page, { code: generateSync({ secret }) });
  const code = /[0-9A-Z]{4}(-[0-9A-Z]{4}){3}/.exec(page.text)?.[0] ?? '';
  page = await browser.submit(page, { code });
  const { claims } = await rp.tokens(page, verifier);
  expect(claims).toMatchObject({ acr: 'urn:countersign:acr:2fa', amr: ['pwd', 'otp', 'mfa'] });
  expect(new Set(balancer.answeredBy)).toEqual(new Set(['a', 'b']));
  expect(balancer.answeredBy.every((node, index, all) => node !== all[index + 1])).toBe(true);
});

test.each([
  ['a', 'b'],
  ['b', 'a'],
] as const)(
  'what %s has issued is good at %s: ID Token, userinfo, refresh, introspection, session',
  async (one, other) => {
    const anna = await person(cluster.office, `${one}@example.com`);
    const browser = new Browser(cluster.issuer);
    cluster.balancer.to = one;
    const tokens = await signIn(browser, rp, anna);
    const keys = createLocalJWKSet(await jwksOf(other));
    const { payload } = await jwtVerify(tokens.id_token, keys, { issuer: cluster.issuer, audience: 'rp' });
    expect(payload.sub).toBe(anna.account.id);
    expect(decodeProtectedHeader(tokens.id_token).alg).toBe('RS256');

    const userinfo = await rp.userinfo(tokens.access_token);
    expect([userinfo.status, await userinfo.json()]).toMatchObject([200, { sub: anna.account.id }]);
    const introspected = await rp.post('/token/introspection', { token: tokens.access_token });
    expect(await introspected.json()).toMatchObject({ active: true, sub: anna.account.id });
    expect(await rp.silent(browser)).toBe('code');
    const refreshed = await rp.refresh(tokens.refresh_token ?? '');
    expect(refreshed.status).toBe(200);
    await jwtVerify(refreshed.id_token, createLocalJWKSet(await jwksOf(one)));
    expect((await rp.userinfo(refreshed.access_token)).status).toBe(200);
  },
);

test('a password typed at one node and a code at the other; a code used at one node is used at the other', async () => {
  const ben = await person(cluster.office, 'ben@example.com');
  const [code = ''] = ben.recoveryCodes.slice(-1);
  const enter = async (first: NodeName, second: NodeName) => {
    const browser = new Browser(cluster.issuer);
    const { url, verifier } = rp.request();
    cluster.balancer.to = first;
    const page = await typePassword(browser, url, 'ben@example.com');
    cluster.balancer.to = second;
    return { verifier, page: await typeRecoveryCode(browser, page, { ...ben, recoveryCodes: [code] }) };
  };
  const { page, verifier } = await enter('a', 'b');
  expect((await rp.tokens(page, verifier)).claims.sub).toBe(ben.account.id);
  const again = await enter('b', 'a');
  expect(again.page.status).toBe(422);
});
