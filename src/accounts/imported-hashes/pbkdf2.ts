import { pbkdf2 as derive, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { readPhc, readSaltAndHash } from './phc.js';
import type { HashScheme } from './scheme.js';

/** Rounds over all blocks of the hash: about two seconds. */
const MOST_ROUNDS = 2_000_000;
const DIGEST_BYTES = { sha256: 32, sha512: 64 } as const;

const pbkdf2Async = promisify(derive);

/** RFC 8018 with HMAC-SHA-256 or -512, in the form of passlib (`$pbkdf2-sha256$29000$…$…`) and in that of PHC (`$…$i=29000$…$…`). */
export const pbkdf2: HashScheme = {
  name: 'pbkdf2',
  isOwn: (stored) => /^\$pbkdf2-sha(?:256|512)\$/.test(stored),
  refusal(stored) {
    const read = parse(stored);
    if (!read) return 'malformed';
    const blocks = Math.ceil(read.hash.length / DIGEST_BYTES[read.digest]);
    return read.rounds * blocks > MOST_ROUNDS ? 'too_costly' : undefined;
  },
  async verify(stored, password) {
    const read = parse(stored);
    if (!read) return false;
    const { salt, hash, rounds, digest } = read;
    return timingSafeEqual(await pbkdf2Async(password, salt, rounds, hash.length, digest), hash);
  },
};

function parse(stored: string) {
  const digest = stored.startsWith('$pbkdf2-sha256$') ? 'sha256' : 'sha512';
  const [, plain, salt64 = '', hash64 = ''] = /^\$pbkdf2-sha\d{3}\$(\d{1,10})\$([^$]+)\$([^$]+)$/.exec(stored) ?? [];
  if (plain !== undefined) {
    // passlib's own base64 has a dot where others have a plus.
    const [salt, hash] = readSaltAndHash(salt64.replaceAll('.', '+'), hash64.replaceAll('.', '+'));
    const rounds = Number(plain);
    return salt && hash && rounds >= 1 ? ({ salt, hash, rounds, digest } as const) : undefined;
  }
  const phc = readPhc(stored);
  const { i: rounds = 0, l, ...others } = phc?.parameters ?? {};
  if (!phc || phc.version !== undefined || rounds < 1 || Object.keys(others).length > 0) return undefined;
  if (l !== undefined && l !== phc.hash.length) return undefined;
  return { salt: phc.salt, hash: phc.hash, rounds, digest } as const;
}
