import { isDeepStrictEqual } from 'node:util';
import type { mongo } from 'mongoose';
import type { AdapterPayload } from 'oidc-provider';

type Entries = NonNullable<AdapterPayload['authorizations']>;

/** A session as a request found it, or as it wrote it last. */
export interface Loaded {
  /** The cookie value it was found by. */
  jti: string;
  payload: AdapterPayload;
}

/** Client ids may hold dots and dollars, which mean something in a field path. */
const escapeKey = (key: string): string =>
  key.replace(/[%.$\0]/g, (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, '0')}`);
const unescapeKey = (key: string): string =>
  key.replace(/%([0-9a-f]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

const isKept = ([, entry]: [string, object]): boolean => Object.keys(entry).length > 0;

/** The provider's map of clients as it is stored; entries the provider made by looking are left out. */
export const encodeAuthorizations = (authorizations: Entries = {}): Entries =>
  Object.fromEntries(
    Object.entries(authorizations)
      .filter(isKept)
      .map(([id, entry]) => [escapeKey(id), entry]),
  );

export const decodeAuthorizations = (stored: Entries = {}): Entries =>
  Object.fromEntries(Object.entries(stored).map(([key, entry]) => [unescapeKey(key), entry]));

/** Fields with a value; the cookie value is no part of what is stored, and clients have paths of their own. */
const fieldsOf = (payload: AdapterPayload): Map<string, unknown> => {
  const { jti, authorizations, ...rest } = payload;
  const fields = new Map<string, unknown>(Object.entries(rest));
  for (const [key, entry] of Object.entries(encodeAuthorizations(authorizations))) {
    fields.set(`authorizations.${key}`, entry);
  }
  return new Map([...fields].filter(([, value]) => value !== undefined));
};

/** True when the person proved who they are since the session was loaded. */
const isNewLogin = (before: AdapterPayload, after: AdapterPayload): boolean =>
  before.accountId !== after.accountId || before.loginTs !== after.loginTs;

/**
 * The stages of one update that writes what a request changed and nothing else: two tabs that save one session keep each
 * other's clients. At a login the cookie value from before it stops working (ASVS 5.0 section 7.2.4, session fixation);
 * at any other rotation it works on for a request that is already under way.
 */
export function sessionChange(before: Loaded, after: Loaded, expiresAt: Date): mongo.Document[] {
  const old = fieldsOf(before.payload);
  const now = fieldsOf(after.payload);
  const $set: mongo.Document = { expiresAt: { $literal: expiresAt } };
  for (const [path, value] of now) {
    if (!isDeepStrictEqual(old.get(path), value)) $set[`payload.${path}`] = { $literal: value };
  }
  if (after.jti !== before.jti) {
    const dropped = isNewLogin(before.payload, after.payload) ? before.jti : null;
    const kept = { $filter: { input: '$ids', cond: { $ne: ['$$this', { $literal: dropped }] } } };
    $set.ids = { $slice: [{ $concatArrays: [kept, [{ $literal: after.jti }]] }, -2] };
  }
  const gone = [...old.keys()].filter((path) => !now.has(path)).map((path) => `payload.${path}`);
  return gone.length > 0 ? [{ $set }, { $unset: gone }] : [{ $set }];
}
