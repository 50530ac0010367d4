import { createHash } from 'node:crypto';
import { type FactorDeps, inSeconds, isDuplicateKey, type MethodKeys } from '../../src/factors/contract.js';
import type { Database } from '../../src/platform/database.js';
import type { SealedPlace } from '../../src/platform/sealed-places.js';

/** A key pair that push messages are signed with (RFC 8292), base64url. */
export interface PushKeys {
  publicKey: string;
  privateKey: string;
}

interface StoredPair {
  publicKey: string;
  /** Sealed. */
  privateKey: string;
  createdAt: Date;
}

/** The pair that phones subscribe to now. */
interface StoredKeys extends StoredPair {
  _id: typeof THE_ONE;
  /** Those that phones have subscribed to before, newest first: a subscription takes messages of its own pair alone. */
  previous?: StoredPair[];
  /** Former ones are gone, the first one among them. */
  isFirstGone?: true;
}

const THE_ONE = 'vapid';
const CONTEXT = 'app_push_keys/vapid/private_key';
const COLLECTION = 'app_push_keys';
/** How long a node may not have heard of a rotation. */
const KNOWN_FOR_SECONDS = 2;

export const pushKeyCollection = (database: Database) => database.collection<StoredKeys>(COLLECTION);

export const SEALED_PUSH_KEYS: SealedPlace<StoredKeys> = {
  collection: COLLECTION,
  fields: ['privateKey', 'previous'],
  valuesIn: ({ privateKey, previous = [] }) => [
    { path: 'privateKey', sealed: privateKey, context: CONTEXT },
    ...previous.map((pair, index) => ({
      path: `previous.${index}.privateKey`,
      sealed: pair.privateKey,
      context: CONTEXT,
    })),
  ],
};

/** RFC 7638, of an uncompressed point on P-256. */
function thumbprintOf(publicKey: string): string {
  const point = Buffer.from(publicKey, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'));
  return createHash('sha256')
    .update(JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }))
    .digest('base64url');
}

export interface PushKeyRing extends MethodKeys {
  /** What phones subscribe to; made by the first node that needs it. */
  current(): Promise<PushKeys>;
  /** @param publicKey what a phone has subscribed to; undefined: before that was written down. Undefined when that pair is gone. */
  of(publicKey: string | undefined): Promise<PushKeys | undefined>;
}

export function createPushKeys(
  { audit, clock, database, secretBox }: Pick<FactorDeps, 'audit' | 'clock' | 'database' | 'secretBox'>,
  generate: () => PushKeys,
): PushKeyRing {
  const collection = pushKeyCollection(database);
  let known: { keys: StoredKeys; at: Date } | undefined;

  const makePair = (): StoredPair => {
    const { publicKey, privateKey } = generate();
    return { publicKey, privateKey: secretBox.seal(privateKey, CONTEXT), createdAt: clock.now() };
  };
  const openPair = ({ publicKey, privateKey }: StoredPair): PushKeys => ({
    publicKey,
    privateKey: secretBox.open(privateKey, CONTEXT).toString(),
  });

  const make = async (): Promise<StoredKeys | null> => {
    try {
      await collection.insertOne({ _id: THE_ONE, ...makePair() });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    return collection.findOne({ _id: THE_ONE });
  };

  const read = async (): Promise<StoredKeys> => {
    const now = clock.now();
    if (known && known.at <= now && now < inSeconds(known.at, KNOWN_FOR_SECONDS)) return known.keys;
    const keys = (await collection.findOne({ _id: THE_ONE })) ?? (await make());
    if (!keys) throw new Error('the keys of the push messages are gone');
    known = { keys, at: now };
    return keys;
  };

  return {
    current: async () => openPair(await read()),

    async of(publicKey) {
      const keys = await read();
      const pairs = [keys, ...(keys.previous ?? [])];
      const first = keys.isFirstGone ? undefined : pairs.at(-1);
      const pair = publicKey === undefined ? first : pairs.find((one) => one.publicKey === publicKey);
      return pair && openPair(pair);
    },

    async list() {
      const keys = await collection.findOne({ _id: THE_ONE });
      if (!keys) return [];
      return [keys, ...(keys.previous ?? [])].map(({ publicKey, createdAt }, index) => ({
        algorithm: 'ES256',
        kid: thumbprintOf(publicKey),
        state: index === 0 ? ('current' as const) : ('previous' as const),
        since: createdAt,
      }));
    },

    async rotate(actor, isEmergency) {
      const { publicKey, privateKey, createdAt, previous = [] } = await read();
      const fresh = makePair();
      const kept = isEmergency ? [] : [{ publicKey, privateKey, createdAt }, ...previous];
      const [kid, previousKid] = [thumbprintOf(fresh.publicKey), thumbprintOf(publicKey)];
      const isDone = await database.transaction(async (unit) => {
        const { modifiedCount } = await collection.updateOne(
          // Both: somebody else may have rotated them, or sealed them anew.
          { _id: THE_ONE, publicKey, privateKey },
          { $set: { ...fresh, previous: kept, ...(isEmergency ? { isFirstGone: true } : {}) } },
          { session: unit.session },
        );
        if (modifiedCount === 0) return false;
        await audit.record({ type: 'push_keys_rotated', actor, details: { kid, previousKid, isEmergency } }, unit);
        return true;
      });
      known = undefined;
      return isDone ? { kid, previousKid } : undefined;
    },
  };
}
