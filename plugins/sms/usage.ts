import { type FactorDeps, inSeconds } from '../../src/factors/contract.js';
import { type SmsUsage, usageCollection } from './documents.js';

/** How long the counts of a day stay: two years, for comparison. */
const KEPT_SECONDS = 2 * 366 * 86_400;

type Counts = Partial<Record<'sent' | 'delivered' | 'failed' | 'used' | 'amount', number>>;

/** What was sent, day by day and country by country: counts alone. */
export function createUsage({ clock, database }: Pick<FactorDeps, 'clock' | 'database'>) {
  const usage = usageCollection(database);
  return {
    async count({ day, country }: Pick<SmsUsage, 'day' | 'country'>, counts: Counts): Promise<void> {
      await usage.updateOne(
        { _id: `${day}/${country}` },
        { $inc: counts, $setOnInsert: { day, country, expiresAt: inSeconds(clock.now(), KEPT_SECONDS) } },
        { upsert: true },
      );
    },
    since: (day: string): Promise<SmsUsage[]> => usage.find({ day: { $gte: day } }).toArray(),
  };
}

export type Usage = ReturnType<typeof createUsage>;
