import { createHash } from 'node:crypto';
import type { Random } from '../../src/platform/random.js';

/** What can be told apart when read aloud or typed: no I, L, O, U, 0, 1. */
const ALPHABET = 'ABCDEFGHJKMNPQRSTVWXYZ23456789';
const TYPED_LENGTH = 8;

const asDigits = (typed: string): string => typed.normalize('NFKC').replace(/[\s\p{Pd}]/gu, '');

/** What is typed where no QR code can be scanned: 39 random bits, good only together with the login. */
export const makeTypedCode = (random: Random): string =>
  Array.from({ length: TYPED_LENGTH }, () => ALPHABET[random.integer(ALPHABET.length)]).join('');

/** The characters as typed, whatever their case, without spaces and hyphens; undefined when they are no such code. */
export function readTypedCode(typed: string): string | undefined {
  const code = asDigits(typed).toUpperCase();
  return code.length === TYPED_LENGTH && [...code].every((letter) => ALPHABET.includes(letter)) ? code : undefined;
}

/** The digits as typed, without spaces and hyphens; undefined when they are not exactly six ASCII digits. */
export function readDigits(typed: string): string | undefined {
  const digits = asDigits(typed);
  return /^[0-9]{6}$/.test(digits) ? digits : undefined;
}

/** What the phone shows while it is pending: six digits of its own key, which nobody can know without that key's request. */
export function pairingDigits(deviceId: string, thumbprint: string): string {
  const digest = createHash('sha256').update(`countersign-pairing:${deviceId}:${thumbprint}`).digest();
  return String(digest.readBigUInt64BE() % 1_000_000n).padStart(6, '0');
}
