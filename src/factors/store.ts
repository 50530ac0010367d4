import type { mongo } from 'mongoose';
import type { AccountsAlongside } from '../accounts/contract.js';
import { AppError } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import { inSeconds } from '../platform/clock.js';
import { type Database, isDuplicateKey } from '../platform/database.js';
import type { Random } from '../platform/random.js';
import type { Activation, BesideFactor, Factor, FactorRecord, FactorStore } from './contract.js';
import type { EngineOptions } from './engine-contract.js';
import { createLaterUpdates } from './later-updates.js';

export const factorCollection = (database: Database): mongo.Collection<FactorRecord> =>
  database.collection<FactorRecord>('factors');

/** Filters that keep to what people set up themselves. */
export const NO_COMPANION = { companionOf: { $exists: false } } as const;

const ofItsAccount = (as: string, from: string, foreignField: string, pipeline: Record<string, unknown>[] = []) => ({
  $lookup: { from, localField: 'accountId', foreignField, pipeline, as },
});

/** A plugin's door to the collection: every filter names the account and the method, so that no plugin reaches another's factors. */
export function createFactorStore<Data>(
  method: string,
  options: {
    database: Database;
    clock: Clock;
    random: Random;
    /** What is offered; may be filled later. */
    methods?: ReadonlyMap<string, Pick<Factor, 'companionData'>>;
    findAccount?: EngineOptions['findAccount'];
    accountsAlongside?: AccountsAlongside;
  },
): FactorStore<Data> {
  const {
    database,
    clock,
    random,
    methods = new Map(),
    findAccount = async () => undefined,
    accountsAlongside,
  } = options;
  const factors = factorCollection(database);
  const updateLater = createLaterUpdates(factors);
  const own = (accountId: string, id: string) => ({ _id: id, accountId, method });
  const running = () => ({ state: 'pending' as const, expiresAt: { $gt: clock.now() } });
  const inUse = (factorId: string) => ({ _id: factorId, method, $or: [{ state: 'active' as const }, running()] });
  const typed = (record: FactorRecord | null) => (record ? (record as unknown as FactorRecord<Data>) : undefined);

  /** A device that is not offered any more can be neither seen nor removed: what it brought along opens nothing. */
  const usable = () => ({ $or: [NO_COMPANION, { 'companionOf.method': { $in: [...methods.keys()] } }] });
  const companionsOf = (accountId: string, ids: readonly string[]) => ({
    accountId,
    'companionOf.method': method,
    'companionOf.id': { $in: [...ids] },
  });

  /** The active ones whose place a new one takes. */
  const placeOf = (accountId: string, replaces: NonNullable<Activation['replaces']>) => ({
    accountId,
    method,
    state: 'active' as const,
    ...NO_COMPANION,
    ...(replaces === 'all' ? {} : { _id: replaces.id }),
  });
  const takeAway = async (accountId: string, replaced: readonly FactorRecord[], session: mongo.ClientSession) => {
    if (replaced.length === 0) return;
    const ids = replaced.map(({ _id }) => _id);
    await factors.deleteMany({ _id: { $in: ids } }, { session });
    await factors.deleteMany(companionsOf(accountId, ids), { session });
  };

  const insertCompanion = async (
    { accountId, _id: id, label }: FactorRecord,
    { method: other, secret }: NonNullable<Activation['companion']>,
    session: mongo.ClientSession,
  ) => {
    const _id = random.token(128);
    const data = methods.get(other)?.companionData?.(accountId, _id, secret);
    if (!data) return;
    const now = clock.now();
    await factors.insertOne(
      {
        _id,
        accountId,
        method: other,
        state: 'active',
        label,
        companionOf: { method, id },
        createdAt: now,
        activatedAt: now,
        data,
      },
      { session },
    );
  };

  return {
    async find(accountId, state, browser = '') {
      const condition = state === 'pending' ? { ...running(), browser } : { state, ...usable() };
      const records = await factors
        .find({ accountId, method, ...condition })
        .sort({ createdAt: 1 })
        .toArray();
      return records as unknown as FactorRecord<Data>[];
    },

    async findById(factorId) {
      return typed(await factors.findOne(inUse(factorId)));
    },

    async findWithAccount<Beside>(factorId: string, beside?: BesideFactor) {
      const [found] = await factors
        .aggregate<FactorRecord & { accounts?: object[]; beside?: Beside[] }>([
          { $match: inUse(factorId) },
          ...(accountsAlongside ? [ofItsAccount('accounts', accountsAlongside.collection, '_id')] : []),
          ...(beside ? [ofItsAccount('beside', beside.collection, 'accountId', beside.pipeline)] : []),
        ])
        .toArray();
      if (!found) return undefined;
      const { accounts, beside: documents = [], ...record } = found;
      const [stored] = accounts ?? [];
      const account = accountsAlongside
        ? stored && accountsAlongside.toAccount(stored)
        : await findAccount(record.accountId);
      return {
        record: record as unknown as FactorRecord<Data>,
        account: account?.active ? account : undefined,
        beside: documents,
      };
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

    updateLater: (accountId, factorId, where, update) => updateLater({ ...where, ...own(accountId, factorId) }, update),

    async activate(accountId, factorId, change: Activation = {}) {
      const { where = {}, set = {}, exclusive, replaces, companion, together } = change;
      try {
        const isActivated = await database.transaction(async (unit) => {
          const { session } = unit;
          const pending = { ...where, ...own(accountId, factorId), ...running() };
          if (!(await factors.findOne(pending, { session, projection: { _id: 1 } }))) return false;
          const replaced = replaces ? await factors.find(placeOf(accountId, replaces), { session }).toArray() : [];
          if (replaces && replaces !== 'all' && replaced.length === 0) return false;
          // Before the new one comes: of the same `exclusive` there can be only one at a time.
          await takeAway(accountId, replaced, session);
          await together?.(unit, replaced);
          const activated = await factors.findOneAndUpdate(
            pending,
            {
              $set: { ...set, state: 'active', activatedAt: clock.now(), ...(exclusive ? { exclusive } : {}) },
              $unset: { expiresAt: '', browser: '' },
            },
            { session, returnDocument: 'after' },
          );
          if (activated && companion) await insertCompanion(activated, companion, session);
          return activated !== null;
        });
        return isActivated ? 'activated' : 'gone';
      } catch (error) {
        if (isDuplicateKey(error)) return 'taken';
        throw error;
      }
    },

    async remove(accountId, factorId, state) {
      const filter = { ...own(accountId, factorId), ...NO_COMPANION, ...(state ? { state } : {}) };
      return database.transaction(async ({ session }) => {
        const { deletedCount } = await factors.deleteOne(filter, { session });
        if (deletedCount === 1) await factors.deleteMany(companionsOf(accountId, [factorId]), { session });
        return deletedCount === 1;
      });
    },
  };
}
