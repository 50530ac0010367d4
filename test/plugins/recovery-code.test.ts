import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeCode, readCode } from '../../plugins/recovery-code/codes.js';
import { recoveryCode } from '../../plugins/recovery-code/index.js';
import type { Engine, EngineAccount } from '../../src/factors/index.js';
import { factorCollection } from '../../src/factors/store.js';
import { systemRandom } from '../../src/platform/random.js';
import { secretWord } from '../factors/secret-word.js';
import { newAccount, newSignIn, origin, type TwoNodes, twoNodes } from '../factors/two-nodes.js';
import { describeContract } from './contract-suite.js';

const codesOf = (page: Record<string, unknown>): string[] => page.codes as string[];
const NEVER = '0000-0000-0000-0000';

describeContract({
  method: recoveryCode,
  kind: 'reserve',
  enrolmentEvidence: (page) => ({ code: codesOf(page)[3] ?? '' }),
  wrongEnrolmentEvidence: { code: NEVER },
  evidence: (page, _entry, _now, nth) => ({ code: codesOf(page)[nth] ?? '' }),
  wrongEvidence: () => ({ code: NEVER }),
  field: { name: 'code', longest: 64 },
});

describe('recovery codes: as written and as typed', () => {
  test('80 bits in an alphabet without look-alikes', () => {
    const random = { ...systemRandom, bytes: () => Buffer.from('0123456789abcdeffedc', 'hex') };
    expect(makeCode(random)).toBe('04HM-ASW9-NF6Y-ZZPW');
    const codes = Array.from({ length: 500 }, () => makeCode(systemRandom));
    expect(new Set(codes).size).toBe(500);
    for (const code of codes) expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(new Set(codes.join('').replaceAll('-', '')).size).toBe(32);
  });

  test('case, spaces, hyphens and look-alikes do not matter', () => {
    const code = '01HMASW9NF6YZZPW';
    for (const typed of [
      '01HM-ASW9-NF6Y-ZZPW',
      ' 01hm asw9 nf6y zzpw\n',
      'oiHM\u2013ASW9\u2011nf6y-zzpw',
      'OLhmasw9nf6yzzpw',
    ])
      expect(readCode(typed)).toBe(code);
    for (const typed of [
      '',
      '01HM-ASW9-NF6Y-ZZP',
      '01HM-ASW9-NF6Y-ZZPWA',
      'U1HM-ASW9-NF6Y-ZZPW',
      '01HM_ASW9_NF6Y_ZZPW',
    ])
      expect(readCode(typed)).toBeUndefined();
  });
});

describe('recovery codes: batches', () => {
  let nodes: TwoNodes;
  let engine: Engine;
  beforeAll(async () => {
    nodes = await twoNodes([secretWord, recoveryCode]);
    engine = nodes.a;
  });
  afterAll(() => nodes.stop());
  beforeEach(() => {
    nodes.announced.length = 0;
    nodes.clock.advance(7200);
  });

  async function withPrimary(): Promise<EngineAccount> {
    const account = newAccount();
    const page = await engine.beginEnrolment(account, 'secret_word', origin);
    await engine.confirmEnrolment(account, 'secret_word', { word: String(page?.locals.word) }, origin);
    nodes.announced.length = 0;
    return account;
  }
  async function newBatch(account: EngineAccount): Promise<string[]> {
    nodes.clock.advance(1);
    const codes = codesOf((await engine.beginEnrolment(account, 'recovery_code', origin))?.locals ?? {});
    const result = await engine.confirmEnrolment(account, 'recovery_code', { code: codes[9] ?? '' }, origin);
    expect(result).toMatchObject({ status: 'enrolled', method: 'recovery_code', amr: ['otp'] });
    return codes;
  }
  const use = (account: EngineAccount, code = '', node = engine) =>
    node.submit(newSignIn(account), 'recovery_code', { code });
  const left = async (account: EngineAccount) =>
    (await engine.forAccount(account.id))
      .find(({ id }) => id === 'recovery_code')
      ?.factors.map(({ facts }) => facts.left);

  test('only beside a primary', async () => {
    expect(await engine.beginEnrolment(newAccount(), 'recovery_code', origin)).toBeUndefined();
  });

  test('each of the ten works once, the re-entered one too; each use is announced; none left is no method', async () => {
    const account = await withPrimary();
    const codes = await newBatch(account);
    expect(nodes.announced.map(({ notice }) => notice)).toEqual(['recovery_codes_created']);
    expect(new Set(codes).size).toBe(10);
    for (const [position, code] of codes.entries()) {
      expect(await left(account)).toEqual([10 - position]);
      expect(await use(account, code.toLowerCase().replaceAll('-', ' '))).toMatchObject({
        status: 'verified',
        level: '2fa',
      });
      expect(nodes.announced.at(-1)).toMatchObject({ notice: 'recovery_code_used', params: { left: 9 - position } });
    }
    expect(await left(account)).toBeUndefined();
    expect(await engine.begin(newSignIn(account), 'recovery_code')).toBeUndefined();
  });

  test('a used code does not come back through its unused neighbours', async () => {
    const account = await withPrimary();
    const codes = await newBatch(account);
    expect(await use(account, codes[0])).toMatchObject({ status: 'verified' });
    expect(await use(account, codes[0], nodes.b)).toMatchObject({ status: 'rejected', code: 'used' });
    expect(await left(account)).toEqual([9]);
  });

  test('ten right codes at once in one sign-in complete it once', async () => {
    const account = await withPrimary();
    const codes = await newBatch(account);
    const signIn = newSignIn(account);
    const results = await Promise.all(
      codes.map((code, n) => (n % 2 ? nodes.a : nodes.b).submit(signIn, 'recovery_code', { code })),
    );
    expect(results.filter(({ status }) => status === 'verified')).toHaveLength(1);
  });

  test('a new batch kills the old at the moment it is confirmed, not before', async () => {
    const account = await withPrimary();
    const old = await newBatch(account);
    nodes.clock.advance(1);
    const page = await engine.beginEnrolment(account, 'recovery_code', origin);
    const fresh = codesOf(page?.locals ?? {});
    expect(await use(account, old[0])).toMatchObject({ status: 'verified' });
    expect(await use(account, fresh[0])).toMatchObject({ status: 'rejected' });
    await nodes.b.confirmEnrolment(account, 'recovery_code', { code: fresh[1] ?? '' }, origin);
    expect(await use(account, old[1])).toMatchObject({ status: 'rejected', code: 'wrong' });
    expect(await use(account, fresh[0])).toMatchObject({ status: 'verified' });
    expect(
      await factorCollection(nodes.database).countDocuments({ accountId: account.id, method: 'recovery_code' }),
    ).toBe(1);
  });

  test('an old batch whose removal did not come about is dead, and stays dead when the new one is removed', async () => {
    const account = await withPrimary();
    const factors = factorCollection(nodes.database);
    const old = await newBatch(account);
    const kept = await factors.findOne({ accountId: account.id, method: 'recovery_code' });
    await newBatch(account);
    if (kept) await factors.insertOne(kept);
    expect(await use(account, old[0])).toMatchObject({ status: 'rejected' });
    expect(await left(account)).toEqual([10]);
    const current = (await engine.forAccount(account.id)).find(({ id }) => id === 'recovery_code')?.factors[0];
    expect(await engine.remove(account, String(current?.id), origin)).toBe('removed');
    expect(await use(account, old[0])).toMatchObject({ status: 'rejected', code: 'not_enrolled' });
  });

  test('the codes stand nowhere in clear, and no longer at all once confirmed; a hash moved elsewhere matches nothing', async () => {
    const [account, other] = [await withPrimary(), await withPrimary()];
    const factors = factorCollection(nodes.database);
    const page = await engine.beginEnrolment(account, 'recovery_code', origin);
    const codes = codesOf(page?.locals ?? {});
    const pending = JSON.stringify(await factors.findOne({ accountId: account.id, state: 'pending' }));
    for (const code of codes) {
      expect(pending).not.toContain(code);
      expect(pending).not.toContain(code.replaceAll('-', ''));
    }
    await engine.confirmEnrolment(account, 'recovery_code', { code: codes[0] ?? '' }, origin);
    const stored = await factors.findOne({ accountId: account.id, method: 'recovery_code' });
    expect(stored?.data.plain).toBeNull();
    const hashed = stored?.data.codes as { salt: string }[];
    expect(new Set(hashed.map(({ salt }) => salt)).size).toBe(10);
    expect(Buffer.from(hashed[0]?.salt ?? '', 'base64url')).toHaveLength(16);

    await newBatch(other);
    await factors.updateOne({ accountId: other.id, method: 'recovery_code' }, { $set: { 'data.codes': hashed } });
    expect(await use(other, codes[0])).toMatchObject({ status: 'rejected', code: 'wrong' });
  });
});
