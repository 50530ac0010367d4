import type { FactorRecord } from '../../src/factors/contract.js';
import type { SecretBox } from '../../src/platform/secret-box.js';

/** A phone number as stored. */
export type SmsData = {
  /** E.164, sealed. */
  number: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** All that a page shows of it. */
  masked: string;
  /** Of a pending one: the code on its way. */
  code?: { hash: string; expiresAt: Date; messageId: string } | null;
  /** Of one that took the place of another: not accepted before. */
  usableFrom?: Date;
};

export type Phone = FactorRecord<SmsData>;

/** Where a number belongs: a sealed value in another factor's row does not open. */
export const numberContext = ({ _id, accountId }: Pick<Phone, '_id' | 'accountId'>): string =>
  `factor/${accountId}/${_id}/number`;

export const sealNumber = (secretBox: SecretBox, owner: Pick<Phone, '_id' | 'accountId'>, number: string): string =>
  secretBox.seal(number, numberContext(owner));

export const openNumber = (secretBox: SecretBox, phone: Phone): string =>
  secretBox.open(phone.data.number, numberContext(phone)).toString();

/** One number, one account: what `exclusive` of the factor holds. */
export const numberIndex = (secretBox: SecretBox, number: string): string => secretBox.index(number, 'sms-number');

/** Only one can be active. */
export const newest = (phones: readonly Phone[]): Phone | undefined => phones.at(-1);

/** It took the place of another one, less than a day ago. */
export const isHeld = ({ data }: Phone, now: Date): boolean => data.usableFrom !== undefined && data.usableFrom > now;
