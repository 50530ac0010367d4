/** Limits on attempts, shared by all nodes: counted before the work, by one conditional update. */
export interface ThrottleRule {
  /** Name of the counter within its subject, e.g. `all` or `method:totp`: letters, digits, `:`, `_`, `-`. */
  counter: string;
  /** Attempts without a wait; the next ones wait `waitsSeconds` (the last value repeats). */
  free?: number;
  waitsSeconds?: readonly number[];
  /** Refused once this many are counted: for good, or until the window that began with the first one ends. */
  limit?: number;
  /** What one attempt counts, a whole number; 1 unless said otherwise. Refused when it would go over the limit. */
  cost?: number;
  windowSeconds?: number;
}

export type Reservation =
  | { reserved: true /** what each counter stands at now, this attempt included */; counts: Record<string, number> }
  | { reserved: false /** undefined: never (a limit without a window) */; retryAt?: Date; counter: string };

/** What one subject is counted on. */
export interface Limit {
  subject: string;
  rules: readonly ThrottleRule[];
}

/** Over several subjects; told is the first that refuses. */
export type CommonReservation = { reserved: true } | (Extract<Reservation, { reserved: false }> & { subject: string });

export interface Settlement {
  subject: string;
  /** Counters that go to zero and lose their wait. */
  reset?: readonly string[];
  /** Counters that give this one attempt back, or what it cost, and the wait that it began. */
  release?: readonly (string | { counter: string; cost: number })[];
}

export interface Throttle {
  /** Counts one attempt on every rule's counter of `subject`, all or none, in one conditional update. */
  reserve(subject: string, rules: readonly ThrottleRule[]): Promise<Reservation>;
  /**
   * Counts one attempt on every rule of every subject, all or none, in one call to the database. In their order: the first that
   * refuses leaves the later ones untouched, and what the earlier ones counted is given back.
   */
  reserveAll(limits: readonly Limit[]): Promise<CommonReservation>;
  /** After success. */
  settle(subject: string, outcome: Omit<Settlement, 'subject'>): Promise<void>;
  /** The same for several subjects, in one call to the database. */
  settleAll(settlements: readonly Settlement[]): Promise<void>;
  /** What stands in the way right now, without counting. */
  peek(subject: string, rules: readonly ThrottleRule[]): Promise<Reservation>;
}
