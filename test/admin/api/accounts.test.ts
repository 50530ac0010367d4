import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ADMIN_APP, type Administrator, administrator } from '../../support/administrator.js';
import { RP, startApp, type TestApp } from '../../support/app.js';

let app: TestApp;
let admin: Administrator;
beforeAll(async () => {
  app = await startApp((issuer) => ({ clients: [RP, ADMIN_APP(issuer)] }));
  admin = await administrator(app, 'admin@example.com', ['admin']);
});
afterAll(() => app.stop());

const audited = (accountId: string) => app.app.audit.list({ accountId }, { limit: 50 });

describe('an account', () => {
  test('is made, read, changed and deleted; each change names what it was based on', async () => {
    const made = await admin.post('/accounts', {
      login: 'Greta@Example.com',
      name: 'Greta Müller',
      email: 'greta@mail.example',
      groups: ['finance', 'finance'],
      locale: 'de',
      invite: true,
    });
    expect([made.status, made.body]).toEqual([
      201,
      {
        id: expect.any(String),
        login: 'greta@example.com',
        name: 'Greta Müller',
        email: 'greta@mail.example',
        groups: ['finance'],
        active: true,
        locale: 'de',
        roles: [],
        covered: false,
        level: '1fa',
        methods: [],
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
      },
    ]);
    expect((await app.mails()).some(({ to, subject }) => to.includes('greta@mail.example') && subject)).toBe(true);
    const path = `/accounts/${made.body.id}`;
    expect(made.headers.get('location')).toBe(`${app.issuer}/api/v1${path}`);
    const read = await admin.get(path);
    expect(made.headers.get('etag')).toBe(read.headers.get('etag'));
    const etag = read.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]+"$/);
    expect((await admin.request('GET', path, { headers: { 'if-none-match': etag } })).status).toBe(304);

    expect((await admin.request('PATCH', path, { body: { name: 'X' } })).body.code).toBe('API_PRECONDITION_REQUIRED');
    const changed = await admin.change('PATCH', path, { name: 'Greta Meier', email: null, groups: ['sales'] }, etag);
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ name: 'Greta Meier', groups: ['sales'] });
    expect(changed.body.email).toBeUndefined();
    expect(changed.headers.get('etag')).toBe((await admin.get(path)).headers.get('etag'));
    const late = await admin.change('PATCH', path, { name: 'Other' }, etag);
    expect([late.status, late.body.code]).toEqual([412, 'API_PRECONDITION_FAILED']);
    expect((await admin.change('PATCH', path, { name: 'Third' }, `W/${changed.headers.get('etag')}`)).status).toBe(412);

    expect((await admin.change('DELETE', path)).status).toBe(204);
    expect((await admin.get(path)).status).toBe(404);
    const stored = await app.database.collection<{ _id: string }>('accounts').findOne({ _id: made.body.id });
    expect(JSON.stringify(stored)).not.toMatch(/greta|meier|müller/i);
    expect((await audited(made.body.id)).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['user_created', 'invitation_sent', 'user_updated', 'user_deleted']),
    );
    expect((await audited(made.body.id))[0]?.actor).toEqual({ type: 'account', id: admin.account.id });
  });

  test('of two changes at once that saw the same, one is made', async () => {
    const { id } = await app.account('twice@example.com');
    const etag = (await admin.get(`/accounts/${id}`)).headers.get('etag') ?? '';
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => admin.change('PATCH', `/accounts/${id}`, { name: `Name ${n}` }, etag)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(412)]);
  });

  test('a login is taken once', async () => {
    await app.account('first@example.com');
    const second = await app.account('second@example.com');
    const made = await admin.post('/accounts', { login: 'FIRST@example.com', name: 'A' });
    expect([made.status, made.body.code]).toEqual([409, 'LOGIN_TAKEN']);
    const renamed = await admin.change('PATCH', `/accounts/${second.id}`, { login: 'first@example.com' });
    expect([renamed.status, renamed.body.code]).toEqual([409, 'LOGIN_TAKEN']);
    expect((await audited(second.id)).map(({ type }) => type)).not.toContain('user_updated');
  });

  test('what is wrong with the input is said all at once, by place', async () => {
    const { status, body } = await admin.post('/accounts', { login: '', groups: 'x', colour: 'red', locale: 'de' });
    expect([status, body.code]).toEqual([400, 'API_INPUT_INVALID']);
    expect(body.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
      'body.colour',
      'body.groups',
      'body.login',
      'body.name',
    ]);
    const bad = await admin.post('/accounts', { login: 'a b', name: 'A' });
    expect([bad.status, bad.body.errors]).toEqual([400, [{ path: 'body.login', message: expect.any(String) }]]);
    expect((await admin.post('/accounts', { login: 'a', name: 'A', locale: 'fr' })).status).toBe(400);
  });

  test('a leaver is out at once, everywhere', async () => {
    const leaver = await administrator(app, 'leaver@example.com', []);
    const answer = await admin.post(`/accounts/${leaver.account.id}/deactivate`);
    expect([answer.status, answer.body.active]).toEqual([200, false]);
    expect(await app.app.sessions.list(leaver.account.id)).toEqual([]);
    expect(await leaver.rp.silent(leaver.browser)).toBe('login_required');
    expect((await admin.post(`/accounts/${leaver.account.id}/deactivate`)).status).toBe(200);
    const types = (await audited(leaver.account.id)).map(({ type }) => type);
    expect(types.filter((type) => type === 'user_deactivated')).toHaveLength(1);
    expect((await admin.post(`/accounts/${leaver.account.id}/password-reset`)).body.code).toBe('ACCOUNT_INACTIVE');
    expect((await admin.post(`/accounts/${leaver.account.id}/reactivate`)).body.active).toBe(true);
  });

  test('a password is never set, only a link is mailed', async () => {
    const { id, email = '' } = await app.account('forgetful@example.com');
    expect((await admin.post(`/accounts/${id}/password-reset`)).status).toBe(202);
    const [mail] = (await app.mails()).filter(({ to }) => to.includes(email));
    expect(mail?.text).toContain('/password-reset/');
    expect((await admin.change('PATCH', `/accounts/${id}`, { password: 'x' })).body.errors[0].path).toBe(
      'body.password',
    );
  });
});

describe('the list', () => {
  test('finds by the beginning of login, address and name, without case and marks', async () => {
    const made = await admin.post('/accounts', { login: 'zoe.k', name: 'Zoë Kühn-Lange', email: 'zk@mail.example' });
    for (const q of ['zoe', 'ZOË', 'kuhn', 'lange', 'zoe kuh', 'zoe.k', 'zk@']) {
      const { body } = await admin.get(`/accounts?q=${encodeURIComponent(q)}`);
      expect([q, body.items.map(({ id }: { id: string }) => id)]).toEqual([q, [made.body.id]]);
    }
    for (const q of ['ühn', 'zoe x', '.*', '^z']) {
      expect((await admin.get(`/accounts?q=${encodeURIComponent(q)}`)).body.items).toEqual([]);
    }
  });

  test('goes on by its cursor, whatever is added meanwhile', async () => {
    for (let n = 0; n < 7; n += 1) await app.account(`paged-${n}@example.com`, { groups: ['paged'] });
    const first = await admin.get('/accounts?group=paged&limit=3');
    expect(first.headers.get('link')).toContain(`cursor=${first.body.next}`);
    expect(first.headers.get('link')).toMatch(/^<.*group=paged.*>; rel="next"$/);
    await app.account('paged-late@example.com', { groups: ['paged'] });
    const second = await admin.get(`/accounts?group=paged&limit=3&cursor=${first.body.next}`);
    const third = await admin.get(`/accounts?group=paged&limit=3&cursor=${second.body.next}`);
    expect(third.body.next).toBeUndefined();
    const logins = [first, second, third].flatMap(({ body }) =>
      body.items.map(({ login }: { login: string }) => login),
    );
    expect(logins).toEqual([6, 5, 4, 3, 2, 1, 0].map((n) => `paged-${n}@example.com`));
  });

  test.each([
    'cursor=x',
    'cursor=W10',
    'limit=0',
    'limit=201',
    'limit=ten',
    'colour=red',
    'q=',
    'group=a&group=b',
    'q=%ff',
    'q=%00',
  ])('?%s is 400', async (query) => {
    const { status, body } = await admin.get(`/accounts?${query}`);
    expect([status, body.code]).toEqual([400, 'API_INPUT_INVALID']);
  });

  test('filters by state', async () => {
    const { id } = await app.account('gone@example.com');
    await admin.post(`/accounts/${id}/deactivate`);
    const { body } = await admin.get('/accounts?state=deactivated&q=gone');
    expect(body.items.map((item: { id: string }) => item.id)).toEqual([id]);
    expect((await admin.get('/accounts?state=active&q=gone')).body.items).toEqual([]);
  });
});
