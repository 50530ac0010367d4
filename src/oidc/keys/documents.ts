import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { mongo } from 'mongoose';
import type { JWK } from 'oidc-provider';
import type { Clock } from '../../platform/clock.js';
import type { Database } from '../../platform/database.js';
import type { SealedPlace } from '../../platform/sealed-places.js';
import type { SecretBox } from '../../platform/secret-box.js';

/** RS256 is what OpenID Connect Core 15.1 makes every relying party understand; ES256 signs six times as fast. */
export const ALGORITHMS = ['RS256', 'ES256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** NIST SP 800-57 part 1 revision 5, table 2: enough until 2030. */
const RSA_BITS = 2048;

export interface SealedKey {
  /** The thumbprint (RFC 7638). */
  kid: string;
  /** The private JWK. */
  sealed: string;
  /** From then on it was published. */
  createdAt: Date;
}

export interface PreviousKey extends SealedKey {
  since: Date;
  /** All that it signed is over then; it is published no longer. */
  until: Date;
}

/** All keys of one algorithm are one document, so that a rotation is one update, seen as a whole or not at all. Its own key is the one that signs. */
export interface KeysDocument extends SealedKey {
  /** `<algorithm>/current`: what two nodes that start at once both try to insert. */
  _id: string;
  algorithm: Algorithm;
  /** When it began to sign; absent: when it was made. */
  since?: Date;
  /** Nobody signs with it before then: each node must have heard of it first. */
  signsFrom?: Date;
  /** Published for whoever keeps our keys for a day, signs nothing yet. */
  next?: SealedKey;
  /** Newest first. */
  previous?: PreviousKey[];
}

export const idOf = (algorithm: Algorithm): string => `${algorithm}/current`;

const COLLECTION = 'signing_keys';

export const keysCollection = (database: Database): mongo.Collection<KeysDocument> =>
  database.collection<KeysDocument>(COLLECTION);

/** In the order of `ALGORITHMS`. They are found by `_id` alone, so the collection needs no further index. */
export async function readKeys(database: Database): Promise<KeysDocument[]> {
  const found = await keysCollection(database)
    .find({ _id: { $in: ALGORITHMS.map(idOf) } }, { readConcern: 'majority' })
    .toArray();
  return ALGORITHMS.flatMap((algorithm) => found.filter(({ _id }) => _id === idOf(algorithm)));
}

const contextOf = (kid: string): string => `signing-key/${kid}`;

const sealedIn = (prefix: string, { kid, sealed }: SealedKey) => ({
  path: `${prefix}sealed`,
  sealed,
  context: contextOf(kid),
});

export const SEALED: readonly SealedPlace<KeysDocument>[] = [
  {
    collection: COLLECTION,
    fields: ['kid', 'sealed', 'next', 'previous'],
    valuesIn: ({ next, previous = [], ...current }) => [
      sealedIn('', current),
      ...(next ? [sealedIn('next.', next)] : []),
      ...previous.map((left, index) => sealedIn(`previous.${index}.`, left)),
    ],
  },
];

export async function makeKey(
  algorithm: Algorithm,
  { secretBox, clock }: { secretBox: SecretBox; clock: Clock },
): Promise<SealedKey> {
  const { privateKey } = await generateKeyPair(algorithm, { modulusLength: RSA_BITS, extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const sealed = secretBox.seal(JSON.stringify({ ...jwk, kid, alg: algorithm, use: 'sig' }), contextOf(kid));
  return { kid, sealed, createdAt: clock.now() };
}

/** @throws when it does not open: the sealing keys of this process are not those of the database. */
export function openKey({ kid, sealed }: SealedKey, secretBox: SecretBox): JWK {
  try {
    return JSON.parse(secretBox.open(sealed, contextOf(kid)).toString('utf8'));
  } catch (cause) {
    throw new Error(
      `the signing key ${kid} does not open: COUNTERSIGN_SEALING_KEYS lacks the key it was sealed with, or it was changed`,
      { cause },
    );
  }
}
