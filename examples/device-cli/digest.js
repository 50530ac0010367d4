// @ts-check
import { createHash } from 'node:crypto';

/** base64url (without padding) of the SHA-256 of a text's UTF-8 bytes. @param {string} text */
export const sha256 = (text) => createHash('sha256').update(text, 'utf8').digest('base64url');

/**
 * The six digits that the person types on the computer while a phone is being paired.
 *
 * @param {string} deviceId
 * @param {string} thumbprint of the phone's public key, RFC 7638
 */
export function pairingDigits(deviceId, thumbprint) {
  const digest = createHash('sha256').update(`countersign-pairing:${deviceId}:${thumbprint}`, 'utf8').digest();
  return (digest.readBigUInt64BE(0) % 1_000_000n).toString().padStart(6, '0');
}
