/** The console as a relying application: its sign-in, its own session, and the end of both. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { suspended } from '../../recovery-desk/support.js';
import { rawRequest } from '../../security/raw.js';
import { typePassword } from '../../security/support.js';
import { startApp, type TestApp } from '../../support/app.js';
import { administrator, signInAt, travel } from './support.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(async () => {
  jest.useRealTimers();
  await app.stop();
});

const sessions = () => app.database.collection<{ _id: string }>('console_sessions').find({}).toArray();

test('a sign-in leads back to where it began, under a cookie that no script reads and no database knows', async () => {
  const olga = await administrator(app, 'olga@example.com', ['owner'], '/console/people?q=ol');
  expect(olga.page.url.href).toBe(`${app.issuer}/console/people?q=ol`);
  expect(olga.page.text).toContain('olga@example.com');
  const cookie = olga.browser.cookie('countersign-console') ?? '';
  expect(cookie.length).toBeGreaterThanOrEqual(43);
  const stored = JSON.stringify(await sessions());
  expect(stored).not.toContain(cookie);
  expect(stored).not.toMatch(/eyJ/);
});

test('without a session nothing is written and every page leads to the sign-in', async () => {
  const before = await sessions();
  for (const path of ['/console', '/console/people', '/console/audit/export', '/console/new-client']) {
    const page = await app.browser().open(path);
    expect(page.h1).toContain('Sign in to continue to Countersign Console');
  }
  expect(await sessions()).toEqual(before);
});

test('a password alone does not open it, and a suspension closes what was open', async () => {
  const paul = await administrator(app, 'paul@example.com', ['admin']);
  const half = app.browser();
  await typePassword(half, `${app.issuer}/console`, 'paul@example.com');
  expect((await half.open('/console/people')).h1).not.toBe('People');
  const letIn = await suspended(app, paul.account);
  expect((await typePassword(letIn, `${app.issuer}/console`, 'paul@example.com')).url.pathname).not.toBe('/console');
  // The session at the issuer is as good as before: without a page that says no, this would go round in circles.
  const refused = await paul.browser.open('/console/people');
  expect([refused.status, refused.h1]).toEqual([400, 'The console needs your second step']);
});

test('an account without a role gets a page that says so, and a way out', async () => {
  const anna = await administrator(app, 'anna@example.com', []);
  expect(anna.page.status).toBe(403);
  expect(anna.page.h1).toBe('This is for administrators');
  const out = await anna.browser.submit(anna.page, {}, /sign-out$/);
  expect(out.h1).toBe('Sign out?');
  expect(anna.browser.cookie('countersign-console')).toBeUndefined();
});

test('an answer that this browser did not ask for is no sign-in', async () => {
  const page = await app.browser().open(`/console/signed-in?state=x&code=y&iss=${encodeURIComponent(app.issuer)}`);
  expect(page.status).toBe(400);
  expect(page.h1).toBe('The sign-in was not completed');
  expect(page.headers.get('set-cookie') ?? '').not.toContain('console=');
});

test('the session is a new one after each sign-in, idles for an hour at most, and lasts twelve at most', async () => {
  const ida = await administrator(app, 'ida@example.com', ['admin']);
  for (let hours = 0; hours < 2; hours += 1) {
    travel(3_000);
    expect((await ida.browser.open('/console/people')).h1).toBe('People');
  }
  travel(3_601);
  const first = ida.browser.cookie('countersign-console');
  expect((await ida.browser.open('/console/people')).url.pathname).not.toBe('/console/people');
  await signInAt(ida.browser, `${app.issuer}/console/people`, ida);
  const after = ida.browser.cookie('countersign-console');
  expect(after).not.toBe(first);
  for (let hours = 0; hours < 12; hours += 1) {
    travel(3_500);
    expect((await ida.browser.open('/console/people')).h1).toBe('People');
    expect(ida.browser.cookie('countersign-console')).toBe(after);
  }
  // A page that keeps itself up to date is nobody at the desk.
  const seenAt = async () => (await sessions()).map((session) => (session as { lastSeenAt?: Date }).lastSeenAt);
  const before = await seenAt();
  travel(1_000);
  await ida.browser.request(`${app.issuer}/console`, { headers: { 'x-live': '1' } });
  expect(await seenAt()).toEqual(before);
  travel(300);
  await ida.browser.open('/console/people');
  expect(ida.browser.cookie('countersign-console')).not.toBe(after);
});

test('an hour without a click ends it, though the issuer’s session has just been used', async () => {
  const kim = await administrator(app, 'kim@example.com', ['admin']);
  const at = (seconds: number) => new Date(Date.now() - seconds * 1000);
  const look = async (lastSeenAt: Date): Promise<number> => {
    const stored = app.database.collection('console_sessions');
    await stored.updateOne({ accountId: kim.account.id }, { $set: { lastSeenAt } });
    return (await kim.browser.request(`${app.issuer}/console/people`)).status;
  };
  expect([await look(at(3_590)), await look(at(3_610))]).toEqual([200, 303]);
});

test('many tabs after the access token has ended: it is renewed once, and nobody is signed out', async () => {
  const tim = await administrator(app, 'tim@example.com', ['admin']);
  travel(400);
  app.calls.length = 0;
  const pages = await Promise.all(Array.from({ length: 6 }, () => tim.browser.clone().open('/console/people')));
  expect(pages.map(({ h1 }) => h1)).toEqual(pages.map(() => 'People'));
  expect(app.calls.filter((call) => call === 'RefreshToken.consume')).toHaveLength(1);
});

test('signed out everywhere: the console asks again at the next click', async () => {
  const zoe = await administrator(app, 'zoe@example.com', ['admin']);
  await app.app.sessions.endAll(zoe.account.id, { requestId: 'test' });
  const page = await zoe.browser.open('/console/people');
  expect(page.h1).toContain('Sign in to continue');
});

test('signing out ends the session here, whatever becomes of the one at the issuer', async () => {
  const max = await administrator(app, 'max@example.com', ['admin']);
  const stolen = max.browser.clone();
  const asked = await max.browser.submit(max.page, {}, /sign-out$/);
  expect(asked.h1).toBe('Sign out?');
  expect((await stolen.request(`${app.issuer}/console/people`)).status).toBe(303);
  const form = asked.forms.find(({ action }) => action.endsWith('/session/end/confirm'));
  const done = await max.browser.submit(asked, { logout: 'yes' }, form?.action ?? '');
  expect(done.url.pathname).toBe('/console/signed-out');
  expect(done.h1).toBe('You are signed out');
});

test('below a path, and behind a proxy that speaks TLS, calls within the process arrive', async () => {
  const below = await startApp({}, { path: '/id' });
  const olga = await administrator(below, 'olga@example.com', ['owner']);
  expect([olga.page.h1, olga.page.url.pathname]).toEqual(['Requests', '/id/console']);
  expect((await olga.browser.open('/id/console/people')).text).toContain('olga@example.com');
  await below.stop();

  const behind = await startApp(
    {
      trustedProxyHops: 1,
      database: { allowEmbedded: true },
      mail: { transport: 'smtp', smtp: { host: 'smtp.example.com' } },
    },
    { issuer: 'https://id.example' },
  );
  const headers = { host: 'id.example', 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.99' };
  const { status, headers: answer } = await rawRequest(behind.port, '/console', { headers });
  const to = new URL(String(answer.location));
  expect([status, to.origin, to.searchParams.get('client_id')]).toEqual([
    303,
    'https://id.example',
    'countersign-console',
  ]);
  expect(String(answer['set-cookie'])).toContain('__Host-console-sign-in=');
  const absolute = await rawRequest(behind.port, 'https://evil.example/console/people', { headers });
  expect([303, 400, 421]).toContain(absolute.status);
  await behind.stop();
});
