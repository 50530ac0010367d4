import type { EnsureIndexes } from '../platform/database.js';
import { accountModel } from './model.js';
import { LINKS_COLLECTION } from './one-time-links.js';

/** Indexes of our own accounts; standings are found by `_id`. */
export const ensureIndexes: EnsureIndexes = async (database) => {
  await accountModel(database.connection).createIndexes();
};

/** Indexes of the links in mails, which a host with accounts of its own has too. */
export const ensureLinkIndexes: EnsureIndexes = async (database) => {
  await database.collection(LINKS_COLLECTION).createIndexes([
    { key: { tokenHash: 1 }, name: 'by_token', unique: true },
    { key: { expiresAt: 1 }, name: 'sweep', expireAfterSeconds: 0 },
  ]);
};
