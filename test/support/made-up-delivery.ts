import type { CountryState, DeliveryControl, DeliveryReport } from '../../src/factors/contract.js';

/** The methods of a configuration with SMS, whose messages go into the database alone. */
export const WITH_SMS = [
  { id: 'totp' },
  {
    id: 'sms',
    homeCountry: 'US',
    countries: ['US', 'DE'],
    providers: [{ name: 'development', type: 'outbox' }],
  },
  { id: 'recovery_code' },
];

const at = new Date('2026-11-24T10:00:00.000Z');
const counts = { sent: 40, delivered: 38, failed: 2, used: 36, amount: 2_960_000 };

/** What a method that sends messages reports, with every kind of country in it. */
export function madeUpDelivery(changes: Partial<DeliveryReport> = {}): DeliveryControl & { asked: number[] } {
  const states = new Map<string, CountryState>([
    ['US', { country: 'US', callingCode: '+1', isOpen: true, because: 'configured' }],
    ['DE', { country: 'DE', callingCode: '+49', isOpen: true, because: 'enrolled' }],
    ['FR', { country: 'FR', callingCode: '+33', isOpen: false, because: 'not_configured' }],
    ['GB', { country: 'GB', callingCode: '+44', isOpen: false, because: 'conversion', since: at }],
  ]);
  const asked: number[] = [];
  return {
    asked,
    countries: [...states.keys()],
    country: async (country) => states.get(country),
    async setCountry(country, isOpen, _unit) {
      const state = states.get(country);
      if (!state) return 'unknown';
      if (state.isOpen === isOpen) return 'unchanged';
      states.set(country, { ...state, isOpen, because: 'administrator', since: at });
      return 'changed';
    },
    async report(days) {
      asked.push(days);
      return {
        at,
        day: '2026-11-24',
        currency: 'USD',
        budget: {
          messages: 37,
          messagesLimit: 500,
          amount: 2_738_000,
          amountLimit: 20_000_000,
          isExhausted: false,
          endsAt: new Date('2026-11-25T00:00:00.000Z'),
        },
        days: [
          { day: '2026-11-24', ...counts },
          { day: '2026-11-22', sent: 1, delivered: 0, failed: 1, used: 0, amount: 55_300 },
        ],
        countries: [...states.values()]
          .filter(({ country }) => country !== 'FR')
          .map((state) => ({ ...state, ...counts, ...(state.country === 'DE' ? {} : { conversion: 0.9 }) })),
        ...changes,
      };
    },
  };
}
