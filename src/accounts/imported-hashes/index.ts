/** Password hashes of other systems: which are taken, and whether a password is theirs. */
import { argon2id } from './argon2id.js';
import { bcrypt } from './bcrypt.js';
import { pbkdf2 } from './pbkdf2.js';
import type { HashRefusal, HashScheme } from './scheme.js';
import { scrypt } from './scrypt.js';

export type { HashRefusal } from './scheme.js';

const SCHEMES: readonly HashScheme[] = [argon2id, bcrypt, scrypt, pbkdf2];
/** No hash of any of them is longer. */
const LONGEST_HASH = 256;

const schemeOf = (stored: string): HashScheme | undefined =>
  stored.length > LONGEST_HASH ? undefined : SCHEMES.find((scheme) => scheme.isOwn(stored));

/** What speaks against storing it; undefined: nothing. */
export function refusalOfHash(stored: string): HashRefusal | undefined {
  const scheme = schemeOf(stored);
  return scheme ? scheme.refusal(stored) : 'unknown';
}

/**
 * Holds a password as it was typed against a hash, as the system that it comes from would have. False for a hash that is not taken.
 * `isWhole`: every byte of the password counted, so that a hash of ours made from it stands for the same passwords.
 */
export async function verifyImportedHash(
  stored: string,
  password: string,
): Promise<{ isRight: boolean; isWhole: boolean }> {
  const scheme = schemeOf(stored);
  if (!scheme || scheme.refusal(stored)) return { isRight: false, isWhole: false };
  return {
    isRight: await scheme.verify(stored, password),
    isWhole: scheme.countedBytes === undefined || Buffer.byteLength(password) <= scheme.countedBytes,
  };
}
