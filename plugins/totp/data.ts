import type { FactorRecord } from '../../src/factors/contract.js';

/** An authenticator as stored. */
export type TotpData = {
  /** Sealed. */
  secret: string;
  /** The last time step that was accepted; each works once (RFC 6238 section 5.2). */
  lastStep: number;
};

/** Where a secret belongs: a sealed value in another factor's row does not open. */
export const secretContext = ({ _id, accountId }: Pick<FactorRecord, '_id' | 'accountId'>): string =>
  `factor/${accountId}/${_id}/secret`;
