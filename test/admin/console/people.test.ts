/** People and what is done about them: lists by pages, a profile, and one page for each action. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { person } from '../../security/support.js';
import { startApp, type TestApp } from '../../support/app.js';
import type { Page } from '../../support/browser.js';
import { type Administrator, administrator, request } from './support.js';

let app: TestApp;
let owner: Administrator;
let helpdesk: Administrator;
beforeAll(async () => {
  app = await startApp();
  owner = await administrator(app, 'olga@example.com', ['owner']);
  helpdesk = await administrator(app, 'ben@example.com', ['helpdesk']);
});
afterAll(() => app.stop());

const profile = (id: string, rest = ''): string => `/console/people/${id}${rest}`;
const act = async (who: Administrator, path: string, values: Record<string, string> = {}): Promise<Page> =>
  who.browser.submit(await who.browser.open(path), values, new RegExp(`${path.split('?')[0]}$`));
const suspension = { verifiedBy: 'in_person', hours: '24', otherBrowsers: 'access_code', reason: '' };

test('everybody is found page by page, by words, group and second step', async () => {
  for (let n = 0; n < 60; n += 1) await app.account(`crowd${n}@example.com`, { groups: n % 2 ? ['Sales'] : [] });
  const first = await owner.browser.open('/console/people?group=Sales');
  expect(first.text).toContain('crowd59');
  const all = await owner.browser.open('/console/people');
  const next = /href="([^"]+)" rel="next"/.exec(all.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
  const second = await owner.browser.open(next);
  expect(second.text).toContain('crowd0');
  expect(second.text).not.toContain('crowd59');
  expect(second.text).toContain('Back to the first page');
  expect((await owner.browser.open('/console/people?q=crowd7')).text).toContain('crowd7@example.com');
  expect((await owner.browser.open('/console/people?q=nobody+here')).text).toContain('Nobody matches');
  const covered = await owner.browser.open('/console/people?covered=true');
  expect(covered.text).toContain('olga@example.com');
  expect(covered.text).not.toContain('crowd');
  expect((await owner.browser.open('/console/people?cursor=nonsense')).status).toBe(400);
});

test('a profile says at a glance how it stands; each tab has its part', async () => {
  const anna = await person(app, 'anna@example.com');
  const page = await helpdesk.browser.open(profile(anna.account.id));
  expect(page.h1).toBe('anna');
  expect(page.text).toMatch(/Protected Two steps/);
  expect(page.text).toContain('Off for one day');
  expect(page.text).not.toContain('Deactivate');
  expect((await owner.browser.open(profile(anna.account.id))).text).toContain('Deactivate');
  await request(app, anna.account);
  expect((await helpdesk.browser.open(profile(anna.account.id, '?tab=requests'))).text).toContain(
    'Phone lost or stolen',
  );
  expect((await owner.browser.open(profile(anna.account.id, '?tab=audit'))).text).toContain('Request sent');
  expect((await owner.browser.open(profile(owner.account.id, '?tab=sessions'))).text).toContain('Countersign Console');
});

test('Actions > Two-factor authentication: one day, an access code, end now', async () => {
  const { account } = await person(app, 'cleo@example.com');
  const unchecked = await act(helpdesk, profile(account.id, '/suspend?hours=48'), { ...suspension, verifiedBy: '' });
  expect([unchecked.status, unchecked.text.includes('Say how you checked')]).toEqual([422, true]);
  const off = await act(helpdesk, profile(account.id, '/suspend?hours=48'), { ...suspension, hours: '48' });
  expect(off.url.pathname).toBe(profile(account.id));
  expect(off.text).toMatch(/Suspended.*Two-factor authentication is off until .* 48 hours left/);
  const twice = await act(helpdesk, profile(account.id, '/suspend'), suspension);
  expect([twice.status, twice.text.includes('A suspension is running already')]).toEqual([409, true]);

  const code = await act(helpdesk, profile(account.id, '/access-code'));
  expect(code.h1).toBe('Access code for cleo');
  const shown = /id="secret">([^<]+)</.exec(code.html)?.[1] ?? '';
  expect(shown.replace(/\W/g, '')).toHaveLength(10);
  const stored = JSON.stringify(await app.database.collection('idempotency_keys').find({}).toArray());
  expect(stored).not.toContain(shown);

  const on = await act(helpdesk, profile(account.id, '/end-suspension'), { reason: 'Phone found' });
  expect(on.text).toContain('Two-factor authentication is on again');
  expect(on.text).toMatch(/Protected/);
  const gone = await act(helpdesk, profile(account.id, '/end-suspension'), { reason: '' });
  expect([gone.status, gone.text.includes('No suspension is running any more')]).toEqual([409, true]);
});

test('a pass, a link, a method, sessions, and leaving', async () => {
  const dora = await person(app, 'dora@example.com');
  const { id } = dora.account;
  expect((await act(helpdesk, profile(id, '/access-pass'))).text).toContain('Can be used until');
  const withPass = await helpdesk.browser.open(profile(id));
  const withdraw = /href="([^"]+\/withdraw)"/.exec(withPass.html)?.[1] ?? '';
  expect((await act(helpdesk, withdraw)).text).toContain('The access pass works no more');
  expect((await helpdesk.browser.open(profile(id))).html).not.toContain('/withdraw"');
  expect((await act(owner, profile(id, '/invite'))).text).toContain('The invitation is on its way');
  expect((await act(owner, profile(id, '/reset-password'))).text).toContain('link to a new password is on its way');
  const revoked = await act(helpdesk, profile(id, `/methods/${dora.authenticator.factorId}/revoke`));
  expect(revoked.text).toContain('Removed. The person is told by mail.');
  expect((await helpdesk.browser.open(profile(id, `/methods/${dora.authenticator.factorId}/revoke`))).status).toBe(404);
  expect((await act(helpdesk, profile(id, '/end-sessions'))).text).toContain('Signed out everywhere');
  expect((await act(owner, profile(id, '/deactivate'))).text).toContain('Deactivated');
  expect((await app.app.accounts.find(id))?.active).toBe(false);
  expect((await act(owner, profile(id, '/access-pass'))).text).toContain('Reactivate it first');
  expect((await act(owner, profile(id, '/reactivate'))).text).toContain('active again');
});

test('a session of somebody else is ended, and only that one', async () => {
  const max = await administrator(app, 'max@example.com', []);
  const [session] = await app.app.sessions.list(max.account.id);
  const ended = await act(helpdesk, profile(max.account.id, `/sessions/${session?._id}/end`));
  expect(ended.text).toContain('The session is over');
  expect(await app.app.sessions.list(max.account.id)).toEqual([]);
});

test('roles are the owner’s to give; the last owner stays owner; a stale form changes nothing', async () => {
  const { account } = await person(app, 'emil@example.com');
  const roles = profile(account.id, '/roles');
  expect((await helpdesk.browser.open(profile(account.id))).text).not.toContain('Roles');
  const stale = await owner.browser.open(roles);
  const form = (page: Page, role: string) => page.forms.find(({ values }) => values.role === role)?.values ?? {};
  const given = await owner.browser.submit(stale, form(stale, 'helpdesk'), /roles$/);
  expect(given.text).toContain('Help desk');
  expect((await app.app.accounts.find(account.id))?.roles).toEqual(['helpdesk']);
  const again = await owner.browser.submit(stale, form(stale, 'admin'), /roles$/);
  expect([again.status, again.text.includes('Changed elsewhere in the meantime')]).toEqual([412, true]);
  expect((await app.app.accounts.find(account.id))?.roles).toEqual(['helpdesk']);
  const own = await owner.browser.open(profile(owner.account.id, '/roles'));
  const last = await owner.browser.submit(own, form(own, 'owner'), /roles$/);
  expect([403, 409]).toContain(last.status);
  expect((await app.app.accounts.find(owner.account.id))?.roles).toEqual(['owner']);
});

test('a help desk cannot touch an administrator, whatever form it sends', async () => {
  const page = await helpdesk.browser.open(profile(owner.account.id));
  expect(page.text).toContain('beyond your role');
  expect(page.text).not.toContain('Off for one day');
  const forced = await act(helpdesk, profile(owner.account.id, '/suspend'), suspension);
  expect([forced.status, forced.text.includes('a role that yours does not reach')]).toEqual([403, true]);
  for (const path of ['/console/audit', '/console/overview', '/console/clients']) {
    const closed = await helpdesk.browser.open(path);
    expect([closed.status, closed.h1]).toEqual([403, 'Not with your role']);
  }
});
