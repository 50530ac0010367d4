/** Prevents: that what was handed out for a plain account opens set-up once it is an administrator's; and that an address is moved unseen. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ORIGIN } from '../recovery-desk/support.js';
import { ADMIN_APP, type Administrator, administrator } from '../support/administrator.js';
import { RP, startApp, type TestApp } from '../support/app.js';

let app: TestApp;
let owner: Administrator;

beforeAll(async () => {
  app = await startApp((issuer) => ({ clients: [RP, ADMIN_APP(issuer)] }));
  owner = await administrator(app, 'olga@example.com', ['owner']);
});
afterAll(() => app.stop());

test('a pass, and the set-up that one has opened, end when a role is granted', async () => {
  const account = await app.account('fred@example.com');
  const issued = await owner.post(`/accounts/${account.id}/access-passes`, {});
  expect(issued.status).toBe(201);
  expect(await app.app.desk.hasAccessPass(account.id)).toBe(true);
  expect((await owner.change('PUT', `/accounts/${account.id}/roles/helpdesk`, undefined, '*')).status).toBe(200);
  expect(await app.app.desk.hasAccessPass(account.id)).toBe(false);
  expect((await app.app.desk.redeemAccessPass(account, issued.body.pass, ORIGIN)).status).toBe('rejected');
});

test('whoever moves an address or a login is not the only one to know', async () => {
  const account = await app.account('gina@example.com', { email: 'gina@old.example' });
  const told = async () =>
    (await app.mails()).filter(({ to, subject }) => to.endsWith('.example') && subject.includes('was changed'));
  expect((await owner.change('PATCH', `/accounts/${account.id}`, { name: 'Gina G.' })).status).toBe(200);
  expect(await told()).toEqual([]);
  expect((await owner.change('PATCH', `/accounts/${account.id}`, { email: 'gina@new.example' })).status).toBe(200);
  const mails = await told();
  expect(mails.map(({ to }) => to)).toEqual(['gina@old.example']);
  expect(mails[0]?.text).toContain('/not-me/');
});
