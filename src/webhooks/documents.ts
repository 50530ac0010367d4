import type { mongo } from 'mongoose';
import type { Database, EnsureIndexes } from '../platform/database.js';
import type { SealedPlace } from '../platform/sealed-places.js';
import type { Webhook, WebhookDelivery } from './contract.js';

/** A document of `webhooks`. */
export interface WebhookDocument extends Omit<Webhook, 'id'> {
  _id: string;
  /** Sealed. */
  secret: string;
  /** The sealed secret before the last rotation, which signs too until then. */
  previousSecret?: { sealed: string; until: Date };
}

/** A document of `webhook_deliveries`: what is sent, and what became of it. */
export interface DeliveryDocument extends Omit<WebhookDelivery, 'id'> {
  _id: string;
  accountId: string;
  /** JSON; the same bytes in every attempt. */
  body: string;
  expiresAt: Date;
}

const COLLECTION = 'webhooks';

export const webhookCollection = (database: Database): mongo.Collection<WebhookDocument> =>
  database.collection<WebhookDocument>(COLLECTION);

export const deliveryCollection = (database: Database): mongo.Collection<DeliveryDocument> =>
  database.collection<DeliveryDocument>('webhook_deliveries');

export const secretContext = (webhookId: string): string => `webhooks/${webhookId}/secret`;

export const SEALED: readonly SealedPlace<WebhookDocument>[] = [
  {
    collection: COLLECTION,
    fields: ['secret', 'previousSecret'],
    valuesIn: ({ _id, secret, previousSecret }) => [
      { path: 'secret', sealed: secret, context: secretContext(_id) },
      { path: 'previousSecret.sealed', sealed: previousSecret?.sealed, context: secretContext(_id) },
    ],
  },
];

export const ensureIndexes: EnsureIndexes = async (database) => {
  await webhookCollection(database).createIndexes([
    { key: { createdAt: -1, _id: -1 }, name: 'newest' },
    { key: { state: 1, events: 1 }, name: 'listening' },
  ]);
  await deliveryCollection(database).createIndexes([
    { key: { webhookId: 1, createdAt: -1, _id: -1 }, name: 'of_webhook' },
    { key: { expiresAt: 1 }, name: 'sweep', expireAfterSeconds: 0 },
  ]);
};
