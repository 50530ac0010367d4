import type { IDToken, UserInfoResponse } from 'openid-client';

/** A sign-in that has left for the issuer and is not back yet. */
export interface Departure {
  verifier: string;
  nonce: string;
  maxAge?: number;
}

export interface RefreshRecord {
  at: Date;
  purpose: string;
  before: string;
  after: string;
}

/** What the application knows once somebody is signed in. */
export interface SignedIn {
  idToken: string;
  claims: IDToken;
  /** A JWT for the API. */
  accessToken: string;
  refreshToken?: string;
  refreshes: RefreshRecord[];
  userinfo?: UserInfoResponse;
  apiAnswer?: ApiAnswer;
}

export interface ApiAnswer {
  status: number;
  challenge?: string;
  body: string;
}

export interface Television {
  userCode: string;
  verificationUri: string;
  verificationUriComplete?: string;
  expiresAt: Date;
  state: 'waiting' | 'connected' | 'failed';
  claims?: IDToken;
  error?: string;
  stop(): void;
}

/** One browser's state in the demonstration. */
export interface DemoSession {
  /** By `state`, oldest first. */
  departures: Map<string, Departure>;
  signedIn?: SignedIn;
  television?: Television;
}

export const emptySession = (): DemoSession => ({ departures: new Map() });
