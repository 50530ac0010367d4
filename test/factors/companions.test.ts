import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { totp } from '../../plugins/totp/index.js';
import type { FactorMethod } from '../../src/factors/contract.js';
import { coverageOf, type Engine, type EngineAccount } from '../../src/factors/index.js';
import { factorCollection } from '../../src/factors/store.js';
import { trustedPhone } from './trusted-phone.js';
import { newAccount, newSignIn, origin, type TwoNodes, twoNodes } from './two-nodes.js';

const PHONE = 'trusted_phone';
const phoneMethod = trustedPhone as FactorMethod;
const totpMethod = totp as FactorMethod;

/** RFC 4226 section 5.3 over RFC 6238 section 4.2. */
function codeOf(secret: string, at: Date): string {
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at.getTime() / 30_000)));
  const digest = createHmac('sha1', Buffer.from(secret, 'hex')).update(step).digest();
  return String((digest.readUInt32BE((digest.at(-1) ?? 0) & 0xf) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

function base32ToHex(text: string): string {
  let bits = '';
  for (const character of text)
    bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(character).toString(2).padStart(5, '0');
  return (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2).toString(16).padStart(2, '0')).join('');
}

describe('what a device brings along for another method', () => {
  let nodes: TwoNodes;
  let engine: Engine;
  beforeAll(async () => {
    nodes = await twoNodes([phoneMethod, totpMethod]);
    engine = nodes.a;
  });
  afterAll(() => nodes.stop());
  beforeEach(() => nodes.clock.advance(7200));

  const stored = (accountId: string) => factorCollection(nodes.database).find({ accountId }).toArray();
  const pair = async (account: EngineAccount, answer: Record<string, string> = {}, on = engine) => {
    const page = await on.beginEnrolment(account, PHONE, origin);
    const result = await on.confirmEnrolment(account, PHONE, answer, origin);
    return { secret: String(page?.locals.secret), id: result.status === 'enrolled' ? result.factorId : '', result };
  };
  const addAuthenticator = async (account: EngineAccount) => {
    nodes.clock.advance(1);
    const page = await engine.beginEnrolment(account, 'totp', origin);
    if (!page) return undefined;
    const secret = base32ToHex((page.locals.secretGroups as string[]).join(''));
    await engine.confirmEnrolment(account, 'totp', { code: codeOf(secret, nodes.clock.now()) }, origin);
    return secret;
  };
  const submit = (account: EngineAccount, secret: string, on = engine) => {
    nodes.clock.advance(60);
    return on.submit(newSignIn(account), 'totp', { code: codeOf(secret, nodes.clock.now()) });
  };
  const methodsOf = (methods: readonly { id: string; factors: readonly { label: string }[] }[]) =>
    methods.map(({ id, factors }) => [id, factors.map(({ label }) => label)]);

  test('a pending device brings nothing; an activation that does not happen neither', async () => {
    const account = newAccount();
    const page = await engine.beginEnrolment(account, PHONE, origin);
    expect(await stored(account.id)).toHaveLength(1);
    expect(await submit(account, String(page?.locals.secret))).toMatchObject({ code: 'not_enrolled' });
    const { result } = await pair(account, { fails: '1' });
    expect(result.status).toBe('rejected');
    expect(await stored(account.id)).toHaveLength(1);
    expect(await engine.forSignIn(account.id)).toEqual([]);
  });

  test('from its activation on the codes of the device are taken, each once, and the secret is sealed', async () => {
    const account = newAccount();
    const { secret, id } = await pair(account);
    expect(await submit(account, secret, nodes.b)).toMatchObject({ status: 'verified', method: 'totp', level: '2fa' });
    const again = await engine.submit(newSignIn(account), 'totp', { code: codeOf(secret, nodes.clock.now()) });
    expect(again).toMatchObject({ status: 'rejected', code: 'used' });
    const companion = (await stored(account.id)).find(({ method }) => method === 'totp');
    expect(companion).toMatchObject({ state: 'active', companionOf: { method: PHONE, id } });
    const text = JSON.stringify(companion);
    for (const form of ['hex', 'base64', 'base64url'] as const)
      expect(text).not.toContain(Buffer.from(secret, 'hex').toString(form));
  });

  test('one row, two ways to sign in; levels and coverage are those of the device', async () => {
    const account = newAccount();
    const { id } = await pair(account);
    const rows = await engine.forAccount(account.id);
    expect(methodsOf(rows)).toEqual([[PHONE, ['Pixel']]]);
    expect(coverageOf(rows)).toEqual({ covered: true, level: '2fa', methods: [PHONE] });
    expect(await engine.levels(account.id)).toEqual(['2fa']);
    expect(methodsOf(await engine.forSignIn(account.id))).toEqual([
      [PHONE, ['Pixel']],
      ['totp', ['Pixel']],
    ]);
    expect((await engine.begin(newSignIn(account), 'totp'))?.view).toBe('totp/enter');
    await engine.rename(account, id, 'Work phone', origin);
    expect(methodsOf(await engine.forSignIn(account.id))).toEqual([
      [PHONE, ['Work phone']],
      ['totp', ['Work phone']],
    ]);
  });

  test('a companion alone can be neither found nor renamed nor removed', async () => {
    const account = newAccount();
    const { secret } = await pair(account);
    const companion = String((await stored(account.id)).find(({ companionOf }) => companionOf)?._id);
    expect(await engine.find(account.id, companion)).toBeUndefined();
    expect(await engine.rename(account, companion, 'Mine', origin)).toBe('not_found');
    expect(await engine.remove(account, companion, origin)).toBe('not_found');
    expect(await engine.discard(account.id, companion)).toBe(false);
    expect(await submit(account, secret)).toMatchObject({ status: 'verified' });
  });

  test.each(['remove', 'discard'] as const)('%s takes the device and its codes, and no others', async (how) => {
    const account = newAccount();
    const [first, second] = [await pair(account), await pair(account)];
    const authenticator = await addAuthenticator(account);
    if (how === 'remove') expect(await engine.remove(account, first.id, origin)).toBe('removed');
    else expect(await engine.discard(account.id, first.id)).toBe(true);
    expect(await submit(account, first.secret)).toMatchObject({ code: 'wrong' });
    expect(await submit(account, second.secret)).toMatchObject({ status: 'verified' });
    expect(await submit(account, String(authenticator))).toMatchObject({ status: 'verified' });
    await engine.remove(account, second.id, origin);
    expect((await stored(account.id)).map(({ method }) => method)).toEqual(['totp']);
  });

  test('what somebody else holds brings nothing along', async () => {
    const [anna, ben] = [newAccount(), newAccount()];
    await pair(anna, { holder: 'x' });
    const { result, secret } = await pair(ben, { holder: 'x' });
    expect(result.status).toBe('rejected');
    expect(await submit(ben, secret)).toMatchObject({ code: 'not_enrolled' });
    expect(await stored(ben.id)).toMatchObject([{ state: 'pending' }]);
  });

  test('five at most with phones: no further authenticator beside them', async () => {
    const account = newAccount();
    for (let n = 0; n < 3; n++) await pair(account);
    expect(await addAuthenticator(account)).toBeDefined();
    expect(await addAuthenticator(account)).toBeDefined();
    expect(await addAuthenticator(account)).toBeUndefined();
    expect((await stored(account.id)).filter(({ method }) => method === 'totp')).toHaveLength(5);
  });

  test('five are tried: every phone, and the authenticators used last', async () => {
    const account = newAccount();
    const authenticators: string[] = [];
    for (let n = 0; n < 5; n++) authenticators.push(String(await addAuthenticator(account)));
    const [oldest = '', second = ''] = authenticators;
    expect(await submit(account, oldest)).toMatchObject({ status: 'verified' });
    const phone = await pair(account);
    expect(await submit(account, phone.secret)).toMatchObject({ status: 'verified' });
    expect(await submit(account, oldest)).toMatchObject({ status: 'verified' });
    expect(await submit(account, second)).toMatchObject({ status: 'rejected', code: 'wrong' });
    await engine.remove(account, phone.id, origin);
    expect(await submit(account, second)).toMatchObject({ status: 'verified' });
  });

  test('codes that were switched off by failures start anew with a device that is paired', async () => {
    const account = newAccount();
    const first = await pair(account);
    for (let n = 0; n < 100; n++) {
      nodes.clock.advance(3700);
      await engine.submit(newSignIn(account), 'totp', { code: '000000' });
    }
    expect(await submit(account, first.secret)).toEqual({ status: 'throttled' });
    const second = await pair(account);
    expect(await submit(account, second.secret)).toMatchObject({ status: 'verified' });
  });
});

describe('where devices replace one another, or are not offered', () => {
  test('the new one takes the place of the old and of its codes; an authenticator stays', async () => {
    const nodes = await twoNodes([phoneMethod, totpMethod], ({ id }) => (id === PHONE ? 'replaces' : undefined));
    try {
      const account = newAccount();
      const pair = async () => {
        const page = await nodes.a.beginEnrolment(account, PHONE, origin);
        await nodes.b.confirmEnrolment(account, PHONE, {}, origin);
        return String(page?.locals.secret);
      };
      const submit = (secret: string) => {
        nodes.clock.advance(60);
        return nodes.a.submit(newSignIn(account), 'totp', { code: codeOf(secret, nodes.clock.now()) });
      };
      const old = await pair();
      const page = await nodes.a.beginEnrolment(account, 'totp', origin);
      const authenticator = base32ToHex(((page?.locals.secretGroups ?? []) as string[]).join(''));
      const code = codeOf(authenticator, nodes.clock.now());
      expect(await nodes.a.confirmEnrolment(account, 'totp', { code }, origin)).toMatchObject({ status: 'enrolled' });
      const current = await pair();
      expect(await submit(old)).toMatchObject({ code: 'wrong' });
      expect(await submit(current)).toMatchObject({ status: 'verified' });
      expect(await submit(authenticator)).toMatchObject({ status: 'verified' });
      expect(await factorCollection(nodes.database).countDocuments({ accountId: account.id })).toBe(3);
    } finally {
      await nodes.stop();
    }
  });

  test('without the other method there is nothing to bring along', async () => {
    const nodes = await twoNodes([phoneMethod]);
    try {
      const account = newAccount();
      await nodes.a.beginEnrolment(account, PHONE, origin);
      expect(await nodes.a.confirmEnrolment(account, PHONE, {}, origin)).toMatchObject({ status: 'enrolled' });
      expect(await factorCollection(nodes.database).countDocuments({ accountId: account.id })).toBe(1);
    } finally {
      await nodes.stop();
    }
  });

  test('a device that is not offered any more can be removed by nobody: its codes are not taken', async () => {
    const nodes = await twoNodes([phoneMethod, totpMethod]);
    const without = await twoNodes([totpMethod]);
    try {
      const account = newAccount();
      const page = await nodes.a.beginEnrolment(account, PHONE, origin);
      await nodes.a.confirmEnrolment(account, PHONE, {}, origin);
      const records = await factorCollection(nodes.database).find({ accountId: account.id }).toArray();
      await factorCollection(without.database).insertMany(records);
      expect(await without.a.forSignIn(account.id)).toEqual([]);
      const code = codeOf(String(page?.locals.secret), without.clock.now());
      expect(await without.a.submit(newSignIn(account), 'totp', { code })).toMatchObject({ code: 'not_enrolled' });
    } finally {
      await Promise.all([nodes.stop(), without.stop()]);
    }
  });
});
