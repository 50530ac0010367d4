import type { ThrottleRule } from '../throttle/contract.js';

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

/** Two counters for every attempt at a sign-in: a stranger who wears one method out leaves the others, up to the hour's limit. */
export const signInRules = (method: string): ThrottleRule[] => [
  { counter: methodCounter(method), free: FREE_ATTEMPTS, waitsSeconds: WAITS_SECONDS, limit: DISABLED_AFTER },
  { counter: ALL_METHODS, limit: ALL_METHODS_PER_HOUR, windowSeconds: 3600 },
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
