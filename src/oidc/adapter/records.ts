import { type AdapterPayload, errors } from 'oidc-provider';
import { type Clock, epochSeconds } from '../../platform/clock.js';
import { isDuplicateKey } from '../../platform/database.js';
import { DURABLE, documentId, expiryAfter, type OidcCollection, type OidcDocument, type OnCall } from './documents.js';

/** Codes and tokens that are used once. Once used they are never written again: a late save would make them new. */
const CONSUMABLE = new Set([
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PushedAuthorizationRequest',
  'PreAuthorizedCode',
]);

/** Models that end with the grant they were issued under. An interaction names a grant too, but is not issued under it. */
const FAMILY = [
  'AccessToken',
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PreAuthorizedCode',
];

const UNUSED = { 'payload.consumed': { $exists: false } };

/** Documents that are written whole and found by their id: all models but sessions and clients. */
export interface Records {
  find(model: string, id: string): Promise<AdapterPayload | undefined>;
  /** @param guard what must hold for a document that is already there. @throws InvalidGrant when it does not. */
  upsert(
    model: string,
    id: string,
    payload: AdapterPayload,
    expiresIn: number | undefined,
    guard?: object,
  ): Promise<void>;
  /**
   * Uses a code or token up; of any number at once one succeeds, on any node.
   * @throws InvalidGrant (RFC 6749 section 5.2) or InvalidRequestUri (RFC 9126 section 7.3) when it is used, expired or gone.
   */
  consume(model: string, id: string): Promise<void>;
  destroy(model: string, id: string): Promise<void>;
  /** Deletes the documents of one model that were issued under a grant. */
  revokeByGrantId(model: string, grantId: string): Promise<void>;
  /** Deletes a grant and everything issued under it. */
  revokeGrant(grantId: string): Promise<void>;
}

export function createRecords(deps: { collection: OidcCollection; clock: Clock; onCall: OnCall }): Records {
  const { collection, clock, onCall } = deps;
  return {
    async find(model, id) {
      onCall(model, 'find');
      const found = await collection.findOne(
        { _id: documentId(model, id), expiresAt: { $gt: clock.now() } },
        { projection: { payload: 1 } },
      );
      return found?.payload;
    },

    async upsert(model, id, payload, expiresIn, guard = {}) {
      onCall(model, 'upsert');
      const $set: Partial<OidcDocument> = { payload, expiresAt: expiryAfter(clock.now(), expiresIn) };
      const filter = { _id: documentId(model, id), ...(CONSUMABLE.has(model) ? UNUSED : {}), ...guard };
      try {
        await collection.updateOne(filter, { $set }, { ...DURABLE, upsert: true });
      } catch (error) {
        if (isDuplicateKey(error)) throw new errors.InvalidGrant('changed or used by another request meanwhile');
        throw error;
      }
    },

    async consume(model, id) {
      onCall(model, 'consume');
      const { matchedCount } = await collection.updateOne(
        { _id: documentId(model, id), expiresAt: { $gt: clock.now() }, ...UNUSED },
        { $set: { 'payload.consumed': epochSeconds(clock) } },
        DURABLE,
      );
      if (matchedCount === 1) return;
      if (model === 'PushedAuthorizationRequest') {
        throw new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used');
      }
      throw new errors.InvalidGrant('used by another request meanwhile');
    },

    async destroy(model, id) {
      onCall(model, 'destroy');
      await collection.deleteOne({ _id: documentId(model, id) }, DURABLE);
    },

    async revokeByGrantId(model, grantId) {
      onCall(model, 'revokeByGrantId');
      await collection.deleteMany({ 'payload.grantId': grantId, 'payload.kind': model }, DURABLE);
    },

    async revokeGrant(grantId) {
      onCall('Grant', 'revokeGrant');
      // The grant first: a token that is written while its family is deleted is void without it.
      await collection.bulkWrite(
        [
          { deleteOne: { filter: { _id: documentId('Grant', grantId) } } },
          { deleteMany: { filter: { 'payload.grantId': grantId, 'payload.kind': { $in: FAMILY } } } },
        ],
        { ...DURABLE, ordered: true },
      );
    },
  };
}
