import type { EnsureIndexes } from '../platform/database.js';
import { challengeCollection } from './challenges.js';
import { factorCollection } from './store.js';

/** Indexes of `factors` and `challenges`. TTL indexes only sweep: expiry is compared in the queries. */
export const ensureIndexes: EnsureIndexes = async (database) => {
  await factorCollection(database).createIndexes([
    { key: { accountId: 1, method: 1, state: 1, createdAt: 1 }, name: 'of_account' },
    {
      key: { accountId: 1, method: 1 },
      name: 'one_pending',
      unique: true,
      partialFilterExpression: { state: 'pending' },
    },
    {
      key: { method: 1, exclusive: 1 },
      name: 'held_by_one',
      unique: true,
      partialFilterExpression: { exclusive: { $exists: true } },
    },
    {
      key: { expiresAt: 1 },
      name: 'sweep_pending',
      expireAfterSeconds: 0,
      partialFilterExpression: { state: 'pending' },
    },
  ]);
  await challengeCollection(database).createIndexes([
    { key: { accountId: 1 }, name: 'pending_of_account', partialFilterExpression: { status: 'pending' } },
    { key: { expiresAt: 1 }, name: 'sweep', expireAfterSeconds: 0 },
  ]);
};
