import { setInterval } from 'node:timers';
import { type Measurement, measure, repeat, type Watched } from './measure.js';
import { residentMib, type ServerProcess } from './processes.js';
import { CONCURRENCY, CROWD } from './settings.js';
import { type AccountPool, turnedAway, Visitor } from './visitor.js';

/** What is measured, in the order in which it runs: each leaves the visitors as the next one needs them. */
export const OPERATIONS = ['full sign-in', 'SSO code exchange', 'refresh', 'userinfo'] as const;
export type Operation = (typeof OPERATIONS)[number];

const WORK: Record<Operation, (visitor: Visitor) => Promise<void>> = {
  'full sign-in': (visitor) => visitor.signIn(),
  'SSO code exchange': (visitor) => visitor.signInBySession(),
  refresh: (visitor) => visitor.refresh(),
  userinfo: (visitor) => visitor.userinfo(),
};

/** How much of the warm-up each gets: most code is in the sign-in. */
const WARM_UP_SHARE: Record<Operation, number> = {
  'full sign-in': 0.55,
  'SSO code exchange': 0.2,
  refresh: 0.15,
  userinfo: 0.1,
};

/** One server under the load of the same few visitors. */
export class Subject {
  readonly #visitors: Visitor[];

  constructor(
    readonly process: ServerProcess,
    private readonly pool: AccountPool,
    private readonly watched: Omit<Watched, 'serverPid'>,
  ) {
    this.#visitors = Array.from({ length: CONCURRENCY }, () => new Visitor(process.origin, pool));
  }

  async warmUp(seconds: number): Promise<void> {
    for (const operation of OPERATIONS) await repeat(this.#work(operation), seconds * WARM_UP_SHARE[operation]);
  }

  measure(operation: Operation, seconds: number): Promise<Measurement> {
    return measure(this.#work(operation), seconds, { ...this.watched, serverPid: this.process.pid });
  }

  /** The most memory seen while a crowd signs in, and how often somebody was asked to come back later. */
  async crowd(seconds: number): Promise<{ residentMib: number; signIns: number; turnedAway: number }> {
    const visitors = Array.from({ length: CROWD }, () => new Visitor(this.process.origin, this.pool));
    const turnedAwayBefore = turnedAway.count;
    let most = 0;
    const sampling = setInterval(() => {
      most = Math.max(most, residentMib(this.process.pid));
    }, 100);
    const signIns = await repeat(
      visitors.map((visitor) => () => visitor.signIn()),
      seconds,
    ).finally(() => clearInterval(sampling));
    return { residentMib: most, signIns: signIns.length, turnedAway: turnedAway.count - turnedAwayBefore };
  }

  #work(operation: Operation): (() => Promise<void>)[] {
    return this.#visitors.map((visitor) => () => WORK[operation](visitor));
  }
}
