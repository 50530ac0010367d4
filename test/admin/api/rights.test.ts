import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { Role } from '../../../src/accounts/contract.js';
import { createDirectory } from '../../../src/accounts/index.js';
import { mayActOn, SCOPES, scopesOfRoles } from '../../../src/admin/index.js';
import { systemClock } from '../../../src/platform/clock.js';
import { ADMIN_APP, type Administrator, type ApiCaller, administrator } from '../../support/administrator.js';
import { RP, startApp, type TestApp } from '../../support/app.js';

describe('roles', () => {
  test.each<[Role[], number]>([
    [[], 0],
    [['auditor'], 9],
    [['helpdesk'], 10],
    [['auditor', 'helpdesk'], 14],
    [['admin'], SCOPES.length - 1],
    [['owner'], SCOPES.length],
  ])('%j have %i scopes', (roles, count) => {
    expect(scopesOfRoles(roles).size).toBe(count);
  });

  test('an auditor only reads', () => {
    expect([...scopesOfRoles(['auditor'])].every((scope) => scope.endsWith(':read'))).toBe(true);
  });

  const reach: [Role[] | 'script', Role[][], Role[][]][] = [
    [[], [], [[], ['auditor']]],
    [['auditor'], [], [[], ['auditor']]],
    [['helpdesk'], [[]], [['auditor'], ['helpdesk'], ['admin'], ['owner']]],
    [
      ['admin'],
      [[], ['auditor'], ['helpdesk'], ['auditor', 'helpdesk']],
      [['admin'], ['owner'], ['helpdesk', 'owner']],
    ],
    ['script', [[], ['auditor'], ['helpdesk']], [['admin'], ['owner']]],
    [['owner'], [[], ['auditor'], ['helpdesk'], ['admin'], ['owner'], ['admin', 'owner']], []],
  ];
  test.each(reach)('%j reach %j and not %j', (acting, reached, beyond) => {
    expect(reached.filter((target) => !mayActOn(acting, target))).toEqual([]);
    expect(beyond.filter((target) => mayActOn(acting, target))).toEqual([]);
  });
});

let app: TestApp;
const people: Partial<Record<Role | 'plain' | 'second-owner', Administrator>> = {};
const who = (name: keyof typeof people): Administrator => people[name] as Administrator;
beforeAll(async () => {
  app = await startApp((issuer) => ({ clients: [RP, ADMIN_APP(issuer)] }));
  for (const role of ['auditor', 'helpdesk', 'admin', 'owner'] as const)
    people[role] = await administrator(app, `${role}@example.com`, [role]);
  people['second-owner'] = await administrator(app, 'second-owner@example.com', ['owner']);
  people.plain = await administrator(app, 'plain@example.com', []);
}, 60_000);
afterAll(() => app.stop());

/** Every operation on somebody's account, with the least role that may do it to a plain one. */
const ACTS: {
  name: string;
  by: Role;
  self: boolean;
  act(caller: ApiCaller, id: string): Promise<{ status: number }>;
}[] = [
  { name: 'change', by: 'admin', self: true, act: (by, id) => by.change('PATCH', `/accounts/${id}`, {}, '*') },
  { name: 'deactivate', by: 'admin', self: false, act: (by, id) => by.post(`/accounts/${id}/deactivate`) },
  { name: 'reactivate', by: 'admin', self: false, act: (by, id) => by.post(`/accounts/${id}/reactivate`) },
  { name: 'password reset', by: 'admin', self: true, act: (by, id) => by.post(`/accounts/${id}/password-reset`) },
  { name: 'invite', by: 'admin', self: true, act: (by, id) => by.post(`/accounts/${id}/invitations`) },
  {
    name: 'grant a role',
    by: 'owner',
    self: false,
    act: (by, id) => by.change('PUT', `/accounts/${id}/roles/auditor`, undefined, '*'),
  },
  {
    name: 'revoke a role',
    by: 'owner',
    self: false,
    act: (by, id) => by.change('DELETE', `/accounts/${id}/roles/auditor`, undefined, '*'),
  },
  { name: 'issue a pass', by: 'helpdesk', self: false, act: (by, id) => by.post(`/accounts/${id}/access-passes`, {}) },
  {
    name: 'suspend',
    by: 'helpdesk',
    self: false,
    act: (by, id) => by.post(`/accounts/${id}/suspensions`, { hours: 24 }),
  },
  {
    name: 'end sessions',
    by: 'helpdesk',
    self: true,
    act: (by, id) => by.change('DELETE', `/accounts/${id}/sessions`, undefined, '*'),
  },
  {
    name: 'revoke factors',
    by: 'helpdesk',
    self: false,
    act: (by, id) => by.change('DELETE', `/accounts/${id}/factors`, undefined, '*'),
  },
  { name: 'delete', by: 'admin', self: false, act: (by, id) => by.change('DELETE', `/accounts/${id}`, undefined, '*') },
];
const RANK: Role[] = ['auditor', 'helpdesk', 'admin', 'owner'];

describe('a plain account that asks for every administrator’s scope', () => {
  test('gets none, in the token and at the token endpoint', async () => {
    expect(decodeJwt(who('plain').token).scope ?? '').toBe('');
    expect((await who('plain').get('/me')).body).toMatchObject({ roles: [], scopes: [] });
  });

  test.each(ACTS)('cannot $name', async ({ act }) => {
    const target = await app.account(`target-of-plain-${Math.random()}@example.com`);
    expect((await act(who('plain'), target.id)).status).toBe(403);
  });

  test.each(['/accounts', '/recovery-requests', '/suspensions', '/audit-events', '/webhooks'])(
    'cannot read %s',
    async (path) => {
      const answer = await who('plain').get(path);
      expect([answer.status, answer.body.code]).toEqual([403, 'API_SCOPE_INSUFFICIENT']);
      expect(answer.headers.get('www-authenticate')).toMatch(/error="insufficient_scope", scope="[\w:-]+"/);
    },
  );
});

describe.each(ACTS)('$name', ({ by, act, self }) => {
  test.each(RANK)('by %s: only from the least role on, and never upwards', async (role) => {
    const isAble = RANK.indexOf(role) >= RANK.indexOf(by);
    const plain = await app.account(`t-${Math.random()}@example.com`);
    const { status } = await act(who(role), plain.id);
    expect(status < 300).toBe(isAble);
    if (!isAble) expect(status).toBe(403);
    for (const above of RANK.slice(RANK.indexOf(role))) {
      if (role === 'owner' || role === above) continue;
      expect([above, (await act(who(role), who(above).account.id)).status]).toEqual([above, 403]);
    }
  });

  test('on oneself', async () => {
    if (self) return;
    const answer = await act(who('second-owner'), who('second-owner').account.id);
    expect([answer.status, (answer as { body?: { code: string } }).body?.code]).toEqual([403, 'API_SELF_FORBIDDEN']);
  });
});

describe('owners', () => {
  test('the last one stays', async () => {
    const last = who('owner');
    expect(
      (await last.change('DELETE', `/accounts/${who('second-owner').account.id}/roles/owner`, undefined, '*')).status,
    ).toBe(200);
    expect((await who('second-owner').get('/accounts')).status).toBe(403);
    expect(await app.app.accounts.revokeRole(last.account.id, 'owner')).toBe('last_owner');
  });

  test('do not take each other out at the same moment', async () => {
    const directory = createDirectory({ database: app.database, clock: systemClock });
    for (let round = 0; round < 5; round += 1) {
      const pair = await Promise.all([0, 1].map((n) => app.account(`pair-${round}-${n}@example.com`)));
      const [first, second] = pair.map(({ id }) => id) as [string, string];
      // Nobody else is an owner now.
      const everybody = app.database.collection('accounts');
      await everybody.updateMany({ roles: 'owner' }, { $set: { roles: [] } });
      await Promise.all(pair.map(({ id }) => app.app.accounts.grantRole(id, 'owner')));
      const out = (id: string) =>
        app.database
          .transaction((unit) => directory.setActive(id, false, unit))
          .then(String, ({ code }: { code: string }) => code);
      expect([await Promise.all([out(first), out(second)]).then((all) => all.sort())]).toEqual([
        ['LAST_OWNER', 'true'],
      ]);
      expect(await everybody.countDocuments({ roles: 'owner', active: true })).toBe(1);
    }
  });

  test('a refusal is written down', async () => {
    await who('plain').get('/accounts');
    const events = await app.app.audit.list(
      { accountId: who('plain').account.id, types: ['authz_fail'] },
      { limit: 50 },
    );
    expect(events[0]).toMatchObject({ actor: { type: 'account' }, details: { operation: 'listAccounts' } });
    expect(events.length).toBeLessThanOrEqual(20);
  });
});
