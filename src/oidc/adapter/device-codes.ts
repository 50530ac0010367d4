import { type AdapterPayload, errors } from 'oidc-provider';
import type { Clock } from '../../platform/clock.js';
import { isDuplicateKey } from '../../platform/database.js';
import { DURABLE, documentId, expiryAfter, type OidcCollection, type OnCall } from './documents.js';
import type { Records } from './records.js';

/** Device codes (RFC 8628) and the user codes that stand for them. */
export interface DeviceCodes {
  save(id: string, payload: AdapterPayload, expiresIn: number | undefined): Promise<void>;
  findByUserCode(userCode: string): Promise<AdapterPayload | undefined>;
}

const ABSENT = { $exists: false };

/** A code is taken up by one browser and decided once: of two people who type it at the same moment, one goes on. */
const guardFor = ({ accountId, error, inFlight }: AdapterPayload): object => {
  if (accountId !== undefined || error !== undefined) return { 'payload.accountId': ABSENT, 'payload.error': ABSENT };
  return inFlight ? { 'payload.inFlight': ABSENT } : {};
};

export function createDeviceCodes(deps: {
  collection: OidcCollection;
  clock: Clock;
  records: Records;
  onCall: OnCall;
}): DeviceCodes {
  const { collection, clock, records, onCall } = deps;

  async function claim(userCode: string, deviceCode: string, expiresIn: number | undefined): Promise<void> {
    onCall('UserCode', 'upsert');
    const now = clock.now();
    try {
      await collection.updateOne(
        { _id: documentId('UserCode', userCode), $or: [{ expiresAt: { $lte: now } }, { deviceCode }] },
        { $set: { deviceCode, expiresAt: expiryAfter(now, expiresIn) } },
        { ...DURABLE, upsert: true },
      );
    } catch (error) {
      if (isDuplicateKey(error)) throw new errors.TemporarilyUnavailable('the user code drawn is in use, ask again');
      throw error;
    }
  }

  return {
    async save(id, payload, expiresIn) {
      if (payload.userCode !== undefined) await claim(payload.userCode, id, expiresIn);
      await records.upsertNow('DeviceCode', id, payload, expiresIn, guardFor(payload));
    },

    async findByUserCode(userCode) {
      onCall('UserCode', 'find');
      const found = await collection.findOne(
        { _id: documentId('UserCode', userCode), expiresAt: { $gt: clock.now() } },
        { projection: { deviceCode: 1 } },
      );
      return found?.deviceCode === undefined ? undefined : records.find('DeviceCode', found.deviceCode);
    },
  };
}
