import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type AccountStore, createAccounts, createPasswords, ensureIndexes } from '../../src/accounts/index.js';
import { systemRandom } from '../../src/platform/random.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

const clock = new FakeClock(new Date('2046-03-02T08:00:00Z'));
let database: Awaited<ReturnType<typeof testDatabase>>;
let accounts: AccountStore;

beforeAll(async () => {
  database = await testDatabase();
  await ensureIndexes(database);
  accounts = createAccounts({
    database,
    clock,
    random: systemRandom,
    passwords: createPasswords({ random: systemRandom }),
  });
});
afterAll(() => database.drop());

const created = async (login: string, password?: string) => {
  const result = await accounts.create({ login, name: 'Anna Schmidt', ...(password ? { password } : {}) });
  if (!result.ok) throw new Error(result.reason);
  return result.account;
};

describe('accounts', () => {
  it('come out plain, with a standing and without the password', async () => {
    const result = await accounts.create({
      login: ' Anna@Example.com ',
      name: 'Anna Schmidt',
      email: 'anna@example.com',
      groups: ['finance', 'finance'],
      password: 'a quiet morning in March',
      locale: 'de',
    });
    const expected = {
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      login: 'anna@example.com',
      name: 'Anna Schmidt',
      email: 'anna@example.com',
      groups: ['finance'],
      active: true,
      locale: 'de',
      standing: {},
    };
    expect(result).toEqual({ ok: true, account: expected });
    const found = await accounts.findByLogin('ＡＮＮＡ@example.COM');
    expect(found).toEqual(expected);
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
    expect(await accounts.find(found?.id ?? '')).toEqual(expected);
    const raw = await database
      .collection<{ _id: string; password: { hash: string } }>('accounts')
      .findOne({ login: 'anna@example.com' });
    expect(raw?.password.hash).toMatch(/^\$argon2id\$v=19\$m=7168,t=5,p=1\$/);
  });

  it('have one login each, also when created at once in different spellings', async () => {
    const logins = ['bela', 'BELA', ' bela', 'Ｂela', 'bela'];
    const results = await Promise.all(logins.map((login) => accounts.create({ login, name: 'Bela' })));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(results.filter((result) => !result.ok && result.reason === 'login_taken')).toHaveLength(4);
  });

  it.each([
    [{ login: '  ', name: 'X' }, 'login_unusable'],
    [{ login: 'a b', name: 'X' }, 'login_unusable'],
    [{ login: 'a\u0000', name: 'X' }, 'login_unusable'],
    [{ login: 'a\u200bb', name: 'X' }, 'login_unusable'],
    [{ login: 'x'.repeat(255), name: 'X' }, 'login_unusable'],
    [{ login: 'xy', name: ' ' }, 'name_missing'],
    [{ login: 'xy', name: 'X', email: 'no address' }, 'email_malformed'],
    [{ login: 'xy', name: 'X', email: 'a@b\r\nBcc: c@d' }, 'email_malformed'],
  ])('are refused when unusable: %j', async (account, reason) => {
    expect(await accounts.create(account)).toEqual({ ok: false, reason });
    expect(await accounts.findByLogin(account.login)).toBeUndefined();
  });

  it('tell the state of their password', async () => {
    const { id } = await created('cleo');
    expect(await accounts.passwordState(id)).toEqual({ hasPassword: false, compromised: false });
    expect(await accounts.markPasswordCompromised(id)).toBe(false);
    expect(await accounts.setPassword(id, 'a quiet morning in March')).toBe(true);
    expect(await accounts.passwordState(id)).toEqual({ hasPassword: true, compromised: false, changedAt: clock.now() });
    expect(await accounts.markPasswordCompromised(id)).toBe(true);
    expect((await accounts.passwordState(id))?.compromised).toBe(true);
    await accounts.setPassword(id, 'a quiet evening in March');
    expect((await accounts.passwordState(id))?.compromised).toBe(false);
    expect(await accounts.passwordState('nobody')).toBeUndefined();
    expect(await accounts.setPassword('nobody', 'a quiet evening in March')).toBe(false);
  });

  it('end their sessions with their activity', async () => {
    const { id } = await created('dora');
    expect(await accounts.deactivate(id)).toBe(true);
    expect(await accounts.find(id)).toMatchObject({ active: false, standing: { sessionsNotBefore: clock.now() } });
    expect(await accounts.reactivate(id)).toBe(true);
    expect(await accounts.find(id)).toMatchObject({ active: true, standing: { sessionsNotBefore: clock.now() } });
    expect(await accounts.deactivate('nobody')).toBe(false);
  });

  it('are listed page by page', async () => {
    const seen: string[] = [];
    for (let after: string | undefined; ; after = seen.at(-1)) {
      const page = await accounts.list({ limit: 2, ...(after ? { after } : {}) });
      if (page.length === 0) break;
      seen.push(...page.map(({ id }) => id));
    }
    expect(seen).toHaveLength(4);
    expect(new Set(seen).size).toBe(4);
  });

  it('are found through indexes', async () => {
    const collection = database.collection<{ _id: string }>('accounts');
    for (const [filter, sort] of [
      [{ login: 'anna@example.com' }, {}],
      [{ _id: { $gt: 'a' } }, { _id: 1 }],
      [{}, { _id: 1 }],
    ] as const) {
      const plan = await collection.find(filter).sort(sort).explain('queryPlanner');
      expect(JSON.stringify(plan)).not.toMatch(/COLLSCAN|"SORT"/);
    }
  });
});
