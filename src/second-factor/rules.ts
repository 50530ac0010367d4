import type { AcrAliases, PolicyRules } from '../policy/index.js';

/** Who may set up an account's first factor. */
export type FirstEnrolment = 'invitation' | 'access_pass' | 'confirmed_email' | 'password';

/** The operator's rules for the second factor. */
export interface SecondFactorRules extends PolicyRules {
  firstEnrolment: FirstEnrolment;
  /** IANA zone in which "later" ends at midnight. */
  timeZone: string;
  acrAliases: AcrAliases;
}
