import type { mongo } from 'mongoose';
import { inSeconds } from '../platform/clock.js';
import type { Limit, Settlement, ThrottleRule } from './contract.js';
import { costOf, fieldOf, NEVER, QUIET_SECONDS } from './counters.js';

/**
 * One attempt on every rule of a subject, all or none. As an upsert: where the document is there and a rule refuses, the insert fails
 * on its `_id`.
 */
export const attempt = (
  { subject, rules }: Limit,
  now: Date,
): { filter: mongo.Document; update: mongo.Document[] } => ({
  filter: { _id: subject, $and: rules.map((rule) => mayAttempt(rule, now)) },
  update: [
    { $set: Object.fromEntries(rules.map((rule) => [`counters.${fieldOf(rule.counter)}`, countedUp(rule, now)])) },
    { $set: { expiresAt: expiry(now) } },
  ],
});

/** Holds when no rule refuses an attempt at `now`; matches a counter that does not exist yet. */
function mayAttempt(rule: ThrottleRule, now: Date): mongo.Document {
  const field = `counters.${fieldOf(rule.counter)}`;
  const standing: mongo.Document[] = [{ [`${field}.waitUntil`]: { $not: { $gt: now } } }];
  if (rule.limit !== undefined) standing.push({ [`${field}.count`]: { $not: { $gt: rule.limit - costOf(rule) } } });
  return { $or: [{ [`${field}.endsAt`]: { $lte: now } }, { $and: standing }] };
}

/** The counter after one more attempt at `now`, as an aggregation expression. */
function countedUp(rule: ThrottleRule, now: Date): mongo.Document {
  const path = `$counters.${fieldOf(rule.counter)}`;
  const runs = { $gt: [`${path}.endsAt`, now] };
  return {
    $let: {
      vars: { count: { $add: [{ $cond: [runs, { $ifNull: [`${path}.count`, 0] }, 0] }, costOf(rule)] } },
      in: { count: '$$count', waitUntil: waitAfter(rule, now), endsAt: endOf(rule, path, runs, now) },
    },
  };
}

function waitAfter({ waitsSeconds = [], free = 0 }: ThrottleRule, now: Date): unknown {
  if (waitsSeconds.length === 0) return '$$REMOVE';
  // The attempt after the last free one is the first to wait.
  const first = Math.max(free, 1);
  const index = { $min: [{ $subtract: ['$$count', first] }, waitsSeconds.length - 1] };
  const milliseconds = { $multiply: [{ $arrayElemAt: [waitsSeconds, index] }, 1000] };
  return { $cond: [{ $gte: ['$$count', first] }, { $add: [now, milliseconds] }, '$$REMOVE'] };
}

function endOf(rule: ThrottleRule, path: string, runs: mongo.Document, now: Date): unknown {
  if (rule.windowSeconds !== undefined) {
    return { $cond: [runs, `${path}.endsAt`, inSeconds(now, rule.windowSeconds)] };
  }
  if (rule.limit !== undefined) return NEVER;
  return inSeconds(now, QUIET_SECONDS + Math.max(0, ...(rule.waitsSeconds ?? [])));
}

/** What a success changes, as stages of one update; none when it changes nothing. */
export function settled({ reset = [], release = [] }: Settlement): mongo.Document[] {
  const stages: mongo.Document[] = [];
  if (reset.length > 0) stages.push({ $unset: reset.map((counter) => `counters.${fieldOf(counter)}`) });
  for (const released of release) {
    const { counter, cost } = typeof released === 'string' ? { counter: released, cost: 1 } : released;
    const path = `counters.${fieldOf(counter)}`;
    const one = { $max: [{ $subtract: [`$${path}.count`, cost] }, 0] };
    stages.push({
      $set: { [path]: { $cond: [`$${path}`, { count: one, endsAt: `$${path}.endsAt` }, '$$REMOVE'] } },
    });
  }
  return stages;
}

/** The broom may take the document when its last counter has ended. */
export const expiry = (now: Date): mongo.Document => ({
  $ifNull: [{ $max: { $map: { input: { $objectToArray: '$counters' }, in: '$$this.v.endsAt' } } }, now],
});
