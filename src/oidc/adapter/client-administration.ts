import type { mongo } from 'mongoose';
import type { ClientMetadata } from 'oidc-provider';
import type { Clock } from '../../platform/clock.js';
import { isDuplicateKey, type Unit } from '../../platform/database.js';
import { type Page, type PageRequest, readPage } from '../../platform/paging.js';
import type { SecretBox } from '../../platform/secret-box.js';
import { type ClientDocument, type OnCall, secretContext } from './documents.js';

/** A registered application as administrators see it: without its secrets. */
export interface StoredClient {
  metadata: ClientMetadata;
  createdAt: Date;
  updatedAt: Date;
  /** What a change must be based on. */
  version: number;
  /** The secret before the last rotation works until then. */
  previousSecretUntil?: Date;
}

/** What administrators do with applications; each change together with what tells of it. */
export interface ClientAdministration {
  /** Newest first. */
  page(request: PageRequest): Promise<Page<StoredClient>>;
  stored(id: string): Promise<StoredClient | undefined>;
  /** False when the id is taken: nothing else in the unit must be done then. */
  register(metadata: ClientMetadata, unit: Unit): Promise<boolean>;
  /** Everything but the secret. Undefined when it is gone, or of another version. */
  change(metadata: ClientMetadata, version: number, unit: Unit): Promise<StoredClient | undefined>;
  /** The present secret goes on until `until`. */
  rotate(id: string, version: number, secret: string, until: Date, unit: Unit): Promise<StoredClient | undefined>;
  /** False when it is gone, or of another version. */
  unregister(id: string, version: number, unit: Unit): Promise<boolean>;
}

const toStored = ({ _id, metadata, createdAt, updatedAt, version, previous }: ClientDocument): StoredClient => ({
  metadata: { ...metadata, client_id: _id },
  createdAt,
  updatedAt: updatedAt ?? createdAt,
  version: version ?? 0,
  ...(previous ? { previousSecretUntil: previous.until } : {}),
});

export function createClientAdministration(deps: {
  collection: mongo.Collection<ClientDocument>;
  clock: Clock;
  secretBox: SecretBox;
  onCall: OnCall;
  /** A client was changed: what is remembered of it is no longer true. */
  forget(id: string): void;
}): ClientAdministration {
  const { collection, clock, secretBox, onCall, forget } = deps;
  const at = (_id: string, version: number): mongo.Filter<ClientDocument> => ({
    _id,
    version: version === 0 ? { $exists: false } : version,
  });
  const seal = (id: string, secret: string): string => secretBox.seal(secret, secretContext(id));
  const update = async (
    id: string,
    version: number,
    change: mongo.UpdateFilter<ClientDocument>,
    unit: Unit,
  ): Promise<StoredClient | undefined> => {
    unit.afterCommit(() => forget(id));
    const after = await collection.findOneAndUpdate(
      at(id, version),
      { ...change, $set: { ...change.$set, updatedAt: clock.now() }, $inc: { version: 1 } },
      { session: unit.session, returnDocument: 'after', ignoreUndefined: true },
    );
    return after ? toStored(after) : undefined;
  };

  return {
    async page(request) {
      onCall('Client', 'page');
      const found = await readPage(collection, {}, request, { sealedSecret: 0, 'previous.sealedSecret': 0 });
      return { ...found, items: found.items.map(toStored) };
    },

    async stored(id) {
      onCall('Client', 'stored');
      const found = await collection.findOne({ _id: id }, { projection: { sealedSecret: 0 } });
      return found ? toStored(found) : undefined;
    },

    async register({ client_secret: secret, ...metadata }, unit) {
      onCall('Client', 'register');
      const { client_id: id } = metadata;
      const now = clock.now();
      const document: ClientDocument = { _id: id, metadata, createdAt: now, updatedAt: now, version: 1 };
      unit.afterCommit(() => forget(id));
      try {
        const sealed = secret === undefined ? {} : { sealedSecret: seal(id, secret) };
        await collection.insertOne({ ...document, ...sealed }, { session: unit.session, ignoreUndefined: true });
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },

    change: ({ client_secret: _, ...metadata }, version, unit) =>
      update(metadata.client_id, version, { $set: { metadata } }, unit),

    async rotate(id, version, secret, until, unit) {
      const before = await collection.findOne(at(id, version), { session: unit.session });
      if (!before) return undefined;
      const previous = before.sealedSecret === undefined ? undefined : { sealedSecret: before.sealedSecret, until };
      return update(id, version, { $set: { sealedSecret: seal(id, secret), ...(previous ? { previous } : {}) } }, unit);
    },

    async unregister(id, version, unit) {
      unit.afterCommit(() => forget(id));
      return (await collection.deleteOne(at(id, version), { session: unit.session })).deletedCount === 1;
    },
  };
}
