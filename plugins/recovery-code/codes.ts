import type { FactorDeps, FactorRecord } from '../../src/factors/contract.js';

/** 32 characters, 5 bits each, none of which is mistaken for another of them: no I, L, O, U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CHARACTERS = 16;
const RANDOM_BYTES = (CHARACTERS * 5) / 8;
export const CODES_PER_BATCH = 10;

/** 80 random bits as `XXXX-XXXX-XXXX-XXXX`. SP 800-63B-4 section 3.1.2 asks for 64 bits at least. */
export function makeCode(random: FactorDeps['random']): string {
  let bits = BigInt(`0x${random.bytes(RANDOM_BYTES).toString('hex')}`);
  let code = '';
  for (let position = 0; position < CHARACTERS; position++) {
    code = (ALPHABET[Number(bits & 31n)] ?? '') + code;
    bits >>= 5n;
  }
  return (code.match(/.{4}/g) ?? []).join('-');
}

/** A code as typed: any case, any spaces and hyphens, O for 0, I or L for 1. Undefined when it cannot be one. */
export function readCode(typed: string): string | undefined {
  const code = typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{Pd}]/gu, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1');
  return code.length === CHARACTERS && [...code].every((character) => ALPHABET.includes(character)) ? code : undefined;
}

/** One code as stored. */
export interface HashedCode {
  salt: string;
  hash: string;
  usedAt: Date | null;
}

/** A batch as stored. */
export type RecoveryCodeData = {
  codes: HashedCode[];
  /** The codes themselves, sealed, until they are confirmed: a reload shows the same. */
  plain: string | null;
};

export type CodeOwner = Pick<FactorRecord, '_id' | 'accountId'>;

/** Where codes in the clear belong: a sealed value in another batch does not open. */
export const plainContext = ({ _id, accountId }: CodeOwner): string => `factor/${accountId}/${_id}/codes`;

/**
 * argon2id over a keyed hash: without the server's key a stolen database says nothing about a code, and a row moved to another
 * account or batch matches nothing. Small parameters do for 80 random bits.
 * @param code as `readCode` returns it.
 */
export async function hashCode(
  { secretBox, slowDerive }: Pick<FactorDeps, 'secretBox' | 'slowDerive'>,
  { _id, accountId }: CodeOwner,
  code: string,
  salt: string,
): Promise<string> {
  const keyed = secretBox.index(`${accountId}/${_id}/${code}`, 'recovery-code');
  const hash = await slowDerive(keyed, { salt: Buffer.from(salt, 'base64url'), memoryKiB: 1024, passes: 1 });
  return hash.toString('base64url');
}
