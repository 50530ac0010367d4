import type { mongo } from 'mongoose';

const DELAY_MS = 1_000;

/**
 * Updates that may come a moment later, and be lost with the node: one call for all that have gathered, acknowledged by one server.
 * A database that is away meanwhile does not get them.
 */
export function createLaterUpdates<Document extends mongo.Document>(
  collection: mongo.Collection<Document>,
  delayMs = DELAY_MS,
): (filter: mongo.Filter<Document>, update: mongo.UpdateFilter<Document>) => void {
  let gathered: mongo.AnyBulkWriteOperation<Document>[] = [];

  const write = async (): Promise<void> => {
    const operations = gathered;
    gathered = [];
    await collection.bulkWrite(operations, { ordered: false, writeConcern: { w: 1 } }).catch(() => {});
  };

  return (filter, update) => {
    gathered.push({ updateOne: { filter, update } });
    if (gathered.length === 1) setTimeout(() => void write(), delayMs).unref();
  };
}
