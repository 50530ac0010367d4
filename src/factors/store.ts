import type { mongo } from 'mongoose';
import { AppError } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import { inSeconds } from '../platform/clock.js';
import { type Database, isDuplicateKey } from '../platform/database.js';
import type { Random } from '../platform/random.js';
import type { Activation, FactorRecord, FactorStore } from './contract.js';

export const factorCollection = (database: Database): mongo.Collection<FactorRecord> =>
  database.collection<FactorRecord>('factors');

/** A plugin's door to the collection: every filter names the account and the method, so that no plugin reaches another's factors. */
export function createFactorStore<Data>(
  method: string,
  { database, clock, random }: { database: Database; clock: Clock; random: Random },
): FactorStore<Data> {
  const factors = factorCollection(database);
  const own = (accountId: string, id: string) => ({ _id: id, accountId, method });
  const running = () => ({ state: 'pending' as const, expiresAt: { $gt: clock.now() } });
  const typed = (record: FactorRecord | null) => (record ? (record as unknown as FactorRecord<Data>) : undefined);

  return {
    async find(accountId, state, browser = '') {
      const condition = state === 'pending' ? { ...running(), browser } : { state };
      const records = await factors
        .find({ accountId, method, ...condition })
        .sort({ createdAt: 1 })
        .toArray();
      return records as unknown as FactorRecord<Data>[];
    },

    async findById(factorId) {
      return typed(await factors.findOne({ _id: factorId, method, $or: [{ state: 'active' }, running()] }));
    },

    async insertPending(accountId, { id = random.token(128), browser = '', label, data, ttlSeconds }) {
      const now = clock.now();
      const isInTheWay = [{ expiresAt: { $lte: now } }, { browser: { $ne: browser } }];
      await factors.deleteOne({ accountId, method, state: 'pending', $or: isInTheWay });
      try {
        await factors.insertOne({
          ...own(accountId, id),
          state: 'pending',
          browser,
          label,
          createdAt: now,
          expiresAt: inSeconds(now, ttlSeconds),
          data: data as Record<string, unknown>,
        });
        return id;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        const earlier = await factors.findOne({ accountId, method, browser, ...running() }, { projection: { _id: 1 } });
        // Another browser was faster between the two steps.
        if (!earlier) throw new AppError('ENROLMENT_EXPIRED', 'set-up begun in two browsers at once', { cause: error });
        return earlier._id;
      }
    },

    async update(accountId, factorId, where, update) {
      return typed(
        await factors.findOneAndUpdate({ ...where, ...own(accountId, factorId) }, update, { returnDocument: 'after' }),
      );
    },

    async activate(accountId, factorId, change: Activation = {}) {
      const { where = {}, set = {}, exclusive, replaces = false, together } = change;
      try {
        const isActivated = await database.transaction(async (unit) => {
          const { session } = unit;
          const pending = { ...where, ...own(accountId, factorId), ...running() };
          if (!(await factors.findOne(pending, { session, projection: { _id: 1 } }))) return false;
          const active = { accountId, method, state: 'active' as const };
          const replaced = replaces ? await factors.find(active, { session }).toArray() : [];
          // Before the new one comes: of the same `exclusive` there can be only one at a time.
          if (replaces) await factors.deleteMany(active, { session });
          await together?.(unit, replaced);
          const { modifiedCount } = await factors.updateOne(
            pending,
            {
              $set: { ...set, state: 'active', activatedAt: clock.now(), ...(exclusive ? { exclusive } : {}) },
              $unset: { expiresAt: '', browser: '' },
            },
            { session },
          );
          return modifiedCount === 1;
        });
        return isActivated ? 'activated' : 'gone';
      } catch (error) {
        if (isDuplicateKey(error)) return 'taken';
        throw error;
      }
    },

    async remove(accountId, factorId) {
      return (await factors.deleteOne(own(accountId, factorId))).deletedCount === 1;
    },
  };
}
