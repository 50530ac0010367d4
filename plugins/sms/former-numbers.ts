import { type FactorDeps, inSeconds } from '../../src/factors/contract.js';
import type { Database, EnsureIndexes, Unit } from '../../src/platform/database.js';
import { isHeld, type Phone, type SmsData } from './data.js';

/** How long a number that took the place of another one is not accepted: time for its owner to hear of it and to object. */
const NEW_FOR_SECONDS = 24 * 3600;

/** The number of an account that was accepted until lately, as a keyed hash. */
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

/**
 * Removing a number and adding another one is a change, too: what was there is remembered for as long as it matters. Only a number
 * that was accepted counts: else a new one, set up twice, would take its own place.
 */
export function createFormerNumbers({ clock, database }: Pick<FactorDeps<SmsData>, 'clock' | 'database'>) {
  const former = formerCollection(database);
  return {
    /** @param left which of them gave way; undefined: none, another one is held from now on all the same. */
    async remember(accountId: string, left: Phone | undefined, unit?: Unit): Promise<void> {
      const now = clock.now();
      const accepted = left && !isHeld(left, now) ? left.exclusive : undefined;
      await former.updateOne(
        { _id: accountId },
        {
          $set: { expiresAt: inSeconds(now, NEW_FOR_SECONDS), ...(accepted ? { exclusive: accepted } : {}) },
          // No number's: whichever comes next has to wait.
          ...(accepted ? {} : { $setOnInsert: { exclusive: '' } }),
        },
        { upsert: true, ...(unit ? { session: unit.session } : {}) },
      );
    },
    /** From when on a number that is set up now is accepted; undefined: at once. */
    async usableFrom(accountId: string, exclusive: string, present: Phone | undefined): Promise<Date | undefined> {
      const now = clock.now();
      const isPresentHeld = present !== undefined && isHeld(present, now);
      if (isPresentHeld && present.exclusive === exclusive) return present.data.usableFrom;
      const before =
        present && !isPresentHeld
          ? present.exclusive
          : (await former.findOne({ _id: accountId, expiresAt: { $gt: now } }))?.exclusive;
      if (before === exclusive || (before === undefined && !isPresentHeld)) return undefined;
      return inSeconds(now, NEW_FOR_SECONDS);
    },
  };
}

export type FormerNumbers = ReturnType<typeof createFormerNumbers>;
