/** A hash in the PHC string format: `$id$v=1$name=value,…$salt$hash`, salt and hash in base64 without padding. */
export interface PhcString {
  id: string;
  version?: number;
  parameters: Readonly<Record<string, number>>;
  salt: Buffer;
  hash: Buffer;
}

const SHAPE = /^\$([a-z0-9-]{1,32})(?:\$v=(\d{1,9}))?\$([a-z]+=\d{1,10}(?:,[a-z]+=\d{1,10})*)\$([^$]+)\$([^$]+)$/;

/** Shorter ones make guesses easy, longer ones are no salts and hashes. */
const SALT_BYTES = { least: 8, most: 64 };
const HASH_BYTES = { least: 16, most: 64 };

/** Undefined for what is not exactly of that form, with a salt and a hash of sensible length. */
export function readPhc(text: string): PhcString | undefined {
  const [, id = '', version, list = '', salt64 = '', hash64 = ''] = SHAPE.exec(text) ?? [];
  const [salt, hash] = readSaltAndHash(salt64, hash64);
  const pairs = list.split(',').map((pair) => pair.split('=', 2) as [string, string]);
  if (!salt || !hash || new Set(pairs.map(([name]) => name)).size < pairs.length) return undefined;
  return {
    id,
    ...(version === undefined ? {} : { version: Number(version) }),
    parameters: Object.fromEntries(pairs.map(([name, value]) => [name, Number(value)])),
    salt,
    hash,
  };
}

export function readSaltAndHash(salt64: string, hash64: string): [Buffer, Buffer] | [] {
  const [salt, hash] = [decode(salt64, SALT_BYTES), decode(hash64, HASH_BYTES)];
  return salt && hash ? [salt, hash] : [];
}

function decode(text: string, { least, most }: { least: number; most: number }): Buffer | undefined {
  if (!/^[A-Za-z0-9+/]+$/.test(text) || text.length > most * 2) return undefined;
  const bytes = Buffer.from(text, 'base64');
  const isExact = bytes.toString('base64').replaceAll('=', '') === text;
  return isExact && bytes.length >= least && bytes.length <= most ? bytes : undefined;
}
