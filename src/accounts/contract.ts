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
  /** BCP 47 language of mails. */
  locale?: string;
  /** Further standard claims of OpenID Connect Core 5.1, e.g. `given_name`, `phone_number`, `address`. */
  claims?: Record<string, unknown>;
  /** Filled by a store that keeps it beside the account; otherwise read from `account_standings`. */
  standing?: Standing;
}

/** What we keep about an account beyond its identity. Absent fields mean "nothing of the kind". */
export interface Standing {
  /** Sessions, grants and tokens that began before this instant are void ("sign out everywhere", deactivation, password change). */
  sessionsNotBefore?: Date;
  /** The one session that the call at `notBefore` left alone: it was made in it. Void once `sessionsNotBefore` has moved on. */
  keptSession?: { uid: string; notBefore: Date };
  /** Sessions ended one by one; kept for the overall session time and 24 h. */
  revokedSessions?: { uid: string; at: Date }[];
  /** The running suspension, if any (see decisions.md). */
  suspension?: { until: Date; clearedBrowsers: string[] };
  /** Demand for set-up: from when on there is no "later". */
  setUp?: { required?: boolean; deadline?: Date; laterOn?: string };
  /** Permission to set up the first factor, bound to one browser by a cookie whose hash this is. */
  firstEnrolment?: { browserHash: string; expiresAt: Date };
}

export interface AccountSource {
  find(id: string): Promise<Account | undefined>;
}
