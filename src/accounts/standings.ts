import type { mongo } from 'mongoose';
import { type Clock, inSeconds } from '../platform/clock.js';
import type { Database, Unit } from '../platform/database.js';
import type { Level } from '../policy/levels.js';
import type { Account, Standing, StandingSuspension } from './contract.js';
import { earliestSignIn, isMadeUnderEndedSuspension, runningSuspension } from './suspended.js';

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
  /** @param isDespiteFactors also where factors are set up: by an access pass. */
  allowFirstEnrolment(
    accountId: string,
    browserHash: string,
    expiresAt: Date,
    isDespiteFactors?: boolean,
  ): Promise<boolean>;
  clearFirstEnrolment(accountId: string, unit?: Unit): Promise<boolean>;
  /** False while another one runs. What it takes the place of is remembered as long as tokens from it may be about. */
  startSuspension(accountId: string, suspension: StandingSuspension, unit: Unit): Promise<boolean>;
  /** False when this one was over before. */
  endSuspension(accountId: string, suspensionId: string, unit: Unit): Promise<boolean>;
  /** False when this one is over, or has as many codes as one may have. */
  addAccessCode(accountId: string, suspensionId: string, codeHash: string, unit: Unit): Promise<boolean>;
  /** Lets a browser into the running suspension for an unused code; the code is used up in the same update. */
  useAccessCode(accountId: string, codeHash: string, browserHash: string, unit: Unit): Promise<boolean>;
  noteRequest(accountId: string, unit: Unit): Promise<boolean>;
  /**
   * Pure. `startedAt` may be in whole seconds, as sessions know it: rounding down ends one too many, never one too few.
   * @param session.level what it has proved; left out for a password on its way to the second step, which no suspension let in.
   */
  isSessionRevoked(standing: Standing, session: { uid: string; startedAt: Date; level?: Level }): boolean;
  /** Pure: the suspension that runs now. */
  runningSuspension(standing: Standing): StandingSuspension | undefined;
  /** Pure: seconds since the epoch, the present or up to two later: what a sign-in of now must say so that it counts, and is known for what it is. */
  signInTime(standing: Standing): number;
  /** Pure: was this browser allowed to set up the first factor, and is it still? */
  isFirstEnrolmentAllowed(standing: Standing, browserHash: string): boolean;
}

interface StandingDocument {
  _id: string;
  standing?: Standing;
}

/** More would be a password in all but name. */
const ACCESS_CODES_PER_SUSPENSION = 10;
/** A refresh token's family ends 30 days after the sign-in at the latest. */
const LONGEST_TOKEN_SECONDS = 31 * 86_400;

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

  const change = async (_id: string, update: mongo.UpdateFilter<StandingDocument> | mongo.Document[], unit?: Unit) => {
    const result = await standings.updateOne({ _id }, update, { upsert, ...(unit ? { session: unit.session } : {}) });
    return result.matchedCount + result.upsertedCount === 1;
  };

  const changeIf = async (
    filter: mongo.Filter<StandingDocument>,
    update: mongo.UpdateFilter<StandingDocument>,
    unit?: Unit,
  ) => (await standings.updateOne(filter, update, unit ? { session: unit.session } : {})).modifiedCount === 1;

  const running = (now: Date) => ({
    'standing.suspension.until': { $gt: now },
    'standing.suspension.endedAt': { $exists: false },
  });

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

    allowFirstEnrolment: (accountId, browserHash, expiresAt, isDespiteFactors = false) =>
      change(accountId, {
        $set: {
          'standing.firstEnrolment': { browserHash, expiresAt, ...(isDespiteFactors ? { isDespiteFactors } : {}) },
        },
      }),

    clearFirstEnrolment: (accountId, unit) => change(accountId, { $unset: { 'standing.firstEnrolment': '' } }, unit),

    async startSuspension(accountId, suspension, unit) {
      const { session } = unit;
      const { from } = suspension;
      const found = await standings.findOne({ _id: accountId }, { projection: { standing: 1 }, session });
      if (!found && !upsert) return false;
      if (runningSuspension(found?.standing ?? {}, from)) return false;
      const before = found?.standing?.suspension;
      const past = [
        ...(found?.standing?.pastSuspensions ?? []),
        ...(before ? [{ from: before.from, until: before.endedAt ?? before.until }] : []),
      ].filter(({ until }) => until > inSeconds(from, -LONGEST_TOKEN_SECONDS));
      // The transaction fails where another one has changed this document since it was read.
      return change(accountId, { $set: { 'standing.suspension': suspension, 'standing.pastSuspensions': past } }, unit);
    },

    endSuspension(accountId, suspensionId, unit) {
      const now = clock.now();
      return changeIf(
        { _id: accountId, 'standing.suspension.id': suspensionId, ...running(now) },
        { $set: { 'standing.suspension.endedAt': now } },
        unit,
      );
    },

    addAccessCode: (accountId, suspensionId, hash, unit) =>
      changeIf(
        {
          _id: accountId,
          'standing.suspension.id': suspensionId,
          ...running(clock.now()),
          [`standing.suspension.accessCodes.${ACCESS_CODES_PER_SUSPENSION - 1}`]: { $exists: false },
        },
        { $push: { 'standing.suspension.accessCodes': { hash, usedAt: null } } },
        unit,
      ),

    useAccessCode(accountId, hash, browserHash, unit) {
      const now = clock.now();
      return changeIf(
        {
          _id: accountId,
          ...running(now),
          'standing.suspension.accessCodes': { $elemMatch: { hash, usedAt: null } },
        },
        {
          $set: { 'standing.suspension.accessCodes.$.usedAt': now },
          $push: { 'standing.suspension.clearedBrowsers': { hash: browserHash, by: 'access_code' as const } },
        },
        unit,
      );
    },

    noteRequest: (accountId, unit) => change(accountId, { $set: { 'standing.requestedAt': clock.now() } }, unit),

    isSessionRevoked(standing, { uid, startedAt, level }) {
      const { sessionsNotBefore, keptSession, revokedSessions = [] } = standing;
      return (
        (sessionsNotBefore !== undefined &&
          startedAt < sessionsNotBefore &&
          !(keptSession?.uid === uid && keptSession.notBefore.getTime() === sessionsNotBefore.getTime())) ||
        revokedSessions.some((revoked) => revoked.uid === uid) ||
        (level !== undefined && isMadeUnderEndedSuspension(standing, { startedAt, level }, clock.now()))
      );
    },

    runningSuspension: (standing) => runningSuspension(standing, clock.now()),

    signInTime: (standing) => earliestSignIn(standing, clock.now()),

    isFirstEnrolmentAllowed: ({ firstEnrolment }, browserHash) =>
      firstEnrolment !== undefined &&
      firstEnrolment.browserHash === browserHash &&
      firstEnrolment.expiresAt > clock.now(),
  };
}
