import type { AuditLog } from '../../audit/index.js';
import type { Clock } from '../../platform/clock.js';
import type { Database } from '../../platform/database.js';

const COLLECTION = 'sign_in_days';
const DAY_MS = 86_400_000;

/** Successful sign-ins of one day in UTC. */
export interface SignInDay {
  /** `2026-11-24`. */
  day: string;
  total: number;
  byMethod: Record<string, number>;
}

interface DayDocument {
  /** The day. */
  _id: string;
  byMethod: Record<string, number>;
}

/** Sign-ins by method and day. A day that is over is counted once, and the count is kept; today is counted at each look. */
export function createSignInDays(deps: {
  database: Database;
  clock: Clock;
  audit: AuditLog;
  methods: readonly string[];
}) {
  const days = deps.database.collection<DayDocument>(COLLECTION);
  const count = (start: number) => deps.audit.countSignIns(new Date(start), new Date(start + DAY_MS), deps.methods);

  const past = async (starts: readonly number[]): Promise<Map<string, Record<string, number>>> => {
    const kept = await days.find({ _id: { $in: starts.map(nameOf) } }).toArray();
    const known = new Map(kept.map(({ _id, byMethod }) => [_id, byMethod]));
    for (const start of starts.filter((one) => !known.has(nameOf(one)))) {
      const byMethod = await count(start);
      known.set(nameOf(start), byMethod);
      await days.updateOne({ _id: nameOf(start) }, { $set: { byMethod } }, { upsert: true });
    }
    return known;
  };

  return async (howMany: number): Promise<SignInDay[]> => {
    const today = Math.floor(deps.clock.now().getTime() / DAY_MS) * DAY_MS;
    const starts = Array.from({ length: howMany - 1 }, (_, index) => today - (howMany - 1 - index) * DAY_MS);
    const [before, now] = await Promise.all([past(starts), count(today)]);
    return [...starts, today].map((start) => {
      const byMethod = start === today ? now : (before.get(nameOf(start)) ?? {});
      return { day: nameOf(start), total: Object.values(byMethod).reduce((sum, one) => sum + one, 0), byMethod };
    });
  };
}

const nameOf = (start: number): string => new Date(start).toISOString().slice(0, 10);
