import { type FactorDeps, inSeconds } from '../../src/factors/contract.js';
import { createTelling } from './alerts.js';
import { CODE_TTL_SECONDS } from './code.js';
import type { SmsOptions } from './config.js';
import type { Countries } from './countries.js';
import { messageCollection, type SmsMessage } from './documents.js';

const LOOKED_BACK_SECONDS = 24 * 3600;
/** Fewer say nothing about a country. */
const LEAST = 10;
const LEAST_SHARE = 0.4;
/** Pumping takes many accounts: a few whose passwords are known must not close a country for everybody. */
const UNUSED_OF_ONE_ACCOUNT = 3;
/** How many more messages are looked at, since some of them do not count. */
const LOOKED_THROUGH_TIMES = 4;
/** Between two looks of one node at a country: pumping goes on for longer, and each look costs. */
const LOOK_EVERY_SECONDS = 5;

type Settled = Pick<SmsMessage, 'accountId' | 'usedAt'> & { sentAt: Date };

/**
 * How many of the codes that were sent are typed: who has messages sent for the money in them types none. Codes that may still be
 * typed, and what never arrived, do not count; nor does more than a little of one account.
 */
export function createConversion(
  { conversion: { atLeast, outOf } }: SmsOptions,
  deps: Pick<FactorDeps, 'announcer' | 'audit' | 'clock' | 'database'> & { countries: Countries },
) {
  const { clock, database, countries } = deps;
  const tell = createTelling(deps);
  const messages = messageCollection(database);
  const nextLooks = new Map<string, Date>();
  const enough = Math.max(LEAST, Math.ceil(outOf * LEAST_SHARE));

  /** Of the last day, latest first. */
  const settled = async (country: string): Promise<Settled[]> => {
    const now = clock.now();
    const latest = await messages
      .find<Settled>(
        {
          country,
          sentAt: { $gt: inSeconds(now, -LOOKED_BACK_SECONDS) },
          purpose: { $ne: 'notice' },
          status: { $ne: 'failed' },
          $or: [{ usedAt: { $exists: true } }, { sentAt: { $lte: inSeconds(now, -CODE_TTL_SECONDS) } }],
        },
        { projection: { _id: 0, accountId: 1, sentAt: 1, usedAt: 1 } },
      )
      .sort({ sentAt: -1 })
      .limit(outOf * LOOKED_THROUGH_TIMES)
      .toArray();
    const unused = new Map<string, number>();
    return latest
      .filter(({ usedAt, accountId }) => {
        if (usedAt) return true;
        const sameAccount = (unused.get(accountId) ?? 0) + 1;
        unused.set(accountId, sameAccount);
        return sameAccount <= UNUSED_OF_ONE_ACCOUNT;
      })
      .slice(0, outOf);
  };

  const rateOf = (latest: readonly Settled[], from: Date | undefined): number | undefined => {
    const measured = from ? latest.filter(({ sentAt }) => sentAt > from) : latest;
    return measured.length < enough ? undefined : measured.filter(({ usedAt }) => usedAt).length / measured.length;
  };

  /** Whether there is an instant from which on the rate would be too low. */
  const mayBeLow = (latest: readonly Settled[]): boolean => {
    let used = 0;
    return latest.some(({ usedAt }, index) => {
      if (usedAt) used += 1;
      return index + 1 >= enough && used / (index + 1) < atLeast;
    });
  };

  return {
    /** 0 to 1; undefined while too few are settled. */
    rate: async (country: string): Promise<number | undefined> =>
      rateOf(await settled(country), await countries.measuredFrom(country)),

    /** Closes a country whose rate has collapsed, and tells administrators; looks at it once in a while, however often it is called. */
    async check(country: string): Promise<void> {
      const now = clock.now();
      if (atLeast === 0 || now < (nextLooks.get(country) ?? now)) return;
      nextLooks.set(country, inSeconds(now, LOOK_EVERY_SECONDS));
      const latest = await settled(country);
      // As good as always: from when on it is measured need not be asked then.
      if (!mayBeLow(latest)) return;
      const from = await countries.measuredFrom(country);
      const rate = rateOf(latest, from);
      if (rate === undefined || rate >= atLeast) return;
      await countries.closeByConversion(country, from, (unit) => tell('sms_country_closed', { country }, unit));
    },
  };
}

export type Conversion = ReturnType<typeof createConversion>;
