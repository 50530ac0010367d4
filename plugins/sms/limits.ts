import {
  type FactorDeps,
  ipSubject,
  type Limit,
  networkSubject,
  type ThrottleRule,
} from '../../src/factors/contract.js';
import type { Budget } from './budget.js';
import type { SmsOptions } from './config.js';
import { numberIndex } from './data.js';
import type { Order, SendRefusal } from './sender.js';

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;
/** Between one message and the next, while none of their codes is typed. */
const COOL_DOWN: ThrottleRule = {
  counter: 'cool_down',
  free: 1,
  waitsSeconds: [30, 60, 120, 300, 900],
  windowSeconds: HOUR_SECONDS,
};

const perHour = (limit: number): ThrottleRule => ({ counter: 'hour', limit, windowSeconds: HOUR_SECONDS });
const perDay = (limit: number): ThrottleRule => ({ counter: 'day', limit, windowSeconds: DAY_SECONDS });

/** Anybody can type a number to set it up: the other half stays for whoever it belongs to. */
const toSetUp = (rules: readonly ThrottleRule[]): ThrottleRule[] =>
  rules.map(({ counter, limit = 0, ...rule }) => ({
    ...rule,
    counter: `enrolment_${counter}`,
    limit: Math.ceil(limit / 2),
  }));

const accountSubject = (accountId: string): string => `sms:account:${accountId}`;

export type Admission =
  | { status: 'admitted' /** That it counts on. */; day: string }
  | { status: 'refused'; reason: SendRefusal; retryAt?: Date };

/** The limits that a message is counted against before it exists: of its number, account, address and network, and the budget. */
export function createLimits(
  { limits: { perNumber, perAccount, perAddress, perNetwork } }: SmsOptions,
  { secretBox, throttle, budget }: Pick<FactorDeps, 'secretBox' | 'throttle'> & { budget: Budget },
) {
  const ofNumber = [perHour(perNumber.perHour), perDay(perNumber.perDay)];
  /** Whoever has to wait themselves takes nothing, not even for a moment, from those who share an address with them. */
  const inOrder = ({ accountId, purpose, number, ip }: Order): Limit[] => [
    {
      subject: accountSubject(accountId),
      rules: [COOL_DOWN, perHour(perAccount.perHour), perDay(perAccount.perDay)],
    },
    // Never the number itself: what is counted stays for a day.
    {
      subject: `sms:number:${numberIndex(secretBox, number)}`,
      rules: purpose === 'enrolment' ? [...ofNumber, ...toSetUp(ofNumber)] : ofNumber,
    },
    ...(ip
      ? [
          { subject: `sms:${ipSubject(ip)}`, rules: [perHour(perAddress.perHour)] },
          { subject: `sms:${networkSubject(ip)}`, rules: [perHour(perNetwork.perHour)] },
        ]
      : []),
  ];

  return {
    /** Counts it on all of them, or on none. The budget comes last: what it lets through is sent. */
    async admit(order: Order): Promise<Admission> {
      const day = budget.today();
      const ofBudget = budget.limitOf(day, order.country);
      const counted = await throttle.reserveAll([...inOrder(order), ofBudget]);
      if (counted.reserved) return { status: 'admitted', day };
      const { subject, counter, retryAt } = counted;
      if (subject === ofBudget.subject) {
        await budget.refused(day, counter);
        return { status: 'refused', reason: 'out_of_service' };
      }
      const reason = counter === COOL_DOWN.counter ? 'wait' : 'limit';
      return { status: 'refused', reason, ...(retryAt ? { retryAt } : {}) };
    },

    /** When the cool-down of an account ends. */
    async againAt(accountId: string): Promise<Date | undefined> {
      const standing = await throttle.peek(accountSubject(accountId), [COOL_DOWN]);
      return standing.reserved ? undefined : standing.retryAt;
    },

    /** A right code: the next message can be asked for at once. All other counts stay. */
    endCoolDown: (accountId: string): Promise<void> =>
      throttle.settle(accountSubject(accountId), { reset: [COOL_DOWN.counter] }),
  };
}

export type Limits = ReturnType<typeof createLimits>;
