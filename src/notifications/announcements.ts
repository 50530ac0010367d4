import type { Unit } from '../platform/database.js';

/** What has happened to an account, or to the installation, told on other channels: to the person, to administrators, to webhooks. */
export const ANNOUNCEMENTS = [
  'recovery_request_filed',
  'recovery_request_approved',
  'recovery_request_declined',
  'recovery_request_withdrawn',
  'recovery_request_expired',
  'recovery_request_superseded',
  'suspension_started',
  'suspension_used',
  'suspension_ended',
  'access_code_issued',
  'access_pass_issued',
  'access_pass_used',
  'access_pass_revoked',
  'factor_revoked',
  'role_granted',
  'role_revoked',
  'account_created',
  'account_updated',
  'account_deactivated',
  'account_reactivated',
  'account_deleted',
  'not_me_reported',
  'sign_in_denied',
  'sms_budget_warned',
  'sms_budget_exhausted',
  'sms_country_closed',
  'signing_keys_replaced',
] as const;
export type AnnouncementType = (typeof ANNOUNCEMENTS)[number];

export interface Announcement {
  type: AnnouncementType;
  /** Whom it happened to; absent: to the installation. */
  accountId?: string;
  /** ISO 8601. */
  at: string;
  /** Ids, times and words of closed lists; never a secret, a code, a number or free text. */
  facts: Record<string, string | number | boolean | string[]>;
}

/** What is told of who did it: an account by its id, and that somebody on the server did. */
export const factsOf = (facts: Announcement['facts'], by: { type: string; id?: string }): Announcement['facts'] => ({
  ...facts,
  ...(by.id ? { by: by.id } : {}),
  ...(by.type === 'operator' ? { operator: true } : {}),
});

export interface Announcer {
  /**
   * Stores an announcement to be told: once per channel and receiver, also when this node is killed right after.
   * @param unit stores it together with what it tells of, or not at all.
   */
  announce(announcement: Announcement, unit?: Unit): Promise<void>;
}
