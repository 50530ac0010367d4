/** The library face: what an existing `oidc-provider` deployment imports to get the second factor. */
export { app } from '../plugins/app/index.js';
export { recoveryCode } from '../plugins/recovery-code/index.js';
export { sms } from '../plugins/sms/index.js';
export { totp } from '../plugins/totp/index.js';
export { accountClient } from './account-pages/index.js';
export type { Account, AccountSource, Standing } from './accounts/contract.js';
export type { Notice, Notifier } from './notifications/contract.js';
export { connectDatabase, type Database } from './platform/database.js';
export { type OpenMongo, type OpenMongoOptions, openMongo } from './platform/embedded-mongodb/index.js';
export { type Resealed, reseal } from './platform/reseal.js';
export {
  type AfterPassword,
  CLIENT_METADATA,
  createSecondFactor,
  ensureIndexes,
  type PolicySettings,
  type SecondFactor,
  type SecondFactorOptions,
  sealedPlaces,
} from './second-factor/index.js';
