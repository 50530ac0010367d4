import type { Unit } from '../platform/database.js';
import type { Page, PageRequest } from '../platform/paging.js';

/** The closed vocabulary of audit events. Names of the OWASP logging vocabulary where it has one. */
export const AUDIT_EVENTS = [
  'authn_login_success',
  'authn_login_fail',
  'authn_login_fail_max',
  'authn_password_change',
  'authn_password_change_fail',
  'authn_logout',
  'user_created',
  'user_updated',
  'user_deactivated',
  'user_reactivated',
  'invitation_sent',
  'invitation_redeemed',
  'password_reset_sent',
  'email_confirmed',
  'factor_verified',
  'factor_tried',
  'factor_rejected',
  'factor_throttled',
  'factor_sent',
  'factor_send_refused',
  'factor_disabled',
  'factor_enrolment_begun',
  'factor_enrolled',
  'factor_renamed',
  'factor_removed',
  'factor_replaced',
  'recovery_codes_created',
  'set_up_postponed',
  'session_ended',
  'sessions_ended',
  'consent_granted',
  'consent_refused',
  'not_me_reported',
  'sign_in_denied',
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
  'access_code_used',
  'access_code_rejected',
  'access_pass_issued',
  'access_pass_used',
  'access_pass_rejected',
  'access_pass_revoked',
  'factor_revoked',
  'role_granted',
  'role_revoked',
  'user_deleted',
  'grant_revoked',
  'set_up_required',
  'authz_fail',
  'audit_exported',
  'client_created',
  'client_updated',
  'client_removed',
  'client_secret_rotated',
  'webhook_created',
  'webhook_updated',
  'webhook_removed',
  'webhook_redelivered',
  'sms_budget_warned',
  'sms_budget_exhausted',
  'sms_country_closed',
  'sms_country_opened',
  'signing_keys_created',
  'signing_keys_rotated',
  'signing_keys_replaced',
  'push_keys_rotated',
  'secrets_resealed',
  'sys_startup',
  'sys_shutdown',
  'sys_migrated',
  'sys_restored',
] as const;
export type AuditEventType = (typeof AUDIT_EVENTS)[number];

/** Where a request came from; every audited operation takes one. */
export interface RequestOrigin {
  requestId: string;
  ip?: string;
  userAgent?: string;
  /** Which browser: a keyed hash of a cookie of it; absent in its first request. */
  browser?: string;
}

export interface AuditEvent {
  type: AuditEventType;
  /** The account it is about. */
  accountId?: string;
  actor: { type: 'account' | 'system' | 'operator' | 'client' | 'anonymous'; id?: string };
  clientId?: string;
  sessionUid?: string;
  origin?: RequestOrigin;
  /** Facts for the reader; never a secret, a code, a token or a phone number. */
  details?: Record<string, string | number | boolean | string[]>;
}

export interface StoredAuditEvent extends AuditEvent {
  id: string;
  at: Date;
}

/** What administrators look for; everything given must hold. */
export interface AuditFilter {
  type?: AuditEventType;
  /** Who did it. */
  actorId?: string;
  /** Whom it is about. */
  accountId?: string;
  since?: Date;
  until?: Date;
}

export interface Audit {
  /**
   * One insert with majority; resolves when it is stored.
   * @param unit stores it together with what it tells of, or not at all.
   */
  record(event: AuditEvent, unit?: Unit): Promise<void>;
  /** Newest first. `before` is the id of the last one seen. */
  list(
    filter: { accountId: string; types?: readonly AuditEventType[] },
    page: { limit: number; before?: string },
  ): Promise<StoredAuditEvent[]>;
}

/** The same, with what administrators read. */
export interface AuditLog extends Audit {
  /** Many at once, in one insert, together with what they tell of. */
  recordAll(events: readonly AuditEvent[], unit: Unit): Promise<void>;
  /** Newest first, over all accounts. */
  page(filter: AuditFilter, page: PageRequest): Promise<Page<StoredAuditEvent>>;
  /** Successful sign-ins between two instants, by method; `none` for a password alone. */
  countSignIns(since: Date, until: Date, methods: readonly string[]): Promise<Record<string, number>>;
}
