import type { mongo } from 'mongoose';
import type { AdapterPayload } from 'oidc-provider';
import type { EnsureIndexes } from '../../platform/database.js';
import type { SealedPlace } from '../../platform/sealed-places.js';

/** What the provider keeps. `_id` is `Model:id`, the only unique key, so that the collection can be sharded by it. */
export interface OidcDocument {
  _id: string;
  payload?: AdapterPayload;
  /** Compared in every query; the TTL index only sweeps. */
  expiresAt: Date;
  /** Sessions only: the last two cookie values that lead to it. */
  ids?: string[];
  /** Sessions only: ended for good; no write brings it back. */
  revokedAt?: Date;
  /** User codes only: the device code it stands for. */
  deviceCode?: string;
}

export type OidcCollection = mongo.Collection<OidcDocument>;

/** A registered application; its secret never lies in the clear. */
export interface ClientDocument {
  /** The `client_id`. */
  _id: string;
  metadata: Record<string, unknown>;
  sealedSecret?: string;
  /** The secret before that one still works until then. */
  previous?: { sealedSecret: string; until: Date };
  createdAt: Date;
  updatedAt?: Date;
  /** Counts changes. */
  version?: number;
}

/** Told before each call to the database, so that calls can be counted by name. */
export type OnCall = (model: string, operation: string) => void;

export const OIDC_COLLECTION = 'oidc';
export const CLIENT_COLLECTION = 'clients';

/** An answer that lets someone in, or shuts someone out, rests on a write that a majority of the nodes has: the database's own way. */
export const DURABLE = { ignoreUndefined: true } as const;

/** For what may be lost with its node. */
export const EXPENDABLE = { ...DURABLE, writeConcern: { w: 1 } } as const;

/** Stands for "no expiry": every query can then compare without a case of its own. */
export const NEVER = new Date('9999-12-31T00:00:00Z');

export const documentId = (model: string, id: string): string => `${model}:${id}`;

/** The end of a life of `seconds`, never later than `NEVER`; none means `NEVER`. */
export const expiryAfter = (now: Date, seconds: number | undefined): Date =>
  seconds === undefined ? NEVER : new Date(Math.min(now.getTime() + seconds * 1000, NEVER.getTime()));

export const secretContext = (clientId: string): string => `client/${clientId}/secret`;

export const SEALED: readonly SealedPlace<ClientDocument>[] = [
  {
    collection: CLIENT_COLLECTION,
    fields: ['sealedSecret', 'previous'],
    valuesIn: ({ _id, sealedSecret, previous }) => [
      { path: 'sealedSecret', sealed: sealedSecret, context: secretContext(_id) },
      { path: 'previous.sealedSecret', sealed: previous?.sealedSecret, context: secretContext(_id) },
    ],
  },
];

/** Not ended, and not past its end. */
export const isLive = ({ revokedAt, expiresAt }: OidcDocument, now: Date): boolean =>
  revokedAt === undefined && expiresAt > now;

export const ensureIndexes: EnsureIndexes = async (database) => {
  await database.collection<ClientDocument>(CLIENT_COLLECTION).createIndex({ createdAt: -1, _id: -1 });
  await database.collection<OidcDocument>(OIDC_COLLECTION).createIndexes([
    { name: 'expiry', key: { expiresAt: 1 }, expireAfterSeconds: 0 },
    { name: 'family', key: { 'payload.grantId': 1 }, sparse: true },
    { name: 'session_by_id', key: { ids: 1 }, sparse: true },
    {
      name: 'session_by_account',
      key: { 'payload.accountId': 1 },
      partialFilterExpression: { ids: { $exists: true } },
    },
    {
      name: 'grant_by_account',
      key: { 'payload.kind': 1, 'payload.accountId': 1 },
      partialFilterExpression: { 'payload.kind': 'Grant' },
    },
  ]);
};
