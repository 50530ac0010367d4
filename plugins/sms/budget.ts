import {
  calendarDay,
  type DeliveryReport,
  type FactorDeps,
  type Limit,
  type ThrottleRule,
} from '../../src/factors/contract.js';
import type { Alert } from './alerts.js';
import type { SmsOptions } from './config.js';
import { endOfDay } from './days.js';

/** Counts of a day are of no use after it. */
const KEPT_SECONDS = 2 * 24 * 3600;
const WARNED_AT = 0.8;

/** What may be sent in a day: messages, money, and messages into each country, in one document per day. */
export function createBudget(
  { budget, limits: { perCountry } }: SmsOptions,
  deps: Pick<FactorDeps, 'clock' | 'throttle' | 'timeZone'> & { alert: Alert },
) {
  const { alert, clock, throttle, timeZone } = deps;
  const today = (): string => calendarDay(clock.now(), timeZone);
  const subjectOf = (day: string): string => `sms:day:${day}`;
  const priceOf = (country: string): number => budget.prices[country] ?? budget.price;
  const counter = (name: string, cost: number, limit?: number): ThrottleRule => ({
    counter: name,
    cost,
    windowSeconds: KEPT_SECONDS,
    ...(limit === undefined ? {} : { limit }),
  });
  const messages = counter('messages', 1, budget.messagesPerDay);
  const amount = (cost: number) => counter('amount', cost, budget.amountPerDay);
  const intoCountry = (country: string) => counter(`country:${country}`, 1, perCountry.perDay);
  const rulesOf = (country: string): ThrottleRule[] => [messages, amount(priceOf(country)), intoCountry(country)];
  const withoutLimit = ({ limit: _, ...rule }: ThrottleRule): ThrottleRule => rule;

  const total = [messages, amount(budget.price)].map(withoutLimit);

  /** Tells what stands counted on a day, and that no further message at this price fits; each once, whoever sees it first. */
  const tellOf = async (
    day: string,
    { messages: sent = 0, amount: spent = 0 }: Record<string, number>,
    price: number,
  ): Promise<void> => {
    const { messagesPerDay, amountPerDay } = budget;
    const share = Math.max(sent / messagesPerDay, amountPerDay ? spent / amountPerDay : 0);
    if (share >= WARNED_AT) await alert('sms_budget_warned', day);
    if (sent + 1 > messagesPerDay || (amountPerDay && spent + price > amountPerDay))
      await alert('sms_budget_exhausted', day);
  };

  /** The country's own limit is not the budget. */
  const refused = async (day: string, counterName: string): Promise<void> => {
    if (!counterName.startsWith('country:')) await alert('sms_budget_exhausted', day);
  };

  return {
    priceOf,
    today,

    /** What one message into a country counts on; whoever counts it calls `counted` or `refused` afterwards. */
    limitOf: (day: string, country: string): Limit => ({ subject: subjectOf(day), rules: rulesOf(country) }),
    refused,
    async counted(day: string, country: string): Promise<void> {
      const standing = await throttle.peek(subjectOf(day), total);
      if (standing.reserved) await tellOf(day, standing.counts, priceOf(country));
    },

    /** One further message into a country. The day that it counts on; undefined when there is no room for it. */
    async take(country: string): Promise<string | undefined> {
      const day = today();
      const reservation = await throttle.reserve(subjectOf(day), rulesOf(country));
      if (reservation.reserved) await tellOf(day, reservation.counts, priceOf(country));
      else await refused(day, reservation.counter);
      return reservation.reserved ? day : undefined;
    },

    /** It was surely not sent. @param day on which it was taken. */
    giveBack: (day: string, country: string, price: number): Promise<void> =>
      throttle.settle(subjectOf(day), {
        release: [messages, amount(price), intoCountry(country)].map(({ counter: name, cost = 1 }) => ({
          counter: name,
          cost,
        })),
      }),

    /** What is spent whatever the limits say: a notice. */
    async add(country: string, times: number): Promise<void> {
      if (times < 1) return;
      const day = today();
      const price = priceOf(country);
      const added = await throttle.reserve(subjectOf(day), [
        counter('messages', times),
        counter('amount', price * times),
      ]);
      if (added.reserved) await tellOf(day, added.counts, price);
    },

    /** Whether there is room for one more message into a country. */
    hasRoom: async (country: string): Promise<boolean> =>
      (await throttle.peek(subjectOf(today()), rulesOf(country))).reserved,

    async state(): Promise<DeliveryReport['budget']> {
      const now = clock.now();
      const subject = subjectOf(today());
      const rules = [messages, amount(budget.price)];
      const counted = await throttle.peek(subject, total);
      const counts: Record<string, number> = counted.reserved ? counted.counts : {};
      return {
        messages: counts.messages ?? 0,
        messagesLimit: budget.messagesPerDay,
        amount: counts.amount ?? 0,
        ...(budget.amountPerDay === undefined ? {} : { amountLimit: budget.amountPerDay }),
        isExhausted: !(await throttle.peek(subject, rules)).reserved,
        endsAt: endOfDay(now, timeZone),
      };
    },
  };
}

export type Budget = ReturnType<typeof createBudget>;
