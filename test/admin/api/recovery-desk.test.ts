import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Filed, OwnRequest } from '../../../src/recovery-desk/contract.js';
import { typePassword, typeRecoveryCode } from '../../security/support.js';
import { ADMIN_APP, type Administrator, administrator, apiCaller } from '../../support/administrator.js';
import { RP, startApp, type TestApp } from '../../support/app.js';

let app: TestApp;
let helpdesk: Administrator;
let colleague: Administrator;
beforeAll(async () => {
  app = await startApp((issuer) => ({ clients: [RP, ADMIN_APP(issuer)] }));
  helpdesk = await administrator(app, 'helpdesk@example.com', ['helpdesk']);
  colleague = await administrator(app, 'colleague@example.com', ['helpdesk']);
});
afterAll(() => app.stop());

async function file(accountId: string): Promise<OwnRequest> {
  const account = await app.app.accounts.find(accountId);
  if (!account) throw new Error('no such account');
  const filed: Filed = await app.app.desk.file(account, {
    browserHash: randomUUID(),
    circumstances: 'lost_or_stolen',
    contact: '+49 30 123',
    note: 'left in the train',
    isKnownBrowser: true,
    origin: { requestId: 'test', ip: '203.0.113.7' },
  });
  if (filed.status !== 'filed') throw new Error(filed.status);
  return filed.request;
}
const employee = () => app.account(`employee-${randomUUID()}@example.com`);
const approval = (requestNumber: string) => ({
  outcome: 'approved',
  requestNumber,
  hours: 24,
  verifiedBy: 'called_number_on_file',
  reason: 'Phone is being replaced',
});
const stateOf = (id: string) => helpdesk.get(`/recovery-requests/${id}`).then(({ body }) => body.state);

describe('a request', () => {
  test('is listed with what there is to know, and without its number', async () => {
    const { id } = await employee();
    const request = await file(id);
    const { body } = await helpdesk.get(`/recovery-requests?state=open&accountId=${id}`);
    expect(body.items).toEqual([
      expect.objectContaining({
        id: request.id,
        account: { id, login: expect.any(String), name: expect.any(String), groups: [], roles: [] },
        state: 'open',
        circumstances: 'lost_or_stolen',
        note: 'left in the train',
        origin: { ip: '203.0.113.7' },
        openRequestsOfAccount: 1,
      }),
    ]);
    expect(JSON.stringify(body)).not.toContain(request.number.replace(/\s/g, ''));
    expect((await helpdesk.get('/recovery-requests/none')).status).toBe(404);
  });

  test('is approved by its number; the second to decide is told who was first', async () => {
    const { id } = await employee();
    const request = await file(id);
    const path = `/recovery-requests/${request.id}/decision`;
    const decided = await helpdesk.post(path, approval(request.number.toLowerCase()));
    expect(decided.status).toBe(200);
    expect(decided.body).toMatchObject({
      request: { state: 'approved', decision: { outcome: 'approved', by: helpdesk.account.id, hours: 24 } },
      suspension: { account: { id }, hours: 24, isRunning: true, otherBrowsers: 'access_code' },
    });
    const late = await colleague.post(path, { outcome: 'declined' });
    expect([late.status, late.body.code, late.body.winner]).toEqual([
      409,
      'RECOVERY_REQUEST_DECIDED',
      { outcome: 'approved', decidedBy: helpdesk.account.id, at: expect.any(String) },
    ]);
    expect((await helpdesk.get(`/accounts/${id}`)).body.suspension.until).toBe(decided.body.suspension.until);
  });

  test('of two browsers is told apart by the number alone', async () => {
    const { id } = await employee();
    const thief = await file(id);
    const owner = await file(id);
    const wrong = await helpdesk.post(`/recovery-requests/${thief.id}/decision`, approval(owner.number));
    expect([wrong.status, wrong.body.code, wrong.body.matches]).toEqual([422, 'RECOVERY_NUMBER_WRONG', owner.id]);
    const unknown = await helpdesk.post(`/recovery-requests/${thief.id}/decision`, approval('AAA AAA'));
    expect([unknown.status, unknown.body.matches]).toEqual([422, undefined]);
    expect([await stateOf(thief.id), await stateOf(owner.id)]).toEqual(['open', 'open']);
  });

  test('is never decided by the one who sent it', async () => {
    const request = await file(helpdesk.account.id);
    for (const body of [approval(request.number), { outcome: 'declined' }]) {
      const own = await helpdesk.post(`/recovery-requests/${request.id}/decision`, body);
      expect([own.status, own.body.code]).toEqual([403, 'API_SELF_FORBIDDEN']);
    }
    expect(await stateOf(request.id)).toBe('open');
  });

  test.each([
    [{ outcome: 'approved' }, ['body.hours', 'body.requestNumber', 'body.verifiedBy']],
    [{ ...approval('AAA AAA'), hours: 25 }, ['body.hours']],
    [{ ...approval('AAA AAA'), verifiedBy: 'hunch' }, ['body.verifiedBy']],
    [{ outcome: 'postponed' }, ['body.outcome']],
  ])('%j is not enough to decide', async (body, paths) => {
    const request = await file((await employee()).id);
    const answer = await helpdesk.post(`/recovery-requests/${request.id}/decision`, body);
    expect([answer.status, answer.body.errors.map(({ path }: { path: string }) => path).sort()]).toEqual([400, paths]);
    expect(await stateOf(request.id)).toBe('open');
  });
});

describe('a sign-in that is not fresh', () => {
  test('is asked for again; then the same key decides, once', async () => {
    const stale = await administrator(app, 'stale@example.com', ['helpdesk']);
    const elevenMinutes = 11 * 60;
    await app.database
      .collection('oidc')
      .updateOne(
        { 'payload.accountId': stale.account.id, ids: { $exists: true } },
        { $inc: { 'payload.loginTs': -elevenMinutes } },
      );
    const old = await stale.again();
    const request = await file((await employee()).id);
    const path = `/recovery-requests/${request.id}/decision`;
    const key = randomUUID();
    const refused = await old.post(path, approval(request.number), key);
    expect([refused.status, refused.body]).toEqual([
      401,
      expect.objectContaining({
        code: 'API_FRESHNESS_REQUIRED',
        acr_values: 'urn:countersign:acr:2fa',
        max_age: 600,
      }),
    ]);
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_user_authentication", acr_values="urn:countersign:acr:2fa", max_age="600"',
    );
    expect((await old.get('/me')).body.freshSeconds).toBe(0);
    expect(await stateOf(request.id)).toBe('open');

    const { rp, browser } = stale;
    const { url, verifier } = rp.request({
      scope: 'openid recovery:decide',
      resource: `${app.issuer}/api/v1`,
      max_age: String(refused.body.max_age),
      acr_values: refused.body.acr_values,
    });
    const password = await typePassword(browser, url, stale.account.login);
    const fresh = await rp.tokens(await typeRecoveryCode(browser, password, stale), verifier);
    const again = apiCaller(app.issuer, fresh.access_token);
    const [one, two] = [
      await again.post(path, approval(request.number), key),
      await again.post(path, approval(request.number), key),
    ];
    expect([one.status, two.status, two.headers.get('idempotency-replayed')]).toEqual([200, 200, 'true']);
    expect(two.body).toEqual(one.body);
  });

  test('a password alone is never fresh', async () => {
    const someone = await administrator(app, 'weak@example.com', ['helpdesk']);
    await app.database
      .collection('oidc')
      .updateOne(
        { 'payload.accountId': someone.account.id, ids: { $exists: true } },
        { $set: { 'payload.acr': 'urn:countersign:acr:2fa-remembered' } },
      );
    const weak = await someone.again({ prompt: 'none' }).catch(() => undefined);
    // Where the session's level is not even enough for the application there is no token at all.
    if (weak)
      expect((await weak.post(`/accounts/${colleague.account.id}/suspensions`, { hours: 24 })).status).toBe(401);
  });
});

describe('a suspension', () => {
  test('runs once at a time, and ends once', async () => {
    const { id } = await employee();
    const started = await helpdesk.post(`/accounts/${id}/suspensions`, { hours: 48, otherBrowsers: 'password_alone' });
    expect([started.status, started.body]).toEqual([
      201,
      expect.objectContaining({ hours: 48, isRunning: true, startedBy: helpdesk.account.id }),
    ]);
    const second = await colleague.post(`/accounts/${id}/suspensions`, { hours: 24 });
    expect([second.status, second.body.code, second.body.suspension.id]).toEqual([
      409,
      'SUSPENSION_RUNNING',
      started.body.id,
    ]);
    expect((await helpdesk.get('/suspensions?running=true')).body.items).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: started.body.id })]),
    );
    const ended = await colleague.post(`/suspensions/${started.body.id}/end`, { reason: 'Phone found' });
    expect(ended.body).toMatchObject({ isRunning: false, end: 'administrator', endedBy: colleague.account.id });
    const late = await helpdesk.post(`/suspensions/${started.body.id}/end`, {});
    expect([late.status, late.body.winner.decidedBy]).toEqual([409, colleague.account.id]);
    expect((await helpdesk.get(`/suspensions?accountId=${id}&running=true`)).body.items).toEqual([]);
  });

  test('its access codes, and passes, are shown once: not when the request is repeated', async () => {
    const { id } = await employee();
    const { body: suspension } = await helpdesk.post(`/accounts/${id}/suspensions`, { hours: 24 });
    const key = randomUUID();
    const path = `/suspensions/${suspension.id}/access-codes`;
    const first = await helpdesk.post(path, undefined, key);
    expect([first.status, first.body]).toEqual([201, { code: expect.any(String) }]);
    const again = await helpdesk.post(path, undefined, key);
    expect([again.status, again.body]).toEqual([201, { secretsWithheld: true }]);
    const pass = await helpdesk.post(`/accounts/${id}/access-passes`, { hours: 2 });
    expect([pass.status, pass.body.pass]).toEqual([201, expect.any(String)]);
    const stored = JSON.stringify(await app.database.collection('idempotency_keys').find({}).toArray());
    expect(stored).not.toContain(first.body.code);
    expect(stored).not.toContain(pass.body.pass);
    const listed = await helpdesk.get(`/accounts/${id}/access-passes`);
    expect(listed.body.items).toHaveLength(1);
    expect((await helpdesk.change('DELETE', `/accounts/${id}/access-passes/${pass.body.id}`)).status).toBe(204);
    const { id: other } = await employee();
    expect((await helpdesk.get(`/accounts/${other}/access-passes/${pass.body.id}`)).status).toBe(404);
  });
});

describe('login methods', () => {
  test('are shown masked, and revoked one by one or all together', async () => {
    const someone = await administrator(app, 'phone@example.com', []);
    const { id } = someone.account;
    const { body } = await helpdesk.get(`/accounts/${id}/factors`);
    expect(body.items.map(({ method, kind }: { method: string; kind: string }) => [method, kind])).toEqual([
      ['totp', 'primary'],
      ['recovery_code', 'reserve'],
    ]);
    expect((await helpdesk.get(`/accounts/${id}`)).body).toMatchObject({
      covered: true,
      level: '2fa',
      methods: ['totp', 'recovery_code'],
    });
    const one = `/accounts/${id}/factors/${body.items[0].id}`;
    expect((await helpdesk.get(`/accounts/${helpdesk.account.id}/factors/${body.items[0].id}`)).status).toBe(404);
    expect((await helpdesk.change('DELETE', one, undefined, '"other"')).status).toBe(412);
    expect((await helpdesk.change('DELETE', one)).status).toBe(204);
    expect((await helpdesk.get(`/accounts/${id}`)).body).toMatchObject({ covered: false, methods: ['recovery_code'] });
    expect((await helpdesk.change('DELETE', `/accounts/${id}/factors`)).status).toBe(204);
    expect((await helpdesk.get(`/accounts/${id}/factors`)).body.items).toEqual([]);
    const audited = await app.app.audit.list({ accountId: id, types: ['factor_revoked'] }, { limit: 10 });
    expect(audited.map(({ actor }) => actor.id)).toEqual([helpdesk.account.id, helpdesk.account.id]);
  });
});

describe('sessions and grants', () => {
  test('are listed and ended', async () => {
    const someone = await administrator(app, 'roamer@example.com', []);
    const { id } = someone.account;
    const { body } = await helpdesk.get(`/accounts/${id}/sessions`);
    expect(body.items).toEqual([
      expect.objectContaining({
        acr: 'urn:countersign:acr:2fa',
        applications: [{ id: 'admin-app', name: expect.any(String) }],
      }),
    ]);
    const grants = await helpdesk.get(`/accounts/${id}/grants`);
    expect(grants.body.items).toEqual([
      expect.objectContaining({
        application: expect.objectContaining({ id: 'admin-app' }),
        scopes: ['openid'],
      }),
    ]);
    expect(
      (await helpdesk.change('DELETE', `/accounts/${id}/grants/${grants.body.items[0].id}`, undefined, '*')).status,
    ).toBe(204);
    const session = `/accounts/${id}/sessions/${body.items[0].id}`;
    expect(
      (await helpdesk.change('DELETE', `/accounts/${helpdesk.account.id}/sessions/${body.items[0].id}`, undefined, '*'))
        .status,
    ).toBe(404);
    expect((await helpdesk.change('DELETE', session, undefined, '*')).status).toBe(204);
    expect(await someone.rp.silent(someone.browser)).toBe('login_required');
  });
});
