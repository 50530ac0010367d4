import type { Account } from '../accounts/contract.js';

/** The mails we send. Each has a template `views/mail/<kind>.pug` and sentences under `mail.<kind>.*` in the catalogue. */
export const NOTICES = [
  'invitation',
  'password_reset',
  'confirm_email',
  'password_changed',
  'account_changed',
  'factor_enrolled',
  'factor_removed',
  'factor_replaced',
  'factor_disabled',
  'recovery_codes_created',
  'recovery_code_used',
  'sessions_ended',
  'recovery_request_sent',
  'recovery_request_approved',
  'recovery_request_declined',
  'suspension_started',
  'suspension_used',
  'suspension_ended',
  'access_code_issued',
  'access_pass_issued',
  'access_pass_used',
  'factor_revoked',
  'sign_in_denied',
  'role_granted',
  'role_revoked',
  'recovery_request_received',
  'not_me_alert',
  'sign_in_denied_alert',
  'operator_acted',
  'sms_budget_warned',
  'sms_budget_exhausted',
  'sms_country_closed',
  'signing_keys_replaced',
] as const;
export type Notice = (typeof NOTICES)[number];

/** Mails to administrators, about somebody else. */
export const TO_ADMINISTRATORS: ReadonlySet<Notice> = new Set([
  'recovery_request_received',
  'not_me_alert',
  'sign_in_denied_alert',
  'operator_acted',
  'sms_budget_warned',
  'sms_budget_exhausted',
  'sms_country_closed',
  'signing_keys_replaced',
]);

/** Mails that carry a link of their own and answer something the person just did: "not me" would say nothing more there. */
const ANSWERS: ReadonlySet<Notice> = new Set(['invitation', 'password_reset', 'confirm_email']);

/** Whether a mail reports a change that its reader may want to disown; the page for it has a sentence for each. */
export const hasNotMe = (notice: Notice): boolean => !ANSWERS.has(notice) && !TO_ADMINISTRATORS.has(notice);

export interface Notifier {
  /**
   * Puts a mail in the outbox (one insert, sealed); sending happens later, with retry. An account without an address gets none.
   * @param params plain facts for the template: `link`, `at`, `method`, `left`, `browser`, `until`, `who`, ...
   */
  notify(
    account: Pick<Account, 'id' | 'name' | 'email' | 'locale'>,
    notice: Notice,
    params?: Record<string, string | number>,
  ): Promise<void>;
}
