/** Prevents: that somebody with a password fills the administrators' mail by sending and withdrawing requests. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newRequest, ORIGIN, recoveryBrowser } from '../recovery-desk/support.js';
import { startApp, type TestApp } from '../support/app.js';
import { FakeClock } from '../support/clock.js';

const clock = new FakeClock(new Date('2026-11-23T07:55:00.400Z'));
let app: TestApp;
beforeAll(async () => {
  app = await startApp({}, { clock });
});
afterAll(() => app.stop());

test('ten requests an hour for one account, however often they are withdrawn and from however many browsers', async () => {
  const account = await app.account('fred@example.com');
  const { desk, audit } = app.app;
  const fileAndWithdraw = async (): Promise<string> => {
    const { hash } = recoveryBrowser(app);
    const filed = await desk.file(account, newRequest(hash));
    if (filed.status === 'filed') await desk.withdraw(filed.request.id, hash, ORIGIN);
    return filed.status;
  };
  for (let round = 0; round < 9; round += 1) expect(await fileAndWithdraw()).toBe('filed');
  const rush = await Promise.all(Array.from({ length: 20 }, fileAndWithdraw));
  expect(rush).toContain('full');
  expect(await fileAndWithdraw()).toBe('full');
  const told = await audit.list({ accountId: account.id, types: ['recovery_request_filed'] }, { limit: 100 });
  // Three may be written in the same moment, one in each place.
  expect(told.length).toBeLessThanOrEqual(12);

  clock.advance(3601);
  expect(await fileAndWithdraw()).toBe('filed');
});
