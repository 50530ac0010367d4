import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type AccountStore,
  createAccounts,
  createPasswordSignIn,
  createPasswords,
  ensureIndexes,
  type PasswordSignIn,
} from '../../src/accounts/index.js';
import type { Audit, AuditEvent } from '../../src/audit/contract.js';
import { AppError } from '../../src/errors.js';
import { systemRandom } from '../../src/platform/random.js';
import { createSecretBox } from '../../src/platform/secret-box.js';
import { slowHash, slowVerify } from '../../src/platform/slow-hash.js';
import { createThrottle, type Throttle } from '../../src/throttle/index.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

const PASSWORD = 'a quiet morning in March';
// Far ahead, so that MongoDB's own broom, which goes by the real time, takes nothing away meanwhile.
const clock = new FakeClock(new Date('2046-03-02T08:00:00Z'));
const secretBox = createSecretBox([{ id: 'k1', key: randomBytes(32) }], randomBytes(32));
const recorded: AuditEvent[] = [];
const audit: Audit = { record: async (event) => void recorded.push(event), list: async () => [] };
const hashed: string[] = [];
const derive = {
  slowHash,
  slowVerify: (stored: string, input: string | Uint8Array) => {
    hashed.push(stored);
    return slowVerify(stored, input);
  },
};
const passwords = createPasswords({ random: systemRandom, derive });

let database: Awaited<ReturnType<typeof testDatabase>>;
let accounts: AccountStore;
let throttle: Throttle;
let signIn: PasswordSignIn;
let logins = 0;

beforeAll(async () => {
  database = await testDatabase();
  await ensureIndexes(database);
  accounts = createAccounts({ database, clock, random: systemRandom, passwords });
  throttle = createThrottle({ database, clock });
  signIn = createPasswordSignIn({ database, clock, passwords, throttle, audit, secretBox });
});
afterAll(() => database.drop());
beforeEach(() => {
  recorded.length = 0;
  hashed.length = 0;
});

const account = async (password?: string) => {
  const login = `person${logins++}`;
  const created = await accounts.create({ login, name: login, ...(password ? { password } : {}) });
  if (!created.ok) throw new Error(created.reason);
  return created.account;
};
const oldHash = () => slowHash(PASSWORD, { memoryKiB: 1024, passes: 1 });
let addresses = 0;
/** A network of its own for each test. */
const origin = () => ({ requestId: 'r', ip: `198.51.100.${addresses++ % 256}` });
const attempt = (login: string, password: string, more: { knownBrowser?: string; ip?: string } = {}) =>
  signIn.authenticate({
    login,
    password,
    origin: more.ip ? { requestId: 'r', ip: more.ip } : origin(),
    ...(more.knownBrowser ? { knownBrowser: more.knownBrowser } : {}),
  });

describe('the password step', () => {
  it('lets the right password in, whatever the spelling of the login', async () => {
    const { id, login } = await account(PASSWORD);
    expect(await attempt(` ${login.toUpperCase()} `, PASSWORD)).toMatchObject({
      status: 'ok',
      account: { id, standing: {} },
      mustChangePassword: false,
    });
    expect(recorded).toEqual([]);
    await accounts.markPasswordCompromised(id);
    expect(await attempt(login, PASSWORD)).toMatchObject({ status: 'ok', mustChangePassword: true });
  });

  it('does the same work and says the same for every cause', async () => {
    const withPassword = await account(PASSWORD);
    const without = await account();
    const deactivated = await account(PASSWORD);
    await accounts.deactivate(deactivated.id);
    const causes = [
      ['nobody at all', 'unknown_login', undefined],
      [withPassword.login, 'wrong_password', withPassword.id],
      [without.login, 'no_password', without.id],
      [deactivated.login, 'wrong_password', deactivated.id],
    ] as const;
    for (const [login, reason, accountId] of causes) {
      recorded.length = 0;
      hashed.length = 0;
      expect(await attempt(login, 'not the password')).toEqual({ status: 'wrong' });
      expect(hashed).toEqual([expect.stringMatching(/^\$argon2id\$v=19\$m=7168,t=5,p=1\$/)]);
      expect(recorded).toEqual([
        expect.objectContaining({ type: 'authn_login_fail', actor: { type: 'anonymous' }, details: { reason } }),
      ]);
      expect(recorded[0]?.accountId).toBe(accountId);
      expect(JSON.stringify(recorded)).not.toMatch(/nobody at all|not the password/);
    }
  });

  it('tells only the owner of the password that the account is deactivated', async () => {
    const { id, login } = await account(PASSWORD);
    await accounts.deactivate(id);
    expect(await attempt(login, PASSWORD)).toMatchObject({ status: 'deactivated', account: { id } });
    expect(recorded).toMatchObject([{ type: 'authn_login_fail', accountId: id, details: { reason: 'deactivated' } }]);
  });

  it('makes old hashes anew', async () => {
    const { id, login } = await account(PASSWORD);
    const stored = database.collection<{ _id: string; password: { hash: string } }>('accounts');
    await stored.updateOne({ _id: id }, { $set: { 'password.hash': await oldHash() } });
    expect(await attempt(login, PASSWORD)).toMatchObject({ status: 'ok' });
    const renewed = (await stored.findOne({ _id: id }))?.password.hash;
    expect(renewed).toMatch(/m=7168,t=5/);
    expect(await attempt(login, PASSWORD)).toMatchObject({ status: 'ok' });
    expect((await stored.findOne({ _id: id }))?.password.hash).toBe(renewed);
  });

  it('does not bring an old password back that was changed while its hash was made anew', async () => {
    const { id, login } = await account(PASSWORD);
    const stored = database.collection<{ _id: string; password: { hash: string } }>('accounts');
    await stored.updateOne({ _id: id }, { $set: { 'password.hash': await oldHash() } });
    const overtaken = {
      ...passwords,
      hash: async (password: string) => {
        await accounts.setPassword(id, 'a quiet evening in April');
        return passwords.hash(password);
      },
    };
    const slow = createPasswordSignIn({ database, clock, passwords: overtaken, throttle, audit, secretBox });
    await slow.authenticate({ login, password: PASSWORD, origin: origin() });
    expect(await attempt(login, PASSWORD)).toEqual({ status: 'wrong' });
    expect(await attempt(login, 'a quiet evening in April')).toMatchObject({ status: 'ok' });
  });
});

describe('waiting', () => {
  it.each([true, false])(
    'comes after five wrong passwords, for existing logins (%s) and others alike',
    async (exists) => {
      const login = exists ? (await account(PASSWORD)).login : `nobody${logins++}`;
      for (let n = 0; n < 5; n += 1) expect(await attempt(login, 'wrong')).toEqual({ status: 'wrong' });
      hashed.length = 0;
      for (const wait of [30, 60, 120, 300, 900, 3600]) {
        const retryAt = new Date(clock.now().getTime() + wait * 1000);
        expect(await attempt(login.toUpperCase(), PASSWORD)).toEqual({ status: 'throttled', retryAt });
        clock.advance(wait);
        expect(await attempt(login, 'wrong')).toEqual({ status: 'wrong' });
      }
      expect(hashed).toHaveLength(6);
    },
  );

  it('ends with the right password', async () => {
    const { login } = await account(PASSWORD);
    for (let n = 0; n < 5; n += 1) await attempt(login, 'wrong');
    clock.advance(30);
    expect(await attempt(login, PASSWORD)).toMatchObject({ status: 'ok' });
    for (let n = 0; n < 5; n += 1) expect(await attempt(login, 'wrong')).toEqual({ status: 'wrong' });
  });

  it('holds for guesses made at once', async () => {
    const { login } = await account(PASSWORD);
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => attempt(login, 'wrong')));
    expect(outcomes.filter(({ status }) => status === 'wrong')).toHaveLength(5);
    expect(hashed).toHaveLength(5);
  });

  it('caused by a stranger does not reach the known browser of the owner', async () => {
    const { login } = await account(PASSWORD);
    for (let n = 0; n < 5; n += 1) await attempt(login, 'wrong');
    expect(await attempt(login, PASSWORD)).toMatchObject({ status: 'throttled' });
    expect(await attempt(login, PASSWORD, { knownBrowser: 'b1' })).toMatchObject({ status: 'ok' });
    // Nor does the owner's success set the stranger free.
    expect(await attempt(login, 'wrong')).toMatchObject({ status: 'throttled' });
    for (let n = 0; n < 5; n += 1) await attempt(login, 'wrong', { knownBrowser: 'b1' });
    expect(await attempt(login, PASSWORD, { knownBrowser: 'b1' })).toMatchObject({ status: 'throttled' });
    expect(await attempt(login, PASSWORD, { knownBrowser: 'b2' })).toMatchObject({ status: 'ok' });
  });

  it('is announced once a minute, with the account and without the login', async () => {
    const { id, login } = await account(PASSWORD);
    for (let n = 0; n < 5; n += 1) await attempt(login, 'wrong');
    recorded.length = 0;
    for (let n = 0; n < 3; n += 1) await attempt(login, 'wrong');
    expect(recorded).toMatchObject([{ type: 'authn_login_fail_max', accountId: id, details: { reason: 'login' } }]);
    clock.advance(60);
    for (let n = 0; n < 3; n += 1) await attempt(login, 'wrong');
    expect(recorded.filter(({ type }) => type === 'authn_login_fail_max')).toHaveLength(2);
  });

  it('keeps no login in clear', async () => {
    await attempt('very.secret.login', 'wrong');
    expect(JSON.stringify(await database.collection('attempts').find().toArray())).not.toContain('secret.login');
  });
});

describe('one network', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7', '203.0.113.8'],
    ['::ffff:203.0.113.9', '203.0.113.9', '203.0.113.10'],
    ['2001:db8:1:2::1', '2001:DB8:1:2:ffff:0:0:9', '2001:db8:1:3::1'],
  ])('is refused after 100 failures in 15 minutes: %s and %s, not %s', async (first, same, other) => {
    const subject = first.includes('203') ? `ip:${same}` : 'ip:2001:db8:1:2::/64';
    // 99 failures of the past, then the last one through the door.
    for (let n = 0; n < 99; n += 1)
      await throttle.reserve(subject, [{ counter: 'password', limit: 100, windowSeconds: 900 }]);
    expect(await attempt(`nobody${logins++}`, 'wrong', { ip: first })).toEqual({ status: 'wrong' });
    const { login } = await account(PASSWORD);
    const retryAt = new Date(clock.now().getTime() + 900_000);
    expect(await attempt(login, PASSWORD, { ip: same })).toEqual({ status: 'throttled', retryAt });
    expect(recorded.at(-1)).toMatchObject({ type: 'authn_login_fail_max', details: { reason: 'ip' } });
    expect(await attempt(login, PASSWORD, { ip: other })).toMatchObject({ status: 'ok' });
    clock.advance(900);
    expect(await attempt(login, PASSWORD, { ip: same })).toMatchObject({ status: 'ok' });
  });

  it('does not count successes, nor tries that a login refused', async () => {
    const { login } = await account(PASSWORD);
    const ip = '203.0.113.77';
    const rule = { counter: 'password', limit: 100, windowSeconds: 900 };
    await attempt(login, PASSWORD, { ip });
    expect(await throttle.peek(`ip:${ip}`, [rule])).toEqual({ reserved: true, counts: { password: 0 } });
    for (let n = 0; n < 8; n += 1) await attempt(login, 'wrong', { ip });
    expect(await throttle.peek(`ip:${ip}`, [rule])).toEqual({ reserved: true, counts: { password: 5 } });
  });

  it('and login get their try back when no hash could be made', async () => {
    const full = {
      ...passwords,
      verify: () => Promise.reject(new AppError('OVERLOADED', 'full', { retryAfterSeconds: 2 })),
    };
    const overloaded = createPasswordSignIn({ database, clock, passwords: full, throttle, audit, secretBox });
    const { login } = await account(PASSWORD);
    for (let n = 0; n < 4; n += 1) {
      const tried = overloaded.authenticate({
        login,
        password: PASSWORD,
        origin: { requestId: 'r', ip: '203.0.113.78' },
      });
      await expect(tried).rejects.toMatchObject({ code: 'OVERLOADED' });
    }
    for (let n = 0; n < 4; n += 1) expect(await attempt(login, 'wrong')).toEqual({ status: 'wrong' });
    expect(await attempt(login, PASSWORD, { ip: '203.0.113.78' })).toMatchObject({ status: 'ok' });
  });
});
