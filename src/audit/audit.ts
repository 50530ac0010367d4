import type { Clock } from '../platform/clock.js';
import type { Database, EnsureIndexes } from '../platform/database.js';
import type { Random } from '../platform/random.js';
import type { Audit, AuditEvent, StoredAuditEvent } from './contract.js';

const COLLECTION = 'audit_events';
const LONGEST_PAGE = 200;
/** A header that anybody may fill is kept only as far as it tells browsers apart. */
const LONGEST_USER_AGENT = 512;

interface AuditDocument extends AuditEvent {
  _id: string;
  at: Date;
}

/** Append-only: the door has no way to change or remove an event. */
export function createAudit({ database, clock, random }: { database: Database; clock: Clock; random: Random }): Audit {
  const events = database.collection<AuditDocument>(COLLECTION);
  let sequence = 0;

  /** Sorts by time, then by the order in which this process recorded them. */
  const nextId = (at: Date): string => {
    sequence = (sequence + 1) % 0x1_0000_0000;
    return `${hex(at.getTime(), 12)}${hex(sequence, 8)}${random.bytes(8).toString('hex')}`;
  };

  return {
    async record(event, unit) {
      const at = clock.now();
      await events.insertOne({ ...trimmed(event), _id: nextId(at), at }, unit ? { session: unit.session } : {});
    },

    async list({ accountId, types }, { limit, before }) {
      const found = await events
        .find({
          accountId,
          ...(types ? { type: { $in: [...types] } } : {}),
          ...(before === undefined ? {} : { _id: { $lt: before } }),
        })
        .sort({ _id: -1 })
        .limit(Math.min(Math.max(Math.trunc(limit), 1), LONGEST_PAGE))
        .toArray();
      return found.map(({ _id, ...event }): StoredAuditEvent => ({ ...event, id: _id }));
    },
  };
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

function trimmed(event: AuditEvent): AuditEvent {
  const userAgent = event.origin?.userAgent;
  if (!event.origin || userAgent === undefined) return event;
  return { ...event, origin: { ...event.origin, userAgent: userAgent.slice(0, LONGEST_USER_AGENT) } };
}

export const ensureIndexes: EnsureIndexes = async (database) => {
  await database.collection(COLLECTION).createIndex({ accountId: 1, _id: -1 });
};
