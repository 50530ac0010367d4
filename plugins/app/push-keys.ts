import { type FactorDeps, isDuplicateKey } from '../../src/factors/contract.js';
import type { Database } from '../../src/platform/database.js';

/** The key pair that this installation signs its push messages with (RFC 8292), base64url. */
export interface PushKeys {
  publicKey: string;
  privateKey: string;
}

interface StoredKeys {
  _id: typeof THE_ONE;
  publicKey: string;
  /** Sealed. */
  privateKey: string;
  createdAt: Date;
}

const THE_ONE = 'vapid';
const CONTEXT = 'app_push_keys/vapid/private_key';

export const pushKeyCollection = (database: Database) => database.collection<StoredKeys>('app_push_keys');

/**
 * Reads the pair, made by the first node that needs it: phones subscribe to the public key, so that another pair would reach none of
 * those that are paired.
 */
export function createPushKeys(
  { clock, database, secretBox }: Pick<FactorDeps, 'clock' | 'database' | 'secretBox'>,
  generate: () => PushKeys,
): () => Promise<PushKeys> {
  const collection = pushKeyCollection(database);
  let known: PushKeys | undefined;

  const stored = async (): Promise<PushKeys | undefined> => {
    const keys = await collection.findOne({ _id: THE_ONE });
    if (!keys) return undefined;
    return { publicKey: keys.publicKey, privateKey: secretBox.open(keys.privateKey, CONTEXT).toString() };
  };

  const make = async (): Promise<PushKeys | undefined> => {
    const { publicKey, privateKey } = generate();
    try {
      await collection.insertOne({
        _id: THE_ONE,
        publicKey,
        privateKey: secretBox.seal(privateKey, CONTEXT),
        createdAt: clock.now(),
      });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    return stored();
  };

  return async () => {
    known ??= (await stored()) ?? (await make());
    if (!known) throw new Error('the keys of the push messages are gone');
    return known;
  };
}
