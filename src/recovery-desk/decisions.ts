import type { Unit } from '../platform/database.js';
import type { AdministratorDesk, DecisionInput, DeskActor, RecoveryRequest } from './contract.js';
import { type RequestDocument, requestCollection } from './documents.js';
import { type DeskParts, tell } from './parts.js';
import type { Requests } from './requests.js';
import type { Revocations } from './revocations.js';
import { toRequest } from './shown.js';
import { SuspensionRuns, type Suspensions } from './suspensions.js';

/** What administrators decide: one transition each, with all that follows from it, or none. */
export function createDecisions(
  parts: DeskParts,
  { requests, suspensions, revocations }: { requests: Requests; suspensions: Suspensions; revocations: Revocations },
): Pick<AdministratorDesk, 'decide' | 'start' | 'end'> & {
  /** Open requests of an account that nobody needs any more. */
  closeOthers(
    unit: Unit,
    accountId: string,
    how: 'superseded' | 'withdrawn',
    by: DeskActor,
    except?: string,
  ): Promise<void>;
} {
  const { clock, database, secretBox } = parts;
  const collection = requestCollection(database);
  const shown = (document: RequestDocument): RecoveryRequest => toRequest(document, clock.now(), secretBox);
  const isOpen = ({ state, expiresAt }: RequestDocument): boolean => state === 'open' && expiresAt > clock.now();

  /** The account's open request that a number belongs to, when it is not the one at hand. */
  const matching = async (accountId: string, numberIndex: string | undefined): Promise<string | undefined> => {
    if (!numberIndex) return undefined;
    const found = await collection.findOne(
      { numberIndex, accountId, state: 'open', expiresAt: { $gt: clock.now() } },
      { projection: { _id: 1 } },
    );
    return found?._id;
  };

  const closeOthers = async (
    unit: Unit,
    accountId: string,
    how: 'superseded' | 'withdrawn',
    by: DeskActor,
    except?: string,
  ): Promise<void> => {
    const { session } = unit;
    const open = await collection.find({ accountId, state: 'open' }, { session, projection: { _id: 1 } }).toArray();
    for (const { _id } of open.filter((other) => other._id !== except)) {
      const changed = await collection.updateOne(
        { _id, state: 'open' },
        { $set: { state: how, changedAt: clock.now() } },
        { session },
      );
      if (changed.modifiedCount === 1) {
        const type = `recovery_request_${how}` as const;
        await tell(parts, { type, accountId, by, facts: { requestId: _id } }, unit);
      }
    }
  };

  const approve = async (
    unit: Unit,
    { _id, accountId, browserHash }: RequestDocument,
    input: DecisionInput & { hours: number },
    by: DeskActor,
  ) => {
    const { hours, verifiedBy, reason, otherBrowsers = 'access_code' } = input;
    const suspension = await suspensions.startIn(
      unit,
      accountId,
      { hours, otherBrowsers, ...(verifiedBy ? { verifiedBy } : {}), ...(reason ? { reason } : {}) },
      by,
      { id: _id, browserHash },
    );
    await closeOthers(unit, accountId, 'superseded', by, _id);
    const revokedFactorIds = await revocations.writeIn(unit, accountId, input.revokeFactorIds ?? [], by);
    return { suspension, revokedFactorIds };
  };

  const transition = (found: RequestDocument, input: DecisionInput, by: DeskActor) =>
    database.transaction(async (unit) => {
      const now = clock.now();
      const { outcome, verifiedBy, reason, hours, otherBrowsers } = input;
      const { _id, accountId } = found;
      // First of all: whoever comes second changes nothing.
      const { modifiedCount } = await collection.updateOne(
        { _id, state: 'open', expiresAt: { $gt: now } },
        { $set: { state: outcome, changedAt: now } },
        { session: unit.session },
      );
      if (modifiedCount === 0) return undefined;
      const approved =
        outcome === 'approved' && hours !== undefined ? await approve(unit, found, { ...input, hours }, by) : undefined;
      const decision = {
        outcome,
        at: now,
        by: by.id ?? by.type,
        ...(verifiedBy ? { verifiedBy } : {}),
        ...(reason ? { reason } : {}),
        ...(approved
          ? {
              hours: approved.suspension.hours,
              otherBrowsers: otherBrowsers ?? 'access_code',
              suspensionId: approved.suspension.id,
              ...(approved.revokedFactorIds.length > 0 ? { revokedFactorIds: approved.revokedFactorIds } : {}),
            }
          : {}),
      };
      await collection.updateOne({ _id }, { $set: { decision } }, { session: unit.session });
      await tell(
        parts,
        {
          type: `recovery_request_${outcome}`,
          accountId,
          by,
          facts: {
            requestId: _id,
            ...(approved
              ? { suspensionId: approved.suspension.id, until: approved.suspension.until.toISOString() }
              : {}),
          },
          details: { ...(verifiedBy ? { verifiedBy } : {}), ...(reason ? { reason } : {}) },
        },
        unit,
      );
      return { request: shown({ ...found, state: outcome, changedAt: now, decision }), approved };
    });

  /** What asks a phone for an answer at this moment, on somebody else's behalf perhaps, asks in vain. */
  const afterStart = async (accountId: string, revokedFactorIds: readonly string[]): Promise<void> => {
    await revocations.carryOut(accountId, revokedFactorIds);
    await parts.engine.cancel(accountId);
  };

  const running = async (accountId: string) => {
    const suspension = await suspensions.latest(accountId);
    if (!suspension) throw new Error('the suspension that runs is not in the history');
    return suspension;
  };

  return {
    closeOthers,

    async decide(requestId, input, by) {
      const found = await collection.findOne({ _id: requestId });
      if (!found) return { status: 'not_found' };
      if (found.accountId === by.id) return { status: 'own_request' };
      if (!isOpen(found)) return { status: 'conflict', request: shown(found) };
      if (input.outcome === 'approved' && (input.hours === undefined || input.verifiedBy === undefined))
        throw new RangeError('an approval says for how long, and how it was made sure who is asking');
      if (input.outcome === 'approved' || input.requestNumber !== undefined) {
        const typed = requests.indexOf(input.requestNumber ?? '');
        if (typed !== found.numberIndex) {
          const matches = await matching(found.accountId, typed);
          return { status: 'wrong_number', ...(matches ? { matches } : {}) };
        }
      }
      try {
        const decided = await transition(found, input, by);
        if (!decided) {
          const winner = await collection.findOne({ _id: requestId });
          return winner ? { status: 'conflict', request: shown(winner) } : { status: 'not_found' };
        }
        const { request, approved } = decided;
        if (approved) await afterStart(found.accountId, approved.revokedFactorIds);
        return { status: 'decided', request, ...(approved ? { suspension: approved.suspension } : {}) };
      } catch (error) {
        if (!(error instanceof SuspensionRuns)) throw error;
        return { status: 'suspension_running', suspension: await running(found.accountId) };
      }
    },

    async start({ id: accountId }, suspension, by) {
      try {
        const started = await database.transaction(async (unit) => {
          const begun = await suspensions.startIn(unit, accountId, suspension, by);
          // They could not be approved any more: whoever waits needs an access code now.
          await closeOthers(unit, accountId, 'superseded', by);
          const revoked = await revocations.writeIn(unit, accountId, suspension.revokeFactorIds ?? [], by);
          return { begun, revoked };
        });
        await afterStart(accountId, started.revoked);
        return { status: 'started', suspension: started.begun };
      } catch (error) {
        if (!(error instanceof SuspensionRuns)) throw error;
        return { status: 'running', suspension: await running(accountId) };
      }
    },

    async end(suspensionId, by, reason) {
      const found = await suspensions.findSuspension(suspensionId);
      if (!found) return { status: 'not_found' };
      const ended = await database.transaction((unit) =>
        suspensions.endIn(unit, found, { how: 'administrator', by, ...(reason ? { reason } : {}) }),
      );
      const suspension = (await suspensions.findSuspension(suspensionId)) ?? found;
      return { status: ended ? 'ended' : 'conflict', suspension };
    },
  };
}
