import type { Input } from './input.js';
import { highest, isAtLeast, type Level, levelRank } from './levels.js';

/** The levels that one sign-in is measured against. */
export interface Need {
  /** max(client minimum, account and group rule, requested `acr`): what everybody would like. */
  wished: Level;
  /** The part of it that may not be missed: without voluntary `acr_values`. */
  binding: Level;
  /** What the account is asked for: `wished` where a factor reaches it or it binds. */
  asked: Level;
  /** The highest level that an active factor gives; `1fa` without factors. */
  reachable: Level;
  /** The request demands an `acr` above the password: it does not yield to a suspension. */
  acrBinds: boolean;
  /** The request demands values of which none is ours. */
  impossible: boolean;
}

/** What the request says about `acr`, whoever signs in. */
export function acrDemand({ client, requested }: Pick<Input, 'client' | 'requested'>) {
  // Several values are alternatives (Core 5.5.1.1): the weakest of them is enough.
  const acr = requested ? [...requested.levels].sort((a, b) => levelRank(a) - levelRank(b))[0] : undefined;
  const mandatory = requested !== undefined && (requested.essential || client.acrValuesRequired);
  return {
    acr,
    mandatory,
    acrBinds: mandatory && acr !== undefined && acr !== '1fa',
    impossible: mandatory && acr === undefined && requested.unknown === true,
  };
}

export function needOf(input: Input): Need {
  const { client, accountMinimum } = input;
  const rules = highest(client.minimumLevel, accountMinimum);
  const { acr, mandatory, acrBinds, impossible } = acrDemand(input);
  const wished = highest(rules, acr);
  const binding = mandatory ? wished : rules;
  const reachable = highest(...input.factorLevels);
  return {
    wished,
    binding,
    reachable,
    asked: isAtLeast(reachable, wished) ? wished : highest(binding, reachable),
    acrBinds,
    impossible,
  };
}
