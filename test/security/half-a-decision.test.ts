/** Prevents: that something is done without being written down and told, or written down without being done, when a node or its database fails in between. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import { approve, fileRequest, OLGA, ORIGIN, recoveryBrowser } from '../recovery-desk/support.js';
import { startApp, type TestApp } from '../support/app.js';
import { enrolAuthenticator, snapshot } from './support.js';

let app: TestApp;
let account: Account;
let count = 0;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());
beforeEach(async () => {
  count += 1;
  account = await app.account(`dora${count}@example.com`);
});
afterEach(async () => {
  await fail({});
  await fail({}, 'outbox');
});

/** From here on the database takes no document of this kind. */
const fail = (validator: object, collection = 'audit_events') =>
  app.database.connection.db?.command({ collMod: collection, validator });

/** All of it fails, and nothing but the reservations of the throttle has changed. */
async function failsWhole(work: () => Promise<unknown>): Promise<void> {
  const before = await snapshot(app, ['attempts']);
  await expect(work()).rejects.toThrow();
  expect(await snapshot(app, ['attempts'])).toEqual(before);
}

async function running(otherBrowsers: 'access_code' | 'password_alone' = 'access_code') {
  const started = await app.app.desk.start(account, { hours: 24, otherBrowsers }, OLGA);
  return started.suspension;
}

test('an access code lets nobody in without an event', async () => {
  const { id } = await running();
  const issued = await app.app.desk.issueAccessCode(id, OLGA);
  const code = issued.status === 'issued' ? issued.code : '';
  const { hash } = recoveryBrowser(app);
  await fail({ type: { $ne: 'access_code_used' } });
  await failsWhole(() => app.app.desk.redeemAccessCode(account, hash, code, ORIGIN));
  await fail({});
  expect(await app.app.desk.redeemAccessCode(account, hash, code, ORIGIN)).toEqual({ status: 'accepted' });
});

test('"it was not me" is done, written down and told, or can be said again', async () => {
  await running();
  await fail({ type: { $ne: 'not_me_reported' } });
  await failsWhole(() => app.app.desk.notMe(account.id, ORIGIN));
  await fail({});
  await app.app.desk.notMe(account.id, ORIGIN);
  expect((await app.app.desk.listSuspensions({ accountId: account.id, isRunning: true }, { limit: 1 })).items).toEqual(
    [],
  );
});

test('the use of a suspension is written down and told together', async () => {
  const { id } = await running('password_alone');
  await fail({ kind: { $ne: 'announcement' } }, 'outbox');
  await failsWhole(() =>
    app.app.desk.used(account.id, { id, clearedBy: 'password_alone' }, { origin: ORIGIN, sessionUid: 's' }),
  );
  await fail({}, 'outbox');
});

test.each(['suspension_started', 'factor_revoked', 'recovery_request_approved', 'recovery_request_superseded'])(
  'an approval whose %s cannot be written down is none',
  async (type) => {
    const { factorId } = await enrolAuthenticator(app, account);
    const { hash } = recoveryBrowser(app);
    await fileRequest(app, account, recoveryBrowser(app).hash);
    const request = await fileRequest(app, account, hash);
    await fail({ type: { $ne: type } });
    const decision = { outcome: 'approved', hours: 24, verifiedBy: 'in_person', revokeFactorIds: [factorId] } as const;
    await failsWhole(() => app.app.desk.decide(request.id, { ...decision, requestNumber: request.number }, OLGA));
    await fail({});
    expect((await approve(app, request)).status).toBe('decided');
  },
);
