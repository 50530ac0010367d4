import type { ClientMetadata } from 'oidc-provider';
import type { Clock } from '../../platform/clock.js';
import { type Database, isDuplicateKey } from '../../platform/database.js';
import type { SecretBox } from '../../platform/secret-box.js';
import { type ClientAdministration, createClientAdministration } from './client-administration.js';
import { CLIENT_COLLECTION, type ClientDocument, DURABLE, type OnCall, secretContext } from './documents.js';

/** The registered applications. */
export interface ClientStore extends ClientAdministration {
  /** With its secret, as the provider needs it; at most `clientCacheMs` old when another node has changed it. */
  find(id: string): Promise<ClientMetadata | undefined>;
  /** All, by id, without their secrets; never from the cache. */
  list(): Promise<ClientMetadata[]>;
  /** @returns false when the id is taken. */
  insert(metadata: ClientMetadata): Promise<boolean>;
  /** @returns false when there is none with that id. */
  replace(metadata: ClientMetadata): Promise<boolean>;
  /** @returns false when there was none. */
  remove(id: string): Promise<boolean>;
}

/** Unknown ids are remembered too, and strangers choose them: more than this many are not kept. */
const CACHE_SIZE = 1000;

export function createClients(deps: {
  database: Database;
  clock: Clock;
  secretBox: SecretBox;
  clientCacheMs: number;
  onCall: OnCall;
}): ClientStore {
  const { clock, secretBox, clientCacheMs, onCall } = deps;
  const collection = deps.database.collection<ClientDocument>(CLIENT_COLLECTION);
  /** As JSON, so that no caller can change what another gets. */
  const cache = new Map<string, { found: Promise<string | undefined>; until: number }>();

  const toDocument = ({ client_secret: secret, ...metadata }: ClientMetadata): Omit<ClientDocument, 'createdAt'> => ({
    _id: metadata.client_id,
    metadata,
    ...(secret === undefined ? {} : { sealedSecret: secretBox.seal(secret, secretContext(metadata.client_id)) }),
  });
  const toMetadata = (document: Omit<ClientDocument, 'createdAt'>): ClientMetadata => ({
    ...document.metadata,
    client_id: document._id,
  });

  async function load(id: string): Promise<string | undefined> {
    onCall('Client', 'find');
    const document = await collection.findOne({ _id: id }, { projection: { createdAt: 0 } });
    if (!document) return undefined;
    const metadata = toMetadata(document);
    if (document.sealedSecret !== undefined) {
      metadata.client_secret = secretBox.open(document.sealedSecret, secretContext(id)).toString('utf8');
    }
    if (document.previous && document.previous.until > clock.now()) {
      const { sealedSecret, until } = document.previous;
      const secret = secretBox.open(sealedSecret, secretContext(id)).toString('utf8');
      metadata.previous_secret = { secret, until: until.getTime() };
    }
    return JSON.stringify(metadata);
  }

  function cached(id: string): Promise<string | undefined> {
    const now = clock.now().getTime();
    const entry = cache.get(id);
    if (entry && entry.until > now) return entry.found;
    // Kept from the start of the query: an answer from before a write cannot come back after it.
    const found = load(id);
    const fresh = { found, until: now + clientCacheMs };
    found.catch(() => {
      if (cache.get(id) === fresh) cache.delete(id);
    });
    cache.delete(id);
    cache.set(id, fresh);
    const [oldest] = cache.keys();
    if (cache.size > CACHE_SIZE && oldest !== undefined) cache.delete(oldest);
    return found;
  }

  return {
    ...createClientAdministration({ collection, clock, secretBox, onCall, forget: (id) => cache.delete(id) }),

    async find(id) {
      const json = await cached(id);
      return json === undefined ? undefined : (JSON.parse(json) as ClientMetadata);
    },

    async list() {
      onCall('Client', 'list');
      const documents = await collection
        .find({}, { projection: { sealedSecret: 0 } })
        .sort({ _id: 1 })
        .toArray();
      return documents.map(toMetadata);
    },

    async insert(metadata) {
      onCall('Client', 'insert');
      try {
        const now = clock.now();
        await collection.insertOne({ ...toDocument(metadata), createdAt: now, updatedAt: now, version: 1 }, DURABLE);
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      } finally {
        cache.delete(metadata.client_id);
      }
    },

    async replace(metadata) {
      onCall('Client', 'replace');
      const { _id, sealedSecret, ...rest } = toDocument(metadata);
      const update =
        sealedSecret === undefined
          ? { $set: rest, $unset: { sealedSecret: '' as const }, $inc: { version: 1 } }
          : { $set: { ...rest, sealedSecret }, $inc: { version: 1 } };
      try {
        return (await collection.updateOne({ _id }, update, DURABLE)).matchedCount === 1;
      } finally {
        cache.delete(_id);
      }
    },

    async remove(id) {
      onCall('Client', 'remove');
      try {
        return (await collection.deleteOne({ _id: id }, DURABLE)).deletedCount === 1;
      } finally {
        cache.delete(id);
      }
    },
  };
}
