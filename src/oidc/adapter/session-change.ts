import type { mongo } from 'mongoose';
import type { AdapterPayload } from 'oidc-provider';
import { asFound, changeOf, type Fields } from './change.js';
import { documentId, type OidcDocument } from './documents.js';

type Entries = NonNullable<AdapterPayload['authorizations']>;

/** A session as a request found it, or as it wrote it last. */
export interface Loaded {
  /** The cookie value it was found by. */
  jti: string;
  /** As it is stored, and nobody's to change: what another request changes is found out when it saves, and most only read. */
  payload: AdapterPayload;
}

/** Client ids may hold dots and dollars, which mean something in a field path. */
export const escapeKey = (key: string): string =>
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

/** Of what is stored; clients have paths of their own. */
const fieldsOf = ({ authorizations = {}, ...rest }: AdapterPayload): Fields => {
  const fields = new Map<string, unknown>(Object.entries(rest));
  for (const [key, entry] of Object.entries(authorizations)) fields.set(`authorizations.${key}`, entry);
  return fields;
};

/** Whoever was signed in when the session was loaded still is, by the same sign-in. */
const isAsLoaded = ({ payload: { accountId, loginTs } }: Loaded) => ({
  $and: [
    { $eq: [{ $ifNull: ['$payload.accountId', null] }, { $literal: accountId ?? null }] },
    { $eq: [{ $ifNull: ['$payload.loginTs', null] }, { $literal: loginTs ?? null }] },
  ],
});

const isLoginAfter = ({ payload: before }: Loaded, { accountId, loginTs }: AdapterPayload): boolean =>
  before.accountId !== accountId || before.loginTs !== loginTs;

/** The cookie value is no part of what is stored. */
export const storedPayload = ({ jti: _cookie, authorizations, ...rest }: AdapterPayload): AdapterPayload => ({
  ...rest,
  authorizations: encodeAuthorizations(authorizations),
});

/** The first write of a session. */
export const sessionStart = (
  { jti, payload }: { jti: string; payload: AdapterPayload },
  expiresAt: Date,
): mongo.UpdateFilter<OidcDocument> => ({ $set: { payload: storedPayload(payload), ids: [jti], expiresAt } });

/** What `sessionStart` or `sessionChange` will leave, as far as this request can know. */
export function sessionDocument(
  known: OidcDocument | undefined,
  before: Loaded | undefined,
  { jti, payload }: { jti: string; payload: AdapterPayload },
  expiresAt: Date,
): OidcDocument {
  const kept = before && !isLoginAfter(before, payload) ? (known?.ids ?? [before.jti]) : [];
  const ids = kept.includes(jti) ? kept : [...kept, jti].slice(-2);
  return { _id: documentId('Session', String(payload.uid)), payload: storedPayload(payload), ids, expiresAt };
}

/**
 * The stages of one update that writes what a request changed and nothing else. At a login every cookie value from before it stops working (ASVS 5.0 section 7.2.4, session fixation): also
 * those that the steps of the sign-in itself have rotated. At any other rotation the last one works on for a request that is
 * already under way.
 */
export function sessionChange(
  before: Loaded,
  after: { jti: string; payload: AdapterPayload },
  expiresAt: Date,
): mongo.Document[] {
  const { jti, payload } = after;
  const [found, fields] = [asFound(fieldsOf(before.payload)), fieldsOf(storedPayload(payload))];
  if (jti === before.jti) return changeOf(found, fields, expiresAt);
  // Where another tab has signed in meanwhile, only its cookie values are left.
  const kept = isLoginAfter(before, payload) ? { $cond: [isAsLoaded(before), [], '$ids'] } : '$ids';
  const ids = { $slice: [{ $concatArrays: [kept, [{ $literal: jti }]] }, -2] };
  return changeOf(found, fields, expiresAt, { ids });
}
