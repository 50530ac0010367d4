import type { AcrAliases, Level, PolicyRules } from '../policy/index.js';

/** Who may set up an account's first factor. */
export type FirstEnrolment = 'invitation' | 'access_pass' | 'confirmed_email' | 'password';

/** The operator's rules for the second factor. */
export interface SecondFactorRules extends PolicyRules {
  firstEnrolment: FirstEnrolment;
  /** IANA zone in which "later" ends at midnight. */
  timeZone: string;
  acrAliases: AcrAliases;
  /** When somebody is at the recovery desk, as the page says it. */
  usualHours?: string;
}

/** The rules as an operator writes them: groups as a list, one deadline for everyone. */
export interface PolicySettings {
  minimumLevel: Level;
  setUp: { required: boolean; deadline?: Date | undefined };
  groups: readonly {
    group: string;
    minimumLevel?: Level | undefined;
    setUp?: { required: boolean; deadline?: Date | undefined } | undefined;
  }[];
  firstEnrolment: FirstEnrolment;
  timeZone: string;
  acrAliases: AcrAliases;
}

const setUpOf = ({ required, deadline }: PolicySettings['setUp']) => ({ required, ...(deadline ? { deadline } : {}) });

export const rulesOf = (settings: PolicySettings): SecondFactorRules => ({
  everyone: { minimumLevel: settings.minimumLevel, setUp: setUpOf(settings.setUp) },
  groups: Object.fromEntries(
    settings.groups.map(({ group, minimumLevel, setUp }) => [
      group,
      { ...(minimumLevel ? { minimumLevel } : {}), ...(setUp ? { setUp: setUpOf(setUp) } : {}) },
    ]),
  ),
  firstEnrolment: settings.firstEnrolment,
  timeZone: settings.timeZone,
  acrAliases: settings.acrAliases,
});
