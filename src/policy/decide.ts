import type { Input } from './input.js';
import { highest, isAtLeast, type Level } from './levels.js';
import { acrDemand, type Need, needOf } from './need.js';

export type Action =
  /** The account may not be used: a page, then `access_denied`. */
  | 'deny'
  | 'second_factor'
  /** The same page with "Access code" as a further way: a suspension runs, but not for this browser. */
  | 'second_factor_with_access_code'
  /** Set-up without "later". */
  | 'set_up'
  /** Set-up is due, but this browser has only the password: explain how to get an invitation. */
  | 'set_up_not_permitted'
  /** Set-up with "later", which goes on at `level`. */
  | 'offer_set_up'
  /** Go on at `level`. */
  | 'proceed'
  /** `unmet_authentication_requirements`. */
  | 'unmet';

export interface Decision {
  /** The row of the table that matched; `session` when a live session is enough as it is. */
  row: 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'session';
  action: Action;
  /** The level to go on with, for `proceed` and for "later" of `offer_set_up`. */
  level?: Level;
  /** What is asked of this account here; `proceed` can be below it only by suspension, remembered browser or a voluntary `acr`. */
  need: Level;
  /** For `second_factor`: methods below this level would not do. */
  factorLevel?: Level;
  /** For `set_up` and `second_factor`: a factor of this level must be enrolled, now or right after. */
  enrolLevel?: Level;
}

/**
 * What happens after the right password, and whether a live session is enough. Pure.
 * Rows a to h are tried in order; the first that matches decides.
 */
export function decide(input: Input): Decision {
  const need = needOf(input);
  if (!input.account.active) return { row: 'a', action: 'deny', need: need.asked };
  if (input.suspension && input.now < input.suspension.until) {
    return input.suspension.browserCleared ? suspendedAndCleared(input, need) : suspended(input, need);
  }
  return unsuspended(input, need);
}

function suspendedAndCleared(input: Input, need: Need): Decision {
  if (!acceptsSuspension(input)) return secondFactorDespiteSuspension(input, need, 'b');
  const { sessionLevel } = input;
  if (sessionLevel) return { row: 'b', action: 'proceed', level: sessionLevel, need: need.asked };
  return { row: 'b', action: 'offer_set_up', level: '1fa', need: need.asked };
}

function suspended(input: Input, need: Need): Decision {
  // An access code would lead to a sign-in that this application refuses.
  if (!acceptsSuspension(input)) return secondFactorDespiteSuspension(input, need, 'c');
  if (isSessionEnough(input, need)) return sessionGoesOn(input, need);
  return { row: 'c', action: 'second_factor_with_access_code', need: need.asked, factorLevel: factorLevel(need) };
}

/** Whether a suspension would let anybody in here: not where the application, or this request of it, insists on more. */
export function acceptsSuspension(input: Pick<Input, 'client' | 'requested'>): boolean {
  const { acrBinds, impossible } = acrDemand(input);
  return input.client.acceptSuspended && !acrBinds && !impossible;
}

function secondFactorDespiteSuspension(input: Input, need: Need, row: 'b' | 'c'): Decision {
  if (isSessionEnough(input, need)) return sessionGoesOn(input, need);
  if (input.factorLevels.length === 0) return { row, action: 'unmet', need: need.asked };
  return secondFactor(input, need, row);
}

function unsuspended(input: Input, need: Need): Decision {
  if (isSessionEnough(input, need)) return sessionGoesOn(input, need);
  if (isRememberedBrowserEnough(input, need)) {
    return { row: 'd', action: 'proceed', level: '2fa-remembered', need: need.asked };
  }
  if (input.factorLevels.length > 0) return secondFactor(input, need, 'e');
  return withoutFactor(input, need);
}

/** It stands in for the factor it remembers: not for none, not for a key, not where the request says how (SP 800-63B-4). */
const isRememberedBrowserEnough = (input: Input, need: Need): boolean =>
  input.rememberedBrowser &&
  input.sessionLevel === undefined &&
  input.requested === undefined &&
  input.client.acceptRememberedBrowser &&
  input.factorLevels.length > 0 &&
  need.asked !== 'phr';

function secondFactor(input: Input, need: Need, row: 'b' | 'c' | 'e'): Decision {
  if (need.impossible) return { row, action: 'unmet', need: need.asked };
  if (!isAtLeast(need.reachable, need.binding)) return raiseByEnrolment(input, need, row);
  if (input.provedInThisSignIn && input.sessionLevel && isAtLeast(input.sessionLevel, '2fa')) {
    // A weaker factor than asked for was chosen. Voluntary: the tokens say so. Binding: that was the one try.
    return isAtLeast(input.sessionLevel, need.binding)
      ? sessionGoesOn(input, need)
      : { row, action: 'unmet', need: need.asked };
  }
  return { row, action: 'second_factor', need: need.asked, factorLevel: factorLevel(need) };
}

/** No factor of the account is strong enough: what it has first, so that a password alone never enrols a key. */
function raiseByEnrolment(input: Input, need: Need, row: 'b' | 'c' | 'e'): Decision {
  if (!isAtLeast(input.enrollableLevel ?? '2fa', need.binding)) return { row, action: 'unmet', need: need.asked };
  const raised = { row, need: need.asked, enrolLevel: need.binding } as const;
  return isAtLeast(input.sessionLevel, '2fa')
    ? { ...raised, action: 'set_up' }
    : { ...raised, action: 'second_factor', factorLevel: '2fa' };
}

function withoutFactor(input: Input, need: Need): Decision {
  const { setUp } = input;
  if (need.impossible) return { row: 'f', action: 'unmet', need: need.asked };
  const isDue = setUp.required && (setUp.deadline === undefined || input.now >= setUp.deadline);
  if (need.binding !== '1fa' || isDue) {
    const enrolLevel = highest(need.binding, '2fa');
    if (!isAtLeast(input.enrollableLevel ?? '2fa', enrolLevel)) return { row: 'f', action: 'unmet', need: need.asked };
    if (!input.firstEnrolmentPermitted) return { row: 'f', action: 'set_up_not_permitted', need: need.asked };
    return { row: 'f', action: 'set_up', need: need.asked, enrolLevel };
  }
  const level = input.sessionLevel ?? '1fa';
  if (!setUp.required) return { row: 'h', action: 'proceed', level, need: need.asked };
  const isSilent = setUp.laterUntilTomorrow || !input.firstEnrolmentPermitted || input.sessionLevel !== undefined;
  return { row: 'g', action: isSilent ? 'proceed' : 'offer_set_up', level, need: need.asked };
}

/** Where a key is asked for, weaker methods would only lead back here; else every second factor does. */
const factorLevel = (need: Need): Level => (need.binding === 'phr' && need.reachable === 'phr' ? 'phr' : '2fa');

function isSessionEnough(input: Input, need: Need): boolean {
  const { sessionLevel, client } = input;
  if (!sessionLevel || need.impossible) return false;
  if (input.suspension && input.now < input.suspension.until) {
    return isAtLeast(sessionLevel, '2fa') && isAtLeast(sessionLevel, need.asked);
  }
  if (sessionLevel === '1fa') return false;
  if (sessionLevel === '2fa-remembered' && input.factorLevels.length > 0) {
    if (!client.acceptRememberedBrowser) return false;
    if (!input.requested && need.asked !== 'phr') return true;
  }
  return isAtLeast(sessionLevel, need.asked);
}

const sessionGoesOn = (input: Input, need: Need): Decision => ({
  row: 'session',
  action: 'proceed',
  level: input.sessionLevel as Level,
  need: need.asked,
});
