import { type FactorDeps, type FactorRecord, inSeconds } from '../../src/factors/contract.js';
import type { Database, EnsureIndexes } from '../../src/platform/database.js';
import { makeTypedCode, readTypedCode } from './codes.js';
import {
  type AppData,
  type Device,
  type DeviceKey,
  isDevice,
  openFor,
  type Pairing,
  type Platform,
  sealFor,
} from './data.js';

/** How long a QR code can be scanned, and its six digits typed. */
export const PAIRING_SECONDS = 600;
/** How often digits may be typed for one QR code. */
export const PAIRING_TRIES = 3;
/** RFC 4226 section 4, R6: 160 bits are recommended. */
const OFFLINE_SECRET_BYTES = 20;

/** Whose phone a code makes: found by what a phone sends. */
interface PairingPlace {
  /** A keyed hash. */
  _id: string;
  accountId: string;
  factorId: string;
  expiresAt: Date;
}

const placeCollection = (database: Database) => database.collection<PairingPlace>('app_pairings');

export const ensurePairingIndexes: EnsureIndexes = async (database) => {
  await placeCollection(database).createIndex({ expiresAt: 1 }, { name: 'sweep', expireAfterSeconds: 0 });
};

/** What a phone has of a pairing. */
export type Ticket = { code: string } | { login: string; typedCode: string };

/** As the page shows it. */
export interface ShownPairing {
  code: string;
  typedCode: string;
}

/** A phone as it presents itself. */
export interface Claimant {
  key: DeviceKey;
  thumbprint: string;
  model: string;
  platform: Platform;
}

/** The codes that make a phone an account's: made, shown, found, and claimed by one key. */
export function createPairings({ clock, database, factors, random, secretBox }: FactorDeps<AppData>) {
  const places = placeCollection(database);

  /** Undefined when it can be nobody's. */
  const hashOf = (ticket: Ticket): Pick<Pairing, 'codeHash'> | Pick<Pairing, 'typedHash'> | undefined => {
    if ('code' in ticket) return { codeHash: secretBox.index(ticket.code, 'app-pairing') };
    const typedCode = readTypedCode(ticket.typedCode);
    return typedCode === undefined
      ? undefined
      : { typedHash: secretBox.index(`${typedCode}/${canonicalLogin(ticket.login)}`, 'app-pairing-typed') };
  };

  const running = () => ({ state: 'pending' as const, expiresAt: { $gt: clock.now() } });

  return {
    hashOf,

    /** Makes a pairing for a factor to be. Found from now on; worth something once the factor is stored. */
    async make(owner: Pick<FactorRecord, '_id' | 'accountId'>, login: string): Promise<Pairing> {
      const shown: ShownPairing = { code: random.token(256), typedCode: makeTypedCode(random) };
      const hashes = { ...hashOf({ code: shown.code }), ...hashOf({ login, typedCode: shown.typedCode }) } as Pick<
        Pairing,
        'codeHash' | 'typedHash'
      >;
      const expiresAt = inSeconds(clock.now(), PAIRING_SECONDS);
      await places.insertMany(
        Object.values(hashes).map((_id) => ({ _id, accountId: owner.accountId, factorId: owner._id, expiresAt })),
      );
      return { ...hashes, shown: sealFor(secretBox, owner, 'pairing', JSON.stringify(shown)), tries: 0 };
    },

    show: (record: FactorRecord<AppData>, { shown }: Pairing): ShownPairing =>
      JSON.parse(openFor(secretBox, record, 'pairing', shown).toString()) as ShownPairing,

    /** Whose pairing it is, if it is one. */
    find: async (hash: string): Promise<Pick<PairingPlace, 'accountId' | 'factorId'> | undefined> =>
      (await places.findOne({ _id: hash, expiresAt: { $gt: clock.now() } })) ?? undefined,

    /** Gives a pairing to one key, for good. The same key gets it again; undefined: it is over, or another phone's. */
    async claim(
      place: Pick<PairingPlace, 'accountId' | 'factorId'>,
      hash: NonNullable<ReturnType<typeof hashOf>>,
      { key, thumbprint, model, platform }: Claimant,
    ): Promise<Device | undefined> {
      const { accountId, factorId } = place;
      const [[field = '', value] = []] = Object.entries(hash);
      const secret = random.bytes(OFFLINE_SECRET_BYTES);
      const claimed = await factors.update(
        accountId,
        factorId,
        { ...running(), [`data.pairing.${field}`]: value, 'data.key': { $exists: false } },
        {
          $set: {
            'data.key': key,
            'data.thumbprint': thumbprint,
            'data.model': model,
            'data.platform': platform,
            'data.offlineSecret': sealFor(secretBox, { _id: factorId, accountId }, 'offline', secret),
          },
        },
      );
      const record = claimed ?? (await factors.findById(factorId));
      const isTheirs = record?.state === 'pending' && isDevice(record) && record.data.thumbprint === thumbprint;
      return isTheirs &&
        Object.entries(record.data.pairing ?? {}).some(([name, one]) => name === field && one === value)
        ? record
        : undefined;
    },

    /** Counts that digits were typed, before anybody is told of them. The count; undefined when there is no try left. */
    async countTry({ accountId, _id, browser, data }: Device, isRight: boolean): Promise<number | undefined> {
      const counted = await factors.update(
        accountId,
        _id,
        { ...running(), browser, 'data.thumbprint': data.thumbprint, 'data.pairing.tries': { $lt: PAIRING_TRIES } },
        { $inc: { 'data.pairing.tries': 1 }, ...(isRight ? { $set: { 'data.pairing.isConfirmed': true } } : {}) },
      );
      return counted?.data.pairing?.tries;
    },

    /** Ends it now: its phone is nobody's, and the page begins anew. What was activated meanwhile stays. */
    async end({ accountId, _id }: FactorRecord<AppData>): Promise<void> {
      await factors.update(accountId, _id, running(), { $set: { expiresAt: clock.now() } });
    },

    /** The same because there is no try left, unless one of them was right. */
    async wearOut({ accountId, _id }: Device): Promise<void> {
      const unconfirmed = { ...running(), 'data.pairing.isConfirmed': { $exists: false } };
      await factors.update(accountId, _id, unconfirmed, { $set: { expiresAt: clock.now() } });
    },
  };
}

export type Pairings = ReturnType<typeof createPairings>;

/** As logins are compared, see `normaliseLogin` of the accounts: people type it on the phone as they do on the computer. */
export const canonicalLogin = (login: string): string => login.normalize('NFKC').trim().toLowerCase().normalize('NFKC');
