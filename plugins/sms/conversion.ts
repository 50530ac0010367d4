import { type FactorDeps, inSeconds } from '../../src/factors/contract.js';
import { createTelling } from './alerts.js';
import { CODE_TTL_SECONDS } from './code.js';
import type { SmsOptions } from './config.js';
import type { Countries } from './countries.js';
import { messageCollection } from './documents.js';

const LOOKED_BACK_SECONDS = 24 * 3600;
/** Fewer say nothing about a country. */
const LEAST = 10;
const LEAST_SHARE = 0.4;
/** Pumping takes many accounts: a few whose passwords are known must not close a country for everybody. */
const UNUSED_OF_ONE_ACCOUNT = 3;
/** How many more messages are looked at, since some of them do not count. */
const LOOKED_THROUGH_TIMES = 4;

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
  const enough = Math.max(LEAST, Math.ceil(outOf * LEAST_SHARE));

  const measure = async (country: string, from: Date | undefined): Promise<number | undefined> => {
    const now = clock.now();
    const dayAgo = inSeconds(now, -LOOKED_BACK_SECONDS);
    const latest = await messages
      .find(
        {
          country,
          sentAt: { $gt: from && from > dayAgo ? from : dayAgo },
          purpose: { $ne: 'notice' },
          status: { $ne: 'failed' },
          $or: [{ usedAt: { $exists: true } }, { sentAt: { $lte: inSeconds(now, -CODE_TTL_SECONDS) } }],
        },
        { projection: { usedAt: 1, accountId: 1 } },
      )
      .sort({ sentAt: -1 })
      .limit(outOf * LOOKED_THROUGH_TIMES)
      .toArray();
    const unused = new Map<string, number>();
    const counted = latest
      .filter(({ usedAt, accountId }) => {
        if (usedAt) return true;
        const sameAccount = (unused.get(accountId) ?? 0) + 1;
        unused.set(accountId, sameAccount);
        return sameAccount <= UNUSED_OF_ONE_ACCOUNT;
      })
      .slice(0, outOf);
    return counted.length < enough ? undefined : counted.filter(({ usedAt }) => usedAt).length / counted.length;
  };

  return {
    /** 0 to 1; undefined while too few are settled. */
    rate: async (country: string): Promise<number | undefined> =>
      measure(country, await countries.measuredFrom(country)),

    /** Closes a country whose rate has collapsed, and tells administrators. */
    async check(country: string): Promise<void> {
      const from = await countries.measuredFrom(country);
      const rate = await measure(country, from);
      if (rate === undefined || rate >= atLeast) return;
      await countries.closeByConversion(country, from, (unit) => tell('sms_country_closed', { country }, unit));
    },
  };
}

export type Conversion = ReturnType<typeof createConversion>;
