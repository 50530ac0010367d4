import { availableParallelism } from 'node:os';
import type { Random } from '../platform/random.js';
import { isStaleSlowHash, type SlowHashParameters, slowHash, slowVerify } from '../platform/slow-hash.js';
import { createGate } from './gate.js';
import { verifyImportedHash } from './imported-hashes/index.js';
import { isTooLong, normalisePassword } from './password-rules.js';

/** One of the equally strong settings of the OWASP Password Storage Cheat Sheet; the one that is fastest here. */
const PARAMETERS: SlowHashParameters = { memoryKiB: 7168, passes: 5 };
const RETRY_AFTER_SECONDS = 2;

/** Hashing of passwords: argon2id behind a gate, since each hash is CPU time that anybody can ask for. */
export interface Passwords {
  /** A PHC string. @throws AppError OVERLOADED when too many hashes are waiting. */
  hash(password: string): Promise<string>;
  /**
   * Runs one hash whatever the arguments: without `stored`, or with a password that none can be, against a hash that nothing gives.
   * `needsRehash`: right, but stored with other parameters than today's, or by another system, and a hash of ours would do as well.
   * @throws AppError OVERLOADED when too many hashes are waiting.
   */
  verify(stored: KnownHash | undefined, password: string): Promise<{ isRight: boolean; needsRehash: boolean }>;
}

/** A hash as it stands in the database. */
export interface KnownHash {
  hash: string;
  /** Made by another system, of the password as it was typed. */
  isImported?: boolean;
}

/**
 * @param width hashes at once, by default two per core.
 * @param queueLength hashes waiting, by default 32 per core: about half a second.
 */
export function createPasswords({
  random,
  width = availableParallelism() * 2,
  queueLength = availableParallelism() * 32,
  derive = { slowHash, slowVerify },
}: {
  random: Random;
  width?: number;
  queueLength?: number;
  /** Replaced by tests that count the work. */
  derive?: { slowHash: typeof slowHash; slowVerify: typeof slowVerify };
}): Passwords {
  const gate = createGate({ width, queueLength, retryAfterSeconds: RETRY_AFTER_SECONDS });
  // A well-formed hash with a random result: as much work as any, and no password gives it.
  const dummy = `$argon2id$v=19$m=${PARAMETERS.memoryKiB},t=${PARAMETERS.passes},p=1$${unpadded(random.bytes(16))}$${unpadded(random.bytes(32))}`;

  return {
    hash: (password) => gate.run(() => derive.slowHash(normalisePassword(password), PARAMETERS)),

    async verify(stored, password) {
      if (stored?.isImported && password !== '') {
        const { isRight, isWhole } = await gate.run(() => verifyImportedHash(stored.hash, password));
        return { isRight, needsRehash: isRight && isWhole && !isTooLong(password) };
      }
      const isPossible = stored !== undefined && password !== '' && !isTooLong(password);
      const [against, input] = isPossible ? [stored.hash, normalisePassword(password)] : [dummy, 'x'];
      const isRight = await gate.run(() => derive.slowVerify(against, input));
      return {
        isRight: isPossible && isRight,
        needsRehash: isPossible && isRight && isStaleSlowHash(stored.hash, PARAMETERS),
      };
    },
  };
}

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
