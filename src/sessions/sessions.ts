import type { Standings } from '../accounts/index.js';
import type { Audit, AuditEvent, RequestOrigin } from '../audit/contract.js';
import { type Clock, inSeconds } from '../platform/clock.js';
import { type Database, type EnsureIndexes, isDuplicateKey } from '../platform/database.js';
import type { LogoutDelivery } from './backchannel-logout.js';
import type { SessionKeeper } from './keeper.js';

const COLLECTION = 'sessions';

/** One session by its `uid`, which stays the same when the cookie rotates. */
export interface SessionRecord {
  _id: string;
  accountId: string;
  startedAt: Date;
  lastSignInAt: Date;
  /** The last proof of a second factor; absent in a session of a password alone. */
  provedAt?: Date;
  /** Id of the proof written last: the same result seen again on a later resume is not a new sign-in. */
  proofId: string;
  acr: string;
  amr: string[];
  methods: string[];
  clientIds: string[];
  /** The suspension that let its last sign-in in. */
  suspensionId?: string;
  ip?: string;
  userAgent?: string;
  /** TTL broom; the overall session time. */
  expiresAt: Date;
}

export interface Sessions {
  /** Writes a completed sign-in or step-up down, once per proof; false when it was written before. */
  record(signIn: {
    uid: string;
    accountId: string;
    clientId: string;
    acr: string;
    amr: string[];
    proof: { id: string; at?: Date; method?: string };
    suspensionId?: string;
    origin: RequestOrigin;
  }): Promise<boolean>;
  find(uid: string): Promise<SessionRecord | undefined>;
  /** Live ones, latest first. */
  list(accountId: string): Promise<SessionRecord[]>;
  /**
   * Ends one session with its grants and tokens; relying applications hear of it. False when the account has no such session.
   * @param by whoever does it; the person themselves unless somebody else is named.
   */
  end(accountId: string, uid: string, origin: RequestOrigin | undefined, by?: AuditEvent['actor']): Promise<boolean>;
  /** The person signed out through an application: the provider has ended the session and told the others already. */
  signedOut(accountId: string, uid: string, origin: RequestOrigin): Promise<void>;
  /** Ends all sessions, grants and tokens of the account, but for `except`. */
  endAll(
    accountId: string,
    origin: RequestOrigin | undefined,
    options?: { except?: string; by?: AuditEvent['actor'] },
  ): Promise<number>;
  /**
   * Ends what an account has left that began by `at`, and is void since: it was deactivated or deleted then. Doing it again
   * changes nothing.
   */
  endLeft(accountId: string, at: Date, by: AuditEvent['actor'], origin?: RequestOrigin): Promise<number>;
  /** Ends what a suspension let in and nobody has raised since, but for `except`. What it was is void already. */
  endSuspended(accountId: string, suspensionId: string, except?: string): Promise<number>;
}

const themselves = (id: string): AuditEvent['actor'] => ({ type: 'account', id });

export function createSessions(deps: {
  database: Database;
  clock: Clock;
  standings: Standings;
  audit: Audit;
  keeper: SessionKeeper;
  overallSeconds: number;
  /** Puts a logout token in the outbox. */
  announceLogout(delivery: LogoutDelivery): Promise<void>;
}): Sessions {
  const { clock, standings, audit } = deps;
  const records = deps.database.collection<SessionRecord>(COLLECTION);
  const live = (accountId: string) => ({ accountId, expiresAt: { $gt: clock.now() } });

  const destroy = async (accountId: string, uid: string): Promise<void> => {
    await standings.revokeSession(accountId, uid);
    const authorizations = await deps.keeper.revoke(uid);
    for (const [clientId, { grantId, sid }] of Object.entries(authorizations)) {
      if (grantId) await deps.keeper.revokeGrant(grantId);
      await deps.announceLogout({ clientId, accountId, ...(sid ? { sid } : {}) });
    }
    await records.deleteOne({ _id: uid });
  };

  return {
    async record({ uid, accountId, clientId, acr, amr, proof, suspensionId, origin }) {
      const now = clock.now();
      try {
        await records.updateOne(
          { _id: uid, accountId, proofId: { $ne: proof.id } },
          {
            $setOnInsert: { startedAt: now, expiresAt: inSeconds(now, deps.overallSeconds) },
            $set: {
              lastSignInAt: now,
              proofId: proof.id,
              acr,
              amr,
              ...(proof.at ? { provedAt: proof.at } : {}),
              ...(origin.ip ? { ip: origin.ip } : {}),
              ...(origin.userAgent ? { userAgent: origin.userAgent } : {}),
              ...(suspensionId ? { suspensionId } : {}),
            },
            ...(suspensionId ? {} : { $unset: { suspensionId: '' as const } }),
            $addToSet: { clientIds: clientId, ...(proof.method ? { methods: proof.method } : {}) },
          },
          { upsert: true },
        );
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },

    find: async (uid) => (await records.findOne({ _id: uid, expiresAt: { $gt: clock.now() } })) ?? undefined,

    list: (accountId) => records.find(live(accountId)).sort({ lastSignInAt: -1 }).limit(100).toArray(),

    async end(accountId, uid, origin, by = themselves(accountId)) {
      if (!(await records.findOne({ _id: uid, ...live(accountId) }))) return false;
      await destroy(accountId, uid);
      await audit.record({
        type: 'session_ended',
        accountId,
        actor: by,
        sessionUid: uid,
        ...(origin ? { origin } : {}),
      });
      return true;
    },

    async endLeft(accountId, at, by, origin) {
      const left = await records.find({ ...live(accountId), startedAt: { $lte: at } }).toArray();
      for (const { _id } of left) await destroy(accountId, _id);
      if (left.length > 0) {
        const details = { count: left.length };
        await audit.record({ type: 'sessions_ended', accountId, actor: by, ...(origin ? { origin } : {}), details });
      }
      return left.length;
    },

    async endSuspended(accountId, suspensionId, except) {
      const made = await records.find({ ...live(accountId), suspensionId }).toArray();
      const ended = made.filter(({ _id }) => _id !== except);
      for (const { _id } of ended) {
        await destroy(accountId, _id);
        await audit.record({ type: 'session_ended', accountId, actor: { type: 'system' }, sessionUid: _id });
      }
      return ended.length;
    },

    async signedOut(accountId, uid, origin) {
      await records.deleteOne({ _id: uid, accountId });
      await audit.record({
        type: 'authn_logout',
        accountId,
        actor: { type: 'account', id: accountId },
        sessionUid: uid,
        origin,
      });
    },

    async endAll(accountId, origin, { except, by = themselves(accountId) } = {}) {
      // The instant first: whatever is written after it by a request in flight is void already, and so are tokens that outlived their session.
      await standings.endSessionsBefore(accountId, clock.now(), except);
      const ended = (await records.find(live(accountId)).toArray()).filter(({ _id }) => _id !== except);
      for (const { _id } of ended) await destroy(accountId, _id);
      await audit.record({
        type: 'sessions_ended',
        accountId,
        actor: by,
        ...(origin ? { origin } : {}),
        details: { count: ended.length },
      });
      return ended.length;
    },
  };
}

export const ensureIndexes: EnsureIndexes = async (database) => {
  await database.collection(COLLECTION).createIndexes([
    { key: { accountId: 1, lastSignInAt: -1 }, name: 'by_account' },
    { key: { expiresAt: 1 }, name: 'sweep', expireAfterSeconds: 0 },
  ]);
};
