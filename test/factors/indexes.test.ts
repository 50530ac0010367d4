import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { challengeCollection } from '../../src/factors/challenges.js';
import { ensureIndexes } from '../../src/factors/index.js';
import { factorCollection } from '../../src/factors/store.js';
import { testDatabase } from '../support/database.js';

describe('indexes of factors and challenges', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  beforeAll(async () => {
    database = await testDatabase();
    await ensureIndexes(database);
    await ensureIndexes(database);
  });
  afterAll(() => database.drop());

  const now = new Date();
  const own = { accountId: 'a', method: 'totp' };
  test.each<[string, Record<string, unknown>]>([
    ['the list of an account', { accountId: 'a', method: { $in: ['totp', 'recovery_code'] }, state: 'active' }],
    ['the active ones of a method', { ...own, state: 'active' }],
    ['the pending one', { ...own, state: 'pending', expiresAt: { $gt: now } }],
    ['one by its id', { ...own, _id: 'x', 'data.lastStep': { $lt: 5 } }],
  ])('%s', async (_name, filter) => {
    const plan = JSON.stringify(
      await factorCollection(database).find(filter).sort({ createdAt: 1 }).explain('queryPlanner'),
    );
    expect(plan).not.toContain('COLLSCAN');
    expect(plan).toMatch(/IXSCAN|IDHACK/);
  });

  test('a challenge', async () => {
    const plan = JSON.stringify(
      await challengeCollection(database)
        .find({ _id: 'x', status: 'pending', expiresAt: { $gt: now } })
        .explain('queryPlanner'),
    );
    expect(plan).not.toContain('COLLSCAN');
  });

  test('an active factor is never swept', async () => {
    const [sweep] = (await factorCollection(database).indexes()).filter(({ name }) => name === 'sweep_pending');
    expect(sweep?.partialFilterExpression).toEqual({ state: 'pending' });
  });
});
