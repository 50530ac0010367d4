import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureIndexes } from '../../src/factors/index.js';
import { createFactorStore, factorCollection } from '../../src/factors/store.js';
import { systemRandom } from '../../src/platform/random.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

describe("a plugin's door to the factors", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  const clock = new FakeClock(new Date('2046-03-02T09:00:00Z'));
  beforeAll(async () => {
    database = await testDatabase();
    await ensureIndexes(database);
  });
  afterAll(() => database.drop());

  let count = 0;
  const newAccountId = () => `account-${count++}`;
  const storeOf = (method: string) =>
    createFactorStore<{ n: number }>(method, { database, clock, random: systemRandom });
  const pending = (n: number) => ({ label: 'One', data: { n }, ttlSeconds: 60 });

  test('one pending factor at most: the running one stays, and its id is what everyone gets', async () => {
    const [store, accountId] = [storeOf('totp'), newAccountId()];
    const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => store.insertPending(accountId, pending(n))));
    expect(new Set(ids).size).toBe(1);
    expect(await factorCollection(database).countDocuments({ accountId })).toBe(1);
  });

  test('an expired one is not found, not activated, and gives way to the next', async () => {
    const [store, accountId] = [storeOf('totp'), newAccountId()];
    const id = await store.insertPending(accountId, pending(1));
    clock.advance(60);
    expect(await store.find(accountId, 'pending')).toEqual([]);
    expect(await store.activate(accountId, id)).toBe('gone');
    const next = await store.insertPending(accountId, pending(2));
    expect(next).not.toBe(id);
    expect((await store.find(accountId, 'pending')).map(({ data }) => data.n)).toEqual([2]);
  });

  test('activation happens once, and what is active does not expire', async () => {
    const [store, accountId] = [storeOf('totp'), newAccountId()];
    const id = await store.insertPending(accountId, pending(1));
    expect(await store.activate(accountId, id, { where: { 'data.n': 2 } })).toBe('gone');
    const activations = await Promise.all(Array.from({ length: 10 }, () => store.activate(accountId, id)));
    expect(activations.filter((one) => one === 'activated')).toHaveLength(1);
    const [active] = await store.find(accountId, 'active');
    expect(active).toMatchObject({ _id: id, state: 'active', activatedAt: clock.now() });
    expect(active).not.toHaveProperty('expiresAt');
  });

  test('what was pending when somebody wanted it gone stays when it is active by now', async () => {
    const [store, accountId] = [storeOf('totp'), newAccountId()];
    const id = await store.insertPending(accountId, pending(1));
    expect(await store.activate(accountId, id)).toBe('activated');
    expect(await store.remove(accountId, id, 'pending')).toBe(false);
    expect(await store.find(accountId, 'active')).toMatchObject([{ _id: id }]);
    expect(await store.remove(accountId, id)).toBe(true);
  });

  test("no way to another account's or another method's factors", async () => {
    const [store, accountId] = [storeOf('totp'), newAccountId()];
    const id = await store.insertPending(accountId, pending(1));
    for (const [foreign, owner] of [
      [storeOf('sms'), accountId],
      [store, newAccountId()],
    ] as const) {
      expect(await foreign.activate(owner, id)).toBe('gone');
      expect(await foreign.update(owner, id, {}, { $set: { 'data.n': 9 } })).toBeUndefined();
      expect(
        await foreign.update(owner, id, { _id: id, accountId, method: 'totp' }, { $set: { 'data.n': 9 } }),
      ).toBeUndefined();
      expect(await foreign.remove(owner, id)).toBe(false);
      expect(await foreign.find(owner, 'pending')).toEqual([]);
    }
    expect(await store.find(accountId, 'pending')).toMatchObject([{ data: { n: 1 } }]);
  });

  test('what a device brought along is neither replaced nor removed by the method that it belongs to', async () => {
    const [store, accountId] = [storeOf('totp'), newAccountId()];
    const companion = { _id: `of-${accountId}`, accountId, method: 'totp', state: 'active' as const };
    await factorCollection(database).insertOne({
      ...companion,
      label: 'Phone',
      companionOf: { method: 'app', id: 'phone' },
      createdAt: clock.now(),
      data: { n: 0 },
    });
    const id = await store.insertPending(accountId, pending(1));
    expect(await store.activate(accountId, id, { replaces: 'all' })).toBe('activated');
    expect(await store.remove(accountId, companion._id)).toBe(false);
    expect(await factorCollection(database).countDocuments({ accountId })).toBe(2);
  });

  test('a removal ends, however many updates of the same factor come with it', async () => {
    const store = storeOf('app');
    const removals = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const accountId = newAccountId();
        const id = await store.insertPending(accountId, pending(0));
        await store.activate(accountId, id);
        const updates = () =>
          Array.from({ length: 100 }, () => store.update(accountId, id, {}, { $inc: { 'data.n': 1 } }));
        const [isGone] = await Promise.all([store.remove(accountId, id), ...updates()]);
        return isGone && (await store.find(accountId, 'active')).length === 0;
      }),
    );
    expect(removals).toEqual([true, true, true, true, true]);
  });
});
