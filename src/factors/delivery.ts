/** Messages that cost money: what was sent, what for, and what holds it back. For administrators. */
import type { Unit } from '../platform/database.js';

/** Counts of messages; `used`: the code in it was typed. Amounts are millionths of the currency. */
export interface DeliveryCounts {
  sent: number;
  delivered: number;
  failed: number;
  used: number;
  amount: number;
}

/** Whether messages go to a country, and why. */
export interface CountryState {
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** ITU-T E.164, with its `+`. */
  callingCode: string;
  isOpen: boolean;
  /** Why it is as it is: on the list of the configuration or not, an enrolled number, an administrator, or too few codes that came back. */
  because: 'configured' | 'not_configured' | 'enrolled' | 'administrator' | 'conversion';
  /** When an administrator or the conversion rate decided. */
  since?: Date;
}

export interface CountryDelivery extends CountryState, DeliveryCounts {
  /** Used among the latest settled ones, 0 to 1; absent while there are too few to tell. */
  conversion?: number;
}

export interface DeliveryReport {
  at: Date;
  /** The running day, in the zone of the installation. */
  day: string;
  /** ISO 4217. */
  currency: string;
  /** What counts against the budget of the day; a limit is absent where none is set. */
  budget: {
    messages: number;
    messagesLimit: number;
    amount: number;
    amountLimit?: number;
    /** Nothing is sent any more until the day ends. */
    isExhausted: boolean;
    endsAt: Date;
  };
  /** The latest first, days without a message left out. */
  days: (DeliveryCounts & { day: string })[];
  /** Every country that is decided on or was sent to, over the same days; by name of the code. */
  countries: CountryDelivery[];
}

export interface DeliveryControl {
  /** @param days how many, today included. */
  report(days: number): Promise<DeliveryReport>;
  /** Every country that has telephone numbers, by its code. */
  readonly countries: readonly string[];
  /** Undefined: not one of `countries`. */
  country(country: string): Promise<CountryState | undefined>;
  /**
   * An administrator opens or closes a country; it holds until the next decision.
   * `unknown`: no country that has telephone numbers. The caller audits.
   */
  setCountry(country: string, isOpen: boolean, unit?: Unit): Promise<'changed' | 'unchanged' | 'unknown'>;
}
