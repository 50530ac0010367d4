import { expect, test } from '@jest/globals';
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import { createDeviceKey, signJws, thumbprintOf } from '../../plugins/app/phone/web/device-key.js';
import { pairingDigits } from '../../plugins/app/phone/web/pairing-digits.js';

test('a private key never leaves the browser; the public one has what the thumbprint covers and no more', async () => {
  const { privateKey, publicJwk } = await createDeviceKey();
  expect(privateKey.extractable).toBe(false);
  for (const format of ['jwk', 'pkcs8'] as const)
    await expect(crypto.subtle.exportKey(format, privateKey)).rejects.toThrow();
  expect(Object.keys(publicJwk).sort()).toEqual(['crv', 'kty', 'x', 'y']);
});

test('thumbprints are those of RFC 7638, whatever the order of the members', async () => {
  for (let n = 0; n < 5; n += 1) {
    const { publicJwk, thumbprint } = await createDeviceKey();
    expect(thumbprint).toBe(await calculateJwkThumbprint(publicJwk, 'sha256'));
    const { kty, crv, x, y } = publicJwk;
    expect(await thumbprintOf({ y, x, kty, crv })).toBe(thumbprint);
  }
});

test('a signature is a JWS that others verify, with exactly the header that is asked for', async () => {
  const key = await createDeviceKey();
  const jws = await signJws(
    key,
    { typ: 'countersign-request+jwt', kid: 'device-1' },
    { aud: 'https://id.example', name: 'Kovács' },
  );
  const { payload } = await compactVerify(jws, await importJWK({ ...key.publicJwk }, 'ES256'));
  expect(JSON.parse(new TextDecoder().decode(payload))).toEqual({ aud: 'https://id.example', name: 'Kovács' });
  expect(decodeProtectedHeader(jws)).toEqual({ alg: 'ES256', typ: 'countersign-request+jwt', kid: 'device-1' });
  const other = await createDeviceKey();
  await expect(compactVerify(jws, await importJWK({ ...other.publicJwk }, 'ES256'))).rejects.toThrow();
});

test('the six digits of a pairing are those of the protocol, and belong to one device and one key', async () => {
  const thumbprint = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs';
  expect(await pairingDigits('device-1', thumbprint)).toBe('497566');
  expect(await pairingDigits('device-2', thumbprint)).not.toBe('497566');
  const many = await Promise.all(Array.from({ length: 60 }, (_, n) => pairingDigits(`device-${n}`, thumbprint)));
  for (const digits of many) expect(digits).toMatch(/^\d{6}$/);
  expect(new Set(many).size).toBeGreaterThan(55);
});
