// @ts-check

/**
 * Why something did not work: the codes of the protocol, and three of the client's own. `NO_CONNECTION`: nothing came back, the
 * server may have done it or not; `UNEXPECTED`: an answer that is not in the protocol; `NOT_LIKE_THAT`: nothing was sent.
 *
 * @typedef {'BAD_REQUEST' | 'USE_NONCE' | 'DEVICE_REFUSED' | 'NOT_FOUND' | 'REFUSED' | 'WRONG_NUMBER' | 'TOO_MANY'} ProtocolCode
 * @typedef {ProtocolCode | 'NO_CONNECTION' | 'UNEXPECTED' | 'NOT_LIKE_THAT'} DeviceErrorCode
 */

/** @type {ReadonlySet<string>} */
const PROTOCOL_CODES = new Set(
  /** @type {ProtocolCode[]} */ ([
    'BAD_REQUEST',
    'USE_NONCE',
    'DEVICE_REFUSED',
    'NOT_FOUND',
    'REFUSED',
    'WRONG_NUMBER',
    'TOO_MANY',
  ]),
);

/** @param {unknown} code @returns {code is ProtocolCode} */
export const isProtocolCode = (code) => typeof code === 'string' && PROTOCOL_CODES.has(code);

export class DeviceError extends Error {
  /**
   * @param {DeviceErrorCode} code
   * @param {string} message for whoever reads a log
   * @param {{ status?: number, triesLeft?: number, retryAfterSeconds?: number, cause?: unknown }} [more]
   */
  constructor(code, message, { status, triesLeft, retryAfterSeconds, cause } = {}) {
    super(message, { cause });
    this.name = 'DeviceError';
    this.code = code;
    /** Of the answer, where there was one. */
    this.status = status;
    /** With `WRONG_NUMBER`: how often the number can be typed again. */
    this.triesLeft = triesLeft;
    /** With `TOO_MANY`. */
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
