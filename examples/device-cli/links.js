// @ts-check
import { DeviceError } from './errors.js';

const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Without a slash at its end. A key, a name and a secret are not told to whoever listens: `http:` is for this machine alone.
 *
 * @param {string} text
 * @throws DeviceError `NOT_LIKE_THAT`
 */
export function issuerFrom(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.search || url.hash || url.username || url.password) {
    throw new DeviceError('NOT_LIKE_THAT', 'not the address of an issuer');
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOCAL.has(url.hostname))) {
    throw new DeviceError('NOT_LIKE_THAT', 'an issuer is reached by https');
  }
  return url.href.replace(/\/$/, '');
}

/**
 * What the QR code of the set-up page says: `<issuer>/app/pair#<code>`.
 *
 * @param {string} link
 * @returns {{ issuer: string, code: string }}
 * @throws DeviceError `NOT_LIKE_THAT`
 */
export function pairingFrom(link) {
  const [, issuer, code] = /^(.+)\/app\/pair#([\w-]{43})$/.exec(link.trim()) ?? [];
  if (issuer === undefined || code === undefined) throw new DeviceError('NOT_LIKE_THAT', 'not a pairing code');
  return { issuer: issuerFrom(issuer), code };
}

/**
 * The number of a sign-in, from what was typed (`481 236`) or from the page's code (`<issuer>/app/confirm#<number>`).
 *
 * @param {string} typed
 * @param {number} digits how many it has: a slip of the finger is not sent, it would cost a try
 * @throws DeviceError `NOT_LIKE_THAT`
 */
export function numberFrom(typed, digits) {
  const number = (/\/app\/confirm#(\d+)$/.exec(typed.trim())?.[1] ?? typed).replace(/\s/g, '');
  if (!/^\d+$/.test(number) || number.length !== digits) {
    throw new DeviceError('NOT_LIKE_THAT', `the number on the page has ${digits} digits`);
  }
  return number;
}
