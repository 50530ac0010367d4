import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DeviceClient, pairingFrom, type StoredAccount } from '../../examples/device-cli/client.js';
import { pairingDigits } from '../../examples/device-cli/digest.js';
import { numberFrom } from '../../examples/device-cli/links.js';
import { oneTimeCode } from '../../examples/device-cli/one-time-code.js';
import { printable } from '../../examples/device-cli/sentences.js';
import { AccountFile } from '../../examples/device-cli/store.js';

const ISSUER = 'https://login.example.com/id';

describe('codes without a network', () => {
  // RFC 6238, appendix B.
  it.each([
    [59, '94287082', '46119246', '90693936'],
    [1111111109, '07081804', '68084774', '25091201'],
    [1111111111, '14050471', '67062674', '99943326'],
    [1234567890, '89005924', '91819424', '93441116'],
    [2000000000, '69279037', '90698825', '38618901'],
    [20000000000, '65353130', '77737706', '47863826'],
  ])('are those of RFC 6238 at %i', (seconds, sha1, sha256Code, sha512) => {
    const code = (algorithm: string, length: number): string => {
      const secret = Buffer.from('1234567890'.repeat(7).slice(0, length)).toString('base64url');
      return oneTimeCode({ secret, algorithm, digits: 8, periodSeconds: 30 }, seconds * 1000 + 999).code;
    };
    expect([code('SHA1', 20), code('SHA256', 32), code('SHA512', 64)]).toEqual([sha1, sha256Code, sha512]);
  });
});

describe('what people read and type', () => {
  it('the six digits are those of the document', () => {
    expect(pairingDigits('device-1', 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')).toBe('497566');
    const bytes = createHash('sha256').update('countersign-pairing:device-1:thumb').digest().subarray(0, 8);
    const number = bytes.reduce((sum, byte) => (sum * 256n + BigInt(byte)) % 1_000_000n, 0n);
    expect(Number(pairingDigits('device-1', 'thumb'))).toBe(Number(number));
    fc.assert(fc.property(fc.string(), fc.string(), (id, thumbprint) => /^\d{6}$/.test(pairingDigits(id, thumbprint))));
  });

  it('a pairing link says which server it is of', () => {
    const code = randomBytes(32).toString('base64url');
    expect(pairingFrom(`${ISSUER}/app/pair#${code}`)).toEqual({ issuer: ISSUER, code });
    expect(pairingFrom(`http://localhost:4000/app/pair#${code}`)).toEqual({ issuer: 'http://localhost:4000', code });
    for (const wrong of [
      `http://login.example.com/app/pair#${code}`,
      `${ISSUER}/app/pair#${code}x`,
      `${ISSUER}/app/pair?code=${code}`,
      `https://anna:secret@login.example.com/app/pair#${code}`,
      `javascript:/app/pair#${code}`,
    ]) {
      expect(() => pairingFrom(wrong)).toThrow();
    }
  });

  it('a number may be typed with spaces, or come from the code of the page', () => {
    expect(numberFrom(' 481 236', 6)).toBe('481236');
    expect(numberFrom(`${ISSUER}/app/confirm#07`, 2)).toBe('07');
    for (const wrong of ['48123', '4812367', '48123x', '', '٤٨١٢٣٦']) expect(() => numberFrom(wrong, 6)).toThrow();
  });

  it('nobody paints over the terminal with the name of a browser', () => {
    expect(printable('Firefox\u001b[2K\r\nBudapest\u202e')).toMatch(/^Firefox\ufffd\[2K\ufffd\ufffdBudapest\ufffd$/);
  });
});

describe('the file of accounts', () => {
  it('is readable by its owner alone, and keeps one entry of each account', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'device-cli-'));
    const path = join(folder, 'accounts.json');
    const file = new AccountFile(path);
    const [anna, bela] = await Promise.all([DeviceClient.create(ISSUER), DeviceClient.create(ISSUER)]);
    const kept: StoredAccount = { ...anna.toStored(), deviceId: 'device-1' };
    expect(await file.read()).toEqual([]);
    await file.put(anna.toStored());
    await file.put(bela.toStored());
    await file.put(kept);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await file.read()).toEqual([bela.toStored(), kept]);
    await file.forget(bela.toStored());
    expect(await file.read()).toEqual([kept]);
    rmSync(folder, { recursive: true });
  });
});
