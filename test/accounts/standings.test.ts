import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAccounts, createPasswords, createStandings, ensureIndexes } from '../../src/accounts/index.js';
import { systemRandom } from '../../src/platform/random.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

const clock = new FakeClock(new Date('2046-03-02T08:00:00Z'));
let database: Awaited<ReturnType<typeof testDatabase>>;
beforeAll(async () => {
  database = await testDatabase();
  await ensureIndexes(database);
});
afterAll(() => database.drop());

const later = (seconds: number) => new Date(clock.now().getTime() + seconds * 1000);

describe.each(['accounts', 'account_standings'] as const)('standings in %s', (collectionName) => {
  const subject = async (login: string): Promise<string> => {
    if (collectionName === 'account_standings') return `host-${login}`;
    const passwords = createPasswords({ random: systemRandom });
    const created = await createAccounts({ database, clock, random: systemRandom, passwords }).create({
      login,
      name: login,
    });
    return created.ok ? created.account.id : '';
  };
  const standings = () => createStandings({ database, clock, collectionName });

  it('start empty', async () => {
    const id = await subject('a');
    expect(await standings().load({ id })).toEqual({});
    expect(await standings().load({ id, standing: { setUp: { required: true } } })).toEqual({
      setUp: { required: true },
    });
  });

  it('end sessions, never earlier than said before', async () => {
    const id = await subject('b');
    const { endSessionsBefore, load, isSessionRevoked } = standings();
    expect(await endSessionsBefore(id, later(0))).toBe(true);
    await endSessionsBefore(id, later(-60));
    const standing = await load({ id });
    expect(standing.sessionsNotBefore).toEqual(later(0));
    expect(isSessionRevoked(standing, { uid: 'x', startedAt: later(-1) })).toBe(true);
    expect(isSessionRevoked(standing, { uid: 'x', startedAt: later(0) })).toBe(false);
    expect(isSessionRevoked({}, { uid: 'x', startedAt: new Date(0) })).toBe(false);
  });

  it('keep the one session that ended the others, until the next call', async () => {
    const id = await subject('f');
    const { endSessionsBefore, load, isSessionRevoked } = standings();
    const startedAt = later(-10);
    await endSessionsBefore(id, later(0), 'own');
    const standing = await load({ id });
    expect(isSessionRevoked(standing, { uid: 'own', startedAt })).toBe(false);
    expect(isSessionRevoked(standing, { uid: 'other', startedAt })).toBe(true);
    await endSessionsBefore(id, later(1));
    expect(isSessionRevoked(await load({ id }), { uid: 'own', startedAt })).toBe(true);
  });

  it('revoke single sessions at once, all of them, and forget them when no session can be left', async () => {
    const id = await subject('c');
    const { revokeSession, load, isSessionRevoked } = standings();
    await Promise.all(['one', 'two', '$three', 'one'].map((uid) => revokeSession(id, uid)));
    const standing = await load({ id });
    expect(standing.revokedSessions?.map(({ uid }) => uid).sort()).toEqual(['$three', 'one', 'two']);
    expect(isSessionRevoked(standing, { uid: '$three', startedAt: clock.now() })).toBe(true);
    expect(isSessionRevoked(standing, { uid: 'four', startedAt: clock.now() })).toBe(false);
    clock.advance(2 * 86_400 + 1);
    await revokeSession(id, 'four');
    expect((await load({ id })).revokedSessions).toEqual([{ uid: 'four', at: clock.now() }]);
  });

  it('keep "later" and the permission of the first enrolment', async () => {
    const id = await subject('d');
    const { postponeSetUp, allowFirstEnrolment, clearFirstEnrolment, isFirstEnrolmentAllowed, load } = standings();
    await postponeSetUp(id, '2026-03-02');
    await allowFirstEnrolment(id, 'browser', later(60));
    const standing = await load({ id });
    expect(standing).toEqual({
      setUp: { laterOn: '2026-03-02' },
      firstEnrolment: { browserHash: 'browser', expiresAt: later(60) },
    });
    expect(isFirstEnrolmentAllowed(standing, 'browser')).toBe(true);
    expect(isFirstEnrolmentAllowed(standing, 'another')).toBe(false);
    expect(isFirstEnrolmentAllowed({}, 'browser')).toBe(false);
    clock.advance(60);
    expect(isFirstEnrolmentAllowed(standing, 'browser')).toBe(false);
    expect(await clearFirstEnrolment(id)).toBe(true);
    expect(await load({ id })).toEqual({ setUp: { laterOn: '2026-03-02' } });
  });

  it('come with the account, read once', async () => {
    if (collectionName !== 'accounts') return;
    const id = await subject('e');
    await standings().postponeSetUp(id, '2026-03-02');
    const passwords = createPasswords({ random: systemRandom });
    const found = await createAccounts({ database, clock, random: systemRandom, passwords }).find(id);
    expect(found?.standing).toEqual({ setUp: { laterOn: '2026-03-02' } });
  });
});

it('nothing is noted about an account of ours that does not exist, but about a host account it is', async () => {
  expect(await createStandings({ database, clock, collectionName: 'accounts' }).revokeSession('nobody', 'x')).toBe(
    false,
  );
  expect(await database.collection<{ _id: string }>('accounts').findOne({ _id: 'nobody' })).toBeNull();
  expect(
    await createStandings({ database, clock, collectionName: 'account_standings' }).revokeSession('new', 'x'),
  ).toBe(true);
});
