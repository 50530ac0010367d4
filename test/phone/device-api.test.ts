import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint, importJWK, type JWTPayload, jwtVerify } from 'jose';
import { createDeviceApi } from '../../plugins/app/phone/web/device-api.js';
import { createDeviceKey, type DeviceKey } from '../../plugins/app/phone/web/device-key.js';
import { Refusal } from '../../plugins/app/phone/web/protocol.js';

const ISSUER = 'https://id.example/auth';
const NOW = Date.parse('2026-11-24T09:10:00.000Z');

interface Asked {
  url: string;
  headers: Record<string, string>;
  body: Record<string, unknown>;
  claims: JWTPayload;
  kid?: string;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Answers what it is given, one after the other, and verifies everything that it is asked. */
async function create(...answers: [status: number, body: object | string, headers?: Record<string, string>][]) {
  const key: DeviceKey = await createDeviceKey();
  const asked: Asked[] = [];
  const offsets: number[] = [];
  const api = createDeviceApi({
    issuer: ISSUER,
    now: () => NOW,
    onClock: (offsetMs) => offsets.push(offsetMs),
    fetch: async (input, { headers = {}, body, method, credentials, redirect } = {}) => {
      expect({ method, credentials, redirect }).toEqual({ method: 'POST', credentials: 'omit', redirect: 'error' });
      const plain = headers as Record<string, string>;
      const { payload, protectedHeader } = await jwtVerify(
        plain['Device-Signature'] ?? '',
        await importJWK({ ...key.publicJwk }, 'ES256'),
        { typ: 'countersign-request+jwt', audience: ISSUER, algorithms: ['ES256'] },
      );
      expect(Object.keys(protectedHeader).sort()).toEqual(['alg', 'kid', 'typ']);
      expect(payload).toMatchObject({ htm: 'POST', htu: String(input), bh: sha256(String(body)) });
      asked.push({
        url: String(input),
        headers: plain,
        body: JSON.parse(String(body)),
        claims: payload,
        ...(protectedHeader.kid ? { kid: protectedHeader.kid } : {}),
      });
      const [status, answer, more = {}] = answers.shift() ?? [500, 'nobody'];
      return new Response(typeof answer === 'string' ? answer : JSON.stringify(answer), {
        status,
        headers: { 'Device-Nonce': `nonce-${asked.length}`, ...more },
      });
    },
  });
  return { api, key, asked, offsets, signer: { id: 'device-1', key } };
}

const serverTime = '2026-11-24T09:10:42.000Z';
const challenge = {
  id: 'c/1',
  details: '{"application":"Kalender – Büro","at":"2026-11-24T09:10:00.000Z"}',
  digits: 6,
  createdAt: serverTime,
  expiresAt: serverTime,
};
const code = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error: Refusal) => error.code,
  );

test('the first request has no nonce, and is repeated once with the one of the answer and a new jti', async () => {
  const { api, asked, signer } = await create(
    [401, { code: 'USE_NONCE', serverTime }],
    [200, { state: 'active', serverTime }],
  );
  expect(await api.state(signer)).toMatchObject({ state: 'active' });
  expect(asked.map(({ claims }) => claims.nonce)).toEqual([undefined, 'nonce-1']);
  expect(new Set(asked.map(({ claims }) => claims.jti)).size).toBe(2);
  for (const { claims } of asked) expect(claims.jti).toMatch(/^[\w-]{16,64}$/);
});

test('a second refusal for the nonce is an error, not a circle', async () => {
  const { api, asked, signer } = await create([401, { code: 'USE_NONCE' }], [401, { code: 'USE_NONCE' }], [200, {}]);
  expect(await code(api.state(signer))).toBe('OFFLINE');
  expect(asked).toHaveLength(2);
});

test('pairing is signed with the thumbprint as key id, and sends the public key alone', async () => {
  const { api, asked, key } = await create([200, { deviceId: 'd', serverTime }]);
  await api.pair(key, { code: 'x'.repeat(43), model: 'Pixel 9', platform: 'android' });
  expect(asked[0]).toMatchObject({
    url: `${ISSUER}/device/v1/pairing`,
    kid: await calculateJwkThumbprint(key.publicJwk),
    body: { code: 'x'.repeat(43), model: 'Pixel 9', platform: 'android', key: key.publicJwk },
  });
});

test.each([
  ['approve', '482915', { number: '482915' }],
  ['not_now', undefined, {}],
  ['not_me', '482915', {}],
] as const)(
  'an answer "%s" signs what was shown, and the number with an approval alone',
  async (decision, number, expected) => {
    const { api, asked, signer, key } = await create([200, { outcome: 'approved', serverTime }]);
    expect(await api.answer(signer, challenge, decision, number)).toBe('approved');
    expect(asked[0]?.url).toBe(`${ISSUER}/device/v1/challenges/c%2F1/answer`);
    const { payload } = await jwtVerify(String(asked[0]?.body.answer), await importJWK({ ...key.publicJwk }, 'ES256'), {
      typ: 'countersign-approval+jwt',
    });
    expect(payload).toEqual({ aud: ISSUER, challenge: 'c/1', decision, shown: sha256(challenge.details), ...expected });
  },
);

test('every answer tells the server’s clock, errors included', async () => {
  const { api, offsets, signer } = await create(
    [409, { code: 'REFUSED', serverTime }],
    [200, { challenges: [], serverTime: 'soon' }],
  );
  expect(await code(api.challenges(signer))).toBe('REFUSED');
  await api.challenges(signer);
  expect(offsets).toEqual([42_000]);
});

describe('refusals', () => {
  test('a wrong number says how many tries are left, too many how long to wait', async () => {
    const { api, signer } = await create(
      [422, { code: 'WRONG_NUMBER', triesLeft: 2 }],
      [429, { code: 'TOO_MANY' }, { 'Retry-After': '30' }],
    );
    const refusals: unknown[] = [];
    for (let n = 0; n < 2; n += 1)
      await api.answer(signer, challenge, 'approve', '1').catch((error) => refusals.push(error));
    expect(refusals).toEqual([
      expect.objectContaining({ code: 'WRONG_NUMBER', facts: { triesLeft: 2 } }),
      expect.objectContaining({ code: 'TOO_MANY', facts: { retryAfterSeconds: 30 } }),
    ]);
    expect(refusals[0]).toBeInstanceOf(Refusal);
  });

  test.each([
    [502, '<h1>Bad Gateway</h1>'],
    [503, { code: 'DATABASE_UNAVAILABLE' }],
    [200, 'a page of some hotel'],
  ])('%i from something else: as if nobody had answered', async (status, body) => {
    const { api, signer } = await create([status, body]);
    expect(await code(api.state(signer))).toBe('OFFLINE');
  });
});
