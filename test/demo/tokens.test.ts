import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  type CryptoKey,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JWTPayload,
  type JWTVerifyGetKey,
  SignJWT,
} from 'jose';
import { createAccessTokenCheck } from '../../src/demo/time-sheets/access-token-check.js';
import { createLogoutTokenCheck } from '../../src/demo/time-sheets/backchannel-logout.js';
import { FakeClock } from '../support/clock.js';

const ISSUER = 'https://issuer.test';
const API = 'http://localhost:4001/api';
const NEED = { scope: 'timesheets:read', acr: ['urn:countersign:acr:2fa', 'phr'] };
const clock = new FakeClock(new Date('2026-03-02T10:00:00Z'));
const seconds = Math.floor(clock.now().getTime() / 1000);

let es256: CryptoKey;
let rs256: CryptoKey;
let foreign: CryptoKey;
let keys: JWTVerifyGetKey;

beforeAll(async () => {
  const [ec, rsa, other] = await Promise.all([
    generateKeyPair('ES256'),
    generateKeyPair('RS256'),
    generateKeyPair('ES256'),
  ]);
  [es256, rs256, foreign] = [ec.privateKey, rsa.privateKey, other.privateKey];
  keys = createLocalJWKSet({
    keys: [
      { ...(await exportJWK(ec.publicKey)), kid: 'ec', alg: 'ES256' },
      { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', alg: 'RS256' },
    ],
  });
});

describe('the API', () => {
  const good = {
    iss: ISSUER,
    aud: API,
    sub: 'acc_1',
    client_id: 'demo-web',
    iat: seconds - 10,
    exp: seconds + 290,
    scope: 'timesheets:read',
    acr: 'urn:countersign:acr:2fa',
  };
  const sign = (claims: JWTPayload, header: object = {}, key = es256) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'ec', typ: 'at+jwt', ...header }).sign(key);
  const ask = async (token: string | Promise<string>) =>
    createAccessTokenCheck({ issuer: ISSUER, audience: API, clock, keys })(`Bearer ${await token}`, NEED);
  const without = (name: string) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));

  test('takes a good token', async () => {
    expect(await ask(sign(good))).toMatchObject({ allowed: true, claims: { sub: 'acc_1' } });
    expect(await ask(sign({ ...good, acr: 'phr' }))).toMatchObject({ allowed: true });
  });

  test.each<[string, () => Promise<string>]>([
    ['of another issuer', () => sign({ ...good, iss: 'https://evil.test' })],
    ['for another audience', () => sign({ ...good, aud: 'https://other.test' })],
    ['without audience', () => sign(without('aud'))],
    ['without subject', () => sign(without('sub'))],
    ['without end', () => sign(without('exp'))],
    ['expired', () => sign({ ...good, exp: seconds - 1 })],
    ['that is an ID token', () => sign(good, { typ: 'JWT' })],
    ['signed with another algorithm', () => sign(good, { alg: 'RS256', kid: 'rsa' }, rs256)],
    ['signed with a foreign key', () => sign(good, {}, foreign)],
    ['with an unknown key id', () => sign(good, { kid: 'gone' })],
    ['that is changed', async () => (await sign(good)).replace(/.{4}$/, 'AAAA')],
    ['that is no token', async () => 'opaque-token'],
  ])('refuses a token %s', async (_, make) => {
    const answer = await ask(make());
    expect(answer).toMatchObject({ allowed: false, status: 401 });
    expect(answer).toHaveProperty('challenge', expect.stringContaining('error="invalid_token"'));
  });

  test('names no error when no token was sent (RFC 6750 section 3.1)', async () => {
    const check = createAccessTokenCheck({ issuer: ISSUER, audience: API, clock, keys });
    for (const header of ['', 'Basic abc', 'Bearer ', 'Bearer a b']) {
      const answer = await check(header, NEED);
      expect(answer).toMatchObject({ allowed: false, status: 401 });
      expect(answer).toHaveProperty('challenge', expect.not.stringContaining('error='));
    }
  });

  test('refuses a missing scope with 403', async () => {
    for (const scope of ['openid', 'timesheets:readers', ''])
      expect(await ask(sign({ ...good, scope }))).toMatchObject({
        status: 403,
        challenge: expect.stringContaining('error="insufficient_scope"'),
      });
  });

  test('asks for a stronger sign-in (RFC 9470)', async () => {
    for (const acr of ['urn:countersign:acr:1fa', 'urn:countersign:acr:2fa-remembered', undefined])
      expect(await ask(sign(acr ? { ...good, acr } : without('acr')))).toMatchObject({
        status: 401,
        challenge: expect.stringMatching(
          /error="insufficient_user_authentication".*acr_values="urn:countersign:acr:2fa phr"/,
        ),
      });
  });

  test('does not blame the token when the keys are out of reach', async () => {
    const away: JWTVerifyGetKey = async () => {
      throw new TypeError('fetch failed');
    };
    const check = createAccessTokenCheck({ issuer: ISSUER, audience: API, clock, keys: away });
    await expect(check(`Bearer ${await sign(good)}`, NEED)).rejects.toThrow(TypeError);
  });
});

describe('a logout token', () => {
  const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const good = { iss: ISSUER, aud: 'demo-web', iat: seconds, sub: 'acc_1', sid: 'sid_1', events: EVENTS };
  let serial = 0;
  const sign = (claims: JWTPayload, key = rs256) => {
    serial += 1;
    return new SignJWT({ jti: `jti-${serial}`, ...claims })
      .setProtectedHeader({
        alg: key === rs256 ? 'RS256' : 'ES256',
        kid: key === rs256 ? 'rsa' : 'ec',
        typ: 'logout+jwt',
      })
      .sign(key);
  };
  const checker = () => createLogoutTokenCheck({ issuer: ISSUER, clientId: 'demo-web', clock, keys });

  test('names the session once, and is worth nothing a second time', async () => {
    const check = checker();
    const token = await sign(good);
    expect(await check(token)).toEqual({ sub: 'acc_1', sid: 'sid_1' });
    expect(await check(token)).toBeUndefined();
  });

  test.each<[string, () => Promise<string>]>([
    ['for another client', () => sign({ ...good, aud: 'other' })],
    ['of another issuer', () => sign({ ...good, iss: 'https://evil.test' })],
    ['with a nonce (an ID token)', () => sign({ ...good, nonce: 'n' })],
    ['without the event', () => sign({ ...good, events: {} })],
    ['that names nobody', () => sign({ iss: ISSUER, aud: 'demo-web', iat: seconds, events: EVENTS })],
    ['that is old', () => sign({ ...good, iat: seconds - 400 })],
    ['with a foreign signature', () => sign(good, foreign)],
    ['that is no token', async () => 'x'],
  ])('%s ends nothing', async (_, make) => {
    expect(await checker()(await make())).toBeUndefined();
  });
});
