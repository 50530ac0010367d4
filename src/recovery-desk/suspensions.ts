import { inSeconds } from '../platform/clock.js';
import type { Unit } from '../platform/database.js';
import { readPage } from '../platform/paging.js';
import type { AdministratorDesk, DeskActor, NewSuspension, Suspension, SuspensionEnd } from './contract.js';
import { type SuspensionDocument, suspensionCollection } from './documents.js';
import { type DeskParts, tell } from './parts.js';
import { toSuspension } from './shown.js';

const HOUR_SECONDS = 3600;

/** Ends the transaction that found it: nothing of the decision may stay. */
export class SuspensionRuns extends Error {
  constructor(readonly accountId: string) {
    super('a suspension runs already');
  }
}

export type Suspensions = Pick<AdministratorDesk, 'findSuspension' | 'listSuspensions'> & {
  /** @throws SuspensionRuns @throws RangeError for a length that is not configured. */
  startIn(
    unit: Unit,
    accountId: string,
    suspension: NewSuspension,
    by: DeskActor,
    request?: { id: string; browserHash: string },
  ): Promise<Suspension>;
  /** False when it was over before. */
  endIn(
    unit: Unit,
    suspension: { id: string; accountId: string },
    end: { how: SuspensionEnd; at?: Date; by: DeskActor; keepSession?: string; reason?: string },
  ): Promise<boolean>;
  /** The latest one of an account. */
  latest(accountId: string): Promise<Suspension | undefined>;
};

export function createSuspensions(parts: DeskParts): Suspensions {
  const { clock, random, standings } = parts;
  const suspensions = suspensionCollection(parts.database);

  return {
    async startIn(unit, accountId, { hours, verifiedBy, reason, otherBrowsers = 'access_code' }, by, request) {
      if (!parts.suspensionHours.includes(hours)) throw new RangeError('not a length that may be chosen');
      const from = clock.now();
      const document: SuspensionDocument = {
        _id: random.bytes(16).toString('hex'),
        accountId,
        createdAt: from,
        // Hours, whatever the clocks on the wall do meanwhile.
        until: inSeconds(from, hours * HOUR_SECONDS),
        hours,
        ...(by.id ? { startedBy: by.id } : {}),
        ...(request ? { requestId: request.id } : {}),
        ...(verifiedBy ? { verifiedBy } : {}),
        ...(reason ? { reason } : {}),
        otherBrowsers,
        isOpen: true,
        clearedBrowsers: request ? 1 : 0,
        accessCodesIssued: 0,
      };
      const { _id: id, until } = document;
      const clearedBrowsers = request ? [{ hash: request.browserHash, by: 'request' as const }] : [];
      const standing = { id, from, until, otherBrowsers, clearedBrowsers, accessCodes: [] };
      if (!(await standings.startSuspension(accountId, standing, unit))) throw new SuspensionRuns(accountId);
      await suspensions.insertOne(document, { session: unit.session });
      await tell(
        parts,
        {
          type: 'suspension_started',
          accountId,
          by,
          facts: {
            suspensionId: id,
            until: until.toISOString(),
            hours,
            otherBrowsers,
            ...(request ? { requestId: request.id } : {}),
          },
          details: { ...(verifiedBy ? { verifiedBy } : {}), ...(reason ? { reason } : {}) },
        },
        unit,
      );
      return toSuspension(document, from);
    },

    async endIn(unit, { id, accountId }, { how, at = clock.now(), by, keepSession, reason }) {
      const { modifiedCount } = await suspensions.updateOne(
        { _id: id, isOpen: true, ...(how === 'expired' ? {} : { until: { $gt: at } }) },
        {
          $set: { endedAt: at, end: how, ...(by.id ? { endedBy: by.id } : {}) },
          $unset: { isOpen: '' },
        },
        { session: unit.session },
      );
      if (modifiedCount === 0) return false;
      // What is over by time alone needs nothing more written into the standing.
      if (how !== 'expired') await standings.endSuspension(accountId, id, unit);
      await parts.enqueue(
        'suspension_over',
        { accountId, suspensionId: id, ...(keepSession ? { keepSession } : {}) },
        unit,
      );
      await tell(
        parts,
        {
          type: 'suspension_ended',
          accountId,
          by,
          facts: { suspensionId: id, end: how },
          ...(reason ? { details: { reason } } : {}),
        },
        unit,
      );
      return true;
    },

    async latest(accountId) {
      const found = await suspensions.find({ accountId }).sort({ createdAt: -1, _id: -1 }).limit(1).next();
      return found ? toSuspension(found, clock.now()) : undefined;
    },

    async findSuspension(id) {
      const found = await suspensions.findOne({ _id: id });
      return found ? toSuspension(found, clock.now()) : undefined;
    },

    async listSuspensions({ isRunning, accountId }, page) {
      const now = clock.now();
      const filter = {
        ...(accountId === undefined ? {} : { accountId }),
        ...(isRunning === undefined
          ? {}
          : isRunning
            ? { isOpen: true as const, until: { $gt: now } }
            : { $or: [{ isOpen: { $exists: false } }, { until: { $lte: now } }] }),
      };
      const { items, next } = await readPage(suspensions, filter, page);
      return { items: items.map((item) => toSuspension(item, now)), ...(next ? { next } : {}) };
    },
  };
}
