/** Method `totp`: six digits of any standard authenticator application (RFC 6238). */
export { totp } from './totp.js';
