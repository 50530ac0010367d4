import type { mongo } from 'mongoose';
import type { Database } from './database.js';
import type { SealedPlace } from './sealed-places.js';
import { type SecretBox, sealingKeyOf } from './secret-box.js';

/** Documents that are read, and changed, at a time. */
const BATCH = 200;
/** A node that still seals with another key makes new ones as fast as they are sealed anew: then it must be restarted first. */
const MOST_PASSES = 5;

export interface Resealed {
  /** Values that were sealed anew. */
  resealed: number;
  /** Values that somebody else changed at the same time: theirs stays, and was looked at again. */
  changedMeanwhile: number;
  /** Values that are sealed with another key than the newest all the same, by that key. */
  left: ReadonlyMap<string, number>;
  /** Of those, how many do not open: their key is missing, or they were changed. */
  unopened: number;
}

/**
 * Seals everything anew that is not sealed with the newest key, beside a running server: each value by one update that holds only while
 * the value is the one that was read. Broken off, it goes on where it was: what is done is not found again.
 */
export async function reseal(options: {
  database: Database;
  secretBox: SecretBox;
  places: readonly SealedPlace[];
  /** After each batch in which something was done. */
  onProgress?(collection: string, resealed: number): void;
}): Promise<Resealed> {
  const { database, secretBox, places, onProgress = () => {} } = options;
  let resealed = 0;
  let changedMeanwhile = 0;

  for (let pass = 1; ; pass += 1) {
    const left = new Map<string, number>();
    let unopened = 0;
    let isCalm = true;
    for (const place of places) {
      const collection = database.collection<{ _id: string }>(place.collection);
      for await (const documents of batchesOf(collection, place)) {
        const updates: mongo.AnyBulkWriteOperation<{ _id: string }>[] = [];
        for (const document of documents)
          for (const { path, sealed, context } of place.valuesIn(document as never)) {
            if (!sealed || !secretBox.isStale(sealed)) continue;
            const keyId = sealingKeyOf(sealed);
            left.set(keyId, (left.get(keyId) ?? 0) + 1);
            const plain = openedOrNot(secretBox, sealed, context);
            if (!plain) {
              unopened += 1;
              continue;
            }
            const filter = { _id: document._id, [path]: sealed };
            updates.push({ updateOne: { filter, update: { $set: { [path]: secretBox.seal(plain, context) } } } });
          }
        if (updates.length === 0) continue;
        isCalm = false;
        const { modifiedCount } = await collection.bulkWrite(updates, { ordered: false });
        resealed += modifiedCount;
        changedMeanwhile += updates.length - modifiedCount;
        onProgress(place.collection, resealed);
      }
    }
    // The pass that finds nothing more to do is the one that counts what is left.
    if (isCalm || pass === MOST_PASSES) return { resealed, changedMeanwhile, left, unopened };
  }
}

/** How many values each key has sealed. */
export async function countSealed(
  database: Database,
  places: readonly SealedPlace[],
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const place of places)
    for await (const documents of batchesOf(database.collection<{ _id: string }>(place.collection), place))
      for (const document of documents)
        for (const { sealed } of place.valuesIn(document as never)) {
          if (!sealed) continue;
          const keyId = sealingKeyOf(sealed);
          counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
        }
  return counts;
}

/** All documents along `_id`: what a cursor that outlives its server would lose. */
async function* batchesOf(collection: mongo.Collection<{ _id: string }>, { where = {}, fields }: SealedPlace) {
  const projection = Object.fromEntries(fields.map((field) => [field, 1]));
  let after: string | undefined;
  for (;;) {
    const further = after === undefined ? where : { $and: [where, { _id: { $gt: after } }] };
    const documents = await collection.find(further, { projection }).sort({ _id: 1 }).limit(BATCH).toArray();
    yield documents;
    after = documents.at(-1)?._id;
    if (documents.length < BATCH) return;
  }
}

function openedOrNot(secretBox: SecretBox, sealed: string, context: string): Buffer | undefined {
  try {
    return secretBox.open(sealed, context);
  } catch {
    return undefined;
  }
}
