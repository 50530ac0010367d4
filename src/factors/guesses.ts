/** What a method is told of guesses that it looks at itself. */
import type { RequestOrigin } from '../audit/contract.js';
import type { Settlement } from '../throttle/contract.js';
import type { FactorAccount } from './contract.js';

/** What became of a look at something that may have been guessed. */
export interface Look<Result> {
  /** `no_guess`: it could not have been right, and costs no attempt. */
  was: 'right' | 'wrong' | 'no_guess';
  result: Result;
  /** What else a right one takes back, in the same call to the database. */
  settlements?: readonly Settlement[];
}

/** No attempt is taken now. Without `retryAt` the method is disabled until it is enrolled anew. */
export interface Throttled {
  status: 'throttled';
  retryAt?: Date;
}

/**
 * Guesses that come in by the method's own clients and not with the page's form, which then has no field: counted for the account and the
 * method before anything is looked at, as those on a page are.
 */
export interface Guesses {
  look<Result>(
    account: FactorAccount,
    origin: RequestOrigin,
    work: () => Promise<Look<Result>>,
  ): Promise<Result | Throttled>;
  /** What stands in the way of one right now, without counting. */
  obstacle(accountId: string): Promise<Throttled | undefined>;
}
