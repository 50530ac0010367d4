import { slowVerify } from '../../platform/slow-hash.js';
import { type PhcString, readPhc } from './phc.js';
import type { HashScheme } from './scheme.js';

/** 128 MiB, and a GiB written in all passes together: about a second. */
const MOST_MEMORY_KIB = 131_072;
const MOST_WORK_KIB = 1_048_576;
const MOST_LANES = 16;

/** RFC 9106, version 1.3. */
export const argon2id: HashScheme = {
  name: 'argon2id',
  isOwn: (stored) => stored.startsWith('$argon2id$'),
  refusal(stored) {
    const phc = readPhc(stored);
    if (!phc || !isComplete(phc)) return 'malformed';
    const { m = 0, t = 0, p = 0 } = phc.parameters;
    return m > MOST_MEMORY_KIB || m * t > MOST_WORK_KIB || p > MOST_LANES ? 'too_costly' : undefined;
  },
  verify: (stored, password) => slowVerify(stored, password),
};

function isComplete({ version, parameters }: PhcString): boolean {
  const { m = 0, t = 0, p = 0, ...others } = parameters;
  // RFC 9106 section 3.1: eight blocks for each lane at least.
  return version === 19 && t >= 1 && p >= 1 && m >= 8 * p && Object.keys(others).length === 0;
}
