import { createHmac } from 'node:crypto';

/**
 * The client side of RFC 6238: what an authenticator app on a phone does. The server's side, which checks and consumes
 * codes, is the plugin `totp`; the demonstration stands in for the phone and shares no code with it.
 */
export interface AuthenticatorKey {
  /** The raw secret. */
  key: Buffer;
  algorithm: 'sha1' | 'sha256' | 'sha512';
  digits: number;
  periodSeconds: number;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648 base32; blanks, hyphens, padding and case do not matter. Undefined when it is none. */
export function fromBase32(text: string): Buffer | undefined {
  const letters = text.toUpperCase().replace(/[\s=-]/g, '');
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const letter of letters) {
    const index = ALPHABET.indexOf(letter);
    if (index < 0) return undefined;
    value = ((value << 5) | index) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
  }
  return bytes.length > 0 ? Buffer.from(bytes) : undefined;
}

/** The code at an instant, and for how long it is shown. */
export function codeAt(key: AuthenticatorKey, at: Date): { code: string; secondsLeft: number } {
  const seconds = Math.floor(at.getTime() / 1000);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(seconds / key.periodSeconds)));
  const mac = createHmac(key.algorithm, key.key).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  const number = (mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** key.digits;
  return {
    code: String(number).padStart(key.digits, '0'),
    secondsLeft: key.periodSeconds - (seconds % key.periodSeconds),
  };
}
