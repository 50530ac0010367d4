/** The employee's side over HTTP, without JavaScript: asking, waiting, going on. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import type { DecisionInput, OwnRequest } from '../../src/recovery-desk/index.js';
import { type Person, person, snapshot, typePassword, typeRecoveryCode } from '../security/support.js';
import { RP, startApp, type TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import { FakeClock } from '../support/clock.js';
import { RelyingParty } from '../support/relying-party.js';
import { approve, OLGA } from './support.js';

const clock = new FakeClock();
let app: TestApp;
let rp: RelyingParty;
let wiki: RelyingParty;
let count = 0;

beforeAll(async () => {
  app = await startApp(
    {
      policy: { firstEnrolment: 'invitation' },
      clients: [
        { ...RP, minimum_acr: '2fa' },
        { ...RP, client_id: 'wiki', client_name: 'Wiki', client_uri: undefined },
        { ...RP, client_id: 'strict', client_name: 'Payroll', minimum_acr: '2fa', accept_suspended: false },
      ],
    },
    { clock },
  );
  rp = new RelyingParty(app.issuer);
  wiki = new RelyingParty(app.issuer, 'wiki');
});
afterAll(() => app.stop());

interface Asking {
  someone: Person;
  browser: Browser;
  page: Page;
  verifier: string;
}

const step = (page: Page, rest = ''): string => page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, `$1${rest}`);

/** An employee with both kinds of methods, as far as the second step. */
async function employee(): Promise<Asking> {
  count += 1;
  const someone = await person(app, `anna${count}@example.com`, () => clock.now());
  const browser = app.browser();
  const { url, verifier } = rp.request();
  return { someone, browser, page: await typePassword(browser, url, someone.account.login), verifier };
}

/** By the links and forms of the pages alone. */
async function ask(browser: Browser, at: Page, form: Record<string, string> = {}): Promise<Page> {
  const methods = await browser.open(step(at, '/methods'));
  expect(methods.text).toContain('Cannot confirm login');
  const href = /href="([^"]+\/cannot-confirm)"/.exec(methods.html)?.[1] ?? '';
  return browser.submit(await browser.open(href), { circumstances: 'lost_or_stolen', ...form }, /cannot-confirm$/);
}

const numberOn = (page: Page): string => /<output[^>]*>([^<]+)<\/output>/.exec(page.html)?.[1] ?? '';

async function requestOf(account: Account): Promise<OwnRequest> {
  const { items } = await app.app.desk.listRequests({ accountId: account.id }, { limit: 1 });
  return items[0] as OwnRequest;
}

const decide = async (account: Account, decision: DecisionInput) =>
  app.app.desk.decide((await requestOf(account)).id, decision, OLGA);

const grant = async ({ account }: Person, number: string) =>
  approve(app, { ...(await requestOf(account)), number } as OwnRequest);

test('asking, waiting and, once it is approved, going on by a refresh; then in with the password alone', async () => {
  const { someone, browser, page: second, verifier } = await employee();
  let page = await ask(browser, second, { contact: ' +49 30 1234 ', note: 'It fell\r\ninto the canal.' });
  expect(page.url.pathname).toBe(step(second, '/request'));
  expect(page.h1).toBe('Waiting for an administrator');
  const number = numberOn(page);
  expect(number).toMatch(/^[2-9A-Z]{3} [2-9A-Z]{3}$/);
  expect(page.text).toContain('Read this number to your administrator, and to nobody else.');
  expect(page.html).toMatch(/<noscript><meta http-equiv="refresh" content="15"/);
  expect(await requestOf(someone.account)).toMatchObject({
    circumstances: 'lost_or_stolen',
    contact: '+49 30 1234',
    note: 'It fell\ninto the canal.',
    clientId: 'rp',
    isKnownBrowser: false,
  });

  page = await browser.open(page.url);
  expect(numberOn(page)).toBe(number);
  expect(await grant(someone, number)).toMatchObject({ status: 'decided' });
  page = await browser.open(page.url);
  expect(page.url.pathname).toBe(step(second, '/set-up'));
  expect(page.text).toMatch(/The second step is off for you until .* Set it up again now/);
  page = await browser.submit(page, {}, /\/set-up\/later$/);
  const { claims } = await rp.tokens(page, verifier);
  expect(claims).toMatchObject({ acr: 'urn:countersign:acr:1fa', amr: ['pwd'] });
  const standing = (await app.app.accounts.find(someone.account.id))?.standing;
  expect(standing?.setUp?.laterOn).toBeUndefined();
  const types = (await app.app.audit.list({ accountId: someone.account.id }, { limit: 100 })).map(({ type }) => type);
  expect(types.filter((type) => type === 'suspension_used')).toHaveLength(1);
  expect(types).not.toContain('set_up_postponed');
});

test('the form sent four times at once is one request', async () => {
  const { someone, browser, page: second } = await employee();
  const form = await browser.open(step(second, '/cannot-confirm'));
  const values = { ...form.forms[0]?.values, circumstances: 'broken', note: '' };
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => browser.clone().request(form.url, { method: 'POST', form: values })),
  );
  expect(answers.map(({ status }) => status)).toEqual([303, 303, 303, 303]);
  const { items } = await app.app.desk.listRequests({ accountId: someone.account.id }, { limit: 9 });
  expect(items).toHaveLength(1);
  expect((await browser.open(form.url)).text).not.toContain('Another request');
});

test('what is missing or too long is said on the form, and nothing is sent', async () => {
  const { someone, browser, page: second } = await employee();
  const before = await snapshot(app);
  const nothing = await ask(browser, second, { circumstances: '', note: 'kept' });
  expect(nothing.status).toBe(422);
  expect(nothing.html).toContain('href="#lost_or_stolen"');
  expect(nothing.html).toMatch(/<textarea[^>]*>kept<\/textarea>/);
  const odd = await ask(browser, second, { circumstances: 'bored' });
  expect(odd.status).toBe(422);
  const long = await ask(browser, second, { note: 'x'.repeat(301) });
  expect(long.status).toBe(422);
  expect(long.text).toContain('The note is too long');
  expect(long.html).toMatch(/id="lost_or_stolen"[^>]* checked/);
  expect(await snapshot(app)).toEqual(before);
  // Three hundred, of which half are line breaks that travel as two.
  const lines = await ask(browser, second, { note: 'x\r\n'.repeat(149) });
  expect(lines.h1).toBe('Waiting for an administrator');
  expect((await requestOf(someone.account)).note).toHaveLength(297);
});

test('what an administrator reads holds no character that hides or turns the rest', async () => {
  const { someone, browser, page: second } = await employee();
  await ask(browser, second, { contact: '030\u202e 12\u0007', note: 'a\u200bb\nc' });
  expect(await requestOf(someone.account)).toMatchObject({ contact: '030 12', note: 'ab\nc' });
});

test('another sign-in of that browser, for any application, leads back to the request; not from its methods', async () => {
  const { someone, browser, page: second } = await employee();
  const number = numberOn(await ask(browser, second));
  const elsewhere = await typePassword(browser, wiki.request().url, someone.account.login);
  expect(elsewhere.h1).toBe('Waiting for an administrator');
  expect(numberOn(elsewhere)).toBe(number);
  const methods = await browser.open(/href="([^"]+\/methods)"/.exec(elsewhere.html)?.[1] ?? '');
  expect(methods.url.pathname).toMatch(/\/methods$/);
  expect(methods.text).toContain('Your request is waiting for a decision');
  const entry = await browser.open(step(elsewhere, '/with/recovery_code'));
  expect(entry.h1).toBe('Enter a recovery code');
  // Somebody else in the same browser sees nothing of it.
  const other = await person(app, `other${count}@example.com`, () => clock.now());
  const theirs = await typePassword(browser, wiki.request().url, other.account.login);
  expect(theirs.h1).toBe('Enter the verification code');
  // And no other browser.
  const thief = await typePassword(app.browser(), rp.request().url, someone.account.login);
  expect(thief.h1).toBe('Enter the verification code');
});

test('confirmed after all: in with the second factor, and the request is no longer needed', async () => {
  const { someone, browser, page: second, verifier } = await employee();
  await ask(browser, second);
  const { claims } = await rp.tokens(await typeRecoveryCode(browser, second, someone), verifier);
  expect(claims.acr).toBe('urn:countersign:acr:2fa');
  expect((await requestOf(someone.account)).state).toBe('superseded');
  const page = await browser.open(step(second, '/request'));
  expect(page.h1).toBe('Your request is no longer needed');
});

test('cancelled: it says so, and another one can be sent', async () => {
  const { someone, browser, page: second } = await employee();
  const first = numberOn(await ask(browser, second));
  let page = await browser.submit(await browser.open(step(second, '/request')), {}, /withdraw$/);
  expect(page.h1).toBe('Your request is cancelled');
  expect((await requestOf(someone.account)).state).toBe('withdrawn');
  clock.advance(1);
  page = await ask(browser, second);
  expect(page.h1).toBe('Waiting for an administrator');
  expect(numberOn(page)).not.toBe(first);
});

test('declined: the reason, and no new request for a quarter of an hour', async () => {
  const { someone, browser, page: second } = await employee();
  await ask(browser, second);
  await decide(someone.account, { outcome: 'declined', reason: 'Please come to room 214.' });
  let page = await browser.open(step(second, '/request'));
  expect(page.h1).toBe('Your request was declined');
  expect(page.text).toContain('Please come to room 214.');
  expect(page.text).toContain('You can send a new request in 15 minutes.');
  page = await browser.open(step(second, '/cannot-confirm'));
  expect(page.url.pathname).toBe(step(second, '/request'));
  const csrf = page.forms[0]?.values.csrf ?? '';
  const refused = await browser.request(`${app.issuer}${step(second, '/cannot-confirm')}`, {
    method: 'POST',
    form: { csrf, circumstances: 'other', contact: '', note: '' },
  });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBe(900);
  clock.advance(901);
  const again = await typePassword(browser, rp.request().url, someone.account.login);
  expect(again.h1).toBe('Enter the verification code');
  expect((await ask(browser, again)).h1).toBe('Waiting for an administrator');
});

test('three browsers wait: the fourth is told so, and each of the three that it is not alone', async () => {
  const { someone, browser, page: second } = await employee();
  const alone = await ask(browser, second);
  expect(alone.text).not.toContain('Another request');
  for (let n = 0; n < 2; n += 1) {
    const other = app.browser();
    const page = await ask(other, await typePassword(other, rp.request().url, someone.account.login));
    expect(page.text).toContain('Another request for your account is open in a different browser.');
  }
  expect((await browser.open(alone.url)).text).toContain('Another request for your account');
  const fourth = app.browser();
  const full = await ask(fourth, await typePassword(fourth, rp.request().url, someone.account.login));
  expect({ status: full.status, h1: full.h1 }).toEqual({ status: 409, h1: 'Too many requests for your account' });
});

test('the password has aged while the page waited: it is asked for again, in the same sign-in', async () => {
  const { someone, browser, page: second, verifier } = await employee();
  const number = numberOn(await ask(browser, second));
  clock.advance(1_200);
  expect((await browser.open(step(second, '/request'))).h1).toBe('Waiting for an administrator');
  await grant(someone, number);
  let page = await browser.open(step(second, '/request'));
  expect(page.h1).toBe('Approved');
  page = await browser.open(/<a class="primary" href="([^"]+)"/.exec(page.html)?.[1] ?? '');
  expect(page.h1).toBe('Sign in to continue to Time Sheets');
  page = await browser.submit(page, { login: someone.account.login, password: 'orchard lantern 47 violet' });
  page = await browser.submit(page, {}, /\/set-up\/later$/);
  expect((await rp.tokens(page, verifier)).claims.acr).toBe('urn:countersign:acr:1fa');
});

test('hours later: the sign-in is gone, the request is not; it says where to start again', async () => {
  const { someone, browser, page: second } = await employee();
  const number = numberOn(await ask(browser, second));
  clock.advance(5 * 3600);
  browser.clearCookie('countersign-interaction');
  let page = await browser.open(step(second, '/request'));
  expect(numberOn(page)).toBe(number);
  expect(page.text).not.toContain(someone.account.login);
  await grant(someone, number);
  page = await browser.open(page.url);
  expect(page.h1).toBe('Approved');
  expect(page.text).toContain('Start again from Time Sheets');
  expect(page.html).toContain('href="https://rp.example/"');
  clock.advance(24 * 3600);
  page = await browser.open(page.url);
  expect(page.h1).toBe('The second step is on again');
});

test('ended early, and begun anew without this browser: it says that the second step is on again', async () => {
  const { someone, browser, page: second } = await employee();
  const number = numberOn(await ask(browser, second));
  const decided = await grant(someone, number);
  await app.app.desk.end((decided.status === 'decided' && decided.suspension?.id) || '', OLGA);
  const url = step(second, '/request');
  expect((await browser.open(url)).h1).toBe('The second step is on again');
  await app.app.desk.start(someone.account, { hours: 24 }, OLGA);
  expect((await browser.open(url)).h1).toBe('The second step is on again');
});

test('nobody decided within a day: it has expired, whether or not that was written down', async () => {
  const { browser, page: second } = await employee();
  await ask(browser, second);
  clock.advance(24 * 3600);
  const url = step(second, '/request');
  expect((await browser.open(url)).h1).toBe('Your request has expired');
  await app.app.desk.sweep();
  expect((await browser.open(url)).h1).toBe('Your request has expired');
});

test('the page of a request without its cookie is no page', async () => {
  const { browser, page: second } = await employee();
  await ask(browser, second);
  for (const path of ['/request', '/request/events', '/request/state']) {
    const stranger = await app.browser().request(`${app.issuer}${step(second, path)}?account=x`);
    expect({ path, ok: [400, 404].includes(stranger.status) }).toEqual({ path, ok: true });
  }
});

test('an application that would not let anybody in without the second step is not a reason to ask', async () => {
  const { someone } = await employee();
  for (const url of [
    new RelyingParty(app.issuer, 'strict').request().url,
    rp.request({
      claims: JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:countersign:acr:2fa' } } }),
    }).url,
  ]) {
    const browser = app.browser();
    const page = await typePassword(browser, url, someone.account.login);
    const methods = await browser.open(step(page, '/methods'));
    expect(methods.text).toContain('Recovery code');
    expect(methods.text).not.toContain('Cannot confirm');
    expect((await browser.open(step(page, '/cannot-confirm'))).url.pathname).toBe(step(page, '/methods'));
  }
});
