import type { IncomingMessage } from 'node:http';
import type { Account, AccountSource } from '../accounts/contract.js';

type WithRequest = { req: IncomingMessage };

/**
 * Accounts as one request has read them: the policy, the refusals and the claims of one answer all ask for the same one.
 * A request that has changed an account reads it from the source itself.
 */
export interface RequestAccounts {
  find(ctx: WithRequest, id: string): Promise<Account | undefined>;
  /** Keeps an account that this request has read by other means. */
  keep(ctx: WithRequest, account: Account): void;
}

/** @param readAlongside an account that this request has read already, beside something else. */
export function createRequestAccounts(
  source: AccountSource,
  readAlongside: (id: string) => Account | undefined = () => undefined,
): RequestAccounts {
  const requests = new WeakMap<IncomingMessage, Map<string, Promise<Account | undefined>>>();
  const readBy = ({ req }: WithRequest): Map<string, Promise<Account | undefined>> => {
    const read = requests.get(req) ?? new Map<string, Promise<Account | undefined>>();
    requests.set(req, read);
    return read;
  };
  return {
    find(ctx, id) {
      const read = readBy(ctx);
      const alongside = read.has(id) ? undefined : readAlongside(id);
      const found = read.get(id) ?? (alongside ? Promise.resolve(alongside) : source.find(id));
      read.set(id, found);
      return found;
    },
    keep(ctx, account) {
      readBy(ctx).set(account.id, Promise.resolve(account));
    },
  };
}
