import type { mongo } from 'mongoose';
import type { Database, EnsureIndexes } from '../platform/database.js';
import type { SealedPlace } from '../platform/sealed-places.js';
import type {
  AccessPass,
  Circumstances,
  OtherBrowsers,
  RequestDecision,
  RequestState,
  SuspensionEnd,
  Verification,
} from './contract.js';

export const REQUEST_COLLECTION = 'recovery_requests';
const SUSPENSION_COLLECTION = 'suspensions';
const PASS_COLLECTION = 'access_passes';

/** One request. What a person typed is sealed, and so is the number, which only its own page may show. */
export interface RequestDocument {
  _id: string;
  accountId: string;
  browserHash: string;
  state: RequestState;
  /** Which of the account's three places it holds while it is open. */
  slot: number;
  numberIndex: string;
  sealedNumber: string;
  sealedContact?: string;
  sealedNote?: string;
  circumstances: Circumstances;
  clientId?: string;
  ip?: string;
  userAgent?: string;
  isKnownBrowser: boolean;
  failedMethods: string[];
  administratorsTold: number;
  createdAt: Date;
  expiresAt: Date;
  changedAt: Date;
  decision?: RequestDecision;
  /** The broom's. */
  purgeAt: Date;
}

/** The history of a suspension; what it allows stands in the account's standing. */
export interface SuspensionDocument {
  _id: string;
  accountId: string;
  createdAt: Date;
  until: Date;
  hours: number;
  startedBy?: string;
  requestId?: string;
  verifiedBy?: Verification;
  reason?: string;
  otherBrowsers: OtherBrowsers;
  /** No end has been written down; it may be over all the same. */
  isOpen?: true;
  endedAt?: Date;
  end?: SuspensionEnd;
  endedBy?: string;
  clearedBrowsers: number;
  accessCodesIssued: number;
}

export interface PassDocument extends Omit<AccessPass, 'id'> {
  _id: string;
  hash: string;
  /** The broom's. */
  purgeAt: Date;
}

export const requestCollection = (database: Database): mongo.Collection<RequestDocument> =>
  database.collection<RequestDocument>(REQUEST_COLLECTION);
export const suspensionCollection = (database: Database): mongo.Collection<SuspensionDocument> =>
  database.collection<SuspensionDocument>(SUSPENSION_COLLECTION);
export const passCollection = (database: Database): mongo.Collection<PassDocument> =>
  database.collection<PassDocument>(PASS_COLLECTION);

/** What each sealed value belongs to, so that none opens in another's place. */
export const sealedFor = (requestId: string, field: 'number' | 'contact' | 'note'): string =>
  `recovery-request/${requestId}/${field}`;

export const SEALED: readonly SealedPlace<RequestDocument>[] = [
  {
    collection: REQUEST_COLLECTION,
    fields: ['sealedNumber', 'sealedContact', 'sealedNote'],
    valuesIn: ({ _id, sealedNumber, sealedContact, sealedNote }) => [
      { path: 'sealedNumber', sealed: sealedNumber, context: sealedFor(_id, 'number') },
      { path: 'sealedContact', sealed: sealedContact, context: sealedFor(_id, 'contact') },
      { path: 'sealedNote', sealed: sealedNote, context: sealedFor(_id, 'note') },
    ],
  },
];

export const ensureIndexes: EnsureIndexes = async (database) => {
  const whileOpen = { partialFilterExpression: { state: 'open' } };
  await requestCollection(database).createIndexes([
    { key: { accountId: 1, slot: 1 }, name: 'one_per_place', unique: true, ...whileOpen },
    { key: { accountId: 1, browserHash: 1 }, name: 'one_per_browser', unique: true, ...whileOpen },
    { key: { numberIndex: 1 }, name: 'one_per_number', unique: true, ...whileOpen },
    { key: { browserHash: 1, createdAt: -1 }, name: 'of_browser' },
    { key: { changedAt: 1 }, name: 'changes' },
    { key: { state: 1, expiresAt: 1 }, name: 'due', ...whileOpen },
    { key: { createdAt: -1, _id: -1 }, name: 'all' },
    { key: { state: 1, createdAt: -1, _id: -1 }, name: 'by_state' },
    { key: { accountId: 1, createdAt: -1, _id: -1 }, name: 'by_account' },
    { key: { createdAt: 1 }, name: 'addresses', partialFilterExpression: { ip: { $exists: true } } },
    { key: { purgeAt: 1 }, name: 'sweep', expireAfterSeconds: 0 },
  ]);
  await suspensionCollection(database).createIndexes([
    { key: { createdAt: -1, _id: -1 }, name: 'all' },
    { key: { accountId: 1, createdAt: -1, _id: -1 }, name: 'by_account' },
    { key: { isOpen: 1, createdAt: -1, _id: -1 }, name: 'open', partialFilterExpression: { isOpen: true } },
    { key: { isOpen: 1, until: 1 }, name: 'due', partialFilterExpression: { isOpen: true } },
  ]);
  await passCollection(database).createIndexes([
    { key: { accountId: 1, createdAt: -1, _id: -1 }, name: 'by_account' },
    { key: { purgeAt: 1 }, name: 'sweep', expireAfterSeconds: 0 },
  ]);
};
