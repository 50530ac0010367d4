/** The recovery desk: employees who cannot confirm ask for help, administrators lift the second step for a day or two. */
export * from './contract.js';
export { createRecoveryDesk } from './desk.js';
export { ensureIndexes, SEALED } from './documents.js';
export { deskJobs } from './jobs.js';
export type { DeskJobs } from './parts.js';
