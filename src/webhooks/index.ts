/** Tells other tools what happened here: endpoints, and signed deliveries to them, as Standard Webhooks say (standardwebhooks.com). */
export {
  DELIVERY_KEPT_SECONDS,
  DELIVERY_STATES,
  type DeliveryState,
  type NewWebhook,
  type Redelivered,
  ROTATION_SECONDS,
  URL_PROBLEMS,
  type UrlProblem,
  WEBHOOK_DESCRIPTION_LENGTH,
  WEBHOOK_EVENTS,
  WEBHOOK_STATES,
  WEBHOOK_URL_LENGTH,
  type Webhook,
  type WebhookChanges,
  type WebhookCreated,
  type WebhookDelivery,
  type WebhookEvent,
  type WebhookRemoved,
  type WebhookState,
  type Webhooks,
  type WebhookUpdated,
} from './contract.js';
export { createWebhooks, type WebhookService } from './create.js';
export { ensureIndexes, SEALED } from './documents.js';
