import type { Level } from './levels.js';

/** What a relying application demands. */
export interface ClientRules {
  minimumLevel: Level;
  /** Whether a remembered browser is enough; a client with a minimum of `2fa` says so only by opting in. */
  acceptRememberedBrowser: boolean;
  /** Whether sign-ins during a suspension are let in. */
  acceptSuspended: boolean;
  /** Treat voluntary `acr_values` as if they were essential. */
  acrValuesRequired: boolean;
}

/** The `acr` values of one authorization request, as levels. */
export interface RequestedAcr {
  /** One per known value, in the request's order. */
  levels: readonly Level[];
  /** Asked for with `essential: true` in the `claims` parameter (Core 5.5.1.1). */
  essential: boolean;
  /** Values that mean nothing to us were among them. */
  unknown?: boolean;
}

/** Everything `decide` looks at. Whoever calls it has read the rest. */
export interface Input {
  now: Date;
  account: { active: boolean };
  /** `browserCleared`: this browser was let into the suspension. Ended ones count as none. */
  suspension?: { until: Date; browserCleared: boolean };
  client: ClientRules;
  requested?: RequestedAcr;
  /** Account and group rule, see `accountMinimum`. */
  accountMinimum: Level;
  /** This browser is remembered for this account, and remembering is allowed. */
  rememberedBrowser: boolean;
  /** The level that each active factor gives, primary or fallback. */
  factorLevels: readonly Level[];
  /** The highest level that the methods on offer could give after enrolment. Without `webauthn` that is `2fa`, the default. */
  enrollableLevel?: Level;
  setUp: SetUp;
  /** May this browser set up the account's very first factor? */
  firstEnrolmentPermitted: boolean;
  /** What the live session has proved; undefined at a sign-in that has got as far as the right password. */
  sessionLevel?: Level;
  /** A second factor was proved in this very sign-in: asking again would be a loop. */
  provedInThisSignIn?: boolean;
}

/** The demand to set a factor up. */
export interface SetUp {
  required: boolean;
  /** Until then there is "later"; without it there is none. */
  deadline?: Date;
  /** "Later" was said today. */
  laterUntilTomorrow: boolean;
}
