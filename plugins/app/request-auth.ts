import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type ApiAnswer,
  type ApiRequest,
  type BesideFactor,
  type FactorAccount,
  type FactorDeps,
  inSeconds,
  isDuplicateKey,
} from '../../src/factors/contract.js';
import type { Database, EnsureIndexes } from '../../src/platform/database.js';
import { type AppData, type Device, type DeviceKey, isDevice } from './data.js';
import { problem, readJson } from './envelope.js';
import { kidOf, REQUEST_TYP, type SigningKey, thumbprintOf, verifyJws } from './jws.js';

/** A nonce is accepted in the slot in which it was given and in the next one. */
const SLOT_SECONDS = 60;
/** Longer than any nonce lives: before it is swept, a request with this `jti` is too old anyway. */
const REMEMBERED_SECONDS = 5 * SLOT_SECONDS;
const CONTACT_SECONDS = 60;

/** One request that was accepted. */
interface AcceptedRequest {
  /** `<kid>/<hash of jti>` */
  _id: string;
  expiresAt: Date;
}

const requestCollection = (database: Database) => database.collection<AcceptedRequest>('app_requests');

export const ensureRequestIndexes: EnsureIndexes = async (database) => {
  await requestCollection(database).createIndex({ expiresAt: 1 }, { name: 'sweep', expireAfterSeconds: 0 });
};

/** Whose request it is. */
export interface Authenticated<Beside = object> {
  device: Device;
  account: FactorAccount;
  beside: Beside[];
  /** Parsed, not yet checked; undefined when it is no JSON. */
  body: unknown;
}

export const isAuthenticated = <Beside>(result: Authenticated<Beside> | ApiAnswer): result is Authenticated<Beside> =>
  'device' in result;

/** base64url SHA-256 of the UTF-8 bytes. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Whether a claim is this text, in the same time whatever it is. */
export function isSame(claim: unknown, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(typeof claim === 'string' ? claim : ''), hash(expected));
}

export interface RequestAuth {
  /** The nonce of the present minute: the same on every node. */
  nonce(): string;
  /**
   * Checks whose request it is; the answer to give when it is nobody's. Why goes to the log.
   * @param besideOf what is to be read together with the phone
   */
  authenticate<Beside extends object>(
    request: ApiRequest,
    besideOf?: (deviceId: string) => BesideFactor,
  ): Promise<Authenticated<Beside> | ApiAnswer>;
  /** The same for a key that is not anybody's yet: the answer to give, or its thumbprint. */
  authenticateKey(request: ApiRequest, key: DeviceKey): Promise<{ thumbprint: string } | ApiAnswer>;
}

export function createRequestAuth({
  clock,
  database,
  factors,
  issuer,
  logger,
  secretBox,
}: FactorDeps<AppData>): RequestAuth {
  const accepted = requestCollection(database);

  const nonceOf = (slot: number): string => secretBox.index(String(slot), 'app-nonce');
  const presentSlot = (): number => Math.floor(clock.now().getTime() / (SLOT_SECONDS * 1000));

  const refuse = (request: ApiRequest, reason: string, deviceId?: string): ApiAnswer => {
    const { requestId } = request;
    logger.info({ method: 'app', reason, requestId, ...(deviceId ? { deviceId } : {}) }, 'device request refused');
    return problem('DEVICE_REFUSED');
  };

  /** The answer to give when the signature, or what it covers, is not right; the nonce last, so that only phones are told of it. */
  const judge = async (
    request: ApiRequest,
    token: string,
    key: SigningKey,
    deviceId?: string,
  ): Promise<ApiAnswer | undefined> => {
    const verified = await verifyJws(token, key, REQUEST_TYP);
    if ('reason' in verified) return refuse(request, verified.reason, deviceId);
    const { aud, htm, htu, bh, nonce, jti } = verified.claims;
    const checks = {
      aud: isSame(aud, issuer),
      htm: isSame(htm, request.verb),
      htu: isSame(htu, request.url),
      bh: isSame(bh, sha256(request.body)),
      jti: typeof jti === 'string' && /^[\w-]{16,64}$/.test(jti),
    };
    const failed = Object.entries(checks).find(([, isRight]) => !isRight);
    if (failed) return refuse(request, failed[0], deviceId);
    const slot = presentSlot();
    const isFresh = [nonceOf(slot), nonceOf(slot - 1)].map((one) => isSame(nonce, one)).includes(true);
    if (!isFresh) return problem('USE_NONCE');
    try {
      await accepted.insertOne({
        _id: `${key.kid}/${sha256(String(jti))}`,
        expiresAt: inSeconds(clock.now(), REMEMBERED_SECONDS),
      });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return refuse(request, 'jti', deviceId);
    }
    return undefined;
  };

  const noteContact = ({ _id, accountId, data }: Device): void => {
    const now = clock.now();
    const longAgo = inSeconds(now, -CONTACT_SECONDS);
    if (data.lastContactAt && data.lastContactAt > longAgo) return;
    factors.updateLater(
      accountId,
      _id,
      { $or: [{ 'data.lastContactAt': { $lte: longAgo } }, { 'data.lastContactAt': { $exists: false } }] },
      { $set: { 'data.lastContactAt': now } },
    );
  };

  return {
    nonce: () => nonceOf(presentSlot()),

    async authenticate<Beside extends object>(request: ApiRequest, besideOf?: (deviceId: string) => BesideFactor) {
      const token = request.headers['device-signature'] ?? '';
      const kid = kidOf(token);
      if (!kid) return refuse(request, 'unreadable');
      // Active, or pending as long as its pairing runs.
      const found = await factors.findWithAccount<Beside>(kid, besideOf?.(kid));
      if (!found || !isDevice(found.record)) return refuse(request, 'unknown device');
      const { record: device, account, beside } = found;
      const refused = await judge(request, token, { kid: device._id, ...device.data.key }, device._id);
      if (refused) return refused;
      if (!account) return refuse(request, 'account', device._id);
      noteContact(device);
      return { device, account, beside, body: readJson(request) };
    },

    async authenticateKey(request, key) {
      const thumbprint = await thumbprintOf(key);
      const token = request.headers['device-signature'] ?? '';
      return (await judge(request, token, { kid: thumbprint, ...key })) ?? { thumbprint };
    },
  };
}
