// @ts-check
import { DeviceError } from './errors.js';

/** @type {Readonly<Record<import('./errors.js').DeviceErrorCode, (error: DeviceError) => string>>} */
const SENTENCES = {
  BAD_REQUEST: () => 'The server does not understand this client. Is it of the same version?',
  USE_NONCE: () => 'The server asks for a fresh signature again and again. Try again later.',
  DEVICE_REFUSED: () =>
    'This phone is no longer trusted. To set it up again, open the security page in a browser, add the app there, and use "pair" with its code.',
  NOT_FOUND: () => 'There is no such address. Is the app one of the login methods of this server?',
  REFUSED: () => 'Not possible (any more): used, expired, already answered, or not yours.',
  WRONG_NUMBER: ({ triesLeft }) =>
    triesLeft === 0
      ? 'That is not the number on the page, and this sign-in is over. Start again on the computer.'
      : `That is not the number on the page. Tries left: ${triesLeft ?? 'unknown'}.`,
  TOO_MANY: ({ retryAfterSeconds }) =>
    retryAfterSeconds === undefined ? 'Too often. Try again later.' : `Too often. Try again in ${retryAfterSeconds} s.`,
  NO_CONNECTION: () => 'The server cannot be reached. "code" works without it.',
  UNEXPECTED: ({ status }) => `The server answered in a way that is not in the protocol (${status}). Try again later.`,
  NOT_LIKE_THAT: ({ message }) => `Not like that: ${message}.`,
};

/** One sentence on why it did not work. @param {unknown} error */
export const sentenceFor = (error) =>
  error instanceof DeviceError ? SENTENCES[error.code](error) : `It did not work: ${error}`;

/**
 * What comes from elsewhere (names, browsers, applications) as ONE line of a terminal: without its control characters, which
 * could paint over what stands around them.
 *
 * @param {unknown} text
 */
export const printable = (text) => String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
