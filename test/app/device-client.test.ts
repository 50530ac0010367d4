import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { calculateJwkThumbprint, compactVerify, importJWK, type JWK } from 'jose';
import { DeviceClient, type DeviceError, pairingFrom, type StoredAccount } from '../../examples/device-cli/client.js';
import { pairingDigits } from '../../examples/device-cli/digest.js';
import { numberFrom } from '../../examples/device-cli/links.js';
import { oneTimeCode } from '../../examples/device-cli/one-time-code.js';
import { printable } from '../../examples/device-cli/sentences.js';
import { AccountFile } from '../../examples/device-cli/store.js';

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
  let key: JWK = { kty: 'EC' };
  const client = await DeviceClient.create(ISSUER, {
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
  key = client.toStored().key;
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
    expect(await refusal(client.list())).toMatchObject({ code: 'NO_CONNECTION' });
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
  // RFC 6238, appendix B.
  it.each([
    [59, '94287082', '46119246', '90693936'],
    [1111111109, '07081804', '68084774', '25091201'],
    [1111111111, '14050471', '67062674', '99943326'],
    [1234567890, '89005924', '91819424', '93441116'],
    [2000000000, '69279037', '90698825', '38618901'],
    [20000000000, '65353130', '77737706', '47863826'],
  ])('are those of RFC 6238 at %i', (seconds, sha1, sha256Code, sha512) => {
    const code = (algorithm: string, length: number): string => {
      const secret = Buffer.from('1234567890'.repeat(7).slice(0, length)).toString('base64url');
      return oneTimeCode({ secret, algorithm, digits: 8, periodSeconds: 30 }, seconds * 1000 + 999).code;
    };
    expect([code('SHA1', 20), code('SHA256', 32), code('SHA512', 64)]).toEqual([sha1, sha256Code, sha512]);
  });

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

describe('what people read and type', () => {
  it('the six digits are those of the document', () => {
    expect(pairingDigits('device-1', 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')).toBe('497566');
    const bytes = createHash('sha256').update('countersign-pairing:device-1:thumb').digest().subarray(0, 8);
    const number = bytes.reduce((sum, byte) => (sum * 256n + BigInt(byte)) % 1_000_000n, 0n);
    expect(Number(pairingDigits('device-1', 'thumb'))).toBe(Number(number));
    fc.assert(fc.property(fc.string(), fc.string(), (id, thumbprint) => /^\d{6}$/.test(pairingDigits(id, thumbprint))));
  });

  it('a pairing link says which server it is of', () => {
    const code = randomBytes(32).toString('base64url');
    expect(pairingFrom(`${ISSUER}/app/pair#${code}`)).toEqual({ issuer: ISSUER, code });
    expect(pairingFrom(`http://localhost:4000/app/pair#${code}`)).toEqual({ issuer: 'http://localhost:4000', code });
    for (const wrong of [
      `http://login.example.com/app/pair#${code}`,
      `${ISSUER}/app/pair#${code}x`,
      `${ISSUER}/app/pair?code=${code}`,
      `https://anna:secret@login.example.com/app/pair#${code}`,
      `javascript:/app/pair#${code}`,
    ]) {
      expect(() => pairingFrom(wrong)).toThrow();
    }
  });

  it('a number may be typed with spaces, or come from the code of the page', () => {
    expect(numberFrom(' 481 236', 6)).toBe('481236');
    expect(numberFrom(`${ISSUER}/app/confirm#07`, 2)).toBe('07');
    for (const wrong of ['48123', '4812367', '48123x', '', '٤٨١٢٣٦']) expect(() => numberFrom(wrong, 6)).toThrow();
  });

  it('nobody paints over the terminal with the name of a browser', () => {
    expect(printable('Firefox\u001b[2K\r\nBudapest\u202e')).toMatch(/^Firefox\ufffd\[2K\ufffd\ufffdBudapest\ufffd$/);
  });
});

describe('the file of accounts', () => {
  it('is readable by its owner alone, and keeps one entry of each account', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'device-cli-'));
    const path = join(folder, 'accounts.json');
    const file = new AccountFile(path);
    const [anna, bela] = await Promise.all([DeviceClient.create(ISSUER), DeviceClient.create(ISSUER)]);
    const kept: StoredAccount = { ...anna.toStored(), deviceId: 'device-1' };
    expect(await file.read()).toEqual([]);
    await file.put(anna.toStored());
    await file.put(bela.toStored());
    await file.put(kept);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await file.read()).toEqual([bela.toStored(), kept]);
    await file.forget(bela.toStored());
    expect(await file.read()).toEqual([kept]);
    rmSync(folder, { recursive: true });
  });
});
