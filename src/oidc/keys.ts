import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'oidc-provider';
import type { Audit } from '../audit/contract.js';
import type { Clock } from '../platform/clock.js';
import { type Database, isDuplicateKey } from '../platform/database.js';
import type { SecretBox } from '../platform/secret-box.js';

/** RS256 is what OpenID Connect Core 15.1 makes every relying party understand; ES256 signs six times as fast. */
const ALGORITHMS = ['RS256', 'ES256'] as const;
type Algorithm = (typeof ALGORITHMS)[number];

/** NIST SP 800-57 part 1 revision 5, table 2: enough until 2030. */
const RSA_BITS = 2048;

interface SigningKey {
  /** `<algorithm>/<slot>`: what two nodes that start at once both try to insert. */
  _id: string;
  algorithm: Algorithm;
  /** The one that signs; a later release publishes the next one beforehand and the previous one for a while. */
  state: 'current';
  kid: string;
  /** The private JWK. */
  sealed: string;
  createdAt: Date;
}

export interface SigningKeysDeps {
  database: Database;
  secretBox: SecretBox;
  clock: Clock;
  audit?: Pick<Audit, 'record'>;
}

const contextOf = (kid: string): string => `signing-key/${kid}`;

/**
 * The private signing keys, shared by all nodes and made by whichever starts first; `kid` is their thumbprint (RFC 7638).
 * They are found by `_id` alone, so the collection needs no further index.
 * @throws when a stored key does not open: the sealing keys of this process are not those of the database.
 */
export async function loadSigningKeys(deps: SigningKeysDeps): Promise<JWK[]> {
  const keys: JWK[] = [];
  for (const algorithm of ALGORITHMS) keys.push(open(await currentKey(deps, algorithm), deps.secretBox));
  return keys;
}

async function currentKey(deps: SigningKeysDeps, algorithm: Algorithm): Promise<SigningKey> {
  const keys = deps.database.collection<SigningKey>('signing_keys');
  const _id = `${algorithm}/current`;
  const stored = await keys.findOne({ _id }, { readConcern: 'majority' });
  if (stored) return stored;
  const made = await makeKey(_id, algorithm, deps);
  try {
    await keys.insertOne(made);
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    // Waits until the winner's key is there to stay: a key that is rolled back must sign nothing.
    const winner = await keys.findOne({ _id }, { readConcern: 'linearizable', maxTimeMS: 10_000 });
    if (!winner) throw error;
    return winner;
  }
  await deps.audit?.record({
    type: 'signing_keys_created',
    actor: { type: 'system' },
    details: { algorithm, kid: made.kid },
  });
  return made;
}

async function makeKey(_id: string, algorithm: Algorithm, { secretBox, clock }: SigningKeysDeps): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(algorithm, { modulusLength: RSA_BITS, extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const sealed = secretBox.seal(JSON.stringify({ ...jwk, kid, alg: algorithm, use: 'sig' }), contextOf(kid));
  return { _id, algorithm, state: 'current', kid, sealed, createdAt: clock.now() };
}

function open({ _id, kid, sealed }: SigningKey, secretBox: SecretBox): JWK {
  try {
    return JSON.parse(secretBox.open(sealed, contextOf(kid)).toString('utf8'));
  } catch (cause) {
    throw new Error(
      `the signing key ${_id} does not open: COUNTERSIGN_SEALING_KEYS lacks the key it was sealed with, or it was changed`,
      { cause },
    );
  }
}
