import type { mongo } from 'mongoose';
import { type Clock, inSeconds } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import type { Account, Standing } from './contract.js';

/** Where standings are kept: beside our own accounts, or apart from a host's. */
export type StandingsCollection = 'accounts' | 'account_standings';

/** What we keep about an account beyond its identity. The changes answer false when our own store has no such account. */
export interface Standings {
  load(account: Pick<Account, 'id' | 'standing'>): Promise<Standing>;
  /** Voids every session, grant and token that began before `at`, but for the session `except`; never takes an earlier call back. */
  endSessionsBefore(accountId: string, at: Date, except?: string): Promise<boolean>;
  revokeSession(accountId: string, uid: string): Promise<boolean>;
  /** @param day `YYYY-MM-DD` in the configured zone, see `calendarDay`. */
  postponeSetUp(accountId: string, day: string): Promise<boolean>;
  allowFirstEnrolment(accountId: string, browserHash: string, expiresAt: Date): Promise<boolean>;
  clearFirstEnrolment(accountId: string): Promise<boolean>;
  /** Pure. `startedAt` may be in whole seconds, as sessions know it: rounding down ends one too many, never one too few. */
  isSessionRevoked(standing: Standing, session: { uid: string; startedAt: Date }): boolean;
  /** Pure: was this browser allowed to set up the first factor, and is it still? */
  isFirstEnrolmentAllowed(standing: Standing, browserHash: string): boolean;
}

interface StandingDocument {
  _id: string;
  standing?: Standing;
}

/** A session ended here may still be written by a request in flight: remembered a day longer than any session lives. */
const REMEMBER_SECONDS = 86_400;

/** @param sessionSeconds the longest that a session lives. */
export function createStandings({
  database,
  clock,
  collectionName,
  sessionSeconds = 86_400,
}: {
  database: Database;
  clock: Clock;
  collectionName: StandingsCollection;
  sessionSeconds?: number;
}): Standings {
  const standings = database.collection<StandingDocument>(collectionName);
  // An account that is gone must not come back as a fragment; a host's accounts are known only by what we note.
  const upsert = collectionName === 'account_standings';

  const change = async (_id: string, update: mongo.UpdateFilter<StandingDocument> | mongo.Document[]) => {
    const result = await standings.updateOne({ _id }, update, { upsert });
    return result.matchedCount + result.upsertedCount === 1;
  };

  return {
    async load(account) {
      if (account.standing) return account.standing;
      const found = await standings.findOne({ _id: account.id }, { projection: { standing: 1 } });
      return found?.standing ?? {};
    },

    endSessionsBefore: (accountId, at, except) =>
      change(accountId, {
        $max: { 'standing.sessionsNotBefore': at },
        ...(except ? { $set: { 'standing.keptSession': { uid: except, notBefore: at } } } : {}),
      }),

    revokeSession(accountId, uid) {
      const at = clock.now();
      const keep = {
        $and: [
          { $gt: ['$$this.at', inSeconds(at, -(sessionSeconds + REMEMBER_SECONDS))] },
          { $ne: ['$$this.uid', { $literal: uid }] },
        ],
      };
      const others = { $filter: { input: { $ifNull: ['$standing.revokedSessions', []] }, cond: keep } };
      const revokedSessions = { $concatArrays: [others, [{ uid: { $literal: uid }, at }]] };
      return change(accountId, [{ $set: { 'standing.revokedSessions': revokedSessions } }]);
    },

    postponeSetUp: (accountId, day) => change(accountId, { $set: { 'standing.setUp.laterOn': day } }),

    allowFirstEnrolment: (accountId, browserHash, expiresAt) =>
      change(accountId, { $set: { 'standing.firstEnrolment': { browserHash, expiresAt } } }),

    clearFirstEnrolment: (accountId) => change(accountId, { $unset: { 'standing.firstEnrolment': '' } }),

    isSessionRevoked: ({ sessionsNotBefore, keptSession, revokedSessions = [] }, { uid, startedAt }) =>
      (sessionsNotBefore !== undefined &&
        startedAt < sessionsNotBefore &&
        !(keptSession?.uid === uid && keptSession.notBefore.getTime() === sessionsNotBefore.getTime())) ||
      revokedSessions.some((revoked) => revoked.uid === uid),

    isFirstEnrolmentAllowed: ({ firstEnrolment }, browserHash) =>
      firstEnrolment !== undefined &&
      firstEnrolment.browserHash === browserHash &&
      firstEnrolment.expiresAt > clock.now(),
  };
}
