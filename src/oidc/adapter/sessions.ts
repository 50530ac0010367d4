import type { mongo } from 'mongoose';
import { type AdapterPayload, errors } from 'oidc-provider';
import type { AccountsAlongside } from '../../accounts/contract.js';
import { type Clock, epochSeconds } from '../../platform/clock.js';
import { isDuplicateKey } from '../../platform/database.js';
import { refusedAs } from './change.js';
import {
  DURABLE,
  documentId,
  expiryAfter,
  isLive,
  type OidcCollection,
  type OidcDocument,
  type OnCall,
} from './documents.js';
import { createRelated } from './related.js';
import {
  decodeAuthorizations,
  type Loaded,
  sessionChange,
  sessionDocument,
  sessionStart,
  storedPayload,
} from './session-change.js';
import type { Statement, Units } from './unit-of-work.js';

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
  /** By cookie value. @param clientId the application whose grant is asked for next, when it is known. */
  findById(jti: string, clientId?: string): Promise<AdapterPayload | undefined>;
  find(uid: string): Promise<AdapterPayload | undefined>;
  list(accountId: string): Promise<AdapterPayload[]>;
  /** Waits for the end of the request, where there is one. @throws SessionRevokedError */
  save(jti: string, payload: AdapterPayload, expiresIn: number | undefined): Promise<void>;
  revoke(uid: string): Promise<AdapterPayload | undefined>;
  ended(uid: string): Promise<AdapterPayload | undefined>;
  /** Ends the session that a cookie value leads to, if any. */
  revokeById(jti: string): Promise<void>;
  isRevoked(uid: string): Promise<boolean>;
  /**
   * Starts the idle time of a live session anew, within the overall time of its sign-in. Where there is a request, at its end and
   * with what else it writes, which is written all the same when this is not.
   */
  extend(uid: string, limits: { idleSeconds: number; overallSeconds: number }): Promise<void>;
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

const asRevoked = refusedAs(() => new SessionRevokedError());

export function createSessions(deps: {
  collection: OidcCollection;
  clock: Clock;
  units: Units;
  accountsAlongside?: AccountsAlongside;
  tombstoneSeconds: number;
  onCall: OnCall;
}): Sessions {
  const { collection, clock, units, onCall } = deps;
  const relatedOf = createRelated(deps);
  /**
   * What was loaded, known again by the `authorizations` object, which the provider's model shares with the payload it
   * was made from and with the one it saves: nothing else of a payload survives the way through the model.
   */
  const loaded = new WeakMap<object, Loaded>();

  const remember = ({ authorizations }: AdapterPayload, as: Loaded): void => {
    if (authorizations) loaded.set(authorizations, as);
  };

  const toPayload = ({ payload, ids }: OidcDocument, jti = ids?.at(-1)): AdapterPayload => {
    const { authorizations, ...rest } = structuredClone(payload) ?? {};
    return { ...rest, jti, authorizations: decodeAuthorizations(authorizations) };
  };

  /** What one request is given; it may change it and save it. */
  const handOut = (document: OidcDocument | null | undefined, jti?: string): AdapterPayload | undefined => {
    if (!document || !isLive(document, clock.now())) return undefined;
    const payload = toPayload(document, jti);
    if (payload.jti !== undefined) remember(payload, { jti: payload.jti, payload: document.payload ?? {} });
    return payload;
  };

  const load = (filter: mongo.Filter<OidcDocument>): Promise<OidcDocument | null> =>
    collection.findOne({ ...filter, ...LIVE, expiresAt: { $gt: clock.now() } });

  /** The condition stands in the filter: an upsert fails on the `_id` of a session that does not meet it. */
  function statementOf(before: Loaded | undefined, jti: string, payload: AdapterPayload, expiresAt: Date): Statement {
    const _id = documentId('Session', String(payload.uid));
    // Meets the tombstone's `_id` when the session was ended before its first write.
    if (!before) return { filter: { _id, ...LIVE }, update: sessionStart({ jti, payload }, expiresAt), upsert: true };
    const filter = {
      _id,
      ...LIVE,
      expiresAt: { $gt: clock.now() },
      // A request that began before somebody signed in must not write into, nor rotate into, that person's session.
      'payload.accountId': { $in: [before.payload.accountId ?? null, payload.accountId ?? null] },
    };
    return { filter, update: sessionChange(before, { jti, payload }, expiresAt), upsert: true };
  }

  /** Ended here and now: this request, too, sees none any more. */
  const forgetIn = (uid: string): void => units.current()?.drop(documentId('Session', uid));

  const tombstone = (): mongo.UpdateFilter<OidcDocument> => {
    const revokedAt = clock.now();
    return {
      $set: { revokedAt, expiresAt: expiryAfter(revokedAt, deps.tombstoneSeconds) },
      $unset: { ids: '', 'payload.state': '' },
    };
  };

  return {
    async findById(jti, clientId) {
      const unit = units.current();
      const known = unit?.readSession(jti);
      if (known !== undefined) return handOut(known, jti);
      onCall('Session', 'find');
      const found =
        unit && clientId !== undefined ? await relatedOf(unit).session(jti, clientId) : await load({ ids: jti });
      if (!unit) return handOut(found, jti);
      unit.keepSession(jti, found);
      return handOut(unit.readSession(jti), jti);
    },

    async find(uid) {
      const _id = documentId('Session', uid);
      const unit = units.current();
      const known = unit?.read(_id);
      if (known !== undefined) return handOut(known);
      onCall('Session', 'findByUid');
      const found = await load({ _id });
      if (!unit) return handOut(found);
      unit.keep(_id, found);
      return handOut(unit.read(_id));
    },

    async list(accountId) {
      onCall('Session', 'list');
      const documents = await collection
        .find({ 'payload.accountId': accountId, ids: { $exists: true }, ...LIVE, expiresAt: { $gt: clock.now() } })
        .toArray();
      return documents.map((document) => toPayload(document));
    },

    async save(jti, payload, expiresIn) {
      const expiresAt = expiryAfter(clock.now(), expiresIn);
      const before = payload.authorizations && loaded.get(payload.authorizations);
      const unit = units.current();
      const copy = structuredClone(payload);
      const statement = statementOf(before, jti, copy, expiresAt);
      if (unit) {
        const _id = documentId('Session', String(payload.uid));
        const known = unit.read(_id);
        if (known === null) throw new SessionRevokedError();
        unit.writeSession(
          { ...statement, _id, refusal: asRevoked },
          sessionDocument(known, before, { jti, payload: copy }, expiresAt),
        );
      } else {
        onCall('Session', 'upsert');
        await collection.updateOne(statement.filter, statement.update, { ...DURABLE, upsert: true }).catch((error) => {
          throw asRevoked(error) ?? error;
        });
      }
      remember(payload, { jti, payload: storedPayload(copy) });
    },

    async revoke(uid) {
      onCall('Session', 'revoke');
      forgetIn(uid);
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
      const known = units.current()?.readSession(jti);
      if (known) units.current()?.drop(known._id);
      await collection.updateOne({ ids: jti, ...LIVE }, tombstone(), DURABLE);
    },

    async extend(uid, { idleSeconds, overallSeconds }) {
      const now = epochSeconds(clock);
      const end = { $min: [now + idleSeconds, { $add: ['$payload.loginTs', overallSeconds] }] };
      const _id = documentId('Session', uid);
      const filter = {
        _id,
        ...LIVE,
        expiresAt: { $gt: clock.now() },
        'payload.loginTs': { $gt: now - overallSeconds },
      };
      const update = [
        { $set: { 'payload.exp': { $max: ['$payload.exp', end] } } },
        { $set: { expiresAt: { $toDate: { $multiply: ['$payload.exp', 1000] } } } },
      ];
      const unit = units.current();
      if (unit) return unit.writeAside({ _id, filter, update });
      onCall('Session', 'extend');
      await collection.updateOne(filter, update, DURABLE);
    },

    async isRevoked(uid) {
      onCall('Session', 'isRevoked');
      const filter = { _id: documentId('Session', uid), revokedAt: { $exists: true } };
      return (await collection.findOne(filter, { projection: { _id: 1 } })) !== null;
    },
  };
}
