import { mongo } from 'mongoose';
import { type Clock, inSeconds } from '../platform/clock.js';
import { type Database, type EnsureIndexes, isDuplicateKey } from '../platform/database.js';
import type { Limit, Reservation, Settlement, Throttle, ThrottleRule } from './contract.js';
import { type AttemptsDocument, costOf, countsOf, obstacle } from './counters.js';
import { attempt, expiry, settled } from './update.js';

const COLLECTION = 'attempts';
/** An insert lost to another one, or a wait that ended between two commands, is worth another try; a third is not. */
const TRIES = 3;

type Refusal = Extract<Reservation, { reserved: false }>;

const givenBack = ({ subject, rules }: Limit): Settlement => ({
  subject,
  release: rules.map((rule) => ({ counter: rule.counter, cost: costOf(rule) })),
});

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
    // What is lost with its node leaves a count that is too high: nobody gets a guess more by it.
    if (updates.length > 0) await attempts.bulkWrite(updates, { ordered: false, writeConcern: { w: 1 } });
  };

  /** The place of the first that could not be counted, and left the later ones untouched; undefined: all were. */
  const countInOrder = async (limits: readonly Limit[], now: Date): Promise<number | undefined> => {
    try {
      await attempts.bulkWrite(limits.map((limit) => ({ updateOne: { ...attempt(limit, now), upsert: true } })));
      return undefined;
    } catch (error) {
      if (!(error instanceof mongo.MongoBulkWriteError) || !isDuplicateKey(error)) throw error;
      const [first] = [error.writeErrors].flat();
      return first?.index ?? 0;
    }
  };

  const inVain = (rules: readonly ThrottleRule[]): Refusal => ({
    reserved: false,
    counter: rules[0]?.counter ?? '',
    retryAt: inSeconds(clock.now(), 1),
  });

  return {
    async reserve(subject, rules) {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const now = clock.now();
        const { filter, update } = attempt({ subject, rules }, now);
        try {
          const counted = await attempts.findOneAndUpdate(filter, update, { upsert: true, returnDocument: 'after' });
          return { reserved: true, counts: countsOf(counted, rules, now) };
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
        }
        const refused = obstacle(await attempts.findOne({ _id: subject }), rules, now);
        if (refused) return refused;
      }
      return inVain(rules);
    },

    async reserveAll(limits) {
      let counted = 0;
      for (let tries = 1; ; tries += 1) {
        const now = clock.now();
        const place = await countInOrder(limits.slice(counted), now);
        if (place === undefined) return { reserved: true };
        if (place > 0) tries = 1;
        counted += place;
        const { subject, rules } = limits[counted] as Limit;
        const stored = await attempts.findOne({ _id: subject });
        const refused = obstacle(stored, rules, now) ?? (tries === TRIES ? inVain(rules) : undefined);
        if (!refused) continue;
        await settleAll(limits.slice(0, counted).map(givenBack));
        return { ...refused, subject };
      }
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
