import { randomBytes, randomInt } from 'node:crypto';

/** Cryptographically secure randomness, injected so that tests can count on it being used. */
export interface Random {
  bytes(count: number): Buffer;
  /** A base64url token of `bits` random bits. */
  token(bits?: number): string;
  /** An integer in [0, below). */
  integer(below: number): number;
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  token: (bits = 256) => randomBytes(Math.ceil(bits / 8)).toString('base64url'),
  integer: (below) => randomInt(below),
};
