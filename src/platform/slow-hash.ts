/** argon2id (RFC 9106), version 1.3, one lane: the only importer of the native library. The work runs on a thread of libuv's pool. */
import { hash, hashRaw, parseOptions, verify } from '@node-rs/argon2';

export interface SlowHashParameters {
  /** Memory in KiB, RFC 9106 `m`. */
  memoryKiB: number;
  /** Passes over the memory, RFC 9106 `t`. */
  passes: number;
  /** The key `K` of RFC 9106: without it the hash says nothing about the input. At most 32 bytes. */
  secret?: Uint8Array;
}

/** The library's enum is `const` and cannot cross `isolatedModules`. */
const ARGON2ID = 2;

const options = ({ memoryKiB, passes, secret }: SlowHashParameters) => ({
  algorithm: ARGON2ID,
  memoryCost: memoryKiB,
  timeCost: passes,
  parallelism: 1,
  outputLen: 32,
  ...(secret ? { secret } : {}),
});

/** A PHC string with a random 16-byte salt in it: what is stored for a password. */
export const slowHash = (input: string | Uint8Array, parameters: SlowHashParameters): Promise<string> =>
  hash(input, options(parameters));

/** True when `input` gives `stored`, a PHC string made by `slowHash`; the parameters are read from it. @throws when it is no PHC string. */
export const slowVerify = (
  stored: string,
  input: string | Uint8Array,
  { secret }: Pick<SlowHashParameters, 'secret'> = {},
): Promise<boolean> => verify(stored, input, secret ? { secret } : {});

/** True when a PHC string was made with other parameters than today's, so that it should be made anew. */
export const isStaleSlowHash = (stored: string, { memoryKiB, passes }: SlowHashParameters): boolean => {
  const made = parseOptions(stored);
  return (
    made.algorithm !== ARGON2ID || made.memoryCost !== memoryKiB || made.timeCost !== passes || made.parallelism !== 1
  );
};

/** 32 bytes from an input and a given salt (at least 8 bytes, RFC 9106 section 3.1): to look a value up by its hash. */
export const slowDerive = (
  input: string | Uint8Array,
  { salt, ...parameters }: SlowHashParameters & { salt: Uint8Array },
): Promise<Buffer> => hashRaw(input, { ...options(parameters), salt });

/** What is injected where the native library may not be imported. */
export type SlowDerive = typeof slowDerive;
