import { createHash } from 'node:crypto';
import type { Announcement, Delivery, Outbox } from '../notifications/index.js';
import { type Clock, inSeconds } from '../platform/clock.js';
import { type Database, isDuplicateKey, type Unit } from '../platform/database.js';
import { readPage } from '../platform/paging.js';
import { postJson } from '../platform/post.js';
import type { SecretBox } from '../platform/secret-box.js';
import type { AddressRules } from './addresses.js';
import {
  DELIVERY_KEPT_SECONDS,
  type Redelivered,
  type WebhookDelivery,
  type WebhookEvent,
  type Webhooks,
} from './contract.js';
import {
  type DeliveryDocument,
  deliveryCollection,
  secretContext,
  type WebhookDocument,
  webhookCollection,
} from './documents.js';
import { messageOf } from './events.js';
import { signedHeaders } from './signature.js';

const KIND = 'webhook';

type Deliveries = Pick<Webhooks, 'deliveries' | 'findDelivery' | 'redeliver'> & {
  /** Puts a message to each listening endpoint in the outbox; however often it is called, one for each. */
  publish(announcementId: string, announcement: Announcement): Promise<void>;
  /** Whether any endpoint would be told. */
  isListening(event: WebhookEvent): Promise<boolean>;
  /** Sends one. @throws when it is to be tried again. */
  deliver: Delivery;
};

const WITHOUT_BODY = { body: 0 } as const;

const toDelivery = ({ _id, accountId, body, expiresAt, ...shown }: DeliveryDocument): WebhookDelivery => ({
  id: _id,
  ...shown,
});

/** The same for the same announcement and endpoint, on every node; no full stop, which would part it in the signature. */
const messageId = (announcementId: string, webhookId: string): string =>
  `msg_${createHash('sha256').update(`${announcementId}/${webhookId}`).digest('base64url').slice(0, 27)}`;

/** Endpoints that are to be told. */
const listeningTo = (event: WebhookEvent) => ({ state: 'active' as const, events: event });

const isTaken = (status: number): boolean => status >= 200 && status < 300;
/** Standard Webhooks, "Deliverability": the endpoint wants nothing any more. */
const GONE = 410;

/** Messages to endpoints: made with an announcement, carried by the outbox, and remembered with what became of them. */
export function createDeliveries({
  database,
  clock,
  secretBox,
  outbox,
  addresses,
}: {
  database: Database;
  clock: Clock;
  secretBox: SecretBox;
  outbox: Pick<Outbox, 'enqueue'>;
  addresses: AddressRules;
}): Deliveries {
  const webhooks = webhookCollection(database);
  const messages = deliveryCollection(database);

  async function insertOnce(message: DeliveryDocument): Promise<void> {
    try {
      await messages.insertOne(message);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }

  function secretsOf({ _id, secret, previousSecret }: WebhookDocument): string[] {
    const isStillGood = previousSecret && previousSecret.until > clock.now();
    return [secret, ...(isStillGood ? [previousSecret.sealed] : [])].map((sealed) =>
      secretBox.open(sealed, secretContext(_id)).toString(),
    );
  }

  /** @returns the status of the answer. @throws Error with a `code` when there was none. */
  async function send(webhook: WebhookDocument, { _id, body }: DeliveryDocument): Promise<number> {
    const problem = addresses.problemOf(webhook.url);
    if (problem) throw Object.assign(new Error('the address is refused'), { code: problem.toUpperCase() });
    const url = new URL(webhook.url);
    const lookup = addresses.lookupFor(url);
    return postJson(url, body, {
      headers: {
        'user-agent': 'Countersign-Webhooks',
        ...signedHeaders({ id: _id, at: clock.now(), body }, secretsOf(webhook)),
      },
      ...(lookup ? { lookup } : {}),
    });
  }

  const settle = (id: string, set: Partial<DeliveryDocument>, unset: { failure: 1 } | { responseStatus: 1 }) =>
    messages.updateOne(
      { _id: id },
      { $set: { ...set, lastAttemptAt: clock.now() }, $unset: unset, $inc: { attempts: 1 } },
    );

  const settleAnswered = (id: string, state: WebhookDelivery['state'], responseStatus: number) =>
    settle(id, { state, responseStatus }, { failure: 1 });

  return {
    isListening: async (event) => (await webhooks.findOne(listeningTo(event), { projection: { _id: 1 } })) !== null,

    async publish(announcementId, announcement) {
      const message = messageOf(announcement);
      // Of the installation: nobody's departure takes it along.
      const { accountId = '' } = announcement;
      const body = JSON.stringify(message);
      const listening = await webhooks.find(listeningTo(message.type), { projection: { _id: 1 } }).toArray();
      for (const { _id: webhookId } of listening) {
        const id = messageId(announcementId, webhookId);
        const createdAt = clock.now();
        await insertOnce({
          _id: id,
          webhookId,
          accountId,
          event: message.type,
          state: 'pending',
          attempts: 0,
          body,
          createdAt,
          expiresAt: inSeconds(createdAt, DELIVERY_KEPT_SECONDS),
        });
        await outbox.enqueue(KIND, accountId, { id }, { id: `${announcementId}:webhook:${webhookId}` });
      }
    },

    async deliver(payload, { isLast }) {
      const { id } = payload as { id: string };
      const message = await messages.findOne({ _id: id });
      // Taken already by the node that died before it could say so.
      if (!message || message.state === 'delivered' || message.state === 'cancelled') return;
      const webhook = await webhooks.findOne({ _id: message.webhookId });
      if (webhook?.state !== 'active') {
        await messages.updateOne({ _id: id }, { $set: { state: 'cancelled' } });
        return;
      }
      const { _id, url } = webhook;
      const state = isLast ? 'failed' : 'pending';
      const failed = async (): Promise<void> => {
        await webhooks.updateOne(
          { _id, url, failingSince: { $exists: false } },
          { $set: { failingSince: clock.now() } },
        );
      };

      let status: number;
      try {
        status = await send(webhook, message);
      } catch (error) {
        const { code = 'UNKNOWN' } = error as NodeJS.ErrnoException;
        await settle(id, { state, failure: code }, { responseStatus: 1 });
        await failed();
        throw error;
      }
      if (isTaken(status)) {
        await settleAnswered(id, 'delivered', status);
        await webhooks.updateOne({ _id, failingSince: { $exists: true } }, { $unset: { failingSince: 1 } });
      } else if (status === GONE) {
        await settleAnswered(id, 'failed', status);
        const gone = { state: 'disabled', disabledBecause: 'gone', updatedAt: clock.now() } as const;
        await webhooks.updateOne({ _id, url, state: 'active' }, { $set: gone, $inc: { version: 1 } });
      } else {
        await settleAnswered(id, state, status);
        await failed();
        throw Object.assign(new Error('the endpoint did not take it'), { responseCode: status });
      }
    },

    async deliveries(webhookId, page) {
      const { items, ...next } = await readPage(messages, { webhookId }, page, WITHOUT_BODY);
      return { items: items.map(toDelivery), ...next };
    },

    async findDelivery(webhookId, deliveryId) {
      const found = await messages.findOne({ _id: deliveryId, webhookId }, { projection: WITHOUT_BODY });
      return found ? toDelivery(found) : undefined;
    },

    async redeliver(webhookId, deliveryId, given) {
      const webhook = await webhooks.findOne({ _id: webhookId }, { projection: { state: 1 } });
      if (!webhook) return 'not_found';
      if (webhook.state !== 'active') return 'disabled';
      const work = async (unit: Unit): Promise<Redelivered> => {
        const { session } = unit;
        const own = { _id: deliveryId, webhookId };
        const again = await messages.findOneAndUpdate(
          { ...own, state: { $ne: 'pending' } },
          { $set: { state: 'pending' } },
          { session, projection: { accountId: 1 } },
        );
        if (!again) return (await messages.findOne(own, { session, projection: { _id: 1 } })) ? 'pending' : 'not_found';
        await outbox.enqueue(KIND, again.accountId, { id: deliveryId }, { unit });
        return 'queued';
      };
      return given ? work(given) : database.transaction(work);
    },
  };
}
