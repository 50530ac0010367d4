/** Method `sms`: six digits by text message, with what they cost and who abuses them under control. */
export { sms } from './sms.js';
