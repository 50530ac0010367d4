/** Prevents: learning from words, statuses or work done which accounts there are, and what they have set up. */
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import type { Browser, Page } from '../support/browser.js';

const native = await import('@node-rs/argon2');
const work = { verify: 0, hash: 0, waitFor: undefined as Promise<void> | undefined };
jest.unstable_mockModule('@node-rs/argon2', () => ({
  ...native,
  hash: async (...args: Parameters<typeof native.hash>) => {
    work.hash += 1;
    return native.hash(...args);
  },
  verify: async (...args: Parameters<typeof native.verify>) => {
    work.verify += 1;
    await work.waitFor;
    return native.verify(...args);
  },
}));
const { startApp } = await import('../support/app.js');
const { RelyingParty } = await import('../support/relying-party.js');
const { person, typePassword } = await import('./support.js');

let app: Awaited<ReturnType<typeof startApp>>;
let rp: InstanceType<typeof RelyingParty>;

beforeAll(async () => {
  // The crowd of the last test comes from many addresses.
  app = await startApp({ trustedProxyHops: 1 });
  rp = new RelyingParty(app.issuer);
  await person(app, 'with-2fa@example.com');
  await app.account('without-2fa@example.com');
  await app.account('invited@example.com', { password: null });
  await app.app.accounts.deactivate((await app.account('deactivated@example.com')).id);
});
afterAll(() => app.stop());
beforeEach(() => {
  work.verify = 0;
  work.hash = 0;
  work.waitFor = undefined;
});

/** The page without what differs by request, and without what was typed. */
const shapeOf = (page: Page, login: string): string =>
  page.html
    .replaceAll(login, 'LOGIN')
    .replace(/value="[\w-]{43}"/g, 'CSRF')
    .replace(/nonce="[\w-]+"/g, 'NONCE')
    .replace(/sign-in\/[\w-]+/g, 'sign-in/UID');
const headersOf = (page: Page): string[] => [...page.headers.keys()].filter((name) => name !== 'content-length').sort();

const LOGINS = [
  'nobody@example.com',
  'with-2fa@example.com',
  'without-2fa@example.com',
  'invited@example.com',
  'deactivated@example.com',
];

test('a wrong password: same status, same page, same headers, same cookies, same work for every kind of account', async () => {
  const seen = [];
  for (const login of LOGINS) {
    const browser = app.browser();
    work.verify = 0;
    const page = await typePassword(browser, rp.request().url, login, 'not the password');
    seen.push({
      status: page.status,
      html: shapeOf(page, login),
      headers: headersOf(page),
      cookies: browser
        .cookies()
        .map(({ name }) => name)
        .sort(),
      work: { ...work, waitFor: undefined },
    });
  }
  expect(seen[0]).toMatchObject({ status: 422, work: { verify: 1, hash: 0 } });
  expect(seen[0]?.html).toContain('Login or password is not correct.');
  for (const [index, one] of seen.entries())
    expect({ login: LOGINS[index], ...one }).toEqual({ login: LOGINS[index], ...seen[0] });
});

test('a wait comes after as many tries for every kind of account', async () => {
  for (const login of LOGINS) {
    const browser = app.browser();
    let page = await browser.open(rp.request().url);
    const statuses: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      page = await browser.submit(page, { login, password: 'not the password' });
      statuses.push(page.status);
    }
    expect({ login, statuses }).toEqual({ login, statuses: [422, 422, 422, 422, 429] });
  }
}, 60_000);

test('forgot password: the same answer at once for every login; mail goes out where there is somebody to write to', async () => {
  const seen = [];
  for (const login of LOGINS) {
    const browser = app.browser();
    const page = await browser.submit(await browser.open('/forgot-password'), { login });
    seen.push({ path: page.url.pathname + page.url.search, status: page.status, html: shapeOf(page, login) });
  }
  expect(seen[0]).toMatchObject({ path: '/forgot-password?sent=1', status: 200 });
  for (const one of seen) expect(one).toEqual(seen[0]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const links = (await app.mails()).filter(({ text }) => text.includes('/password-reset/'));
  expect(links).toHaveLength(3);
});

test('an unlikely password is as much work as a likely one', async () => {
  for (const password of ['', 'x'.repeat(200), '\u{1F511}'.repeat(60)]) {
    work.verify = 0;
    const page = await typePassword(app.browser(), rp.request().url, `${password.length}@example.com`, password);
    expect({ status: page.status, verify: work.verify }).toEqual({ status: 422, verify: 1 });
  }
});

const countedLogins = (): Promise<number> =>
  app.database
    .collection<{ _id: string }>('attempts')
    .countDocuments({ _id: /^login:/, 'counters.c_password.count': { $gt: 0 } });

test('more passwords at once than can be hashed: a clear 503 with Retry-After, and no try is counted', async () => {
  const countedBefore = await countedLogins();
  let release = (): void => {};
  work.waitFor = new Promise<void>((resolve) => {
    release = resolve;
  });
  const browser: Browser = app.browser();
  const page = await browser.open(rp.request().url);
  const form = page.forms.find(({ names }) => names.includes('password'));
  const attempts = Array.from({ length: 90 }, (_, n) =>
    browser.clone().request(form?.action ?? '', {
      method: 'POST',
      form: { ...form?.values, login: `crowd${n}@example.com`, password: 'x' },
      headers: { 'x-forwarded-for': `203.0.113.${n}` },
    }),
  );
  const refused = await Promise.race(
    attempts.map(async (attempt) => {
      const answer = await attempt;
      if (answer.status !== 503) throw new Error(`${answer.status}`);
      return answer;
    }),
  );
  expect(refused.headers.get('retry-after')).toBe('2');
  expect(refused.html).toMatch(/<h1>[^<]+<\/h1>/);
  expect(refused.html).toContain(refused.headers.get('x-request-id'));
  release();
  work.waitFor = undefined;
  const statuses = (await Promise.all(attempts)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([422, 503]));
  const wrong = statuses.filter((status) => status === 422).length;
  expect((await countedLogins()) - countedBefore).toBe(wrong);
  await app.account('late@example.com');
  expect((await typePassword(app.browser(), rp.request().url, 'late@example.com')).status).toBe(303);
}, 60_000);
