/** bcrypt: the only importer of the native library. The work runs on a thread of libuv's pool. */
import { compare } from 'bcrypt';
import type { HashScheme } from './scheme.js';

/** 2^14 rounds: about a second. */
const MOST_COST = 14;
const SHAPE = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[./A-Za-z0-9]$/;

/** Modular crypt form. `$2x$` stands for hashes of a defective implementation: they cannot be checked faithfully. */
export const bcrypt: HashScheme = {
  name: 'bcrypt',
  isOwn: (stored) => /^\$2[aby]\$/.test(stored),
  refusal(stored) {
    const cost = Number(SHAPE.exec(stored)?.[1] ?? 0);
    if (cost < 4 || cost > 31) return 'malformed';
    return cost > MOST_COST ? 'too_costly' : undefined;
  },
  // PHP's name for what everybody else calls 2b.
  verify: (stored, password) => compare(password, stored.replace(/^\$2y\$/, '$2b$')),
  // What comes after them does not count, as it did not where the hash was made.
  countedBytes: 72,
};
