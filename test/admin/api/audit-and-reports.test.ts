import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ADMIN_APP, type Administrator, administrator } from '../../support/administrator.js';
import { RP, startApp, type TestApp } from '../../support/app.js';

let app: TestApp;
let auditor: Administrator;
let owner: Administrator;
beforeAll(async () => {
  app = await startApp((issuer) => ({ clients: [RP, ADMIN_APP(issuer)] }));
  auditor = await administrator(app, 'auditor@example.com', ['auditor']);
  owner = await administrator(app, 'owner@example.com', ['owner']);
});
afterAll(() => app.stop());

describe('the audit', () => {
  test('is filtered by what happened, who did it, to whom, and when', async () => {
    const { id } = await app.account('target@example.com');
    const before = new Date().toISOString();
    await owner.change('PUT', `/accounts/${id}/roles/auditor`);
    const after = new Date(Date.now() + 5).toISOString();
    const [event] = (await auditor.get(`/audit-events?target=${id}&type=role_granted`)).body.items;
    expect(event).toMatchObject({
      type: 'role_granted',
      actor: { type: 'account', id: owner.account.id },
      accountId: id,
    });
    const find = async (query: string) =>
      (await auditor.get(`/audit-events?${query}`)).body.items.some((item: { id: string }) => item.id === event.id);
    expect(await find(`actor=${owner.account.id}`)).toBe(true);
    expect(await find(`actor=${auditor.account.id}`)).toBe(false);
    expect(await find(`since=${before}&until=${after}`)).toBe(true);
    expect(await find(`until=${before}`)).toBe(false);
    expect((await auditor.get('/audit-events?since=yesterday')).status).toBe(400);
    expect((await auditor.get('/audit-events?type=nonsense')).status).toBe(400);
  });

  test('goes on by its cursor without a gap', async () => {
    const seen: string[] = [];
    let path = `/audit-events?actor=${owner.account.id}&limit=2`;
    for (let pages = 0; pages < 50; pages += 1) {
      const { body } = await auditor.get(path);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      if (!body.next) break;
      path = `/audit-events?actor=${owner.account.id}&limit=2&cursor=${body.next}`;
    }
    const all = await auditor.get(`/audit-events?actor=${owner.account.id}&limit=200`);
    expect(seen).toEqual(all.body.items.map(({ id }: { id: string }) => id));
    expect(seen.length).toBeGreaterThan(2);
  });

  test('is exported line by line, which is written down', async () => {
    const answer = await auditor.request('GET', '/audit-events', { headers: { accept: 'application/x-ndjson' } });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = answer.body
      .trim()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(5);
    expect(lines[0]).toMatchObject({ type: 'audit_exported', actor: { id: auditor.account.id } });
    const events = (await auditor.get('/audit-events?limit=200')).body.items;
    expect(lines.map(({ id }: { id: string }) => id)).toEqual(events.map(({ id }: { id: string }) => id));
  });
});

test('the report counts accounts and sign-ins', async () => {
  await app.account('uncovered@example.com');
  const gone = await app.account('gone@example.com');
  await app.app.accounts.deactivate(gone.id);
  const { status, body } = await auditor.get('/reports/coverage');
  expect(status).toBe(200);
  expect(body.accounts).toMatchObject({ deactivated: 1, covered: 2 });
  expect(body.accounts.active).toBe(
    body.byLevel.reduce((sum: number, one: { accounts: number }) => sum + one.accounts, 0),
  );
  expect(body.byMethod).toEqual([
    { method: 'totp', accounts: 2 },
    { method: 'recovery_code', accounts: 2 },
  ]);
  expect(body.signIns).toHaveLength(14);
  expect(body.signIns[13]).toMatchObject({
    day: new Date().toISOString().slice(0, 10),
    byMethod: { recovery_code: 2, totp: 0, none: 0 },
  });
  expect(body.isFirstEnrolmentWeak).toBe(true);
  const again = await auditor.get('/reports/coverage');
  expect(again.body.signIns).toEqual(body.signIns);
});
