/** The queue and the decision: by its number, once, by somebody who has just confirmed who they are. */
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { startApp, type TestApp } from '../../support/app.js';
import { type Administrator, administrator, approval, request, signInAt, travel } from './support.js';

let app: TestApp;
let ben: Administrator;
let olga: Administrator;
let count = 0;
beforeAll(async () => {
  app = await startApp();
  ben = await administrator(app, 'ben@example.com', ['helpdesk']);
  olga = await administrator(app, 'olga@example.com', ['owner']);
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(() => app.stop());

const employee = () => {
  count += 1;
  return app.account(`employee${count}@example.com`, { groups: ['Sales'] });
};
const pathOf = ({ id }: { id: string }): string => `/console/requests/${id}`;

test('the queue shows who waits, why and from where, the longest first, and counts in its title', async () => {
  const account = await employee();
  await request(app, account);
  await request(app, account, { isKnownBrowser: false, circumstances: 'broken' });
  const page = await ben.browser.open('/console');
  expect(page.title).toBe('(2) Requests · Countersign');
  expect(page.text).toMatch(/Phone lost or stolen.*Phone broken/);
  expect(page.text).toContain('Sales');
  expect(page.text).toContain('Firefox, Windows 192.0.2.7');
  expect(page.text).toContain('Unknown browser 2 open requests');
  expect(page.html).toContain('/console/queue/events');
  expect((await ben.browser.open('/console?state=approved')).text).toContain('No such requests');
});

test('approved by its number: the employee is cleared, and the page says until when', async () => {
  const account = await employee();
  const asked = await request(app, account);
  const page = await ben.browser.open(pathOf(asked));
  expect(page.h1).toBe(account.name);
  expect(page.html).not.toContain(asked.number.replace(' ', ''));
  const done = await ben.browser.submit(page, approval(asked.number, { reason: 'Ticket 4711' }));
  expect(done.h1).toBe(`${account.name} can sign in`);
  expect(done.text).toMatch(/off for .* until \d+ \w+ \d{4}/);
  expect(done.text).toContain('Ticket 4711');
  const standing = (await app.app.accounts.find(account.id))?.standing;
  expect(standing?.suspension?.until).toBeInstanceOf(Date);
  expect((await app.app.desk.findRequest(asked.id))?.decision).toMatchObject({
    by: ben.account.id,
    verifiedBy: 'called_number_on_file',
  });
});

test('the audit knows from where the administrator decided: nobody is hidden behind the server', async () => {
  const account = await employee();
  const asked = await request(app, account);
  ben.browser.headers = { 'user-agent': 'Firefox/150.0 (of Ben)' };
  await ben.browser.submit(await ben.browser.open(pathOf(asked)), approval(asked.number));
  ben.browser.headers = {};
  const events = await app.app.audit.list(
    { accountId: account.id, types: ['recovery_request_approved'] },
    { limit: 1 },
  );
  expect(events[0]).toMatchObject({
    actor: { type: 'account', id: ben.account.id },
    origin: { ip: expect.stringMatching(/127\.0\.0\.1$/), userAgent: 'Firefox/150.0 (of Ben)' },
  });
});

test('what is missing is said, and all that was typed is still there', async () => {
  const asked = await request(app, await employee());
  const page = await ben.browser.open(pathOf(asked));
  const unchecked = await ben.browser.submit(page, approval('K7P 4QX', { verifiedBy: '', reason: 'My words' }));
  expect(unchecked.status).toBe(422);
  expect(unchecked.text).toContain('Say how you checked');
  expect(unchecked.html).toContain('value="K7P 4QX"');
  expect(unchecked.text).toContain('My words');
  const wrong = await ben.browser.submit(unchecked, approval('ZZZ ZZZ'));
  expect(wrong.status).toBe(422);
  expect(wrong.text).toContain('This number belongs to no open request of this person');
  expect((await app.app.desk.findRequest(asked.id))?.state).toBe('open');
});

test('the number of the other request: that one is shown, filled, and decided only then', async () => {
  const account = await employee();
  const ofThief = await request(app, account, { isKnownBrowser: false });
  const ofEmployee = await request(app, account);
  const page = await ben.browser.open(pathOf(ofThief));
  expect(page.text).toContain('never signed in from this browser');
  expect(page.text).toContain('2 requests of this account are open');
  const moved = await ben.browser.submit(page, approval(ofEmployee.number, { hours: '48' }));
  expect(moved.url.pathname).toBe(pathOf(ofEmployee));
  expect(moved.text).toContain('That number belongs to another open request');
  expect(moved.html).toContain(`value="${ofEmployee.number}"`);
  expect(moved.html).toMatch(/value="48"[^>]* checked/);
  expect((await app.app.desk.findRequest(ofEmployee.id))?.state).toBe('open');
  const done = await ben.browser.submit(moved, approval(ofEmployee.number, { hours: '48' }));
  expect(done.h1).toBe(`${account.name} can sign in`);
  expect((await app.app.desk.findRequest(ofEmployee.id))?.state).toBe('approved');
  expect((await app.app.desk.findRequest(ofThief.id))?.state).not.toBe('approved');
});

test('eleven minutes after the sign-in: confirm, and come back to the filled form; sent twice it decides once', async () => {
  const account = await employee();
  const asked = await request(app, account);
  travel(11 * 60);
  const page = await ben.browser.open(pathOf(asked));
  const form = page.forms.find(({ names }) => names.includes('requestNumber'));
  const toSend = approval(asked.number, { hours: '48', reason: 'Called twice' });
  const asks = await ben.browser.submit(page, toSend);
  expect(asks.url.pathname).toMatch(/^\/sign-in\//);
  expect((await app.app.desk.findRequest(asked.id))?.state).toBe('open');
  const back = await signInAt(ben.browser, asks.url, ben);
  expect(back.url.pathname).toBe(pathOf(asked));
  expect(back.text).toContain('Confirmed. Check and send again.');
  expect(back.html).toContain(`value="${asked.number}"`);
  expect(back.text).toContain('Called twice');
  const again = back.forms.find(({ names }) => names.includes('requestNumber'));
  expect(again?.values.key).toBe(form?.values.key);
  const [one, two] = await Promise.all([
    ben.browser.clone().submit(back, toSend),
    ben.browser.clone().submit(back, toSend),
  ]);
  expect([one.h1, two.h1]).toContain(`${account.name} can sign in`);
  const events = await app.app.audit.list({ accountId: account.id, types: ['suspension_started'] }, { limit: 5 });
  expect(events).toHaveLength(1);
  const stored = await app.database.collection('console_sessions').find({}).toArray();
  expect(JSON.stringify(stored)).not.toContain('Called twice');
});

test('a form that waits for its sender opens for nobody else, nor at another page', async () => {
  const asked = await request(app, await employee());
  travel(11 * 60);
  const page = await olga.browser.open(pathOf(asked));
  await olga.browser.submit(page, approval(asked.number, { reason: 'Of Olga' }));
  const [session] = await app.database
    .collection<{ _id: string; accountId: string; forms: Record<string, unknown> }>('console_sessions')
    .find({ accountId: olga.account.id })
    .toArray();
  const id = Object.keys(session?.forms ?? {})[0] ?? '';
  expect(id).not.toBe('');
  const other = await request(app, await employee());
  expect((await olga.browser.open(`${pathOf(other)}?form=${id}`)).text).not.toContain('Of Olga');
  expect((await ben.browser.open(`${pathOf(asked)}?form=${id}`)).text).not.toContain('Of Olga');
  expect((await olga.browser.open(`${pathOf(asked)}?form=${id}`)).text).toContain('Of Olga');
});

test('decided by somebody else meanwhile: who, when and how', async () => {
  const account = await employee();
  const asked = await request(app, account);
  const [atBen, atOlga] = await Promise.all([ben.browser.open(pathOf(asked)), olga.browser.open(pathOf(asked))]);
  await signInAt(olga.browser, `${app.issuer}/console`, olga).catch(() => undefined);
  await olga.browser.submit(atOlga, { outcome: 'declined', reason: 'Nobody answers' });
  const late = await ben.browser.submit(atBen, approval(asked.number));
  expect(late.status).toBe(409);
  expect(late.text).toMatch(/Decided \d+ seconds? ago by olga: declined/);
  expect(late.text).toContain('Nobody answers');
});

test("one's own request, and one of a higher role, cannot be decided, and the page says why", async () => {
  const own = await request(app, ben.account);
  const page = await ben.browser.open(pathOf(own));
  expect(page.text).toContain('This is your own request');
  expect(page.forms.some(({ names }) => names.includes('requestNumber'))).toBe(false);
  const higher = await request(app, olga.account);
  expect((await ben.browser.open(pathOf(higher))).text).toContain('a role that yours does not reach');
  const form = { csrf: page.forms[0]?.values.csrf ?? '', key: 'x'.repeat(20), ...approval(own.number) };
  const forced = await ben.browser.request(`${app.issuer}${pathOf(own)}`, { method: 'POST', form });
  expect(forced.status).toBe(403);
  expect((await app.app.desk.findRequest(own.id))?.state).toBe('open');
});

test('an auditor reads, and a request that is not there is said to be not there', async () => {
  const ada = await administrator(app, 'ada@example.com', ['auditor']);
  const asked = await request(app, await employee());
  expect((await ada.browser.open(pathOf(asked))).text).toContain('reads requests and does not decide them');
  const missing = await ada.browser.open('/console/requests/none');
  expect(missing.status).toBe(404);
  expect(missing.h1).toBe('Not found');
  expect(missing.text).toContain(missing.headers.get('x-request-id') ?? 'no id');
});

test('the stream says that something changed, and nothing else; strangers hear nothing', async () => {
  const stranger = await app.browser().request(`${app.issuer}/console/queue/events`);
  expect([stranger.status, stranger.html]).toEqual([204, '']);
  const abort = new AbortController();
  const cookie = `countersign-console=${ben.browser.cookie('countersign-console')}`;
  const response = await fetch(`${app.issuer}/console/queue/events`, { headers: { cookie }, signal: abort.signal });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let heard = '';
  const listening = (async () => {
    while (!heard.includes('changed')) heard += (await reader?.read())?.value ?? '';
  })();
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  const account = await employee();
  const asked = await request(app, account);
  await listening;
  abort.abort();
  expect(heard.replace(/^(retry: \d+|:)\n\n/gm, '')).toBe('event: changed\ndata:\n\n');
  expect(heard).not.toContain(asked.id);
});
