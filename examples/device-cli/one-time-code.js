// @ts-check
import { createHmac } from 'node:crypto';

/**
 * What the server gave at pairing for codes without a network.
 *
 * @typedef {{ secret: string, algorithm: string, digits: number, periodSeconds: number }} OfflineValues `secret` is base64url
 */

const HASHES = new Map([
  ['SHA1', 'sha1'],
  ['SHA256', 'sha256'],
  ['SHA512', 'sha512'],
]);

/**
 * RFC 6238, with the dynamic truncation of RFC 4226 section 5.3.
 *
 * @param {OfflineValues} values
 * @param {number} atMs the SERVER's time, in milliseconds since 1970
 * @returns {{ code: string, secondsLeft: number }} the code, and how long it stays the current one
 * @throws RangeError for an algorithm that is not in RFC 6238
 */
export function oneTimeCode({ secret, algorithm, digits, periodSeconds }, atMs) {
  const hash = HASHES.get(algorithm);
  if (hash === undefined) throw new RangeError(`no such algorithm: ${algorithm}`);
  const seconds = Math.floor(atMs / 1000);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(seconds / periodSeconds)));
  const mac = createHmac(hash, Buffer.from(secret, 'base64url')).update(counter).digest();
  const offset = mac.readUInt8(mac.length - 1) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return {
    code: String(number % 10 ** digits).padStart(digits, '0'),
    secondsLeft: periodSeconds - (seconds % periodSeconds),
  };
}
