import { scrypt as derive, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { readPhc } from './phc.js';
import type { HashScheme } from './scheme.js';

const MIB = 1_048_576;
/** 128 bytes times N times r. */
const MOST_MEMORY_BYTES = 128 * MIB;
/** N times r times p: about two seconds. */
const MOST_WORK = 4 * MIB;

const scryptAsync = promisify<string, Buffer, number, object, Buffer>(derive);

/** RFC 7914, in the PHC form that passlib writes too: `$scrypt$ln=16,r=8,p=1$…`. */
export const scrypt: HashScheme = {
  name: 'scrypt',
  isOwn: (stored) => stored.startsWith('$scrypt$'),
  refusal(stored) {
    const read = parse(stored);
    if (!read) return 'malformed';
    const { N, r, p } = read.cost;
    return 128 * N * r > MOST_MEMORY_BYTES || N * r * p > MOST_WORK ? 'too_costly' : undefined;
  },
  async verify(stored, password) {
    const read = parse(stored);
    if (!read) return false;
    const { salt, hash, cost } = read;
    const derived = await scryptAsync(password, salt, hash.length, { ...cost, maxmem: MOST_MEMORY_BYTES + 4 * MIB });
    return timingSafeEqual(derived, hash);
  },
};

function parse(stored: string) {
  const phc = readPhc(stored);
  const { ln = 0, r = 0, p = 0, ...others } = phc?.parameters ?? {};
  if (!phc || phc.version !== undefined || Object.keys(others).length > 0) return undefined;
  if (ln < 1 || ln > 31 || r < 1 || p < 1) return undefined;
  return { salt: phc.salt, hash: phc.hash, cost: { N: 2 ** ln, r, p } };
}
