import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { totp } from '../../plugins/totp/index.js';
import { matchingStep, otpauthUri, readCode, toBase32 } from '../../plugins/totp/one-time-code.js';
import type { Engine, EngineAccount } from '../../src/factors/index.js';
import { factorCollection } from '../../src/factors/store.js';
import { newAccount, newSignIn, origin, type TwoNodes, twoNodes } from '../factors/two-nodes.js';
import { describeContract } from './contract-suite.js';

/** RFC 4648 base32, written here so that the test does not trust the library under test. */
function fromBase32(text: string): Buffer {
  let bits = '';
  for (const character of text)
    bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(character).toString(2).padStart(5, '0');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** RFC 4226 section 5.3 over RFC 6238 section 4.2: what an authenticator shows. */
function authenticatorShows(key: Buffer, epochSeconds: number): string {
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(epochSeconds / 30)));
  const digest = createHmac('sha1', key).update(step).digest();
  const offset = (digest.at(-1) ?? 0) & 0xf;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

const keyOf = (page: Record<string, unknown>): Buffer =>
  page.secretGroups ? fromBase32((page.secretGroups as string[]).join('')) : Buffer.alloc(20);

/** Six digits that no step near now has. */
function wrongCode(key: Buffer, epochSeconds: number): string {
  const near = [-60, -30, 0, 30, 60].map((drift) => authenticatorShows(key, epochSeconds + drift));
  return ['135790', '246801', '357912', '468023', '579134', '680245'].find((code) => !near.includes(code)) ?? '';
}
const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

describeContract({
  method: totp,
  kind: 'primary',
  enrolmentEvidence: (page, now) => ({ code: authenticatorShows(keyOf(page), seconds(now)) }),
  wrongEnrolmentEvidence: { code: '00000x' },
  evidence: (page, _entry, now) => ({ code: authenticatorShows(keyOf(page), seconds(now)) }),
  wrongEvidence: (page, now) => ({ code: wrongCode(keyOf(page), seconds(now)) }),
  field: { name: 'code', longest: 20 },
});

describe('totp: RFC 6238', () => {
  const key = Buffer.from('12345678901234567890');

  // Appendix B, SHA-1, cut to six digits.
  test.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('the vector at %i s', async (at, code) => {
    expect(authenticatorShows(key, at)).toBe(code);
    expect(await matchingStep(key, code, at)).toBe(Math.floor(at / 30));
  });

  test('one step of drift either way, no more', async () => {
    const at = 1_111_111_110;
    const step = at / 30;
    const code = authenticatorShows(key, at);
    for (const [now, expected] of [
      [at - 31, undefined],
      [at - 30, step],
      [at - 1, step],
      [at, step],
      [at + 29, step],
      [at + 59, step],
      [at + 60, undefined],
    ] as const)
      expect([now - at, await matchingStep(key, code, now)]).toEqual([now - at, expected]);
  });

  test('six digits with spaces and hyphens, nothing else', () => {
    for (const typed of [
      '123456',
      ' 123 456 ',
      '123-456',
      '1 2 3 4 5 6',
      '１２３４５６',
      '123\u2011456',
      '123\u00a0456',
    ])
      expect(readCode(typed)).toBe('123456');
    for (const typed of ['', '12345', '1234567', '12345a', '٣٤٥٦٧٨', '1e3456', '+12345', '123.456'])
      expect(readCode(typed)).toBeUndefined();
  });

  test('the URI names issuer and login, and a colon in either cannot move the border', () => {
    expect(otpauthUri('Acme: Ltd', 'a:b@example.com', key)).toBe(
      `otpauth://totp/Acme%20%20Ltd:a%20b%40example.com?secret=${toBase32(key)}&issuer=Acme%20%20Ltd`,
    );
  });
});

describe('totp: authenticators of an account', () => {
  let nodes: TwoNodes;
  let engine: Engine;
  beforeAll(async () => {
    nodes = await twoNodes([totp]);
    engine = nodes.a;
  });
  afterAll(() => nodes.stop());
  beforeEach(() => nodes.clock.advance(7200));

  async function enrol(account: EngineAccount, label?: string) {
    const page = await engine.beginEnrolment(account, 'totp', origin);
    if (!page) throw new Error('refused');
    const key = keyOf(page.locals);
    const code = authenticatorShows(key, seconds(nodes.clock.now()));
    const result = await engine.confirmEnrolment(account, 'totp', { code, ...(label ? { label } : {}) }, origin);
    return { key, result, page };
  }

  test('the page holds a key of 160 bits, grouped, and a QR code with a white quiet zone', async () => {
    const { page, key } = await enrol(newAccount());
    expect(page.view).toBe('totp/enrol');
    expect(key).toHaveLength(20);
    expect(page.locals).toMatchObject({ algorithm: 'SHA1', digits: 6, periodSeconds: 30, issuer: 'Countersign' });
    expect(page.locals.secretGroups).toHaveLength(8);
    const svg = String(page.locals.qrSvg);
    expect(svg).toMatch(/^<svg [^>]*viewBox="0 0 (\d+) \1"[^>]*><path fill="#fff" d="M0 0h\1v\1H0z"\/>/);
    expect(svg).not.toMatch(/style=|<script|onload/);
  });

  test('the key is stored sealed, and opens in no other row', async () => {
    const [anna, ben] = [newAccount(), newAccount()];
    const { key } = await enrol(anna);
    await enrol(ben);
    const factors = factorCollection(nodes.database);
    const stored = await factors.findOne({ accountId: anna.id });
    expect(JSON.stringify(stored)).not.toContain(toBase32(key));
    await factors.updateOne({ accountId: ben.id }, { $set: { 'data.secret': stored?.data.secret } });
    nodes.clock.advance(60);
    const code = authenticatorShows(key, seconds(nodes.clock.now()));
    await expect(engine.submit(newSignIn(ben), 'totp', { code })).rejects.toThrow();
  });

  test('names: given, by default, numbered, and the first free number', async () => {
    const account = newAccount();
    const labels: unknown[] = [];
    for (const label of [undefined, ' Work\u0007  phone ', undefined, '\u200b']) {
      const { result } = await enrol(account, label);
      labels.push('label' in result && result.label);
    }
    expect(labels).toEqual(['Authenticator', 'Work phone', 'Authenticator 2', 'Authenticator 3']);
    const second = (await engine.forAccount(account.id))[0]?.factors.find(({ label }) => label === 'Authenticator 2');
    expect(await engine.rename(account, String(second?.id), '  Old   tablet ', origin)).toBe('renamed');
    expect((await engine.find(account.id, String(second?.id)))?.label).toBe('Old tablet');
    expect(await engine.rename(account, String(second?.id), ' \n ', origin)).toBe('malformed');
    expect(await engine.rename(account, String(second?.id), 'x'.repeat(41), origin)).toBe('malformed');
    expect(await engine.rename(newAccount(), String(second?.id), 'Mine', origin)).toBe('not_found');
    const { result } = await enrol(account);
    expect(result).toMatchObject({ label: 'Authenticator 2' });
  });

  test('five at most, each of which signs in; the sixth is refused, also when its page was open before', async () => {
    const account = newAccount();
    const keys: Buffer[] = [];
    for (let n = 0; n < 5; n++) keys.push((await enrol(account)).key);
    expect(await engine.beginEnrolment(account, 'totp', origin)).toBeUndefined();
    for (const key of keys) {
      nodes.clock.advance(60);
      const code = authenticatorShows(key, seconds(nodes.clock.now()));
      expect(await engine.submit(newSignIn(account), 'totp', { code })).toMatchObject({ status: 'verified' });
    }
    const other = newAccount();
    for (let n = 0; n < 4; n++) await enrol(other);
    const page = await engine.beginEnrolment(other, 'totp', origin);
    const factors = factorCollection(nodes.database);
    const [active] = await factors.find({ accountId: other.id, state: 'active' }).toArray();
    if (active) await factors.insertOne({ ...active, _id: 'a fifth one' });
    const code = authenticatorShows(keyOf(page?.locals ?? {}), seconds(nodes.clock.now()));
    expect(await engine.confirmEnrolment(other, 'totp', { code }, origin)).toMatchObject({ status: 'rejected' });
  });

  test('a step once per factor: the code of set-up does not sign in, an earlier step never comes back', async () => {
    const account = newAccount();
    const { key } = await enrol(account);
    const at = seconds(nodes.clock.now());
    const submit = (code: string) => engine.submit(newSignIn(account), 'totp', { code });
    expect(await submit(authenticatorShows(key, at))).toMatchObject({ status: 'rejected', code: 'used' });
    expect(await submit(authenticatorShows(key, at + 30))).toMatchObject({ status: 'verified' });
    expect(await submit(authenticatorShows(key, at - 30))).toMatchObject({ status: 'rejected', code: 'used' });
    expect(await submit(authenticatorShows(key, at))).toMatchObject({ status: 'rejected', code: 'used' });
    nodes.clock.advance(-300);
    expect(await submit(authenticatorShows(key, at - 300))).toMatchObject({ status: 'rejected', code: 'used' });
    nodes.clock.advance(360);
    expect(await submit(authenticatorShows(key, at + 60))).toMatchObject({ status: 'verified' });
  });
});
