/** What goes between the phone and the server, as docs/app-protocol.md has it. */

/** Of the QR code, or typed. */
export type PairingCode = { code: string } | { login: string; typedCode: string };

export type PairingOffer = PairingCode & {
  model: string;
  platform: 'android' | 'ios' | 'web' | 'other';
};

export interface AccountName {
  login: string;
  name: string;
}

export interface Paired {
  deviceId: string;
  state: 'pending' | 'active';
  issuerName: string;
  account: AccountName;
  offline: { secret: string; algorithm: 'SHA1' | 'SHA256' | 'SHA512'; digits: number; periodSeconds: number };
  expiresAt: string;
}

export interface DeviceState {
  deviceId: string;
  state: 'pending' | 'active';
  label: string;
  issuerName: string;
  account: AccountName;
  push: { publicKey: string | null; state: 'none' | 'working' | 'failing' };
}

/** A sign-in that waits for an answer. */
export interface Challenge {
  id: string;
  /** JSON, signed as it came. */
  details: string;
  digits: number;
  createdAt: string;
  expiresAt: string;
}

export interface ChallengeDetails {
  application?: string;
  browser?: string;
  ip?: string;
  place?: string;
  at: string;
  /** Nobody signs in: this phone is tried. */
  trial?: boolean;
}

export type Decision = 'approve' | 'not_now' | 'not_me';
export type AnswerOutcome = 'approved' | 'postponed' | 'denied';

export type RefusalCode =
  | 'BAD_REQUEST'
  | 'USE_NONCE'
  | 'DEVICE_REFUSED'
  | 'NOT_FOUND'
  | 'REFUSED'
  | 'WRONG_NUMBER'
  | 'TOO_MANY'
  /** No connection, or nobody who speaks the protocol at its other end. */
  | 'OFFLINE';

/** Why a request came to nothing. */
export class Refusal extends Error {
  constructor(
    readonly code: RefusalCode,
    readonly facts: { triesLeft?: number; retryAfterSeconds?: number } = {},
  ) {
    super(code);
  }
}
