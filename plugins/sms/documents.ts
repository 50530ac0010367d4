/** What the method keeps besides its factors. No number stands in any of them. */
import type { Database, EnsureIndexes } from '../../src/platform/database.js';
import type { FailureReason } from './providers/provider.js';

/** What a message is for: its code signs in, or confirms a number; or it tells the holder of a number that it was replaced. */
export type Purpose = 'sign_in' | 'enrolment' | 'notice';

/**
 * One message. `queued`: in the outbox; `sending`: given to a provider, once, whatever happens to the node; `sent`: a provider took it;
 * `delivered`, `failed`: the end, as far as anybody knows.
 */
export interface SmsMessage {
  _id: string;
  accountId: string;
  purpose: Purpose;
  /** ISO 3166-1 alpha-2. */
  country: string;
  status: 'queued' | 'sending' | 'sent' | 'delivered' | 'failed';
  /** Of a failed one. */
  reason?: FailureReason;
  /** Failed as far as we know: a provider may have sent it all the same. */
  mayArrive?: true;
  /** Of the provider, for the log and for administrators. */
  code?: string;
  provider?: string;
  providerMessageId?: string;
  /** The calendar day that it counts on, in the zone of the installation. */
  day: string;
  /** What it costs at most, in millionths of the currency. */
  amount: number;
  createdAt: Date;
  /** When a provider took it, or may have. */
  sentAt?: Date;
  /** When its code was typed. */
  usedAt?: Date;
  expiresAt: Date;
}

/** What is decided about a country. Without a decision the configuration and the enrolled numbers tell. */
export interface SmsCountry {
  /** ISO 3166-1 alpha-2. */
  _id: string;
  /** A number of it was enrolled. */
  isEnrolled?: true;
  isOpen?: boolean;
  decidedBy?: 'administrator' | 'conversion';
  decidedAt?: Date;
  /** The conversion rate is measured from here on. */
  measuredFrom?: Date;
}

/** Counts of one day and country; each counter is one `$inc`. */
export interface SmsUsage {
  /** `<day>/<country>`. */
  _id: string;
  day: string;
  country: string;
  sent?: number;
  delivered?: number;
  failed?: number;
  used?: number;
  amount?: number;
  expiresAt: Date;
}

/** That something was told of a day. */
export interface SmsAlert {
  /** `<day>/<what>`. */
  _id: string;
  expiresAt: Date;
}

export const messageCollection = (database: Database) => database.collection<SmsMessage>('sms_messages');
export const countryCollection = (database: Database) => database.collection<SmsCountry>('sms_countries');
export const alertCollection = (database: Database) => database.collection<SmsAlert>('sms_alerts');
export const usageCollection = (database: Database) => database.collection<SmsUsage>('sms_usage');

export const ensureIndexes: EnsureIndexes = async (database) => {
  await messageCollection(database).createIndexes([
    {
      key: { country: 1, sentAt: -1 },
      name: 'latest_of_country',
      partialFilterExpression: { sentAt: { $exists: true } },
    },
    { key: { expiresAt: 1 }, name: 'sweep', expireAfterSeconds: 0 },
  ]);
  await alertCollection(database).createIndex({ expiresAt: 1 }, { name: 'sweep', expireAfterSeconds: 0 });
  await usageCollection(database).createIndexes([
    { key: { day: 1, country: 1 }, name: 'by_day' },
    { key: { expiresAt: 1 }, name: 'sweep', expireAfterSeconds: 0 },
  ]);
};
