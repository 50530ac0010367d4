import type { Account } from '../accounts/contract.js';

/** The mails we send. Each has a template `views/mail/<kind>.pug` and sentences under `mail.<kind>.*` in the catalogue. */
export const NOTICES = [
  'invitation',
  'password_reset',
  'confirm_email',
  'password_changed',
  'factor_enrolled',
  'factor_removed',
  'factor_disabled',
  'recovery_codes_created',
  'recovery_code_used',
  'sessions_ended',
] as const;
export type Notice = (typeof NOTICES)[number];

export interface Notifier {
  /**
   * Puts a mail in the outbox (one insert, sealed); sending happens later, with retry. An account without an address gets none.
   * @param params plain facts for the template: `link`, `at`, `method`, `left`, `browser`, ...
   */
  notify(
    account: Pick<Account, 'id' | 'name' | 'email' | 'locale'>,
    notice: Notice,
    params?: Record<string, string | number>,
  ): Promise<void>;
}
