import type { Database } from '../platform/database.js';
import type { Grip } from '../platform/lease.js';
import { type Page, readPage } from '../platform/paging.js';
import { ACCOUNTS_COLLECTION, type AccountDocument } from './model.js';
import { searchWords } from './search-words.js';

const BATCH = 100;
const LACKED = ['searchWords', 'coverage.level'] as const;

/**
 * Gives accounts of an earlier version what they are found and counted by. They come along the index of the field they lack, in
 * which a missing one is null: when there are none left it costs a query for each. Done twice, or by two at once, it writes the same.
 * @param noteCoverage stores what the factors of an account amount to.
 */
export async function backfillAccounts(
  { database }: { database: Database },
  noteCoverage: (accountId: string) => Promise<void>,
  grip: Grip,
): Promise<void> {
  const accounts = database.collection<AccountDocument>(ACCOUNTS_COLLECTION);

  const fill = async ({ _id, login, name, email, searchWords: words, coverage }: AccountDocument): Promise<void> => {
    if (!words) {
      // Renamed meanwhile, it has its words.
      const unchanged = { _id, searchWords: { $exists: false }, deletedAt: { $exists: false } };
      await accounts.updateOne(unchanged, { $set: { searchWords: searchWords({ login, name, email }) } });
    }
    if (!coverage) await noteCoverage(_id);
  };

  for (const field of LACKED) {
    let page: Page<AccountDocument> | undefined;
    do {
      const { next } = page ?? {};
      const lacking = { [field]: null, deletedAt: { $exists: false } };
      page = await readPage(accounts, lacking, { limit: BATCH, ...(next ? { after: next } : {}) }, { password: 0 });
      for (const account of page.items) {
        await grip.keep();
        await fill(account);
      }
    } while (page.next);
  }
}
