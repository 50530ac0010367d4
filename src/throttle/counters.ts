import type { Reservation, ThrottleRule } from './contract.js';

/** One counter of a subject, as stored. */
export interface Counter {
  count: number;
  /** No attempt before this instant. */
  waitUntil?: Date;
  /** From then on the counter stands at zero: end of the window, a day of quiet, or never. */
  endsAt: Date;
}

export interface AttemptsDocument {
  _id: string;
  counters: Record<string, Counter>;
  /** The latest `endsAt`; the broom's. */
  expiresAt: Date;
}

/** A count that nothing but success takes back. The last instant that BSON and ISO 8601 both write plainly. */
export const NEVER = new Date('9999-12-31T23:59:59.999Z');
/** Waits without a limit are forgotten after a day without an attempt. */
export const QUIET_SECONDS = 86_400;

/** A field name for any counter name: no dots, dollar signs or names that objects inherit. */
export const fieldOf = (counter: string): string =>
  `c_${counter.replace(/[^A-Za-z0-9:_-]/gu, (character) => `%${character.codePointAt(0)?.toString(16)};`)}`;

export const costOf = ({ cost = 1 }: ThrottleRule): number => cost;

/** What stands in the way of an attempt now; the same rules as the condition of the update. */
export function obstacle(
  document: AttemptsDocument | null,
  rules: readonly ThrottleRule[],
  now: Date,
): Extract<Reservation, { reserved: false }> | undefined {
  let latest: { counter: string; retryAt?: Date } | undefined;
  for (const rule of rules) {
    const stored = document?.counters[fieldOf(rule.counter)];
    if (!stored || stored.endsAt <= now) continue;
    if (rule.limit !== undefined && stored.count > rule.limit - costOf(rule)) {
      if (rule.windowSeconds === undefined) return { reserved: false, counter: rule.counter };
      latest = later(latest, { counter: rule.counter, retryAt: stored.endsAt });
    }
    if (stored.waitUntil && stored.waitUntil > now) {
      latest = later(latest, { counter: rule.counter, retryAt: stored.waitUntil });
    }
  }
  return latest && { reserved: false, ...latest };
}

function later<T extends { retryAt?: Date }>(a: T | undefined, b: T): T {
  return a?.retryAt && b.retryAt && a.retryAt >= b.retryAt ? a : b;
}

/** What each counter stands at now. */
export function countsOf(
  document: AttemptsDocument | null,
  rules: readonly ThrottleRule[],
  now: Date,
): Record<string, number> {
  return Object.fromEntries(
    rules.map(({ counter }) => {
      const stored = document?.counters[fieldOf(counter)];
      return [counter, stored && stored.endsAt > now ? stored.count : 0];
    }),
  );
}
