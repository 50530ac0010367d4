/** One browser, several tabs, a back button, a reload and an impatient finger; every request at the other node than the one before. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Person, person, signIn, typePassword, typeRecoveryCode } from '../security/support.js';
import { PASSWORD, RP_SECRET } from '../support/app.js';
import { Browser, type Page } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Cluster, OTHER_RP, startCluster } from './cluster.js';

let cluster: Cluster;
let rp: RelyingParty;
let wiki: RelyingParty;
beforeAll(async () => {
  cluster = await startCluster();
  cluster.balancer.to = 'alternate';
  rp = new RelyingParty(cluster.issuer);
  wiki = new RelyingParty(cluster.issuer, OTHER_RP.client_id, RP_SECRET, OTHER_RP.redirect_uris[0]);
}, 60_000);
afterAll(() => cluster.stop());

const anyone = (login: string): Promise<Person> => person(cluster.office, `${login}@example.com`);
const start = (): Browser => new Browser(cluster.issuer);
const codeForm = (page: Page): URL =>
  new URL(page.url.href.replace(/(\/second-factor\/[^/]+).*/, '$1/with/recovery_code'));

test('two applications in two tabs, step by step beside each other: both are signed in to, in one session', async () => {
  const anna = await anyone('anna');
  const browser = start();
  const [one, two] = [rp.request(), wiki.request()];
  let first = await browser.open(one.url);
  let second = await browser.open(two.url);
  first = await browser.submit(first, { login: anna.account.login, password: PASSWORD });
  second = await browser.submit(second, { login: anna.account.login, password: PASSWORD });
  first = await typeRecoveryCode(browser, first, anna);
  second = await typeRecoveryCode(browser, second, anna);
  const tokens = await rp.tokens(first, one.verifier);
  const others = await wiki.tokens(second, two.verifier);
  expect([tokens.claims.sub, others.claims.sub]).toEqual([anna.account.id, anna.account.id]);
  expect((await rp.userinfo(tokens.access_token)).status).toBe(200);
  expect((await wiki.userinfo(others.access_token)).status).toBe(200);
  expect(await rp.silent(browser)).toBe('code');
  expect(await wiki.silent(browser)).toBe('code');
});

test('two tabs that answer their last step at the same moment both finish', async () => {
  const ben = await anyone('ben');
  const browser = start();
  const [one, two] = [rp.request(), wiki.request()];
  const first = await typePassword(browser, one.url, ben.account.login);
  const second = await typePassword(browser, two.url, ben.account.login);
  const pages = await Promise.all([typeRecoveryCode(browser, first, ben), typeRecoveryCode(browser, second, ben)]);
  const tokens = await rp.tokens(pages[0], one.verifier);
  const others = await wiki.tokens(pages[1], two.verifier);
  expect((await rp.userinfo(tokens.access_token)).status).toBe(200);
  expect((await wiki.userinfo(others.access_token)).status).toBe(200);
});

test.each(['submitting', 'reloading'])(
  'a login page left open while another tab signs in: %s it goes on',
  async (how) => {
    const carla = await anyone(`carla.${how}`);
    const browser = start();
    const { url, verifier } = wiki.request();
    const left = await browser.open(url);
    await signIn(browser, rp, carla);
    let page =
      how === 'submitting'
        ? await browser.submit(left, { login: carla.account.login, password: PASSWORD })
        : await browser.open(left.url);
    if (how === 'reloading') page = await browser.submit(page, { login: carla.account.login, password: PASSWORD });
    if (page.url.pathname.startsWith('/second-factor/')) page = await typeRecoveryCode(browser, page, carla);
    expect((await wiki.tokens(page, verifier)).claims.sub).toBe(carla.account.id);
    expect(await rp.silent(browser)).toBe('code');
  },
);

test('back to a page whose step is finished: it says so and leads to the application', async () => {
  const dora = await anyone('dora');
  const browser = start();
  const { url, verifier } = rp.request();
  const login = await browser.open(url);
  const entry = await browser.submit(login, { login: dora.account.login, password: PASSWORD });
  const done = await typeRecoveryCode(browser, entry, dora);
  await rp.tokens(done, verifier);
  for (const page of [login, entry]) {
    const back = await browser.open(page.url);
    expect([back.status, back.h1]).toEqual([400, 'This sign-in has ended']);
    expect(back.html).toContain('href="https://rp.example/"');
    const reload = await browser.submit(page, page === login ? { login: 'x', password: 'y' } : {});
    expect([reload.status, reload.h1]).toEqual([400, 'This sign-in has ended']);
  }
  expect(await rp.silent(browser)).toBe('code');
});

test('back to the login page while the second step is open, and typing the password again', async () => {
  const emil = await anyone('emil');
  const browser = start();
  const { url, verifier } = rp.request();
  const login = await browser.open(url);
  const entry = await browser.submit(login, { login: emil.account.login, password: PASSWORD });
  const back = await browser.submit(login, { login: emil.account.login, password: PASSWORD });
  expect(back.status).toBeLessThan(500);
  const page = await typeRecoveryCode(browser, entry, emil);
  expect((await rp.tokens(page, verifier)).claims.sub).toBe(emil.account.id);
});

test('the answer to a wrong code reloaded: the same page, one more attempt, then the right code signs in', async () => {
  const finn = await anyone('finn');
  const browser = start();
  const { url, verifier } = rp.request();
  const form = await browser.open(codeForm(await typePassword(browser, url, finn.account.login)));
  const wrong = { code: 'AAAA-AAAA-AAAA-AAAA' };
  const [answer, reload] = [await browser.submit(form, wrong), await browser.submit(form, wrong)];
  expect([answer.status, reload.status]).toEqual([422, 422]);
  expect(reload.h1).toBe(answer.h1);
  expect((await rp.tokens(await typeRecoveryCode(browser, reload, finn), verifier)).claims.sub).toBe(finn.account.id);
});

test.each([0, 20])(
  'password and code sent twice, %s ms apart: the second answer leads on as the first would have',
  async (ms) => {
    const gina = await anyone(`gina.${ms}`);
    const browser = start();
    const { url, verifier } = rp.request();
    const twice = async (page: Page, values: Record<string, string>): Promise<Page> => {
      const form = page.forms.find(({ names }) => Object.keys(values).every((name) => names.includes(name)));
      const post = () => browser.request(form?.action ?? '', { method: 'POST', form: { ...form?.values, ...values } });
      const first = post();
      await new Promise((resolve) => setTimeout(resolve, ms));
      const [, shown] = await Promise.all([first, post()]);
      // A browser shows the answer to what it sent last.
      expect(shown.status).toBe(303);
      return browser.open(shown.headers.get('location') ?? '');
    };
    const entry = await twice(await browser.open(url), { login: gina.account.login, password: PASSWORD });
    const page = await twice(await browser.open(codeForm(entry)), { code: gina.recoveryCodes.pop() ?? '' });
    expect((await rp.tokens(page, verifier)).claims.sub).toBe(gina.account.id);
    const events = await cluster.office.app.audit.list(
      { accountId: gina.account.id, types: ['authn_login_success'] },
      { limit: 10 },
    );
    expect(events).toHaveLength(1);
  },
);
