import { type FactorDeps, inSeconds } from '../../src/factors/contract.js';
import type { Database, EnsureIndexes, Unit } from '../../src/platform/database.js';
import type { SmsData } from './data.js';

/** How long a number that took the place of another one is not accepted: time for its owner to hear of it and to object. */
const NEW_FOR_SECONDS = 24 * 3600;

/** The number that an account had until lately, as a keyed hash. */
interface FormerNumber {
  /** Of the account. */
  _id: string;
  exclusive: string;
  expiresAt: Date;
}

const formerCollection = (database: Database) => database.collection<FormerNumber>('sms_former_numbers');

export const ensureFormerNumberIndexes: EnsureIndexes = async (database) => {
  await formerCollection(database).createIndex({ expiresAt: 1 }, { name: 'sweep', expireAfterSeconds: 0 });
};

/** Removing a number and adding another one is a change, too: what was there is remembered for as long as it matters. */
export function createFormerNumbers({ clock, database }: Pick<FactorDeps<SmsData>, 'clock' | 'database'>) {
  const former = formerCollection(database);
  return {
    async remember(accountId: string, exclusive: string, unit?: Unit): Promise<void> {
      await former.updateOne(
        { _id: accountId },
        { $set: { exclusive, expiresAt: inSeconds(clock.now(), NEW_FOR_SECONDS) } },
        { upsert: true, ...(unit ? { session: unit.session } : {}) },
      );
    },
    /** From when on a number that is set up now is accepted; undefined: at once. */
    async usableFrom(accountId: string, exclusive: string, present: string | undefined): Promise<Date | undefined> {
      const now = clock.now();
      const before = present ?? (await former.findOne({ _id: accountId, expiresAt: { $gt: now } }))?.exclusive;
      return before === undefined || before === exclusive ? undefined : inSeconds(now, NEW_FOR_SECONDS);
    },
  };
}

export type FormerNumbers = ReturnType<typeof createFormerNumbers>;
