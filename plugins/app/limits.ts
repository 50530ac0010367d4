import type { FactorDeps, ThrottleRule } from '../../src/factors/contract.js';

const HOUR_SECONDS = 3600;

/** How often the phones of an account are asked in an hour without one answer that signs in. Shared by all nodes. */
export function createLimits({ throttle }: Pick<FactorDeps, 'throttle'>, { perHour }: { perHour: number }) {
  const rule: ThrottleRule = { counter: 'hour', limit: perHour, windowSeconds: HOUR_SECONDS };
  const subjectOf = (accountId: string): string => `app:account:${accountId}`;

  return {
    /** Counts one; when there was one too many, from when on there may be another. */
    async admit(accountId: string): Promise<{ isAdmitted: true } | { isAdmitted: false; retryAt?: Date }> {
      const reservation = await throttle.reserve(subjectOf(accountId), [rule]);
      if (reservation.reserved) return { isAdmitted: true };
      return { isAdmitted: false, ...(reservation.retryAt ? { retryAt: reservation.retryAt } : {}) };
    },
    /** Nobody was asked after all. */
    giveBack: (accountId: string): Promise<void> => throttle.settle(subjectOf(accountId), { release: [rule.counter] }),
    /** The owner is there: what was asked so far was theirs. */
    settle: (accountId: string): Promise<void> => throttle.settle(subjectOf(accountId), { reset: [rule.counter] }),
  };
}

export type Limits = ReturnType<typeof createLimits>;
