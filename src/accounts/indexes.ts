import type { EnsureIndexes } from '../platform/database.js';
import { ACCOUNTS_COLLECTION } from './model.js';
import { LINKS_COLLECTION } from './one-time-links.js';

/** Lists go newest first, by one filter each; further ones are held against what it finds. */
const NEWEST = { createdAt: -1, _id: -1 } as const;
const FILTERS = ['searchWords', 'groups', 'active', 'coverage.covered', 'coverage.level'];

/** Indexes of our own accounts; standings are found by `_id`. */
export const ensureIndexes: EnsureIndexes = async (database) => {
  await database.collection(ACCOUNTS_COLLECTION).createIndexes([
    { key: { login: 1 }, unique: true },
    { key: { roles: 1 }, name: 'by_role', partialFilterExpression: { roles: { $exists: true } } },
    {
      key: { 'source.name': 1, 'source.id': 1 },
      name: 'by_source',
      unique: true,
      partialFilterExpression: { 'source.id': { $exists: true } },
    },
    { key: NEWEST },
    ...FILTERS.map((filter) => ({ key: { [filter]: 1, ...NEWEST } })),
    { key: { updatedAt: 1 } },
    // For the report, which counts.
    { key: { active: 1, 'coverage.level': 1, 'coverage.covered': 1 } },
    { key: { active: 1, 'coverage.methods': 1 } },
  ]);
};

/** Indexes of the links in mails, which a host with accounts of its own has too. */
export const ensureLinkIndexes: EnsureIndexes = async (database) => {
  await database.collection(LINKS_COLLECTION).createIndexes([
    { key: { tokenHash: 1 }, name: 'by_token', unique: true },
    { key: { expiresAt: 1 }, name: 'sweep', expireAfterSeconds: 0 },
  ]);
};
