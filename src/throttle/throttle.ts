import type { mongo } from 'mongoose';
import { type Clock, inSeconds } from '../platform/clock.js';
import { type Database, type EnsureIndexes, isDuplicateKey } from '../platform/database.js';
import type { Settlement, Throttle } from './contract.js';
import { type AttemptsDocument, countsOf, fieldOf, obstacle } from './counters.js';
import { countedUp, expiry, mayAttempt, settled } from './update.js';

const COLLECTION = 'attempts';
/** An insert lost to another one, or a wait that ended between two commands, is worth another try; a third is not. */
const TRIES = 3;

/** Limits on attempts in the collection `attempts`, one document per subject (SP 800-63B-4 section 3.2.2). */
export function createThrottle({ database, clock }: { database: Database; clock: Clock }): Throttle {
  const attempts = database.collection<AttemptsDocument>(COLLECTION);

  const settleAll = async (settlements: readonly Settlement[]): Promise<void> => {
    const now = clock.now();
    const updates = settlements.flatMap((settlement) => {
      const stages = settled(settlement);
      if (stages.length === 0) return [];
      const update = [...stages, { $set: { expiresAt: expiry(now) } }];
      return [{ updateOne: { filter: { _id: settlement.subject }, update } }];
    });
    if (updates.length > 0) await attempts.bulkWrite(updates, { ordered: false });
  };

  return {
    async reserve(subject, rules) {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const now = clock.now();
        const update: mongo.Document[] = [
          {
            $set: Object.fromEntries(rules.map((rule) => [`counters.${fieldOf(rule.counter)}`, countedUp(rule, now)])),
          },
          { $set: { expiresAt: expiry(now) } },
        ];
        try {
          const counted = await attempts.findOneAndUpdate(
            { _id: subject, $and: rules.map((rule) => mayAttempt(rule, now)) },
            update,
            { upsert: true, returnDocument: 'after' },
          );
          return { reserved: true, counts: countsOf(counted, rules, now) };
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
        }
        const refused = obstacle(await attempts.findOne({ _id: subject }), rules, now);
        if (refused) return refused;
      }
      return { reserved: false, counter: rules[0]?.counter ?? '', retryAt: inSeconds(clock.now(), 1) };
    },

    settle: (subject, outcome) => settleAll([{ subject, ...outcome }]),
    settleAll,

    async peek(subject, rules) {
      const now = clock.now();
      const document = await attempts.findOne({ _id: subject });
      return obstacle(document, rules, now) ?? { reserved: true, counts: countsOf(document, rules, now) };
    },
  };
}

/** Every query goes by `_id`; the other index is the broom. */
export const ensureIndexes: EnsureIndexes = async (database) => {
  await database.collection(COLLECTION).createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 });
};
