/** Overview, audit and applications. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startApp, type TestApp } from '../../support/app.js';
import { type Administrator, administrator, request } from './support.js';

let app: TestApp;
let olga: Administrator;
beforeAll(async () => {
  app = await startApp();
  olga = await administrator(app, 'olga@example.com', ['owner']);
});
afterAll(() => app.stop());

test('the overview counts, and each chart has its table', async () => {
  const account = await app.account('anna@example.com');
  await request(app, account);
  const page = await olga.browser.open('/console/overview');
  expect(page.status).toBe(200);
  expect(page.text).toMatch(/Second step set up 50 % 1 of 2 people/);
  expect(page.text).toMatch(/Open requests 1 The oldest was sent/);
  expect(page.text).toMatch(/Suspensions now 0/);
  expect(page.text).toContain('A password alone is enough to set up the first login method');
  expect(page.text).toContain('Sign-ins of the last 14 days');
  expect(page.html.match(/<svg[^>]*aria-hidden="true"/g)?.length).toBeGreaterThan(2);
});

test('the audit: filters, pages, and the same as a file, line by line', async () => {
  const page = await olga.browser.open('/console/audit?type=authn_login_success');
  const events = [...page.html.matchAll(/<li><div class="when">.*?<b>([^<]+)<\/b>/g)].map(([, event]) => event);
  expect(new Set(events)).toEqual(new Set(['Signed in']));
  expect((await olga.browser.open('/console/audit?since=2099-01-01')).text).toContain('No events');
  const file = await olga.browser.request(`${app.issuer}/console/audit/export?type=authn_login_success`);
  expect(file.headers.get('content-type')).toMatch(/^application\/x-ndjson/);
  expect(file.headers.get('content-disposition')).toMatch(/attachment; filename="audit-\d{4}-\d\d-\d\d\.ndjson"/);
  const lines = file.html
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string });
  expect(lines.length).toBeGreaterThan(0);
  expect(new Set(lines.map(({ type }) => type))).toEqual(new Set(['authn_login_success']));
  expect((await olga.browser.open('/console/audit?type=audit_exported')).text).toContain('Audit exported');
});

test('New application: three answers, and lines that work as they stand', async () => {
  const form = await olga.browser.open('/console/new-client');
  const nameless = await olga.browser.submit(form, { name: ' ', kind: 'server', redirectUris: 'https://w.example/cb' });
  expect([nameless.status, nameless.text.includes('Give the application a name')]).toEqual([422, true]);
  const wrong = await olga.browser.submit(form, { name: 'Wiki', kind: 'server', redirectUris: 'not an address' });
  expect(wrong.status).toBe(400);
  expect(wrong.text).toContain('redirect_uris');
  const values = { name: 'Wiki', kind: 'server', redirectUris: 'https://wiki.example/cb', level: '2fa' };
  const added = await olga.browser.submit(form, values);
  expect(added.h1).toBe('Wiki is registered');
  const secret = /id="secret">([^<]+)</.exec(added.html)?.[1] ?? '';
  expect(secret.length).toBeGreaterThanOrEqual(43);
  const clientId = /<code>(wiki-[a-z0-9]+)<\/code>/.exec(added.html)?.[1] ?? '';
  expect(await app.app.oidc.clients.find(clientId)).toMatchObject({
    client_name: 'Wiki',
    client_secret: secret,
    minimum_acr: '2fa',
    redirect_uris: ['https://wiki.example/cb'],
  });
  expect(added.text).toContain(`${app.issuer}/.well-known/openid-configuration`);
  const again = await olga.browser.submit(form, values);
  expect(again.html).not.toContain(secret);
  expect(again.text).toContain('The secret was shown before');

  const list = await olga.browser.open('/console/clients');
  expect(list.text).toMatch(/Wiki .*Time Sheets .*Configuration file/);
  const settings = await olga.browser.open(`/console/clients/${clientId}`);
  const change = { name: 'Wiki Two', redirectUris: 'https://wiki.example/cb\nhttps://wiki.example/two', level: '' };
  const saved = await olga.browser.submit(settings, change);
  expect([saved.h1, saved.text.includes('Saved.')]).toEqual(['Wiki Two', true]);
  const stale = await olga.browser.submit(settings, { ...change, name: 'Wiki Three' });
  expect([stale.status, stale.text.includes('Changed elsewhere in the meantime'), stale.h1]).toEqual([
    412,
    true,
    'Wiki Two',
  ]);

  const rotate = await olga.browser.open(`/console/clients/${clientId}/rotate-secret`);
  const rotated = await olga.browser.submit(rotate, {}, /rotate-secret$/);
  const fresh = /id="secret">([^<]+)</.exec(rotated.html)?.[1] ?? '';
  expect(fresh.length).toBeGreaterThanOrEqual(43);
  expect(fresh).not.toBe(secret);
  const remove = await olga.browser.open(`/console/clients/${clientId}/remove`);
  const removed = await olga.browser.submit(remove, {}, /remove$/);
  expect(removed.text).toContain('The application is removed.');
  expect((await olga.browser.open(`/console/clients/${clientId}`)).status).toBe(404);
});

test('an application of the configuration file is shown, and changed there', async () => {
  const page = await olga.browser.open('/console/clients/rp');
  expect(page.text).toContain('It stands in the configuration file');
  expect(page.forms.some(({ names }) => names.includes('redirectUris'))).toBe(false);
  expect(page.text).not.toContain('rp-secret');
});

test('too much at once is a page that says when to go on, and a form that keeps what was typed', async () => {
  const slow = await startApp({ api: { requestsPerMinute: 8 } });
  const ida = await administrator(slow, 'ida@example.com', ['owner']);
  const form = await ida.browser.open('/console/new-client');
  let page = await ida.browser.open('/console/people');
  for (let n = 0; page.status === 200 && n < 10; n += 1) page = await ida.browser.open('/console/people');
  expect([page.status, page.h1]).toEqual([429, 'Too fast']);
  expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(page.text).toMatch(/You can try again in \d+ seconds?/);
  const values = { name: 'Wiki', kind: 'server', redirectUris: 'https://wiki.example/cb' };
  const kept = await ida.browser.submit(form, values);
  expect([kept.status, kept.text.includes('That was too much at once')]).toEqual([429, true]);
  expect(kept.html).toContain('value="Wiki"');
  expect(kept.forms.find(({ names }) => names.includes('redirectUris'))?.values.key).toBe(
    form.forms.find(({ names }) => names.includes('redirectUris'))?.values.key,
  );
  await slow.stop();
});
