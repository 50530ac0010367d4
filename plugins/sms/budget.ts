import type { FactorDeps, ThrottleRule } from '../../src/factors/contract.js';
import type { SmsOptions } from './config.js';
import { dayOf, endOfDay } from './days.js';

/** Counts of a day are of no use after it. */
const KEPT_SECONDS = 2 * 24 * 3600;
const WARNED_AT = 0.8;

export interface BudgetState {
  messages: number;
  messagesLimit: number;
  amount: number;
  amountLimit?: number;
  isExhausted: boolean;
  endsAt: Date;
}

/** What may be sent in a day: messages, money, and messages into each country, in one document per day. */
export function createBudget(
  { budget, limits: { perCountry } }: SmsOptions,
  deps: Pick<FactorDeps, 'announcer' | 'audit' | 'clock' | 'throttle' | 'timeZone'>,
) {
  const { announcer, audit, clock, throttle, timeZone } = deps;
  const today = (): string => dayOf(clock.now(), timeZone);
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

  /** Once a day for each of them, by whoever is first. */
  const tell = async (type: 'sms_budget_warned' | 'sms_budget_exhausted', day: string): Promise<void> => {
    const once: ThrottleRule = { counter: type, limit: 1, windowSeconds: KEPT_SECONDS };
    if (!(await throttle.reserve(subjectOf(day), [once])).reserved) return;
    const facts = { day, percent: type === 'sms_budget_warned' ? WARNED_AT * 100 : 100 };
    await audit.record({ type, actor: { type: 'system' }, details: facts });
    await announcer.announce({ type, at: clock.now().toISOString(), facts });
  };

  const tellOf = async (counts: Record<string, number>, cost: number, day: string): Promise<void> => {
    const shares = [
      { share: (counts.messages ?? 0) / budget.messagesPerDay, step: 1 / budget.messagesPerDay },
      ...(budget.amountPerDay
        ? [{ share: (counts.amount ?? 0) / budget.amountPerDay, step: cost / budget.amountPerDay }]
        : []),
    ];
    if (shares.some(({ share, step }) => share >= WARNED_AT && share - step < WARNED_AT))
      await tell('sms_budget_warned', day);
    if (shares.some(({ share, step }) => share + step > 1)) await tell('sms_budget_exhausted', day);
  };

  return {
    priceOf,
    today,

    /** One message into a country. The day that it counts on; undefined when there is no room for it. */
    async take(country: string): Promise<string | undefined> {
      const day = today();
      const reservation = await throttle.reserve(subjectOf(day), rulesOf(country));
      if (reservation.reserved) await tellOf(reservation.counts, priceOf(country), day);
      return reservation.reserved ? day : undefined;
    },

    /** It was surely not sent. @param day on which it was taken. */
    giveBack: (day: string, country: string): Promise<void> =>
      throttle.settle(subjectOf(day), {
        release: rulesOf(country).map(({ counter: name, cost = 1 }) => ({ counter: name, cost })),
      }),

    /** What is spent whatever the limits say: a notice, or a message that two providers may have sent. */
    async add(country: string, times = 1): Promise<void> {
      const rules = [messages, amount(priceOf(country))].map((rule) =>
        withoutLimit({ ...rule, cost: (rule.cost ?? 1) * times }),
      );
      if (times > 0) await throttle.reserve(subjectOf(today()), rules);
    },

    /** Whether there is room for one more message into a country. */
    hasRoom: async (country: string): Promise<boolean> =>
      (await throttle.peek(subjectOf(today()), rulesOf(country))).reserved,

    async state(): Promise<BudgetState> {
      const now = clock.now();
      const subject = subjectOf(today());
      const rules = [messages, amount(budget.price)];
      const counted = await throttle.peek(subject, rules.map(withoutLimit));
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
