/** Who may sign in with which password, and what stands for or against each account. */
export { type AccountStore, type Created, createAccounts, type PasswordState } from './accounts.js';
export { backfillAccounts } from './backfill.js';
export {
  type Account,
  type AccountSource,
  ROLES,
  type Role,
  type Standing,
  type StandingSuspension,
} from './contract.js';
export { createCoverage } from './coverage.js';
export {
  type AccountChanges,
  type AccountRefusal,
  type Changed,
  createDirectory,
  type Directory,
  type DirectoryEntry,
  type DirectoryFilter,
  type NamedAccount,
} from './directory.js';
export type {
  AdoptedFactor,
  FactorAdoption,
  Importer,
  ImportProblem,
  ImportRow,
  RowResult,
} from './import-contract.js';
export { type HashRefusal, refusalOfHash } from './imported-hashes/index.js';
export { createImporter, importedLogin } from './importer.js';
export { ensureIndexes, ensureLinkIndexes } from './indexes.js';
export { createInvitations, type Invitations } from './invitations.js';
export { normaliseLogin } from './login.js';
export { ACCOUNTS_ALONGSIDE } from './model.js';
export type { NewAccount } from './new-account.js';
export {
  createOneTimeLinks,
  LINK_PURPOSES,
  type LinkPurpose,
  type OneTimeLink,
  type OneTimeLinks,
} from './one-time-links.js';
export {
  checkNewPassword,
  LONGEST_PASSWORD,
  PASSWORD_PROBLEMS,
  type PasswordProblem,
  SHORTEST_ALONE,
  SHORTEST_WITH_SECOND_FACTOR,
} from './password-rules.js';
export {
  createPasswordSignIn,
  type PasswordAttempt,
  type PasswordOutcome,
  type PasswordSignIn,
} from './password-sign-in.js';
export { createPasswords, type Passwords } from './passwords.js';
export { createStandings, type Standings, type StandingsCollection } from './standings.js';
