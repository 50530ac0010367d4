/** What webhooks offer: endpoints of other tools that are told what happened here, signed as standardwebhooks.com says. */
import type { Unit } from '../platform/database.js';
import type { Page, PageRequest } from '../platform/paging.js';

/** What an endpoint can hear of: `<thing>.<what happened to it>`. */
export const WEBHOOK_EVENTS = [
  'recovery_request.filed',
  'recovery_request.approved',
  'recovery_request.declined',
  'recovery_request.withdrawn',
  'recovery_request.expired',
  'recovery_request.superseded',
  'suspension.started',
  'suspension.used',
  'suspension.ended',
  'access_code.issued',
  'access_pass.issued',
  'access_pass.used',
  'access_pass.revoked',
  'factor.revoked',
  'role.granted',
  'role.revoked',
  'account.created',
  'account.updated',
  'account.deactivated',
  'account.reactivated',
  'account.deleted',
  'account.not_me_reported',
  'sign_in.denied',
  'sms.budget_warned',
  'sms.budget_exhausted',
  'sms.country_closed',
  'signing_keys.replaced',
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export const WEBHOOK_STATES = ['active', 'disabled'] as const;
export type WebhookState = (typeof WEBHOOK_STATES)[number];

export const WEBHOOK_URL_LENGTH = 2_000;
export const WEBHOOK_DESCRIPTION_LENGTH = 200;
/** After a rotation the secret before it still signs, beside the new one, for so long. */
export const ROTATION_SECONDS = 24 * 3600;
/** How long a delivery can be looked at, and sent again. */
export const DELIVERY_KEPT_SECONDS = 30 * 24 * 3600;

/** One endpoint. Its secret is shown when it is made, and never again. */
export interface Webhook {
  id: string;
  url: string;
  /** At least one, each once. */
  events: WebhookEvent[];
  description?: string;
  state: WebhookState;
  /** `gone`: the endpoint answered 410. */
  disabledBecause?: 'administrator' | 'gone';
  /** Nothing has arrived since then, and something has failed. */
  failingSince?: Date;
  /** Counts the changes an administrator made: what an ETag is made of. */
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

export interface NewWebhook {
  url: string;
  events: readonly WebhookEvent[];
  description?: string;
  /** `active` unless said otherwise. */
  state?: WebhookState;
}

/** A merge patch: what is absent stays, `null` removes. */
export interface WebhookChanges {
  url?: string;
  events?: readonly WebhookEvent[];
  description?: string | null;
  state?: WebhookState;
}

/**
 * Why no endpoint can be at this URL. What a name resolves to is judged when it is connected to.
 * `not_https`: plain http, but for what configuration lists among `privateOrigins`, or loopback while the issuer is there too.
 * `private_address`: a loopback, private, link-local or reserved address, but for the same exceptions.
 */
export const URL_PROBLEMS = ['malformed', 'not_https', 'has_credentials', 'private_address'] as const;
export type UrlProblem = (typeof URL_PROBLEMS)[number];

export type WebhookCreated =
  | { status: 'created'; webhook: Webhook /** `whsec_…`: shown once. */; secret: string }
  | { status: 'url_refused'; problem: UrlProblem };

export type WebhookUpdated =
  | { status: 'updated'; webhook: Webhook }
  | { status: 'url_refused'; problem: UrlProblem }
  | { status: 'not_found' }
  /** Changed by somebody else meanwhile: its `version` is not the given one. */
  | { status: 'stale'; webhook: Webhook };

export type WebhookRemoved = { status: 'removed' } | { status: 'not_found' } | { status: 'stale'; webhook: Webhook };

/** `cancelled`: the endpoint was removed or disabled before it took this. */
export const DELIVERY_STATES = ['pending', 'delivered', 'failed', 'cancelled'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** One event for one endpoint, with what became of it. */
export interface WebhookDelivery {
  /** The header `webhook-id`: the same in every attempt, also when it is sent again by hand. */
  id: string;
  webhookId: string;
  event: WebhookEvent;
  state: DeliveryState;
  /** Times it was sent. */
  attempts: number;
  createdAt: Date;
  lastAttemptAt?: Date;
  /** HTTP status of the last answer; absent when there was none. */
  responseStatus?: number;
  /** Why the last attempt failed, when no status tells: `TIMEOUT`, `ECONNREFUSED`, `PRIVATE_ADDRESS`, ... */
  failure?: string;
}

/** `pending`: it is on its way already. `disabled`: its endpoint is. */
export type Redelivered = 'queued' | 'pending' | 'disabled' | 'not_found';

/** Who may do this, and its audit events, are the caller's. `unit` makes a write part of a transaction. */
export interface Webhooks {
  create(webhook: NewWebhook, unit?: Unit): Promise<WebhookCreated>;
  /** Newest first. */
  list(page: PageRequest): Promise<Page<Webhook>>;
  find(id: string): Promise<Webhook | undefined>;
  /** @param version the one the change was made for. */
  update(id: string, changes: WebhookChanges, version: number, unit?: Unit): Promise<WebhookUpdated>;
  /** @param version the one that was looked at. */
  remove(id: string, version: number, unit?: Unit): Promise<WebhookRemoved>;
  rotateSecret(id: string, unit?: Unit): Promise<{ webhook: Webhook /** Shown once. */; secret: string } | undefined>;
  /** Newest first. */
  deliveries(webhookId: string, page: PageRequest): Promise<Page<WebhookDelivery>>;
  findDelivery(webhookId: string, deliveryId: string): Promise<WebhookDelivery | undefined>;
  /** Sends once more what was delivered, has failed or was cancelled, under the same `webhook-id`. */
  redeliver(webhookId: string, deliveryId: string, unit?: Unit): Promise<Redelivered>;
}

/** What happened, for whichever endpoints listen: ids and times; never a name, an address, a phone number or a code. */
export interface WebhookMessage {
  type: WebhookEvent;
  /** When it happened, ISO 8601. */
  timestamp: string;
  data: Record<string, string | number | boolean | string[]>;
}
