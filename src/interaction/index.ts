/** The hosted pages of a sign-in, one file per page, and what they share. */
export { type Actor, levelOfSession, methodsOf } from './actor.js';
export { type ConsentDeps, mountConsent } from './consent.js';
export { createEnrolmentCookie, type EnrolmentCookie } from './enrolment-cookie.js';
export { createEnrolmentPage, type EnrolmentPage } from './enrolment-page.js';
export type { HostedPages } from './hosted-pages.js';
export {
  createInteractions,
  type Interactions,
  PROMPT_PATHS,
  type PromptName,
  type SignInInteraction,
} from './interaction.js';
export { createKnownBrowser, type KnownBrowser } from './known-browser.js';
export { mountRecoveryPages } from './recovery/index.js';
export { createRecoveryCookie, type RecoveryCookie } from './recovery-cookie.js';
export { mountSecondFactor } from './second-factor.js';
export { mountSetUp } from './set-up.js';
export { mountSignIn, type SignInDeps } from './sign-in.js';
export { createStartedSignIns } from './started.js';
export * from './switch-account.js';
export { mountTrial, type Trial } from './trial.js';
export { UNMET } from './unmet.js';
