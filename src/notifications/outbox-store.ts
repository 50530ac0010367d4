import { inSeconds } from '../platform/clock.js';
import { type Database, type EnsureIndexes, isDuplicateKey, type Unit } from '../platform/database.js';
import type { SealedPlace } from '../platform/sealed-places.js';
import type { Notice } from './contract.js';

const COLLECTION = 'outbox';
/** How long the bare row of a sent mail, and a dead letter, stay. */
const SENT_KEPT_SECONDS = 24 * 3600;
const DEAD_KEPT_SECONDS = 30 * 24 * 3600;
/** Longer than whatever makes it is tried, and may be revived: while the bare row is there, nothing makes it a second time. */
const ONCE_KEPT_SECONDS = 60 * 24 * 3600;

/** So that a receiver who lets us wait holds up none but its like. */
export type LaneName = 'jobs' | 'calls' | 'texts';

export interface OutboxRow {
  _id: string;
  accountId: string;
  /** Who delivers it: `mail`, or a name among the outbox's further deliveries. */
  kind: string;
  /** Whose workers take it; absent: those of mails. */
  lane?: LaneName;
  /** What a mail is about. */
  notice?: Notice;
  /** Its id says what it is and for whom, so that it is never made twice. */
  isOnce?: boolean;
  /** What is to be delivered, sealed; gone once it is. */
  sealed?: string;
  status: 'due' | 'sending' | 'sent' | 'dead';
  /** Claims so far; also tells one claim from the next, so that a worker whose lease ran out cannot settle for its successor. */
  attempts: number;
  nextAttemptAt: Date;
  leaseUntil?: Date;
  lastError?: string;
  createdAt: Date;
  sentAt?: Date;
  expiresAt?: Date;
}

export type ClaimedRow = OutboxRow & { sealed: string };

export const contextOf = (rowId: string): string => `outbox/${rowId}`;

export const SEALED: readonly SealedPlace<OutboxRow>[] = [
  {
    collection: COLLECTION,
    fields: ['sealed'],
    valuesIn: ({ _id, sealed }) => [{ path: 'sealed', sealed, context: contextOf(_id) }],
  },
];

/** A row that is in the hands of its maker from the first moment. */
export const claimed = (row: ClaimedRow, now: Date, leaseSeconds: number): ClaimedRow => ({
  ...row,
  status: 'sending',
  leaseUntil: inSeconds(now, leaseSeconds),
  attempts: 1,
});

/** The transitions of a row, each one conditional update. */
export function createOutboxStore(database: Database) {
  const rows = database.collection<OutboxRow>(COLLECTION);
  const settle = async (claim: OutboxRow, update: object): Promise<boolean> => {
    const mine = { _id: claim._id, status: 'sending', attempts: claim.attempts } as const;
    return (await rows.updateOne(mine, update)).modifiedCount === 1;
  };
  return {
    /** False, and nothing happens, when one that is made once is there already. */
    async insert(row: ClaimedRow, unit?: Unit): Promise<boolean> {
      try {
        await rows.insertOne(row, { ...(unit ? { session: unit.session } : {}) });
        return true;
      } catch (error) {
        if (!row.isOnce || !isDuplicateKey(error)) throw error;
        return false;
      }
    },

    /** Takes one row of a lane that is due, or whose sender went silent, for `leaseSeconds`. */
    async claim(name: LaneName | undefined, now: Date, leaseSeconds: number): Promise<ClaimedRow | undefined> {
      const lane = name ?? { $exists: false };
      const row = await rows.findOneAndUpdate(
        {
          $or: [
            { status: 'due', lane, nextAttemptAt: { $lte: now } },
            { status: 'sending', lane, leaseUntil: { $lte: now } },
          ],
        },
        { $set: { status: 'sending', leaseUntil: inSeconds(now, leaseSeconds) }, $inc: { attempts: 1 } },
        { returnDocument: 'after' },
      );
      return row?.sealed === undefined ? undefined : { ...row, sealed: row.sealed };
    },

    markSent: (claim: OutboxRow, now: Date) =>
      settle(claim, {
        $set: {
          status: 'sent',
          sentAt: now,
          expiresAt: inSeconds(now, claim.isOnce ? ONCE_KEPT_SECONDS : SENT_KEPT_SECONDS),
        },
        $unset: { sealed: 1, leaseUntil: 1, lastError: 1 },
      }),

    markDue: (claim: OutboxRow, nextAttemptAt: Date, lastError: string) =>
      settle(claim, { $set: { status: 'due', nextAttemptAt, lastError }, $unset: { leaseUntil: 1 } }),

    markDead: (claim: OutboxRow, now: Date, lastError: string) =>
      settle(claim, {
        $set: {
          status: 'dead',
          lastError,
          expiresAt: inSeconds(now, claim.isOnce ? ONCE_KEPT_SECONDS : DEAD_KEPT_SECONDS),
        },
        $unset: { leaseUntil: 1 },
      }),

    dead: (limit: number): Promise<OutboxRow[]> =>
      rows
        .find({ status: 'dead' }, { projection: { sealed: 0 } })
        .sort({ nextAttemptAt: -1 })
        .limit(limit)
        .toArray(),

    /** What waits in one lane: how many, and when the first of them is, or was, due. */
    async depth(name: LaneName | undefined): Promise<{ due: number; firstDueAt?: Date }> {
      const waiting = { status: 'due', lane: name ?? { $exists: false } } as const;
      const [due, [first]] = await Promise.all([
        rows.countDocuments(waiting),
        rows
          .find(waiting, { projection: { nextAttemptAt: 1 } })
          .sort({ nextAttemptAt: 1 })
          .limit(1)
          .toArray(),
      ]);
      return { due, ...(first ? { firstDueAt: first.nextAttemptAt } : {}) };
    },

    countDead: (): Promise<number> => rows.countDocuments({ status: 'dead' }),

    /** A dead letter starts over; false when it is none (any more). */
    async revive(id: string, now: Date): Promise<boolean> {
      const { modifiedCount } = await rows.updateOne(
        { _id: id, status: 'dead' },
        { $set: { status: 'due', attempts: 0, nextAttemptAt: now }, $unset: { expiresAt: 1 } },
      );
      return modifiedCount === 1;
    },
  };
}

export const ensureIndexes: EnsureIndexes = async (database) => {
  await database.collection(COLLECTION).createIndexes([
    { key: { status: 1, lane: 1, nextAttemptAt: 1 }, name: 'due_in_lane' },
    { key: { status: 1, lane: 1, leaseUntil: 1 }, name: 'lease_in_lane' },
    { key: { status: 1, nextAttemptAt: 1 }, name: 'due' },
    { key: { expiresAt: 1 }, name: 'sweep', expireAfterSeconds: 0 },
  ]);
};
