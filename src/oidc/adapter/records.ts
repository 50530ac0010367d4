import { type AdapterPayload, errors } from 'oidc-provider';
import type { AccountsAlongside } from '../../accounts/contract.js';
import { type Clock, epochSeconds } from '../../platform/clock.js';
import { isDuplicateKey } from '../../platform/database.js';
import { asFound, changeOf, refusedAs } from './change.js';
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
import type { Statement, Units } from './unit-of-work.js';

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

/** Whoever presents one of them is asked for its grant and its session next. */
const WITH_GRANT = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);

const UNUSED = { 'payload.consumed': { $exists: false } };

/** Documents that are written whole and found by their id: all models but sessions and clients. */
export interface Records {
  find(model: string, id: string): Promise<AdapterPayload | undefined>;
  /**
   * Waits for the end of the request, where there is one.
   * @throws InvalidGrant for what was used up.
   */
  upsert(model: string, id: string, payload: AdapterPayload, expiresIn: number | undefined): Promise<void>;
  /** At once. @param guard what must hold for a document that is already there. @throws InvalidGrant when it does not. */
  upsertNow(
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

const usedMeanwhile = (): Error => new errors.InvalidGrant('changed or used by another request meanwhile');

const fieldsOf = (payload: AdapterPayload = {}) => new Map<string, unknown>(Object.entries(payload));

/** Nobody has proved anything in it yet. */
const isUnproved = (model: string, { result, lastSubmission }: AdapterPayload): boolean =>
  model === 'Interaction' && result === undefined && lastSubmission === undefined;

export function createRecords(deps: {
  collection: OidcCollection;
  clock: Clock;
  units: Units;
  accountsAlongside?: AccountsAlongside;
  onCall: OnCall;
}): Records {
  const { collection, clock, units, accountsAlongside, onCall } = deps;
  const relatedOf = createRelated(deps);

  /** @param found as this request has it from the database: then it is changed, never made, for another may have ended it since. */
  const statementOf = (
    model: string,
    id: string,
    payload: AdapterPayload,
    expiresIn?: number,
    { guard = {}, found }: { guard?: object; found?: OidcDocument | undefined } = {},
  ) => {
    const expiresAt = expiryAfter(clock.now(), expiresIn);
    const document: OidcDocument = { _id: documentId(model, id), payload, expiresAt };
    const { _id, ...$set } = document;
    const condition = { _id, ...(CONSUMABLE.has(model) ? UNUSED : {}), ...guard };
    const statement: Statement = found
      ? {
          filter: { ...condition, payload: { $exists: true } },
          update: changeOf(asFound(fieldsOf(found.payload)), fieldsOf(payload), expiresAt),
        }
      : { filter: condition, update: { $set } };
    return { document, statement: { ...statement, upsert: true } };
  };

  /** Live or not: a query by `_id` alone is the cheapest there is. */
  const load = (model: string, _id: string): Promise<OidcDocument | null> => {
    const unit = units.current();
    onCall(model, 'find');
    if (unit && WITH_GRANT.has(model)) return relatedOf(unit).token(_id);
    if (unit && accountsAlongside && model === 'Interaction') return relatedOf(unit).interaction(_id);
    return collection.findOne({ _id });
  };

  const records: Records = {
    async find(model, id) {
      const _id = documentId(model, id);
      const unit = units.current();
      if (unit && unit.read(_id) === undefined) unit.keep(_id, await load(model, _id));
      const known = unit ? unit.read(_id) : await load(model, _id);
      // A copy: the models share nested objects with what they were made from, and an unsaved change would look saved.
      return known && isLive(known, clock.now()) ? structuredClone(known.payload) : undefined;
    },

    async upsert(model, id, payload, expiresIn) {
      const unit = units.current();
      if (!unit) return records.upsertNow(model, id, payload, expiresIn);
      const copy = structuredClone(payload);
      const found = unit.found(documentId(model, id));
      const { document, statement } = statementOf(model, id, copy, expiresIn, { found });
      const known = unit.read(document._id);
      if (CONSUMABLE.has(model) && known?.payload?.consumed !== undefined) throw usedMeanwhile();
      unit.write(
        {
          ...statement,
          _id: document._id,
          ...(payload.grantId === undefined || !FAMILY.includes(model) ? {} : { grantId: payload.grantId }),
          isExpendable: known === undefined && isUnproved(model, payload),
          refusal: refusedAs(usedMeanwhile),
        },
        document,
      );
    },

    async upsertNow(model, id, payload, expiresIn, guard) {
      const { document, statement } = statementOf(model, id, payload, expiresIn, guard ? { guard } : {});
      const unit = units.current();
      // What it refers to is there first.
      await unit?.flush();
      unit?.forget(document._id);
      onCall(model, 'upsert');
      try {
        await collection.updateOne(statement.filter, statement.update, { ...DURABLE, upsert: true });
      } catch (error) {
        if (isDuplicateKey(error)) throw usedMeanwhile();
        throw error;
      }
    },

    async consume(model, id) {
      const _id = documentId(model, id);
      const unit = units.current();
      if (unit?.isWaiting(_id)) await unit.flush();
      onCall(model, 'consume');
      const consumed = epochSeconds(clock);
      const { matchedCount } = await collection.updateOne(
        { _id, expiresAt: { $gt: clock.now() }, ...UNUSED },
        { $set: { 'payload.consumed': consumed } },
        DURABLE,
      );
      const known = unit?.read(_id);
      if (known?.payload && matchedCount === 1) known.payload.consumed = consumed;
      else unit?.forget(_id);
      if (matchedCount === 1) return;
      if (model === 'PushedAuthorizationRequest') {
        throw new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used');
      }
      throw new errors.InvalidGrant('used by another request meanwhile');
    },

    async destroy(model, id) {
      const _id = documentId(model, id);
      const unit = units.current();
      if (unit && model === 'Interaction') {
        // An update like all else that is written with it. The broom takes what is left.
        const update = { $set: { expiresAt: clock.now() }, $unset: { payload: '' as const } };
        unit.destroy(_id, { filter: { _id }, update });
        return;
      }
      unit?.drop(_id);
      onCall(model, 'destroy');
      await collection.deleteOne({ _id }, DURABLE);
    },

    async revokeByGrantId(model, grantId) {
      units.current()?.dropGrant(grantId);
      onCall(model, 'revokeByGrantId');
      await collection.deleteMany({ 'payload.grantId': grantId, 'payload.kind': model }, DURABLE);
    },

    async revokeGrant(grantId) {
      const unit = units.current();
      unit?.dropGrant(grantId);
      unit?.drop(documentId('Grant', grantId));
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
  return records;
}
