import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { person } from '../security/support.js';
import { startApp, type TestApp } from '../support/app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

interface Stored {
  _id: string;
  searchWords?: string[];
  coverage?: { covered: boolean; level: string; methods: string[] };
  version?: number;
}
const HELD = { keep: async () => {} };
const accounts = () => app.database.collection<Stored>('accounts');
const old = { $unset: { searchWords: '', coverage: '', coverageRevision: '', version: '' } } as const;

test('accounts of an earlier version are found and counted, by however many nodes at once', async () => {
  const covered = (await person(app, 'covered@example.com')).account.id;
  const renamed = (await app.account('renamed@example.com')).id;
  for (let n = 0; n < 230; n += 1) await app.account(`old-${n}@example.com`, { password: null });
  await accounts().updateMany({}, old);
  const gone = (await app.account('gone@example.com')).id;
  await accounts().updateOne({ _id: gone }, { ...old, $set: { deletedAt: new Date() } as object });
  await accounts().updateOne({ _id: renamed }, { $set: { searchWords: ['new'] } });

  const second = await startApp({}, { database: app.database });
  await Promise.all([app.app.fillAccounts(HELD), second.app.fillAccounts(HELD)]);
  await second.stop();

  expect(await accounts().countDocuments({ searchWords: { $exists: true }, coverage: { $exists: true } })).toBe(232);
  const found = async (_id: string) => accounts().findOne({ _id });
  expect(await found(covered)).toMatchObject({
    searchWords: expect.arrayContaining(['covered@example.com', 'covered']),
    coverage: { covered: true, level: '2fa', methods: expect.arrayContaining(['totp']) },
  });
  expect((await found(renamed))?.searchWords).toEqual(['new']);
  expect((await found(gone))?.coverage).toBeUndefined();
});

test('with nothing to do it reads along indexes, and writes nothing', async () => {
  for (const field of ['searchWords', 'coverage.level']) {
    const plan = await accounts()
      .find({ [field]: null })
      .sort({ createdAt: -1, _id: -1 })
      .explain('executionStats');
    expect(plan.executionStats.totalDocsExamined).toBeLessThanOrEqual(1);
    expect(JSON.stringify(plan.queryPlanner.winningPlan)).not.toMatch(/COLLSCAN|"SORT"/);
  }
  const before = await accounts().find().toArray();
  await app.app.fillAccounts(HELD);
  expect(await accounts().find().toArray()).toEqual(before);
});
