import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Audit, createAuditRetention } from '../../src/audit/index.js';
import { createRetention } from '../../src/operations/index.js';
import { createLease } from '../../src/platform/lease.js';
import { systemRandom } from '../../src/platform/random.js';
import { startApp, type TestApp } from '../support/app.js';
import { FakeClock } from '../support/clock.js';

const DAY_SECONDS = 86_400;
const NOW = new Date('2026-11-01T12:00:00Z');

let app: TestApp;
let clock: FakeClock;
let audit: Audit;
beforeAll(async () => {
  clock = new FakeClock(NOW);
  app = await startApp({}, { clock });
  audit = app.app.audit;
});
afterAll(() => app.stop());

const retention = (settings = { auditDays: 400, addressDays: 90 }) =>
  createRetention({
    database: app.database,
    clock,
    random: systemRandom,
    settings,
    audit: createAuditRetention(app),
    desk: app.app.desk,
  });
const events = () =>
  app.database.collection<{ _id: string; accountId: string; origin?: { ip?: string } }>('audit_events');

/** One event so many days ago. */
async function happened(daysAgo: number, accountId = `day-${daysAgo}`): Promise<void> {
  clock.set(new Date(NOW.getTime() - daysAgo * DAY_SECONDS * 1000));
  const origin = { requestId: 'r', ip: '192.0.2.7', userAgent: 'Browser' };
  await audit.record({ type: 'authn_logout', accountId, actor: { type: 'system' }, origin });
  clock.set(NOW);
}

test('events go after 400 days, addresses after 90, and nothing a day before; later days follow', async () => {
  for (const daysAgo of [401, 399, 91, 89]) await happened(daysAgo);
  expect(await retention().sweep()).toBe(true);
  const left = await events().find().sort({ _id: 1 }).toArray();
  expect(left.map(({ accountId, origin }) => [accountId, origin?.ip])).toEqual([
    ['day-399', undefined],
    ['day-91', undefined],
    ['day-89', '192.0.2.7'],
  ]);
  expect(left[0]?.origin).toEqual({ requestId: 'r', userAgent: 'Browser' });

  clock.advance(2 * DAY_SECONDS);
  await retention().sweep();
  const later = await events().find().sort({ _id: 1 }).toArray();
  expect(later.map(({ accountId, origin }) => [accountId, origin?.ip])).toEqual([
    ['day-91', undefined],
    ['day-89', undefined],
  ]);
  clock.set(NOW);
});

test('more than a batch, along the index of the id, and each event is looked at once', async () => {
  await events().deleteMany({});
  const old = NOW.getTime() - 100 * DAY_SECONDS * 1000;
  const idOf = (n: number): string => `${(old + n).toString(16).padStart(12, '0')}${'0'.repeat(24)}`;
  await events().insertMany(
    Array.from({ length: 1_300 }, (_, n) => ({ _id: idOf(n), accountId: 'many', origin: { ip: '192.0.2.8' } })),
  );
  await app.database.collection('retention').deleteMany({});
  await retention().sweep();
  expect(await events().countDocuments({ 'origin.ip': { $exists: true } })).toBe(0);
  const { db } = app.database.connection;
  await db?.command({ profile: 2 });
  await retention().sweep();
  await db?.command({ profile: 0 });
  const seen = await db
    ?.collection('system.profile')
    .find({ ns: { $regex: /\.(audit_events|recovery_requests)$/ } })
    .toArray();
  expect(seen?.length).toBeGreaterThanOrEqual(3);
  for (const { planSummary, docsExamined } of seen ?? []) {
    expect(planSummary).not.toMatch(/COLLSCAN/);
    expect(docsExamined ?? 0).toBeLessThanOrEqual(1);
  }
  await retention({ auditDays: 99, addressDays: 90 }).sweep();
  expect(await events().countDocuments({ accountId: 'many' })).toBe(0);
});

test('addresses of old requests to the recovery desk go, too', async () => {
  const requests = app.database.collection<{ _id: string; ip?: string }>('recovery_requests');
  const old = (daysAgo: number) => ({
    _id: `request-${daysAgo}`,
    accountId: `${daysAgo}`,
    state: 'declined',
    ip: '192.0.2.9',
    createdAt: new Date(NOW.getTime() - daysAgo * DAY_SECONDS * 1000),
  });
  await requests.insertMany([old(91), old(89)]);
  await retention().sweep();
  expect((await requests.find().sort({ _id: 1 }).toArray()).map(({ ip }) => ip)).toEqual(['192.0.2.9', undefined]);
});

test('while another node is at it nothing is done', async () => {
  await happened(500);
  const lease = createLease({ database: app.database, clock, random: systemRandom }, 'retention', 60);
  await lease.hold(async () => expect(await retention().sweep()).toBe(false));
  expect(await events().countDocuments({ accountId: 'day-500' })).toBe(1);
  await retention().sweep();
  expect(await events().countDocuments({ accountId: 'day-500' })).toBe(0);
});
