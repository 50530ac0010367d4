import type { ThrottleRule } from '../throttle/contract.js';
import type { Factor } from './contract.js';

/** Growing waits after the free attempts, 30 s to 1 h (security.md, SP 800-63B-4 section 3.2.2). */
const WAITS_SECONDS = [30, 60, 120, 300, 900, 1800, 3600] as const;
const FREE_ATTEMPTS = 5;

/** Failures in a row after which a method is disabled until enrolled anew (SP 800-63B-4 section 3.2.2: no more than 100). */
export const DISABLED_AFTER = 100;
/** Failures within an hour over all methods of an account. */
export const ALL_METHODS_PER_HOUR = 20;

export const ALL_METHODS = 'all';
export const methodCounter = (method: string): string => `method:${method}`;
export const enrolmentCounter = (method: string): string => `enrol:${method}`;
export const throttleSubject = (accountId: string): string => `account:${accountId}`;

const methodRule = (method: string): ThrottleRule => ({
  counter: methodCounter(method),
  free: FREE_ATTEMPTS,
  waitsSeconds: WAITS_SECONDS,
  limit: DISABLED_AFTER,
});

/** Whether its guesses come in with the page's form; else clients of its own make them, see `Guesses`. */
export const isGuessedOnPage = ({ evidenceFields }: Pick<Factor, 'evidenceFields'>): boolean =>
  Object.keys(evidenceFields).length > 0;

/**
 * Two counters for every attempt at a sign-in: a stranger who wears one method out leaves the others, up to the hour's limit.
 *
 * What only the account's own phones can guess has the first one alone: a stranger with the password can neither reach it, nor by codes
 * typed for other methods close this one, and a stolen phone does not close the others.
 */
export const signInRules = (factor: Pick<Factor, 'method' | 'evidenceFields'>): ThrottleRule[] => [
  methodRule(factor.method),
  ...(isGuessedOnPage(factor)
    ? [{ counter: ALL_METHODS, limit: ALL_METHODS_PER_HOUR, windowSeconds: 3600 } satisfies ThrottleRule]
    : []),
];

/** Codes that administrators hand out: waits as for a factor, and the hour's limit of the account; they end by themselves. */
export const codeRules = (counter: string): ThrottleRule[] => [
  { counter: methodCounter(counter), free: FREE_ATTEMPTS, waitsSeconds: WAITS_SECONDS },
  { counter: ALL_METHODS, limit: ALL_METHODS_PER_HOUR, windowSeconds: 3600 },
];

/** A pending factor is thrown away by itself, so that confirming it knows waits but no end. */
export const enrolmentRules = (method: string): ThrottleRule[] => [
  { counter: enrolmentCounter(method), free: FREE_ATTEMPTS, waitsSeconds: WAITS_SECONDS },
];

/** Refusals cost nothing to cause: one event a minute tells the story without filling the disk. */
export const REFUSAL_EVENT: ThrottleRule = { counter: 'refusal_event', limit: 1, windowSeconds: 60 };
