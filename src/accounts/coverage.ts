import type { Database } from '../platform/database.js';
import { ACCOUNTS_COLLECTION, type AccountDocument, type Coverage } from './model.js';

/**
 * Keeps what an account's factors amount to beside it. Called after each change of them; of several at once the one that counted
 * last has seen all the others' changes, and only its answer is stored.
 */
export const createCoverage =
  ({ database }: { database: Database }) =>
  async (accountId: string, read: () => Promise<Coverage>): Promise<void> => {
    const accounts = database.collection<AccountDocument>(ACCOUNTS_COLLECTION);
    const counted = await accounts.findOneAndUpdate(
      // Nothing is told of who was deleted.
      { _id: accountId, deletedAt: { $exists: false } },
      { $inc: { coverageRevision: 1 } },
      { returnDocument: 'after', projection: { coverageRevision: 1 } },
    );
    if (counted?.coverageRevision === undefined) return;
    const coverage = await read();
    await accounts.updateOne({ _id: accountId, coverageRevision: counted.coverageRevision }, { $set: { coverage } });
  };
