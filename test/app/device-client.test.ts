import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, compactVerify, importJWK, type JWK } from 'jose';
import { DeviceClient, type DeviceError, type StoredAccount } from '../../examples/device-cli/client.js';
import { oneTimeCode } from '../../examples/device-cli/one-time-code.js';

const ISSUER = 'https://login.example.com/id';
const SERVER_TIME = Date.parse('2026-11-24T09:00:00.000Z');

interface Seen {
  url: string;
  body: string;
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
}

const publicOf = ({ kty, crv, x, y }: JWK): JWK => ({ kty, crv, x, y }) as JWK;
const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('base64url');

const verified = async (jws: string, key: JWK) => {
  const { payload, protectedHeader } = await compactVerify(jws, await importJWK(publicOf(key), 'ES256'));
  return { header: { ...protectedHeader }, claims: JSON.parse(Buffer.from(payload).toString('utf8')) };
};

/** A server made up for one phone: the answers in their order; it keeps what it saw, once the signature is verified. */
async function phoneBefore(
  ...answers: { status?: number; headers?: Record<string, string>; body?: object | string }[]
) {
  const seen: Seen[] = [];
  const stored: StoredAccount = { ...(await DeviceClient.create(ISSUER)).toStored(), deviceId: 'device-1' };
  const { key } = stored;
  const client = await DeviceClient.restore(stored, {
    now: () => SERVER_TIME - 45_000,
    fetch: async (input, init) => {
      const { status = 200, headers, body = {} } = answers.shift() ?? {};
      const text = String(init?.body);
      const signature = new Headers(init?.headers).get('device-signature') ?? '';
      seen.push({ url: String(input), body: text, ...(await verified(signature, key)) });
      return new Response(typeof body === 'string' ? body : JSON.stringify({ serverTime: isoNow, ...body }), {
        status,
        headers: { 'device-nonce': `nonce-${seen.length}`, ...headers },
      });
    },
  });
  return { client, seen, key };
}
const isoNow = new Date(SERVER_TIME).toISOString();

const PAIRED = {
  deviceId: 'device-1',
  state: 'pending',
  issuerName: 'Acme',
  account: { login: 'anna', name: 'Anna' },
  offline: {
    secret: Buffer.from('12345678901234567890').toString('base64url'),
    algorithm: 'SHA1',
    digits: 6,
    periodSeconds: 30,
  },
  expiresAt: isoNow,
};

const refusal = (doing: Promise<unknown>): Promise<DeviceError> =>
  doing.then(
    () => {
      throw new Error('it was not refused');
    },
    (error) => error,
  );

describe('a request', () => {
  it('is signed as the document says: key, address, body, nonce', async () => {
    const { client, seen, key } = await phoneBefore({ body: PAIRED }, {});
    await client.pair({ code: 'c'.repeat(43) }, { model: 'Pixel 9' });
    await client.remove();
    const [pairing, removal] = seen;
    expect(pairing?.header).toEqual({
      alg: 'ES256',
      typ: 'countersign-request+jwt',
      kid: await calculateJwkThumbprint(publicOf(key)),
    });
    expect(pairing?.claims).toEqual({
      aud: ISSUER,
      htm: 'POST',
      htu: `${ISSUER}/device/v1/pairing`,
      bh: sha256(pairing?.body ?? ''),
      jti: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect(JSON.parse(pairing?.body ?? '')).toEqual({
      code: 'c'.repeat(43),
      key: publicOf(key),
      model: 'Pixel 9',
      platform: 'other',
    });
    expect(removal?.header).toMatchObject({ kid: 'device-1' });
    expect(removal?.claims).toMatchObject({ nonce: 'nonce-1', bh: sha256('{}') });
  });

  it('is repeated once with the nonce that it was given, and a jti of its own', async () => {
    const { client, seen } = await phoneBefore(
      { status: 401, body: { code: 'USE_NONCE' } },
      { body: { challenges: [] } },
      { status: 401, body: { code: 'USE_NONCE' } },
      { status: 401, body: { code: 'USE_NONCE' } },
    );
    expect(await client.list()).toEqual([]);
    expect(seen.map(({ claims }) => claims.nonce)).toEqual([undefined, 'nonce-1']);
    expect(new Set(seen.map(({ claims }) => claims.jti)).size).toBe(2);
    expect(await refusal(client.list())).toMatchObject({ code: 'USE_NONCE' });
    expect(seen.map(({ claims }) => claims.nonce)).toEqual([undefined, 'nonce-1', 'nonce-2', 'nonce-3']);
  });

  it.each([
    [
      { status: 422, body: { code: 'WRONG_NUMBER', triesLeft: 2 } },
      { code: 'WRONG_NUMBER', triesLeft: 2 },
    ],
    [
      { status: 429, headers: { 'retry-after': '17' }, body: { code: 'TOO_MANY' } },
      { code: 'TOO_MANY', retryAfterSeconds: 17 },
    ],
    [
      { status: 401, body: { code: 'DEVICE_REFUSED' } },
      { code: 'DEVICE_REFUSED', status: 401 },
    ],
    [{ status: 409, body: { code: 'REFUSED' } }, { code: 'REFUSED' }],
    [
      { status: 502, body: '<html>' },
      { code: 'UNEXPECTED', status: 502 },
    ],
    [{ status: 200, body: '[]' }, { code: 'UNEXPECTED' }],
    [{ status: 400, body: { code: 'toString' } }, { code: 'UNEXPECTED' }],
  ])('that fails says why: %j', async (answer, why) => {
    const { client } = await phoneBefore(answer);
    expect(await refusal(client.list())).toMatchObject(why);
  });

  it('that nothing answers is told apart from a refused one', async () => {
    const client = await DeviceClient.create(ISSUER, { fetch: () => Promise.reject(new TypeError('fetch failed')) });
    expect(await refusal(client.list())).toMatchObject({ code: 'NOT_LIKE_THAT' });
    expect(await refusal(client.pair({ code: 'c'.repeat(43) }))).toMatchObject({ code: 'NO_CONNECTION' });
  });
});

describe('an answer to a sign-in', () => {
  const challenge = { id: 'ch/1', details: '{"at":"2026","application":"Zeiterfassung für alle"}', digits: 6 };

  it('is signed over what was shown, and carries the number with an approval alone', async () => {
    const { client, seen, key } = await phoneBefore(
      { body: PAIRED },
      { body: { outcome: 'approved' } },
      { body: { outcome: 'denied' } },
    );
    await client.pair({ code: 'c'.repeat(43) });
    expect(await client.answer(challenge, 'approve', '481 236')).toBe('approved');
    expect(await client.answer(challenge, 'not_me')).toBe('denied');
    expect(seen[1]?.url).toBe(`${ISSUER}/device/v1/challenges/ch%2F1/answer`);
    const signed = await Promise.all(seen.slice(1).map(({ body }) => verified(JSON.parse(body).answer, key)));
    const shown = sha256(Buffer.from(challenge.details, 'utf8'));
    expect(signed).toEqual(
      [
        { decision: 'approve', number: '481236', shown },
        { decision: 'not_me', shown },
      ].map((claims) => ({
        header: { alg: 'ES256', typ: 'countersign-approval+jwt', kid: 'device-1' },
        claims: { aud: ISSUER, challenge: 'ch/1', ...claims },
      })),
    );
  });

  it('with a number that cannot be the one is not sent: it would cost a try', async () => {
    const { client, seen } = await phoneBefore({ body: PAIRED });
    await client.pair({ code: 'c'.repeat(43) });
    expect(await refusal(client.answer(challenge, 'approve', '48123'))).toMatchObject({ code: 'NOT_LIKE_THAT' });
    expect(await refusal(client.answer(challenge, 'approve'))).toMatchObject({ code: 'NOT_LIKE_THAT' });
    expect(await refusal(client.answer(challenge, 'not_now', '481236'))).toMatchObject({ code: 'NOT_LIKE_THAT' });
    expect(seen).toHaveLength(1);
  });
});

describe('codes without a network', () => {
  it('are made at the time of the server, which the phone keeps', async () => {
    const { client } = await phoneBefore({ body: PAIRED });
    expect(await refusal((async () => client.offlineCode())())).toMatchObject({ code: 'NOT_LIKE_THAT' });
    await client.pair({ code: 'c'.repeat(43) });
    expect(client.isClockOff).toBe(true);
    const { offline } = PAIRED;
    expect(client.offlineCode()).toEqual(oneTimeCode(offline, SERVER_TIME));
    expect(client.offlineCode().code).not.toBe(oneTimeCode(offline, SERVER_TIME - 45_000).code);
    const later = await DeviceClient.restore(client.toStored(), { now: () => SERVER_TIME - 45_000 + 12_000 });
    expect(later.offlineCode()).toEqual({ ...client.offlineCode(), secondsLeft: 18 });
  });
});
