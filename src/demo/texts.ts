import type { Database, EnsureIndexes } from '../platform/database.js';

/** A text message as a phone would show it. The collection is also where the development transport of texts puts its own. */
export interface KeptText {
  _id: string;
  to: string;
  text: string;
  at: Date;
}

const texts = (database: Database) => database.collection<KeptText>('sms_outbox');

/** Once per message. */
export async function keepText(database: Database, { _id, ...text }: KeptText): Promise<void> {
  await texts(database).updateOne({ _id }, { $setOnInsert: text }, { upsert: true });
}

/** Newest first. */
export const listTexts = (database: Database, limit = 100): Promise<KeptText[]> =>
  texts(database).find().sort({ at: -1 }).limit(limit).toArray();

export const ensureTextIndexes: EnsureIndexes = async (database) => {
  await texts(database).createIndex({ at: -1 }, { name: 'newest' });
};
