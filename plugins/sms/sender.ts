import type { Callback, Obstacle, Refused } from '../../src/factors/contract.js';
import type { Unit } from '../../src/platform/database.js';
import type { Purpose, SmsMessage } from './documents.js';

/** A message with a code, as it is asked for. */
export interface Order {
  accountId: string;
  purpose: Exclude<Purpose, 'notice'>;
  /** E.164. */
  number: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
  text: string;
  /** Where it was asked for. */
  ip?: string;
}

/** Why nothing was sent; a sentence for each under `sms.refused.*`. */
export type SendRefusal =
  /** The cool-down between two messages. */
  | 'wait'
  /** One of the limits of number, account or address. */
  | 'limit'
  /** The country is closed. */
  | 'not_served'
  /** The budget of the day, or of the country, is used up. */
  | 'out_of_service';

/** Everything that a message passes through between the wish for it and its end. */
export interface Sender {
  /**
   * Counts it against every limit, all or none, stores it and puts it in the outbox; nothing here waits for a provider. A right code
   * ends the cool-down (`used`); nothing else gives back what was counted but that it was surely not sent, and that only to the
   * budget.
   * @param remember keeps what the code is checked against; nothing goes out before, nor without it.
   */
  order(
    order: Order,
    remember?: (messageId: string) => Promise<void>,
  ): Promise<{ status: 'sent'; messageId: string } | (Refused & { reason: SendRefusal })>;
  /** Tells the holder of a number something; outside of all limits, counted as spent. */
  notify(notice: Omit<Order, 'purpose' | 'ip'>, unit?: Unit): Promise<void>;
  /** Does what `order` and `notify` have put in the outbox: see `Factor.deliver`. */
  deliver(payload: unknown, attempt: { id: string; isLast: boolean }): Promise<void>;
  /** What a provider says became of a message: see `Factor.receive`. */
  receive(callback: Callback): Promise<'accepted' | 'forged' | 'unknown'>;
  find(messageId: string): Promise<SmsMessage | undefined>;
  /** When the next message of this account can be asked for; undefined: now. */
  againAt(accountId: string): Promise<Date | undefined>;
  /** The code of a message was typed: once per message. */
  used(accountId: string, messageId: string): Promise<void>;
  /** Why nothing can be sent into a country now. */
  obstacle(country: string): Promise<Obstacle | undefined>;
}
