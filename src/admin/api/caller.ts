import type { Account, Role } from '../../accounts/contract.js';
import type { Level } from '../../policy/levels.js';
import type { Scope } from '../rights.js';

interface Common {
  /** The application that presents the token. */
  clientId: string;
  /** How the token is presented: challenges name the same scheme. */
  scheme: 'Bearer' | 'DPoP';
  /** What the token allows, cut down to what the roles of today, or the registration, allow. */
  scopes: ReadonlySet<Scope>;
}

/** An administrator, by an application. */
export interface Person extends Common {
  kind: 'account';
  account: Account;
  roles: readonly Role[];
  level: Level | undefined;
  authenticatedAt: Date;
  sessionUid: string;
}

/** An application on its own behalf: a token of the client credentials grant. */
export interface Script extends Common {
  kind: 'client';
}

export type Caller = Person | Script;

/** Under which name requests of a caller are counted, and Idempotency-Keys kept. */
export const callerKey = (caller: Caller): string =>
  caller.kind === 'account' ? `account:${caller.account.id}` : `client:${caller.clientId}`;
