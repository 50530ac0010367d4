import type { EnsureIndexes } from '../platform/database.js';
import { accountModel } from './model.js';
import { LINKS_COLLECTION } from './one-time-links.js';

/** Indexes of our own accounts and of the one-time links; standings are found by `_id`. */
export const ensureIndexes: EnsureIndexes = async (database) => {
  await accountModel(database.connection).createIndexes();
  const links = database.collection(LINKS_COLLECTION);
  await links.createIndex({ tokenHash: 1 }, { unique: true });
  await links.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 });
};
