import { type Clock, systemClock } from '../platform/clock.js';
import type { Database, EnsureIndexes } from '../platform/database.js';
import type { Mail, Transport } from './mail.js';

const COLLECTION = 'demo_mails';

export interface StoredMail extends Omit<Mail, 'id'> {
  _id: string;
  at: Date;
}

/** Keeps mails in a collection, in the clear, for a page that lists them: demonstration and tests only. */
export function storedTransport(database: Database, clock: Clock = systemClock): Transport {
  const mails = database.collection<StoredMail>(COLLECTION);
  return {
    async send({ id, ...mail }) {
      await mails.updateOne({ _id: id }, { $setOnInsert: { ...mail, at: clock.now() } }, { upsert: true });
    },
  };
}

/** Newest first. */
export const listStoredMails = (database: Database, limit = 100): Promise<StoredMail[]> =>
  database.collection<StoredMail>(COLLECTION).find().sort({ at: -1 }).limit(limit).toArray();

export const findStoredMail = async (database: Database, id: string): Promise<StoredMail | undefined> =>
  (await database.collection<StoredMail>(COLLECTION).findOne({ _id: id })) ?? undefined;

export const ensureStoredMailIndexes: EnsureIndexes = async (database) => {
  await database.collection(COLLECTION).createIndex({ at: -1 }, { name: 'newest' });
};
