import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import type { Account } from './contract.js';
import { normaliseLogin } from './login.js';
import { ACCOUNTS_COLLECTION, type AccountDocument, accountModel, type StoredPassword, toAccount } from './model.js';

/** The one place that hands out password hashes; private to this folder. */
export interface Credentials {
  find(login: string): Promise<{ account: Account; password?: StoredPassword } | undefined>;
  /** Stores a hash of ours of the same password, with today's parameters, unless the password was changed meanwhile. */
  renew(accountId: string, from: string, to: string): Promise<void>;
}

export function createCredentials({ database, clock }: { database: Database; clock: Clock }): Credentials {
  const accounts = accountModel(database.connection);
  const stored = database.collection<AccountDocument>(ACCOUNTS_COLLECTION);
  return {
    async find(login) {
      // The driver's own call: this is the hot path of every sign-in.
      const found = await stored.findOne({ login: normaliseLogin(login) });
      if (!found) return undefined;
      return { account: toAccount(found), ...(found.password ? { password: found.password } : {}) };
    },
    async renew(accountId, from, to) {
      await accounts.updateOne(
        { _id: accountId, 'password.hash': from },
        { $set: { 'password.hash': to, updatedAt: clock.now() }, $unset: { 'password.isImported': '' } },
      );
    },
  };
}
