import { type FactorRecord, type FactorSummary, sealedInFactors, summaryOf } from '../../src/factors/contract.js';
import type { SecretBox } from '../../src/platform/secret-box.js';

export const PLATFORMS = ['android', 'ios', 'web', 'other'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** A public key on P-256 (RFC 7518 section 6.2.1). */
export interface DeviceKey {
  x: string;
  y: string;
}

/** What the QR code of a pending phone stands for; it runs for as long as the pending record does. */
export interface Pairing {
  /** Keyed hashes of what a phone sends: the code of the QR code, or login and typed characters. */
  codeHash: string;
  typedHash: string;
  /** Both as the page shows them, sealed: a reload shows them again. */
  shown: string;
  /** How often digits were typed for it. */
  tries: number;
  /** One of those times they were right: it is about to be active, and other tries do not end it. */
  isConfirmed?: true;
}

/** Where to wake the phone. */
export interface Push {
  /** What the browser of the phone gave (a PushSubscription as JSON), sealed; absent once it is over. */
  subscription?: string;
  state: 'working' | 'failing';
  /** The public key that the subscription is for; absent: the first one there was. */
  key?: string;
}

/** A phone as stored: first a pairing without a key, then with the key of the phone that claimed it, then active without the pairing. */
export type AppData = {
  /** Of a pending one. */
  pairing?: Pairing | null;
  key?: DeviceKey;
  /** RFC 7638, of the key. */
  thumbprint?: string;
  model?: string;
  platform?: Platform;
  /** Exact to a minute. */
  lastContactAt?: Date;
  /** Of a pending one: what its codes without a network are made of, sealed. An active one has a companion of method `totp`. */
  offlineSecret?: string | null;
  push?: Push | null;
};

/** A phone that has made its key; its `_id` is the device id of the protocol. */
export type Device = FactorRecord<AppData & Required<Pick<AppData, 'model' | 'platform'>>> & {
  data: { key: DeviceKey; thumbprint: string };
};

export const isDevice = (record: FactorRecord<AppData>): record is Device =>
  !!record.data.key && !!record.data.thumbprint;

type Owner = Pick<FactorRecord, '_id' | 'accountId'>;

/** Where a secret belongs: a sealed value in another factor's row, or in another field, does not open. */
const context = ({ _id, accountId }: Owner, field: 'offline' | 'pairing' | 'push'): string =>
  `factor/${accountId}/${_id}/${field}`;

export const sealFor = (
  secretBox: SecretBox,
  owner: Owner,
  field: 'offline' | 'pairing' | 'push',
  secret: string | Uint8Array,
): string => secretBox.seal(secret, context(owner, field));

/** @throws Error when it was sealed for something else. */
export const openFor = (
  secretBox: SecretBox,
  owner: Owner,
  field: 'offline' | 'pairing' | 'push',
  sealed: string,
): Buffer => secretBox.open(sealed, context(owner, field));

/** What a page may know of phones. */
export const summarise = (records: readonly FactorRecord<AppData>[]): FactorSummary[] =>
  records.map((phone) => {
    const { push, lastContactAt = phone.createdAt } = phone.data;
    return summaryOf(phone, { push: push?.state ?? 'none', seenAt: lastContactAt.getTime() });
  });

/** Those that can be woken. */
export const wakeable = (phones: readonly FactorSummary[]): FactorSummary[] =>
  phones.filter(({ facts }) => facts.push === ('working' satisfies Push['state']));

export const SEALED_IN_PHONES = sealedInFactors<AppData>('app', (phone) => [
  { path: 'data.offlineSecret', sealed: phone.data.offlineSecret, context: context(phone, 'offline') },
  { path: 'data.pairing.shown', sealed: phone.data.pairing?.shown, context: context(phone, 'pairing') },
  { path: 'data.push.subscription', sealed: phone.data.push?.subscription, context: context(phone, 'push') },
]);
