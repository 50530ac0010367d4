import type { FactorDeps, Reservation, Settlement, ThrottleRule } from '../../src/factors/contract.js';

const HOUR_SECONDS = 3600;

/** How often the phones of an account are woken in an hour without one answer that signs in. Shared by all nodes. */
export function createLimits({ throttle }: Pick<FactorDeps, 'throttle'>, { perHour }: { perHour: number }) {
  const rule: ThrottleRule = { counter: 'hour', limit: perHour, windowSeconds: HOUR_SECONDS };
  const subjectOf = (accountId: string): string => `app:account:${accountId}`;

  return {
    /** Counts one; or tells when, since that would be too many. */
    admit: (accountId: string): Promise<Reservation> => throttle.reserve(subjectOf(accountId), [rule]),
    /** Nobody was woken after all. */
    giveBack: (accountId: string): Promise<void> => throttle.settle(subjectOf(accountId), { release: [rule.counter] }),
    /** Takes all of it back, once settled. */
    forgotten: (accountId: string): Settlement => ({ subject: subjectOf(accountId), reset: [rule.counter] }),
  };
}

export type Limits = ReturnType<typeof createLimits>;
