import type { Random } from '../../src/platform/random.js';
import type { SecretBox } from '../../src/platform/secret-box.js';

/** How long a code can be typed; SP 800-63B-4 section 3.1.3.2 allows ten minutes. */
export const CODE_TTL_SECONDS = 300;
const DIGITS = 6;
/** The largest multiple of a million below 2^32: above it a remainder would favour small codes. */
const UNBIASED_BELOW = Math.floor(2 ** 32 / 10 ** DIGITS) * 10 ** DIGITS;

/** Six random digits. */
export function makeCode(random: Random): string {
  for (;;) {
    const value = random.bytes(4).readUInt32BE();
    if (value < UNBIASED_BELOW) return String(value % 10 ** DIGITS).padStart(DIGITS, '0');
  }
}

/** The digits as typed, without spaces and hyphens; undefined when they are not exactly six ASCII digits. */
export function readCode(typed = ''): string | undefined {
  const code = typed.normalize('NFKC').replace(/[\s\p{Pd}]/gu, '');
  return /^[0-9]{6}$/.test(code) ? code : undefined;
}

/** A code as it is stored. @param place what it is for: in another place the same code is another one. */
export const hashCode = (secretBox: SecretBox, place: readonly string[], code: string): string =>
  secretBox.index([...place, code].map(encodeURIComponent).join('/'), 'sms-code');
