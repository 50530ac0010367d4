/** One look at everything that an installation needs, all of it at once: what is wrong is told, nothing is changed. */
export { checkDatabase, checkSealed } from './database-checks.js';
export { checkIndexes } from './indexes-check.js';
export { checkIssuer } from './issuer-check.js';
export { checkSecrets } from './secrets-check.js';
