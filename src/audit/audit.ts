import type { Clock } from '../platform/clock.js';
import type { Database, EnsureIndexes } from '../platform/database.js';
import type { Random } from '../platform/random.js';
import type { AuditEvent, AuditLog, StoredAuditEvent } from './contract.js';

export const COLLECTION = 'audit_events';
const LONGEST_PAGE = 200;
/** A header that anybody may fill is kept only as far as it tells browsers apart. */
const LONGEST_USER_AGENT = 512;

interface AuditDocument extends AuditEvent {
  _id: string;
  at: Date;
}

/** Append-only: the door has no way to change or remove an event. */
export function createAudit({
  database,
  clock,
  random,
  onRecord,
}: {
  database: Database;
  clock: Clock;
  random: Random;
  /** Hears of every event that is there to stay. */
  onRecord?: ((event: AuditEvent) => void) | undefined;
}): AuditLog {
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
      if (!onRecord) return;
      if (unit) unit.afterCommit(() => onRecord(event));
      else onRecord(event);
    },

    async recordAll(all, { session }) {
      const at = clock.now();
      const documents = all.map((event) => ({ ...trimmed(event), _id: nextId(at), at }));
      if (documents.length > 0) await events.insertMany(documents, { session });
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
      return found.map(toEvent);
    },

    async page({ type, actorId, accountId, since, until }, { limit, after }) {
      const size = Math.min(Math.max(Math.trunc(limit), 1), LONGEST_PAGE);
      const found = await events
        .find({
          ...(accountId ? { accountId } : {}),
          ...(actorId ? { 'actor.id': actorId } : {}),
          ...(type ? { type } : {}),
          // The id begins with the time: no filter by time needs an index of its own.
          _id: {
            $gte: hex((since ?? EPOCH).getTime(), 12),
            $lt: after && (!until || after.createdAt < until) ? after.id : hex((until ?? END).getTime(), 12),
          },
        })
        .sort({ _id: -1 })
        .limit(size + 1)
        .toArray();
      const items = found.slice(0, size).map(toEvent);
      const last = items.at(-1);
      return { items, ...(found.length > size && last ? { next: { createdAt: last.at, id: last.id } } : {}) };
    },

    async countSignIns(since, until, methods) {
      const during = { $gte: hex(since.getTime(), 12), $lt: hex(until.getTime(), 12) };
      const count = async (method: string): Promise<[string, number]> => {
        const by = method === 'none' ? null : method;
        const filter = { type: 'authn_login_success' as const, 'details.method': by as never, _id: during };
        return [method, await events.countDocuments(filter)];
      };
      return Object.fromEntries(await Promise.all([...methods, 'none'].map(count)));
    },
  };
}

const toEvent = ({ _id, ...event }: AuditDocument): StoredAuditEvent => ({ ...event, id: _id });

const EPOCH = new Date(0);
const END = new Date('9999-12-31T00:00:00Z');

/** Ids of events from `date` on sort behind it. */
export const firstIdAt = (date: Date): string => hex(date.getTime(), 12);

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

function trimmed(event: AuditEvent): AuditEvent {
  const userAgent = event.origin?.userAgent;
  if (!event.origin || userAgent === undefined) return event;
  return { ...event, origin: { ...event.origin, userAgent: userAgent.slice(0, LONGEST_USER_AGENT) } };
}

export const ensureIndexes: EnsureIndexes = async (database) => {
  await database.collection(COLLECTION).createIndexes([
    { key: { accountId: 1, _id: -1 } },
    { key: { 'actor.id': 1, _id: -1 } },
    { key: { type: 1, _id: -1 } },
    {
      name: 'sign_ins',
      key: { type: 1, 'details.method': 1, _id: -1 },
      partialFilterExpression: { type: 'authn_login_success' },
    },
  ]);
};
