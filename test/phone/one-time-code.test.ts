import { expect, test } from '@jest/globals';
import { codeAt, importCodeKey, secondsLeft } from '../../plugins/app/phone/web/one-time-code.js';

const ascii = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const SEED = '1234567890';

/** RFC 6238 appendix B. */
test.each([
  ['SHA1', 20, 59, '94287082'],
  ['SHA1', 20, 1_111_111_109, '07081804'],
  ['SHA1', 20, 1_111_111_111, '14050471'],
  ['SHA1', 20, 1_234_567_890, '89005924'],
  ['SHA1', 20, 2_000_000_000, '69279037'],
  ['SHA1', 20, 20_000_000_000, '65353130'],
  ['SHA256', 32, 59, '46119246'],
  ['SHA512', 64, 59, '90693936'],
] as const)('%s with %i bytes, %i seconds after 1970: %s', async (algorithm, bytes, seconds, expected) => {
  const key = await importCodeKey(ascii(SEED.repeat(7).slice(0, bytes)), algorithm);
  expect(key.extractable).toBe(false);
  expect(await codeAt({ key, digits: 8, periodSeconds: 30 }, seconds * 1000)).toBe(expected);
  expect(await codeAt({ key, digits: 6, periodSeconds: 30 }, seconds * 1000)).toBe(expected.slice(2));
});

test('a code has its whole period, and less from second to second', () => {
  const settings = { periodSeconds: 30 };
  expect([0, 999, 1000, 29_999, 30_000].map((at) => secondsLeft(settings, at))).toEqual([30, 30, 29, 1, 30]);
});
