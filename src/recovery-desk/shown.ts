import type { SecretBox } from '../platform/secret-box.js';
import type { AccessPass, OwnRequest, RecoveryRequest, RequestState, Suspension } from './contract.js';
import { type PassDocument, type RequestDocument, type SuspensionDocument, sealedFor } from './documents.js';
import { inGroups } from './secret-words.js';

/** Time alone ends a request; that it did is written down later. */
const stateOf = ({ state, expiresAt }: RequestDocument, now: Date): RequestState =>
  state === 'open' && expiresAt <= now ? 'expired' : state;

export function toRequest(document: RequestDocument, now: Date, secretBox: SecretBox): RecoveryRequest {
  const { _id, sealedContact, sealedNote, clientId, ip, userAgent, decision } = document;
  const open = (sealed: string | undefined, field: 'contact' | 'note') =>
    sealed === undefined ? {} : { [field]: secretBox.open(sealed, sealedFor(_id, field)).toString() };
  return {
    id: _id,
    accountId: document.accountId,
    state: stateOf(document, now),
    createdAt: document.createdAt,
    expiresAt: document.expiresAt,
    changedAt: document.changedAt,
    circumstances: document.circumstances,
    ...open(sealedContact, 'contact'),
    ...open(sealedNote, 'note'),
    ...(clientId ? { clientId } : {}),
    origin: { ...(ip ? { ip } : {}), ...(userAgent ? { userAgent } : {}) },
    isKnownBrowser: document.isKnownBrowser,
    failedMethods: document.failedMethods,
    ...(decision ? { decision } : {}),
  };
}

export const toOwnRequest = (
  document: RequestDocument,
  hasRival: boolean,
  now: Date,
  secretBox: SecretBox,
): OwnRequest => ({
  ...toRequest(document, now, secretBox),
  number: inGroups(secretBox.open(document.sealedNumber, sealedFor(document._id, 'number')).toString(), 3, ' '),
  administratorsTold: document.administratorsTold,
  hasRival,
});

export function toSuspension({ _id, isOpen, ...document }: SuspensionDocument, now: Date): Suspension {
  const isRunning = isOpen === true && document.until > now;
  const isOverByTime = isOpen === true && !isRunning;
  return {
    id: _id,
    ...document,
    startedBy: document.startedBy,
    isRunning,
    ...(isOverByTime ? { endedAt: document.until, end: 'expired' as const } : {}),
  };
}

export const toPass = ({ _id, hash: _hash, purgeAt: _purgeAt, ...pass }: PassDocument): AccessPass => ({
  id: _id,
  ...pass,
});
