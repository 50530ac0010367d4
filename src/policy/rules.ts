import type { Standing } from '../accounts/contract.js';
import type { ClientRules, SetUp } from './input.js';
import { highest, type Level } from './levels.js';

/** What the administrator demands of the accounts it applies to. */
export interface AccountRule {
  /** The level every application may count on for these accounts. */
  minimumLevel?: Level;
  /** Demand for set-up; without a deadline it is due at once. */
  setUp?: { required: boolean; deadline?: Date };
}

/** The rules of an installation: one for everyone, one per group. The strictest that applies wins. */
export interface PolicyRules {
  everyone?: AccountRule;
  groups?: Readonly<Record<string, AccountRule>>;
}

function applying(groups: readonly string[], rules: PolicyRules): AccountRule[] {
  const ofGroups = rules.groups ?? {};
  const named = groups.filter((group) => Object.hasOwn(ofGroups, group)).map((group) => ofGroups[group]);
  return [rules.everyone, ...named].filter((rule) => rule !== undefined);
}

/** The account and group rule of `Input.accountMinimum`. */
export const accountMinimum = (groups: readonly string[], rules: PolicyRules): Level =>
  highest(...applying(groups, rules).map(({ minimumLevel }) => minimumLevel));

/** What an application may count on for an account before any `acr` is requested. */
export const needFor = (
  client: Pick<ClientRules, 'minimumLevel'>,
  groups: readonly string[],
  rules: PolicyRules,
): Level => highest(client.minimumLevel, accountMinimum(groups, rules));

/**
 * Whether set-up is demanded of an account: by its own standing, its groups or everyone's rule; the earliest deadline counts.
 * @param timeZone IANA name; "later" holds until the calendar day changes there.
 */
export function setUpState(
  rules: PolicyRules,
  standing: Pick<Standing, 'setUp'>,
  groups: readonly string[],
  now: Date,
  timeZone: string,
): SetUp {
  const demands = [...applying(groups, rules).map(({ setUp }) => setUp), ownDemand(standing)].filter(
    (demand) => demand?.required,
  );
  const { laterOn } = standing.setUp ?? {};
  const deadlines = demands.map((demand) => demand?.deadline?.getTime());
  const earliest = deadlines.includes(undefined) ? undefined : Math.min(...(deadlines as number[]));
  return {
    required: demands.length > 0,
    // Asked last: what day it is somewhere costs more than all the rest of a decision.
    laterUntilTomorrow: laterOn !== undefined && laterOn === calendarDay(now, timeZone),
    ...(demands.length > 0 && earliest !== undefined ? { deadline: new Date(earliest) } : {}),
  };
}

/** A deadline of its own is a demand. */
function ownDemand({ setUp }: Pick<Standing, 'setUp'>): AccountRule['setUp'] {
  if (!setUp) return undefined;
  const required = setUp.required ?? setUp.deadline !== undefined;
  return { required, ...(setUp.deadline ? { deadline: setUp.deadline } : {}) };
}

/** Making one costs more than all that is asked of it; there are as many as zones in the configuration. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterFor(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  formatters.set(timeZone, made);
  return made;
}

/** `YYYY-MM-DD` in an IANA time zone. @throws RangeError when the zone is unknown. */
export function calendarDay(at: Date, timeZone: string): string {
  const parts = formatterFor(timeZone).formatToParts(at);
  const part = (wanted: Intl.DateTimeFormatPartTypes) => parts.find(({ type }) => type === wanted)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}
