import { type Clock, inSeconds } from './clock.js';
import { type Database, isDuplicateKey } from './database.js';
import type { Random } from './random.js';

/** Work that one process does for all: whoever has the lease, until it is done or has not been heard of for a while. */
export interface Lease {
  /** Runs `work` unless somebody else is at it; false then. What `work` writes must do no harm when it is done twice. */
  hold(work: (grip: Grip) => Promise<void>): Promise<boolean>;
}

/** To be asked between two pieces of the work, and at least once in half the time of the lease. */
export interface Grip {
  /** Prolongs it. @throws LeaseLost when somebody else has it: stop at once. */
  keep(): Promise<void>;
}

export class LeaseLost extends Error {
  constructor(name: string) {
    super(`the lease ${name} is somebody else's by now`);
    this.name = 'LeaseLost';
  }
}

interface LeaseDocument {
  _id: string;
  holder: string;
  until: Date;
}

/** @param seconds after which a holder that was killed is taken for dead. */
export function createLease(
  { database, clock, random }: { database: Database; clock: Clock; random: Random },
  name: string,
  seconds: number,
): Lease {
  const leases = database.collection<LeaseDocument>('leases');
  const ends = (): Date => inSeconds(clock.now(), seconds);

  const take = async (holder: string): Promise<boolean> => {
    try {
      await leases.updateOne(
        { _id: name, until: { $lte: clock.now() } },
        { $set: { holder, until: ends() } },
        { upsert: true },
      );
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  };

  return {
    async hold(work) {
      const holder = random.token(128);
      if (!(await take(holder))) return false;
      let kept = clock.now();
      const mine = { _id: name, holder };
      try {
        await work({
          async keep() {
            if (clock.now() < inSeconds(kept, seconds / 4)) return;
            const { modifiedCount } = await leases.updateOne(
              { ...mine, until: { $gt: clock.now() } },
              { $set: { until: ends() } },
            );
            if (modifiedCount === 0) throw new LeaseLost(name);
            kept = clock.now();
          },
        });
      } finally {
        await leases.updateOne(mine, { $set: { until: new Date(0) } });
      }
      return true;
    },
  };
}
