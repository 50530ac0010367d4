import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../platform/clock.js';
import { type Database, isDuplicateKey } from '../platform/database.js';

/** How the database answered: with a majority write and its own time. */
export type DatabaseAnswer =
  | { ok: true; ms: number /** our clock less the database's, give or take half of `ms` */; offsetMs: number }
  | { ok: false; reason: string };

interface Beat {
  _id: string;
  at: Date;
}

/**
 * One majority write, the kind that every sign-in ends in, and what time it is over there: in one call. While one is
 * under way no further one begins, so that a database that hangs is not asked more and more.
 */
export function createDatabaseProbe(
  database: Database,
  clock: Clock,
): (/** after this long it counts as no answer */ withinMs: number) => Promise<DatabaseAnswer> {
  const beats = database.collection<Beat>('health');
  let asked: Promise<DatabaseAnswer> | undefined;

  const ask = async (): Promise<DatabaseAnswer> => {
    const began = performance.now();
    const sent = clock.now().getTime();
    try {
      const options = { upsert: true, returnDocument: 'after' } as const;
      const beat = await beats.findOneAndUpdate({ _id: 'beat' }, [{ $set: { at: '$$NOW' } }], options);
      const ms = Math.round(performance.now() - began);
      return { ok: true, ms, offsetMs: Math.round(sent + ms / 2 - (beat?.at.getTime() ?? 0)) };
    } catch (error) {
      // Two nodes began at once, and the other one was faster.
      if (isDuplicateKey(error)) return ask();
      // Messages of the driver name hosts; the kind of error does not.
      return { ok: false, reason: error instanceof Error ? error.name : 'unknown' };
    }
  };

  return async (withinMs) => {
    asked ??= ask().finally(() => {
      asked = undefined;
    });
    const late = sleep(withinMs, { ok: false, reason: 'no_answer' } as const, { ref: false });
    return Promise.race([asked, late]);
  };
}
