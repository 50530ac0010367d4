/** A primary whose majority is gone: it answers, and what it is told may not last. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectDatabase, type Database, isDatabaseUnavailable } from '../../src/platform/database.js';
import { type ReplicaSet, startReplicaSet } from './replica-set.js';

const MAJORITY_MS = 1_000;

let set: ReplicaSet;
let database: Database;
beforeAll(async () => {
  set = await startReplicaSet(1_000);
  database = await connectDatabase(set.uri, { name: 'minority', majorityMs: MAJORITY_MS });
  await set.leavePrimaryAlone();
}, 60_000);
afterAll(async () => {
  await database.close();
  await set.stop();
});

test.each([
  ['one', () => database.collection('things').insertOne({ n: 0 })],
  ['several', () => database.collection('things').bulkWrite([1, 2].map((n) => ({ insertOne: { document: { n } } })))],
])(
  'a write of %s that no majority confirms is refused in time, as one of a database that is away',
  async (_what, write) => {
    const began = performance.now();
    const error = await write().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(isDatabaseUnavailable(error)).toBe(true);
    expect(performance.now() - began).toBeLessThan(MAJORITY_MS * 5);
  },
  10_000,
);
