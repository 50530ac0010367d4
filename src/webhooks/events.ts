import type { Announcement, AnnouncementType } from '../notifications/announcements.js';
import type { WebhookEvent, WebhookMessage } from './contract.js';

const EVENTS: Readonly<Record<AnnouncementType, WebhookEvent>> = {
  recovery_request_filed: 'recovery_request.filed',
  recovery_request_approved: 'recovery_request.approved',
  recovery_request_declined: 'recovery_request.declined',
  recovery_request_withdrawn: 'recovery_request.withdrawn',
  recovery_request_expired: 'recovery_request.expired',
  recovery_request_superseded: 'recovery_request.superseded',
  suspension_started: 'suspension.started',
  suspension_used: 'suspension.used',
  suspension_ended: 'suspension.ended',
  access_code_issued: 'access_code.issued',
  access_pass_issued: 'access_pass.issued',
  access_pass_used: 'access_pass.used',
  access_pass_revoked: 'access_pass.revoked',
  factor_revoked: 'factor.revoked',
  role_granted: 'role.granted',
  role_revoked: 'role.revoked',
  account_created: 'account.created',
  account_updated: 'account.updated',
  account_deactivated: 'account.deactivated',
  account_reactivated: 'account.reactivated',
  account_deleted: 'account.deleted',
  not_me_reported: 'account.not_me_reported',
  sign_in_denied: 'sign_in.denied',
  sms_budget_warned: 'sms.budget_warned',
  sms_budget_exhausted: 'sms.budget_exhausted',
  sms_country_closed: 'sms.country_closed',
  signing_keys_replaced: 'signing_keys.replaced',
};

/** What endpoints are told of an announcement. */
export const messageOf = ({ type, accountId, at, facts }: Announcement): WebhookMessage => ({
  type: EVENTS[type],
  timestamp: at,
  data: { ...(accountId === undefined ? {} : { accountId }), ...facts },
});
