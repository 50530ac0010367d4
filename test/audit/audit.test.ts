import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Audit, createAudit, ensureIndexes } from '../../src/audit/index.js';
import { systemRandom } from '../../src/platform/random.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

const clock = new FakeClock(new Date('2046-03-02T08:00:00Z'));
let database: Awaited<ReturnType<typeof testDatabase>>;
let audit: Audit;

beforeAll(async () => {
  database = await testDatabase();
  await ensureIndexes(database);
  audit = createAudit({ database, clock, random: systemRandom });
});
afterAll(() => database.drop());

describe('audit events', () => {
  it('are listed newest first, also within one millisecond, page by page', async () => {
    const actor = { type: 'account', id: 'anna' } as const;
    for (let n = 0; n < 5; n += 1) {
      await audit.record({ type: 'factor_verified', accountId: 'anna', actor, details: { n } });
      if (n % 2) clock.advance(1);
    }
    await audit.record({ type: 'authn_logout', accountId: 'anna', actor });
    await audit.record({ type: 'factor_verified', accountId: 'bela', actor: { type: 'system' } });

    const first = await audit.list({ accountId: 'anna', types: ['factor_verified'] }, { limit: 3 });
    expect(first.map(({ details }) => details?.n)).toEqual([4, 3, 2]);
    const rest = await audit.list(
      { accountId: 'anna', types: ['factor_verified'] },
      { limit: 3, before: first[2]?.id as string },
    );
    expect(rest.map(({ details }) => details?.n)).toEqual([1, 0]);
    const all = await audit.list({ accountId: 'anna' }, { limit: 0 });
    expect(all).toEqual([{ id: expect.any(String), at: clock.now(), type: 'authn_logout', accountId: 'anna', actor }]);
  });

  it('keep what they were given, a long header cut', async () => {
    const event = {
      type: 'authn_login_fail',
      actor: { type: 'anonymous' },
      accountId: 'cleo',
      origin: { requestId: 'r1', ip: '192.0.2.1', userAgent: 'x'.repeat(4000) },
      details: { reason: 'wrong_password' },
    } as const;
    await audit.record(event);
    const [stored] = await audit.list({ accountId: 'cleo' }, { limit: 10 });
    expect(stored).toMatchObject({ ...event, origin: { requestId: 'r1', ip: '192.0.2.1' } as never } as never);
    expect(stored?.origin?.userAgent).toHaveLength(512);
  });

  it('are found through an index', async () => {
    const plan = await database
      .collection('audit_events')
      .find({ accountId: 'anna', type: { $in: ['authn_logout'] } })
      .sort({ _id: -1 })
      .explain('queryPlanner');
    expect(JSON.stringify(plan)).not.toMatch(/COLLSCAN|"SORT"/);
  });
});
