/** Prevents: that a node whose clock is behind goes on letting somebody in whose suspension another node has ended. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createStandings, type Standings } from '../../src/accounts/index.js';
import type { Database } from '../../src/platform/database.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

const NOW = new Date('2046-03-02T08:00:00.300Z');
const ACCOUNT = { id: 'host-account' };

let database: Database & { drop(): Promise<void> };
let ahead: Standings;
let behind: Standings;

beforeAll(async () => {
  database = await testDatabase();
  const node = (clock: FakeClock): Standings =>
    createStandings({ database, clock, collectionName: 'account_standings' });
  ahead = node(new FakeClock(NOW));
  behind = node(new FakeClock(new Date(NOW.getTime() - 2000)));
});
afterAll(() => database.drop());

test('what was let in is void there at once, and whoever signs in there anew is not', async () => {
  const from = new Date(NOW.getTime() - 3_600_000);
  const suspension = {
    id: 's1',
    from,
    until: new Date(NOW.getTime() + 3_600_000),
    otherBrowsers: 'password_alone' as const,
    clearedBrowsers: [],
    accessCodes: [],
  };
  await database.transaction((unit) => ahead.startSuspension(ACCOUNT.id, suspension, unit));
  const letIn = { uid: 'u', startedAt: new Date(NOW.getTime() - 60_000), level: '1fa' as const };
  expect(behind.isSessionRevoked(await behind.load(ACCOUNT), letIn)).toBe(false);

  await database.transaction((unit) => ahead.endSuspension(ACCOUNT.id, 's1', unit));
  const standing = await behind.load(ACCOUNT);
  expect(behind.runningSuspension(standing)).toBeUndefined();
  expect(behind.isSessionRevoked(standing, letIn)).toBe(true);
  const anew = { ...letIn, startedAt: new Date(behind.signInTime(standing) * 1000) };
  expect(behind.isSessionRevoked(standing, anew)).toBe(false);
  expect(ahead.isSessionRevoked(standing, anew)).toBe(false);
});
