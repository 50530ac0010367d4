/** Method `recovery_code`: ten saved codes, each of which works once, for when nothing else is at hand. */
export { recoveryCode } from './recovery-code.js';
