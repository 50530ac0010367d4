import { type CountryState, type FactorDeps, isDuplicateKey } from '../../src/factors/contract.js';
import type { Unit } from '../../src/platform/database.js';
import type { SmsOptions } from './config.js';
import { countryCollection, type SmsCountry } from './documents.js';
import { callingCode, isCountry, knownCountries } from './numbers.js';

/** Where messages go. What the configuration and the enrolled numbers say holds until somebody, or the conversion rate, decides. */
export function createCountries(options: SmsOptions, { clock, database }: Pick<FactorDeps, 'clock' | 'database'>) {
  const countries = countryCollection(database);
  const listed = new Set(options.countries);

  const stateOf = (country: string, stored: SmsCountry | undefined): CountryState => {
    const common = { country, callingCode: callingCode(country) ?? '' };
    if (stored?.isOpen !== undefined && stored.decidedBy) {
      const { isOpen, decidedBy, decidedAt } = stored;
      return { ...common, isOpen, because: decidedBy, ...(decidedAt ? { since: decidedAt } : {}) };
    }
    if (listed.has(country) || country === options.homeCountry)
      return { ...common, isOpen: true, because: 'configured' };
    const isEnrolled = !options.countries && stored?.isEnrolled === true;
    return { ...common, isOpen: isEnrolled, because: isEnrolled ? 'enrolled' : 'not_configured' };
  };

  /** Those of which anything is stored. By the index of `_id`: there are a few hundred at most. */
  const stored = async (): Promise<Map<string, SmsCountry>> =>
    new Map((await countries.find({ _id: { $gt: '' } }).toArray()).map((one) => [one._id, one]));

  /** Every one that is open, or that anything is decided on. */
  const states = async (): Promise<CountryState[]> => {
    const all = await stored();
    const names = new Set([options.homeCountry, ...listed, ...all.keys()].filter(isCountry));
    return [...names].sort().map((country) => stateOf(country, all.get(country)));
  };

  return {
    known: knownCountries,

    async state(country: string): Promise<CountryState | undefined> {
      return isCountry(country)
        ? stateOf(country, (await countries.findOne({ _id: country })) ?? undefined)
        : undefined;
    },

    states,

    async allowed(): Promise<Set<string>> {
      return new Set((await states()).filter(({ isOpen }) => isOpen).map(({ country }) => country));
    },

    async noteEnrolled(country: string): Promise<void> {
      await countries.updateOne({ _id: country }, { $set: { isEnrolled: true } }, { upsert: true });
    },

    /** From when on the conversion rate counts. */
    async measuredFrom(country: string): Promise<Date | undefined> {
      return (await countries.findOne({ _id: country }, { projection: { measuredFrom: 1 } }))?.measuredFrom;
    },

    /** By an administrator; holds until the next decision. Of two at once with the same outcome one is a change. */
    decide(country: string, isOpen: boolean, unit?: Unit): Promise<'changed' | 'unchanged'> {
      const write = async ({ session }: Unit): Promise<'changed' | 'unchanged'> => {
        const before = await countries.findOne({ _id: country }, { session });
        if (before?.isOpen === isOpen) return 'unchanged';
        const now = clock.now();
        await countries.updateOne(
          { _id: country },
          { $set: { isOpen, decidedBy: 'administrator', decidedAt: now, ...(isOpen ? { measuredFrom: now } : {}) } },
          { upsert: true, session },
        );
        return 'changed';
      };
      return unit ? write(unit) : database.transaction(write);
    },

    /**
     * Because too few codes came back, once: not when somebody else was first, or it was opened anew meanwhile.
     * @param seen what `measuredFrom` was when the rate was taken.
     * @param together is stored with it, or not at all.
     */
    async closeByConversion(
      country: string,
      seen: Date | undefined,
      together: (unit: Unit) => Promise<void>,
    ): Promise<void> {
      try {
        await database.transaction(async (unit) => {
          const { modifiedCount, upsertedCount } = await countries.updateOne(
            { _id: country, isOpen: { $ne: false }, measuredFrom: seen ?? { $exists: false } },
            { $set: { isOpen: false, decidedBy: 'conversion', decidedAt: clock.now() } },
            { upsert: seen === undefined, session: unit.session },
          );
          if (modifiedCount + upsertedCount === 1) await together(unit);
        });
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
    },
  };
}

export type Countries = ReturnType<typeof createCountries>;
