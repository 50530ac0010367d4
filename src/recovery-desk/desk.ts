import type { ChangeWatcher } from '../platform/change-watcher.js';
import type { Unit } from '../platform/database.js';
import { createCodes } from './codes.js';
import type { DeskActor, RecoveryDesk, SuspensionEnd } from './contract.js';
import { createDecisions } from './decisions.js';
import { requestCollection, suspensionCollection } from './documents.js';
import { type DeskParts, ITSELF, tell, themselves } from './parts.js';
import { createRequests } from './requests.js';
import { createRevocations } from './revocations.js';
import { createSuspensions } from './suspensions.js';

/** What one sweep takes on; the rest waits for the next. */
const PER_SWEEP = 200;

/** Requests, suspensions, codes and passes behind one door. */
export function createRecoveryDesk(parts: DeskParts & { watcher: ChangeWatcher }): RecoveryDesk {
  const { clock, database } = parts;
  const requests = createRequests(parts);
  const suspensions = createSuspensions(parts);
  const revocations = createRevocations(parts);
  const { closeSetUp, ...codes } = createCodes(parts);
  const { closeOthers, ...decisions } = createDecisions(parts, { requests, suspensions, revocations });
  const requestDocuments = requestCollection(database);
  const suspensionDocuments = suspensionCollection(database);

  /** Ends what runs and closes what is open. */
  const closeIn = async (
    unit: Unit,
    accountId: string,
    how: SuspensionEnd,
    by: DeskActor,
    keepSession?: string,
  ): Promise<void> => {
    const open = await suspensionDocuments
      .find({ accountId, isOpen: true, until: { $gt: clock.now() } }, { session: unit.session })
      .toArray();
    for (const { _id: id } of open) {
      await suspensions.endIn(unit, { id, accountId }, { how, by, ...(keepSession ? { keepSession } : {}) });
    }
    await closeOthers(unit, accountId, how === 'not_me' ? 'withdrawn' : 'superseded', by);
  };

  return {
    ...requests,
    ...suspensions,
    ...codes,
    ...decisions,
    closeSetUp,
    watcher: parts.watcher,
    suspensionHours: parts.suspensionHours,

    factorProved: (accountId, how, origin, keepSession) =>
      database.transaction((unit) => closeIn(unit, accountId, how, themselves(accountId, origin), keepSession)),

    notMe(accountId, origin) {
      const by = themselves(accountId, origin);
      return database.transaction(async (unit) => {
        await closeIn(unit, accountId, 'not_me', by);
        await closeSetUp(unit, accountId, by);
        await tell(parts, { type: 'not_me_reported', accountId, by, facts: {} }, unit);
      });
    },

    async accountClosed(accountId, by, unit) {
      await closeIn(unit, accountId, 'deactivated', by);
      await closeSetUp(unit, accountId, by);
    },

    async used(accountId, { id, clearedBy }, { origin, clientId, sessionUid }) {
      const suspension = await suspensions.findSuspension(id);
      const event = {
        type: 'suspension_used',
        accountId,
        by: themselves(accountId, origin),
        facts: { suspensionId: id, clearedBy },
        // Whose decision let this browser in.
        ...(suspension?.startedBy ? { details: { allowedBy: suspension.startedBy } } : {}),
        ...(clientId ? { clientId } : {}),
        ...(sessionUid ? { sessionUid } : {}),
      } as const;
      await database.transaction((unit) => tell(parts, event, unit));
    },

    async revokeFactors(accountId, factorIds, by) {
      const revoked = await database.transaction((unit) => revocations.writeIn(unit, accountId, factorIds, by));
      await revocations.carryOut(accountId, revoked);
      return revoked;
    },

    async waiting() {
      const open = { state: 'open', expiresAt: { $gt: clock.now() } } as const;
      const [first] = await requestDocuments.find(open).sort({ createdAt: 1, _id: 1 }).limit(1).toArray();
      const count = await requestDocuments.countDocuments(open);
      return { open: count, ...(first ? { oldest: first.createdAt } : {}) };
    },

    async forgetAddresses(date, limit) {
      const told = await requestDocuments
        .find({ ip: { $exists: true }, createdAt: { $lt: date } }, { projection: { _id: 1 } })
        .sort({ createdAt: 1 })
        .limit(limit)
        .toArray();
      if (told.length > 0)
        await requestDocuments.updateMany({ _id: { $in: told.map(({ _id }) => _id) } }, { $unset: { ip: '' } });
      return told.length;
    },

    async sweep() {
      const now = clock.now();
      const over = await suspensionDocuments
        .find({ isOpen: true, until: { $lte: now } })
        .sort({ until: 1 })
        .limit(PER_SWEEP)
        .toArray();
      for (const { _id: id, accountId, until } of over) {
        await database.transaction((unit) =>
          suspensions.endIn(unit, { id, accountId }, { how: 'expired', at: until, by: ITSELF }),
        );
      }
      const expired = await requestDocuments
        .find({ state: 'open', expiresAt: { $lte: now } })
        .sort({ expiresAt: 1 })
        .limit(PER_SWEEP)
        .toArray();
      for (const { _id, accountId } of expired) {
        await database.transaction((unit) => requests.expireIn(unit, _id, accountId));
      }
    },
  };
}
