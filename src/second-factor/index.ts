/** The second factor as one piece: an interaction policy, its pages, and the hooks a provider needs. Our own server is its first user. */
export type { AfterPassword } from './compose.js';
export { createSecondFactor, type SecondFactor, type SecondFactorOptions } from './create.js';
export { ensureIndexes } from './indexes.js';
export { CLIENT_METADATA } from './judge.js';
export type { FirstEnrolment, PolicySettings, SecondFactorRules } from './rules.js';
export { sealedPlaces } from './sealed.js';
