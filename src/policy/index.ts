/** Decides, without any I/O, what must happen next: given an account, an application, a session and the time. */
export { type AcrAliases, levelOfAcr, satisfiedAcr } from './acr.js';
export { type Action, acceptsSuspension, type Decision, decide } from './decide.js';
export type { ClientRules, Input, RequestedAcr, SetUp } from './input.js';
export { ACR, highest, isAtLeast, LEVELS, type Level, levelRank } from './levels.js';
export { type AccountRule, accountMinimum, calendarDay, needFor, type PolicyRules, setUpState } from './rules.js';
