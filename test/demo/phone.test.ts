import { describe, expect, test } from '@jest/globals';
import { codeAt, fromBase32 } from '../../src/demo/phone/one-time-code.js';
import { readKey } from '../../src/demo/phone/read-key.js';

const ascii = (length: number) => Buffer.from('1234567890'.repeat(7).slice(0, length));

/** RFC 6238, appendix B. */
const VECTORS = [
  [59, '94287082', '46119246', '90693936'],
  [1111111109, '07081804', '68084774', '25091201'],
  [1111111111, '14050471', '67062674', '99943326'],
  [1234567890, '89005924', '91819424', '93441116'],
  [2000000000, '69279037', '90698825', '38618901'],
  [20000000000, '65353130', '77737706', '47863826'],
] as const;

test.each(VECTORS)('RFC 6238 vectors at %d s', (seconds, sha1, sha256, sha512) => {
  const at = new Date(seconds * 1000);
  const code = (algorithm: 'sha1' | 'sha256' | 'sha512', length: number) =>
    codeAt({ key: ascii(length), algorithm, digits: 8, periodSeconds: 30 }, at).code;
  expect([code('sha1', 20), code('sha256', 32), code('sha512', 64)]).toEqual([sha1, sha256, sha512]);
});

test('says how long a code is shown', () => {
  const key = { key: ascii(20), algorithm: 'sha1', digits: 6, periodSeconds: 30 } as const;
  expect(codeAt(key, new Date(59_000))).toEqual({ code: '287082', secondsLeft: 1 });
  expect(codeAt(key, new Date(60_000)).secondsLeft).toBe(30);
});

describe('a pasted key', () => {
  test('is read with blanks, hyphens and in small letters', () => {
    expect(readKey(' gezd gnbv-GY3T QOJQ gezdgnbvgy3tqojq ')?.key).toEqual(ascii(20));
    expect(fromBase32('MZXW6YTBOI======')?.toString()).toBe('foobar');
  });

  test('is read from the address of a QR code, with its settings', () => {
    const uri =
      'otpauth://totp/Example%20GmbH:anna%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example%20GmbH&algorithm=SHA256&digits=8&period=60';
    expect(readKey(uri)).toEqual({
      key: ascii(20),
      algorithm: 'sha256',
      digits: 8,
      periodSeconds: 60,
      issuer: 'Example GmbH',
      account: 'anna@example.com',
    });
  });

  test.each([
    '',
    'hello world',
    'GEZDGNBV',
    '0189',
    'otpauth://hotp/x?secret=GEZDGNBVGY3TQOJQ',
    'otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&digits=99',
    'otpauth://totp/%E0%A4%A?secret=GEZDGNBVGY3TQOJQ',
    'otpauth:',
  ])('%j is none', (text) => {
    expect(readKey(text)).toBeUndefined();
  });
});
