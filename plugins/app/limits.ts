import type { FactorDeps, ThrottleRule } from '../../src/factors/contract.js';

const HOUR_SECONDS = 3600;

/** How often the phones of an account are woken in an hour without one answer that signs in. Shared by all nodes. */
export function createLimits({ throttle }: Pick<FactorDeps, 'throttle'>, { perHour }: { perHour: number }) {
  const rule: ThrottleRule = { counter: 'hour', limit: perHour, windowSeconds: HOUR_SECONDS };
  const subjectOf = (accountId: string): string => `app:account:${accountId}`;

  return {
    /** Counts one; false when that would be too many. */
    admit: async (accountId: string): Promise<boolean> =>
      (await throttle.reserve(subjectOf(accountId), [rule])).reserved,
    /** Nobody was woken after all. */
    giveBack: (accountId: string): Promise<void> => throttle.settle(subjectOf(accountId), { release: [rule.counter] }),
    /** The owner is there: what woke phones so far was theirs. */
    settle: (accountId: string): Promise<void> => throttle.settle(subjectOf(accountId), { reset: [rule.counter] }),
  };
}

export type Limits = ReturnType<typeof createLimits>;
