/** The library face: what an existing `oidc-provider` deployment imports to get the second factor. */
export { recoveryCode } from '../plugins/recovery-code/index.js';
export { totp } from '../plugins/totp/index.js';
export type { Account, AccountSource, Standing } from './accounts/contract.js';
export {
  type AfterPassword,
  createSecondFactor,
  type SecondFactor,
  type SecondFactorOptions,
} from './second-factor/index.js';
