import type { CountryDelivery, DeliveryControl, DeliveryCounts, FactorDeps } from '../../src/factors/contract.js';
import type { Budget } from './budget.js';
import type { SmsOptions } from './config.js';
import type { Conversion } from './conversion.js';
import type { Countries } from './countries.js';
import { dayBefore } from './days.js';
import type { SmsUsage } from './documents.js';
import type { Usage } from './usage.js';

const NOTHING: DeliveryCounts = { sent: 0, delivered: 0, failed: 0, used: 0, amount: 0 };

const plus = (one: DeliveryCounts, other: Partial<DeliveryCounts>): DeliveryCounts => ({
  sent: one.sent + (other.sent ?? 0),
  delivered: one.delivered + (other.delivered ?? 0),
  failed: one.failed + (other.failed ?? 0),
  used: one.used + (other.used ?? 0),
  amount: one.amount + (other.amount ?? 0),
});

function summed(rows: readonly SmsUsage[], by: 'day' | 'country'): Map<string, DeliveryCounts> {
  const sums = new Map<string, DeliveryCounts>();
  for (const row of rows) sums.set(row[by], plus(sums.get(row[by]) ?? NOTHING, row));
  return sums;
}

/** What administrators see of the method's cost, and decide about countries. */
export function createDeliveryControl(
  { budget: { currency } }: SmsOptions,
  deps: Pick<FactorDeps, 'clock'> & { budget: Budget; conversion: Conversion; countries: Countries; usage: Usage },
): DeliveryControl {
  const { budget, clock, conversion, countries, usage } = deps;

  const withState = async (sums: Map<string, DeliveryCounts>): Promise<CountryDelivery[]> => {
    const states = new Map((await countries.states()).map((state) => [state.country, state]));
    for (const country of sums.keys()) {
      const state = states.has(country) ? undefined : await countries.state(country);
      if (state) states.set(country, state);
    }
    return Promise.all(
      [...states.values()]
        .sort((one, other) => one.country.localeCompare(other.country))
        .map(async (state) => {
          const rate = await conversion.rate(state.country);
          const counts = sums.get(state.country) ?? NOTHING;
          return { ...state, ...counts, ...(rate === undefined ? {} : { conversion: rate }) };
        }),
    );
  };

  return {
    countries: countries.known,
    country: (country) => countries.state(country),

    async report(days) {
      const day = budget.today();
      const rows = await usage.since(dayBefore(day, days - 1));
      return {
        at: clock.now(),
        day,
        currency,
        budget: await budget.state(),
        days: [...summed(rows, 'day')]
          .sort(([one], [other]) => other.localeCompare(one))
          .map(([one, counts]) => ({ day: one, ...counts })),
        countries: await withState(summed(rows, 'country')),
      };
    },

    async setCountry(country, isOpen, unit) {
      return (await countries.state(country)) ? countries.decide(country, isOpen, unit) : 'unknown';
    },
  };
}
