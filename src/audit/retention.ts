import type { mongo } from 'mongoose';
import type { Database } from '../platform/database.js';
import { COLLECTION, firstIdAt } from './audit.js';

/** The one thing that ever changes what is written in the audit: time. In batches, along `_id`, which begins with the time. */
export interface AuditRetention {
  /** Removes events from before `date`. @returns how many, at most `limit`. */
  removeBefore(date: Date, limit: number): Promise<number>;
  /**
   * Takes the IP addresses out of events from before `date`, beginning behind the event `after`.
   * @returns the last event looked at; undefined when there is none left.
   */
  forgetAddresses(after: string, date: Date, limit: number): Promise<string | undefined>;
}

export function createAuditRetention({ database }: { database: Database }): AuditRetention {
  const events = database.collection<{ _id: string } & mongo.Document>(COLLECTION);
  const idsOf = async (range: object, limit: number): Promise<string[]> => {
    const found = await events
      .find({ _id: range as never }, { projection: { _id: 1 } })
      .sort({ _id: 1 })
      .limit(limit)
      .toArray();
    return found.map(({ _id }) => _id);
  };
  return {
    async removeBefore(date, limit) {
      const ids = await idsOf({ $lt: firstIdAt(date) }, limit);
      if (ids.length > 0) await events.deleteMany({ _id: { $in: ids } });
      return ids.length;
    },
    async forgetAddresses(after, date, limit) {
      const ids = await idsOf({ $gt: after, $lt: firstIdAt(date) }, limit);
      const last = ids.at(-1);
      if (last)
        await events.updateMany({ _id: { $in: ids }, 'origin.ip': { $exists: true } }, { $unset: { 'origin.ip': '' } });
      return last;
    },
  };
}
