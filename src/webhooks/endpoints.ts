import { type Clock, inSeconds } from '../platform/clock.js';
import type { Database, Unit } from '../platform/database.js';
import { readPage } from '../platform/paging.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';
import type { AddressRules } from './addresses.js';
import { ROTATION_SECONDS, type Webhook, type WebhookChanges, type Webhooks } from './contract.js';
import { secretContext, type WebhookDocument, webhookCollection } from './documents.js';
import { newSecret } from './signature.js';

type Endpoints = Pick<Webhooks, 'create' | 'list' | 'find' | 'update' | 'remove' | 'rotateSecret'>;

const WITHOUT_SECRETS = { secret: 0, previousSecret: 0 } as const;

const toWebhook = ({ _id, secret, previousSecret, ...shown }: WebhookDocument): Webhook => ({ id: _id, ...shown });

const inUnit = (unit: Unit | undefined) => (unit ? { session: unit.session } : {});

/** What a merge patch writes and takes away. Whatever changes the URL or switches on starts with a clean sheet. */
function updateOf({ url, events, description, state }: WebhookChanges, now: Date): object {
  const isFresh = url !== undefined || state === 'active';
  return {
    $set: {
      ...(url === undefined ? {} : { url }),
      ...(events === undefined ? {} : { events: [...new Set(events)] }),
      ...(typeof description === 'string' ? { description } : {}),
      ...(state === undefined ? {} : { state }),
      ...(state === 'disabled' ? { disabledBecause: 'administrator' } : {}),
      updatedAt: now,
    },
    $unset: {
      ...(description === null ? { description: 1 } : {}),
      ...(state === 'active' ? { disabledBecause: 1 } : {}),
      ...(isFresh ? { failingSince: 1 } : {}),
    },
    $inc: { version: 1 },
  };
}

/** The endpoints, as administrators look after them. */
export function createEndpoints({
  database,
  clock,
  random,
  secretBox,
  addresses,
}: {
  database: Database;
  clock: Clock;
  random: Random;
  secretBox: SecretBox;
  addresses: AddressRules;
}): Endpoints {
  const webhooks = webhookCollection(database);

  const find = async (id: string, unit?: Unit): Promise<Webhook | undefined> => {
    const found = await webhooks.findOne({ _id: id }, { projection: WITHOUT_SECRETS, ...inUnit(unit) });
    return found ? toWebhook(found) : undefined;
  };

  /** Why nothing with this id and version was there. */
  const missed = async (id: string, unit?: Unit) => {
    const webhook = await find(id, unit);
    return webhook ? ({ status: 'stale', webhook } as const) : ({ status: 'not_found' } as const);
  };

  return {
    async create({ url, events, description, state = 'active' }, unit) {
      const problem = addresses.problemOf(url);
      if (problem) return { status: 'url_refused', problem };
      const id = `wh_${random.token(128)}`;
      const secret = newSecret(random);
      const now = clock.now();
      const document: WebhookDocument = {
        _id: id,
        url,
        events: [...new Set(events)],
        ...(description === undefined ? {} : { description }),
        state,
        ...(state === 'disabled' ? { disabledBecause: 'administrator' } : {}),
        version: 1,
        createdAt: now,
        updatedAt: now,
        secret: secretBox.seal(secret, secretContext(id)),
      };
      await webhooks.insertOne(document, inUnit(unit));
      return { status: 'created', webhook: toWebhook(document), secret };
    },

    async list(page) {
      const { items, ...next } = await readPage(webhooks, {}, page, WITHOUT_SECRETS);
      return { items: items.map(toWebhook), ...next };
    },

    find: (id) => find(id),

    async update(id, changes, version, unit) {
      const problem = changes.url === undefined ? undefined : addresses.problemOf(changes.url);
      if (problem) return { status: 'url_refused', problem };
      const updated = await webhooks.findOneAndUpdate({ _id: id, version }, updateOf(changes, clock.now()), {
        returnDocument: 'after',
        projection: WITHOUT_SECRETS,
        ...inUnit(unit),
      });
      return updated ? { status: 'updated', webhook: toWebhook(updated) } : missed(id, unit);
    },

    async remove(id, version, unit) {
      const { deletedCount } = await webhooks.deleteOne({ _id: id, version }, inUnit(unit));
      return deletedCount === 1 ? { status: 'removed' } : missed(id, unit);
    },

    async rotateSecret(id, unit) {
      const secret = newSecret(random);
      const now = clock.now();
      const sealed = secretBox.seal(secret, secretContext(id));
      const rotated = await webhooks.findOneAndUpdate(
        { _id: id },
        [
          {
            $set: {
              previousSecret: { sealed: '$secret', until: inSeconds(now, ROTATION_SECONDS) },
              secret: { $literal: sealed },
              version: { $add: ['$version', 1] },
              updatedAt: now,
            },
          },
        ],
        { returnDocument: 'after', projection: WITHOUT_SECRETS, ...inUnit(unit) },
      );
      return rotated ? { webhook: toWebhook(rotated), secret } : undefined;
    },
  };
}
