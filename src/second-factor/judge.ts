import type { Client } from 'oidc-provider';
import type { Account, Standing } from '../accounts/contract.js';
import type { RequestedAcr as AcrRequest } from '../oidc/prompts/index.js';
import {
  type AcrAliases,
  accountMinimum,
  type ClientRules,
  type Decision,
  decide,
  isAtLeast,
  type Level,
  levelOfAcr,
  type RequestedAcr,
  setUpState,
} from '../policy/index.js';
import { LEVELS } from '../policy/levels.js';
import type { SecondFactorRules } from './rules.js';

/** Our own members of a client's metadata. */
export const CLIENT_METADATA = [
  'first_party',
  'require_pkce',
  'minimum_acr',
  'accept_remembered_browser',
  'accept_suspended',
  'acr_values_required',
  'claims_in_id_token',
  'issue_refresh_token',
  'cors_origins',
  'resources',
  'api_scopes',
] as const;

const levelNamed = (name: unknown, aliases: AcrAliases): Level | undefined =>
  typeof name === 'string' ? (LEVELS.find((level) => level === name) ?? levelOfAcr(name, aliases)) : undefined;

/** What a relying application demands, read from its metadata. */
export function clientRules(client: Client, aliases: AcrAliases): ClientRules {
  const minimumLevel = levelNamed(client.minimum_acr, aliases) ?? '1fa';
  return {
    minimumLevel,
    acceptRememberedBrowser:
      (client.accept_remembered_browser as boolean | undefined) ?? !isAtLeast(minimumLevel, '2fa'),
    acceptSuspended: (client.accept_suspended as boolean | undefined) ?? true,
    acrValuesRequired: client.acr_values_required === true,
  };
}

/** The requested `acr` values as levels; undefined when none was requested. */
export function requestedLevels({ values, essential }: AcrRequest, aliases: AcrAliases): RequestedAcr | undefined {
  if (values.length === 0) return undefined;
  const levels = values.map((value) => levelOfAcr(value, aliases));
  return {
    levels: levels.filter((level) => level !== undefined),
    essential,
    unknown: levels.includes(undefined),
  };
}

export interface Facts {
  now: Date;
  account: Account;
  standing: Standing;
  client: Client;
  requested: AcrRequest;
  sessionLevel?: Level;
  provedInThisSignIn?: boolean;
  firstEnrolmentPermitted: boolean;
  /** The suspension that runs, and whether it lets this browser in. */
  suspension?: { until: Date; browserCleared: boolean };
  /** Read only when they can change the answer. */
  factorLevels(): Promise<Level[]>;
}

/** What factors can amount to, for a decision: nothing, or the highest level among them. */
const AMOUNTS: readonly Level[][] = [[], ...LEVELS.map((level) => [level])];

/**
 * Gathers the input of the decision function; the one place where requests, records and rules meet it.
 * @param isEnough the caller needs to know no more: where it holds whatever the account has set up, that is not read.
 */
export async function judge(
  facts: Facts,
  rules: SecondFactorRules,
  isEnough: (decision: Decision) => boolean = () => false,
): Promise<Decision> {
  const { now, account, standing, sessionLevel } = facts;
  const requested = requestedLevels(facts.requested, rules.acrAliases);
  const { suspension } = facts;
  const base = {
    now,
    account: { active: account.active },
    client: clientRules(facts.client, rules.acrAliases),
    accountMinimum: accountMinimum(account.groups, rules),
    rememberedBrowser: false,
    setUp: setUpState(rules, standing, account.groups, now, rules.timeZone),
    firstEnrolmentPermitted: facts.firstEnrolmentPermitted,
    ...(suspension ? { suspension } : {}),
    ...(requested ? { requested } : {}),
    ...(sessionLevel ? { sessionLevel } : {}),
    ...(facts.provedInThisSignIn ? { provedInThisSignIn: true } : {}),
  };
  const asksForMore = requested?.levels.some((level) => !isAtLeast(sessionLevel, level));
  if (sessionLevel && isAtLeast(sessionLevel, '2fa') && !asksForMore) {
    // A session that proved a factor had one: when it is enough with that one alone, the others need not be read.
    const decision = decide({ ...base, factorLevels: [sessionLevel] });
    if (decision.action === 'proceed') return decision;
  }
  const [first, ...others] = AMOUNTS.map((factorLevels) => decide({ ...base, factorLevels }));
  if (first && [first, ...others].every(isEnough)) return first;
  return decide({ ...base, factorLevels: await facts.factorLevels() });
}
