/** What an administrator may be, weakest first; each may do what `src/admin` says. */
export const ROLES = ['auditor', 'helpdesk', 'admin', 'owner'] as const;
export type Role = (typeof ROLES)[number];

/** What the second factor needs to know about an account, whoever keeps the accounts: our own store or a host's. */
export interface Account {
  /** Stable and opaque; the `sub` of tokens. */
  id: string;
  /** What the employee types to sign in. */
  login: string;
  name: string;
  /** Verified address on file, if any: notifications and claims. */
  email?: string;
  groups: string[];
  /** False once deactivated. */
  active: boolean;
  /** What this person may do to others' accounts; absent or empty: nothing. */
  roles?: readonly Role[];
  /** BCP 47 language of mails. */
  locale?: string;
  /** Further standard claims of OpenID Connect Core 5.1, e.g. `given_name`, `phone_number`, `address`. */
  claims?: Record<string, unknown>;
  /** Filled by a store that keeps it beside the account; otherwise read from `account_standings`. */
  standing?: Standing;
}

/** Where accounts are, when they are in the same database: whoever reads something else of one reads it in the same call. */
export interface AccountsAlongside {
  collection: string;
  toAccount(stored: object): Account;
}

/** What we keep about an account beyond its identity. Absent fields mean "nothing of the kind". */
export interface Standing {
  /** Sessions, grants and tokens that began before this instant are void ("sign out everywhere", deactivation, password change). */
  sessionsNotBefore?: Date;
  /** The one session that the call at `notBefore` left alone: it was made in it. Void once `sessionsNotBefore` has moved on. */
  keptSession?: { uid: string; notBefore: Date };
  /** Sessions ended one by one; kept for the overall session time and 24 h. */
  revokedSessions?: { uid: string; at: Date }[];
  /** The running suspension, or the last one. */
  suspension?: StandingSuspension;
  /** Suspensions before that one whose tokens may still be about. */
  pastSuspensions?: { from: Date; until: Date }[];
  /** When the last recovery request was sent: whether there can be an open one. */
  requestedAt?: Date;
  /** Demand for set-up: from when on there is no "later". */
  setUp?: { required?: boolean; deadline?: Date; laterOn?: string };
  /** Permission to set up the first factor, bound to one browser by a cookie whose hash this is. */
  firstEnrolment?: {
    browserHash: string;
    expiresAt: Date;
    /** By an access pass: also where factors are set up that this person has no more. */
    isDespiteFactors?: boolean;
  };
}

/** The second factor is lifted from `from` until `until`, or until it was ended before. */
export interface StandingSuspension {
  id: string;
  from: Date;
  until: Date;
  endedAt?: Date;
  otherBrowsers: 'access_code' | 'password_alone';
  /** Hashes of the recovery cookies of the browsers it lets in, and by what. */
  clearedBrowsers: { hash: string; by: 'request' | 'access_code' }[];
  /** Hashes of access codes. */
  accessCodes: { hash: string; usedAt: Date | null }[];
}

export interface AccountSource {
  find(id: string): Promise<Account | undefined>;
}
