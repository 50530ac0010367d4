import type { DirectoryEntry } from '../../../accounts/index.js';
import type { Subject } from '../route.js';
import { showAccount } from '../schemas/account.js';
import type { ApiServices } from '../services.js';

/** The account that a path names, for every operation on one. */
export const accountSubject = ({ directory, standings }: Pick<ApiServices, 'directory' | 'standings'>) => {
  const show = showAccount(standings);
  return async ({ params }: { params: { accountId: string } }): Promise<Subject<DirectoryEntry> | undefined> => {
    const entry = await directory.find(params.accountId);
    return entry && { value: entry, account: entry.account, representation: show(entry) };
  };
};
