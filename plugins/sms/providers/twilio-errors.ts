import type { FailureReason } from './provider.js';

/** Twilio's error codes that say something about this message; every other one is trouble of ours or of Twilio's. */
const REASONS: ReadonlyMap<number, FailureReason> = new Map([
  // Not a phone number; a short code; not a mobile one; a landline; no such handset.
  [21211, 'number_unusable'],
  [21265, 'number_unusable'],
  [21614, 'number_unusable'],
  [21635, 'number_unusable'],
  [30005, 'number_unusable'],
  [21610, 'unsubscribed'],
  // No route from our sender to this number; switched off or out of reach; a landline, or its network out of reach.
  [21612, 'unreachable'],
  [30003, 'unreachable'],
  [30006, 'unreachable'],
  // Barred by the person's network; taken for spam; taken for pumped traffic.
  [30004, 'blocked'],
  [30007, 'blocked'],
  [30450, 'blocked'],
]);

/** Whoever answered STOP is not asked again by another way. */
const ABOUT_NUMBER: ReadonlySet<FailureReason> = new Set(['number_unusable', 'unsubscribed']);

/** What an error code of Twilio's means: https://www.twilio.com/docs/api/errors. 0: it gave none. */
export function explainTwilioError(code: number): { reason: FailureReason; code: string; isAboutNumber: boolean } {
  const reason = REASONS.get(code) ?? 'provider_trouble';
  return { reason, code: code ? String(code) : 'UNKNOWN', isAboutNumber: ABOUT_NUMBER.has(reason) };
}
