/** Prevents: that an account that was deactivated or deleted keeps a session, a pass or a login method because a node died halfway, or that it is done without being written down. */
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { OLGA } from '../recovery-desk/support.js';
import { ADMIN_APP, type Administrator, administrator, asAdministrator } from '../support/administrator.js';
import { RP, startApp, type TestApp } from '../support/app.js';
import { FakeClock } from '../support/clock.js';
import { person } from './support.js';

const clock = new FakeClock();
let app: TestApp;
let admin: Administrator;

beforeAll(async () => {
  app = await startApp((issuer) => ({ clients: [RP, ADMIN_APP(issuer)] }), { clock });
  admin = await administrator(app, 'admin@example.com', ['admin']);
});
afterAll(() => app.stop());
afterEach(async () => {
  jest.restoreAllMocks();
  await fail({});
});

/** From here on the database takes no event of this kind. */
const fail = (validator: object) => app.database.connection.db?.command({ collMod: 'audit_events', validator });

const employee = async (login: string) => asAdministrator(app, await person(app, login, () => clock.now()));

const events = async (accountId: string, type: string): Promise<number> =>
  (await app.app.audit.list({ accountId }, { limit: 99 })).filter((event) => event.type === type).length;

const logouts = (accountId: string) =>
  app.database.collection('outbox').countDocuments({ accountId, kind: 'backchannel_logout' });

const closings = (accountId: string, status: string) =>
  app.database.collection('outbox').countDocuments({ accountId, kind: 'account_closed', status });

/** Nothing after the commit is done by this node. */
function dieAfterCommit(): void {
  jest.spyOn(app.app.sessions, 'endLeft').mockRejectedValueOnce(new Error('killed'));
}

test.each(['deactivate', 'delete'])('what the node left of a %s the outbox finishes, once', async (what) => {
  const leaver = await employee(`${what}@example.com`);
  const { id } = leaver.account;
  await app.app.desk.issueAccessPass(leaver.account, 3600, OLGA);
  dieAfterCommit();
  const leave = () => (what === 'delete' ? admin.change('DELETE', `/accounts/${id}`, undefined, '*') : deactivate(id));
  await expect(leave()).rejects.toThrow('500');

  expect(await app.app.sessions.list(id)).toHaveLength(1);
  expect(await leaver.rp.silent(leaver.browser)).toBe('login_required');
  expect((await app.app.desk.listAccessPasses(id, { limit: 1 })).items[0]?.revokedAt).toBeDefined();
  expect(await closings(id, 'due')).toBe(1);

  clock.advance(30);
  await app.app.outbox.kick();
  expect(await closings(id, 'sent')).toBe(1);
  expect(await app.app.sessions.list(id)).toEqual([]);
  const factors = (await app.app.engine.forAccount(id)).flatMap((method) => method.factors);
  expect(factors.length > 0).toBe(what === 'deactivate');
  expect([await events(id, 'sessions_ended'), await logouts(id)]).toEqual([1, 1]);
  expect(await events(id, what === 'delete' ? 'user_deleted' : 'user_deactivated')).toBe(1);
});

const deactivate = (id: string) => admin.post(`/accounts/${id}/deactivate`);

test('what was done at once is not done again, and a sign-in after the account is active again stays', async () => {
  const leaver = await employee('returns@example.com');
  const { id } = leaver.account;
  expect((await deactivate(id)).status).toBe(200);
  expect([await events(id, 'sessions_ended'), await logouts(id)]).toEqual([1, 1]);
  expect((await admin.post(`/accounts/${id}/reactivate`)).status).toBe(200);
  clock.advance(2);
  const back = await asAdministrator(app, leaver);
  clock.advance(30);
  await app.app.outbox.kick();
  expect(await closings(id, 'sent')).toBe(1);
  expect([await events(id, 'sessions_ended'), await logouts(id)]).toEqual([1, 1]);
  expect(await back.rp.silent(back.browser)).not.toBe('login_required');
});

test.each(['user_deactivated', 'access_pass_revoked'])('without its %s there is no deactivation', async (type) => {
  const account = await app.account(`${type}@example.com`);
  await app.app.desk.issueAccessPass(account, 3600, OLGA);
  await fail({ type: { $ne: type } });
  await expect(deactivate(account.id)).rejects.toThrow('500');
  await fail({});
  expect((await app.app.accounts.find(account.id))?.active).toBe(true);
  expect(await closings(account.id, 'due')).toBe(0);
  expect((await deactivate(account.id)).status).toBe(200);
});

test('no account is made without its event', async () => {
  await fail({ type: { $ne: 'user_created' } });
  await expect(admin.post('/accounts', { login: 'half@example.com', name: 'Half' })).rejects.toThrow('500');
  expect(await app.app.accounts.findByLogin('half@example.com')).toBeUndefined();
  await fail({});
  expect((await admin.post('/accounts', { login: 'half@example.com', name: 'Half' })).status).toBe(201);
});
