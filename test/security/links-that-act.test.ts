/** Prevents: a mail scanner, a prefetch or a second press doing what only a person's one press may do. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { LinkPurpose } from '../../src/accounts/index.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Person, person, signIn, snapshot, typePassword } from './support.js';

let app: TestApp;
let rp: RelyingParty;
let anna: Person;
beforeAll(async () => {
  app = await startApp();
  rp = new RelyingParty(app.issuer);
  anna = await person(app, 'anna@example.com');
});
afterAll(() => app.stop());

const NEW_PASSWORD = 'meadow copper 93 signal';
const LINKS: { purpose: LinkPurpose; path: string; form: Record<string, string> }[] = [
  { purpose: 'invitation', path: 'invitation', form: { password: NEW_PASSWORD, repeat: NEW_PASSWORD } },
  { purpose: 'password_reset', path: 'password-reset', form: { password: NEW_PASSWORD, repeat: NEW_PASSWORD } },
  { purpose: 'confirm_email', path: 'confirm-email', form: {} },
  { purpose: 'not_me', path: 'not-me', form: {} },
];

test.each(LINKS)(
  '$purpose: opened by GET and HEAD any number of times, it changes nothing',
  async ({ purpose, path }) => {
    const token = await app.app.links.create(purpose, anna.account.id, 3600);
    const before = await snapshot(app, []);
    for (const method of ['GET', 'HEAD', 'GET']) {
      const answer = await app.browser().request(`${app.issuer}/${path}/${token}`, { method });
      expect({ method, status: answer.status }).toEqual({ method, status: 200 });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('referrer-policy')).toBe('same-origin');
    }
    expect(await snapshot(app, [])).toEqual(before);
    expect(await app.app.links.find(purpose, token)).toBeTruthy();
  },
);

test.each(LINKS)(
  '$purpose: pressed fifty times at once, it counts once; and never after',
  async ({ purpose, path, form }) => {
    const account = await app.account(`${path}@example.com`);
    const token = await app.app.links.create(purpose, account.id, 3600);
    const browser = app.browser();
    const page = await browser.open(`/${path}/${token}`);
    const target = page.forms.find(({ action }) => action.endsWith(token));
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        browser.clone().request(target?.action ?? '', { method: 'POST', form: { ...target?.values, ...form } }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 400)).toHaveLength(49);
    for (const method of ['GET', 'POST']) {
      const late = await browser.request(`${app.issuer}/${path}/${token}`, {
        method,
        ...(method === 'POST' ? { form: { ...target?.values, ...form } } : {}),
      });
      expect({ method, status: late.status }).toEqual({ method, status: 400 });
    }
  },
  60_000,
);

test('no other page acts by GET either', async () => {
  const browser = app.browser();
  await signIn(browser, rp, anna);
  const [session] = await app.app.sessions.list(anna.account.id);
  // Looking keeps a session alive and starts sign-ins: `oidc` may move, nothing else.
  const before = await snapshot(app, ['oidc']);
  for (const { path } of app.app.web.pages.forms) {
    const url = path
      .replace('/sessions/:uid', `/sessions/${session?._id}`)
      .replace(':id', anna.authenticator.factorId)
      .replace(/:\w+/, 'x');
    if (/\/(add|change)\//.test(url)) continue; // shows a secret that is pending until it is confirmed
    for (const method of ['GET', 'HEAD']) {
      const answer = await browser.clone().request(`${app.issuer}${url}`, { method });
      expect({ method, url, ok: answer.status < 500 }).toEqual({ method, url, ok: true });
    }
  }
  await browser.request(`${app.issuer}/session/end`);
  expect(await snapshot(app, ['oidc'])).toEqual(before);
  expect(await rp.silent(browser)).toBe('code');
});

test('a link of one purpose is worth nothing for another, nor cut short or changed', async () => {
  const token = await app.app.links.create('password_reset', anna.account.id, 3600);
  for (const path of ['invitation', 'confirm-email', 'not-me'])
    expect((await app.browser().open(`/${path}/${token}`)).status).toBe(400);
  for (const wrong of [token.slice(0, -1), `${token}A`, token.toLowerCase(), token.replace(/^./, '_')])
    expect((await app.browser().open(`/password-reset/${wrong}`)).status).toBe(400);
});

test('"It wasn’t me" ends every session; the password has to be changed by mail before it opens anything', async () => {
  const cleo = await app.account('cleo@example.com', { email: 'cleo@mail.example' });
  const thief = app.browser();
  const first = rp.request();
  expect(rp.answer(await typePassword(thief, first.url, cleo.login)).code).toBeTruthy();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const token = await app.app.links.create('not_me', cleo.id, 3600);
  const owner = app.browser();
  const done = await owner.submit(await owner.open(`/not-me/${token}`), {}, /not-me/);
  expect(done.status).toBe(200);
  expect(await rp.silent(thief)).toBe('login_required');
  const page = await typePassword(thief, rp.request().url, cleo.login);
  expect(page.url.origin).toBe(app.issuer);
  expect(await rp.silent(thief)).toBe('login_required');
  await new Promise((resolve) => setTimeout(resolve, 300));
  const resets = (await app.mails()).filter(
    ({ to, text }) => to === 'cleo@mail.example' && /password-reset/.test(text),
  );
  expect(resets).toHaveLength(1);
  const link = /https?:\S+\/password-reset\/[\w-]+/.exec(resets[0]?.text ?? '')?.[0] ?? '';
  const changed = await owner.submit(await owner.open(link), { password: NEW_PASSWORD, repeat: NEW_PASSWORD });
  expect(changed.status).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect((await typePassword(thief, rp.request().url, cleo.login, PASSWORD)).status).toBe(422);
  expect(rp.answer(await typePassword(owner, rp.request().url, cleo.login, NEW_PASSWORD)).code).toBeTruthy();
});

test('whoever knows a password that must be changed cannot fill its owner’s mailbox', async () => {
  const dora = await app.account('dora@example.com', { email: 'dora@mail.example' });
  await app.app.accounts.markPasswordCompromised(dora.id);
  for (let n = 0; n < 6; n += 1) await typePassword(app.browser(), rp.request().url, dora.login);
  const resets = (await app.mails()).filter(({ to }) => to === 'dora@mail.example');
  expect(resets.length).toBeLessThanOrEqual(3);
}, 60_000);
