import type { mongo } from 'mongoose';
import { type AdapterPayload, errors } from 'oidc-provider';
import { type Clock, epochSeconds } from '../../platform/clock.js';
import { isDuplicateKey } from '../../platform/database.js';
import { DURABLE, documentId, expiryAfter, type OidcCollection, type OidcDocument, type OnCall } from './documents.js';
import { asLoaded, decodeAuthorizations, encodeAuthorizations, type Loaded, sessionChange } from './session-change.js';

/**
 * The session a request works on was ended since it was loaded, or now belongs to another account. Nothing was written;
 * the answer must carry neither `Location`, `Set-Cookie` nor body of that request: the sign-in starts again.
 */
export class SessionRevokedError extends errors.OIDCProviderError {
  constructor() {
    super(400, 'login_required');
    this.name = 'SessionRevokedError';
    this.error_description = 'the session has ended';
  }
}

export interface Sessions {
  /** By cookie value. */
  findById(jti: string): Promise<AdapterPayload | undefined>;
  find(uid: string): Promise<AdapterPayload | undefined>;
  list(accountId: string): Promise<AdapterPayload[]>;
  /** @throws SessionRevokedError */
  save(jti: string, payload: AdapterPayload, expiresIn: number | undefined): Promise<void>;
  revoke(uid: string): Promise<AdapterPayload | undefined>;
  ended(uid: string): Promise<AdapterPayload | undefined>;
  /** Ends the session that a cookie value leads to, if any. */
  revokeById(jti: string): Promise<void>;
  isRevoked(uid: string): Promise<boolean>;
  /** Starts the idle time of a live session anew, within the overall time of its sign-in. False when there is none. */
  extend(uid: string, limits: { idleSeconds: number; overallSeconds: number }): Promise<boolean>;
}

const LIVE = { revokedAt: { $exists: false } };

const isDuplicate = async <T>(work: Promise<T>): Promise<T | 'duplicate'> => {
  try {
    return await work;
  } catch (error) {
    if (isDuplicateKey(error)) return 'duplicate';
    throw error;
  }
};

export function createSessions(deps: {
  collection: OidcCollection;
  clock: Clock;
  tombstoneSeconds: number;
  onCall: OnCall;
}): Sessions {
  const { collection, clock, onCall } = deps;
  /**
   * What was loaded, known again by the `authorizations` object, which the provider's model shares with the payload it
   * was made from and with the one it saves: nothing else of a payload survives the way through the model.
   */
  const loaded = new WeakMap<object, Loaded>();

  const remember = (jti: string, payload: AdapterPayload): void => {
    if (payload.authorizations) loaded.set(payload.authorizations, asLoaded(jti, payload));
  };

  const toPayload = ({ payload, ids }: OidcDocument, jti = ids?.at(-1)): AdapterPayload => ({
    ...payload,
    jti,
    authorizations: decodeAuthorizations(payload?.authorizations),
  });

  async function findOne(filter: mongo.Filter<OidcDocument>, jti?: string): Promise<AdapterPayload | undefined> {
    const document = await collection.findOne({ ...filter, ...LIVE, expiresAt: { $gt: clock.now() } });
    if (!document) return undefined;
    const payload = toPayload(document, jti);
    if (payload.jti !== undefined) remember(payload.jti, payload);
    return payload;
  }

  async function insert(jti: string, payload: AdapterPayload, expiresAt: Date): Promise<void> {
    const { jti: _cookie, ...rest } = payload;
    const $set = {
      payload: { ...rest, authorizations: encodeAuthorizations(payload.authorizations) },
      ids: [jti],
      expiresAt,
    };
    const filter = { _id: documentId('Session', String(payload.uid)), ...LIVE };
    // Meets the tombstone's `_id` when the session was ended before its first write.
    const outcome = await isDuplicate(collection.updateOne(filter, { $set }, { ...DURABLE, upsert: true }));
    if (outcome === 'duplicate') throw new SessionRevokedError();
  }

  async function update(before: Loaded, jti: string, payload: AdapterPayload, expiresAt: Date): Promise<void> {
    const { matchedCount } = await collection.updateOne(
      {
        _id: documentId('Session', String(payload.uid)),
        ...LIVE,
        expiresAt: { $gt: clock.now() },
        // A request that began before somebody signed in must not write into, nor rotate into, that person's session.
        'payload.accountId': { $in: [before.accountId ?? null, payload.accountId ?? null] },
      },
      sessionChange(before, { jti, payload }, expiresAt),
      DURABLE,
    );
    if (matchedCount === 0) throw new SessionRevokedError();
  }

  const tombstone = (): mongo.UpdateFilter<OidcDocument> => {
    const revokedAt = clock.now();
    return {
      $set: { revokedAt, expiresAt: expiryAfter(revokedAt, deps.tombstoneSeconds) },
      $unset: { ids: '', 'payload.state': '' },
    };
  };

  return {
    findById(jti) {
      onCall('Session', 'find');
      return findOne({ ids: jti }, jti);
    },

    find(uid) {
      onCall('Session', 'findByUid');
      return findOne({ _id: documentId('Session', uid) });
    },

    async list(accountId) {
      onCall('Session', 'list');
      const documents = await collection
        .find({ 'payload.accountId': accountId, ids: { $exists: true }, ...LIVE, expiresAt: { $gt: clock.now() } })
        .toArray();
      return documents.map((document) => toPayload(document));
    },

    async save(jti, payload, expiresIn) {
      onCall('Session', 'upsert');
      const expiresAt = expiryAfter(clock.now(), expiresIn);
      const before = payload.authorizations && loaded.get(payload.authorizations);
      if (before) await update(before, jti, payload, expiresAt);
      else await insert(jti, payload, expiresAt);
      remember(jti, payload);
    },

    async revoke(uid) {
      onCall('Session', 'revoke');
      const filter = { _id: documentId('Session', uid), ...LIVE };
      const first = await isDuplicate(
        collection.findOneAndUpdate(filter, tombstone(), { ...DURABLE, upsert: true, returnDocument: 'before' }),
      );
      // Either it was ended before, or its first write came between our look and our insert.
      const ended =
        first === 'duplicate'
          ? await collection.findOneAndUpdate(filter, tombstone(), { ...DURABLE, returnDocument: 'before' })
          : first;
      return ended ? toPayload(ended) : undefined;
    },

    async ended(uid) {
      onCall('Session', 'ended');
      const tombstone = await collection.findOne({ _id: documentId('Session', uid), revokedAt: { $exists: true } });
      return tombstone?.payload ? toPayload(tombstone) : undefined;
    },

    async revokeById(jti) {
      onCall('Session', 'destroy');
      await collection.updateOne({ ids: jti, ...LIVE }, tombstone(), DURABLE);
    },

    async extend(uid, { idleSeconds, overallSeconds }) {
      onCall('Session', 'extend');
      const now = epochSeconds(clock);
      const end = { $min: [now + idleSeconds, { $add: ['$payload.loginTs', overallSeconds] }] };
      const { matchedCount } = await collection.updateOne(
        {
          _id: documentId('Session', uid),
          ...LIVE,
          expiresAt: { $gt: clock.now() },
          'payload.loginTs': { $gt: now - overallSeconds },
        },
        [
          { $set: { 'payload.exp': { $max: ['$payload.exp', end] } } },
          { $set: { expiresAt: { $toDate: { $multiply: ['$payload.exp', 1000] } } } },
        ],
        DURABLE,
      );
      return matchedCount === 1;
    },

    async isRevoked(uid) {
      onCall('Session', 'isRevoked');
      const filter = { _id: documentId('Session', uid), revokedAt: { $exists: true } };
      return (await collection.findOne(filter, { projection: { _id: 1 } })) !== null;
    },
  };
}
