/** Many at once at both nodes: what is good once is good for exactly one of them, and limits hold for all together. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { person, signIn, typePassword, typeRecoveryCode } from '../security/support.js';
import { PASSWORD } from '../support/app.js';
import { Browser } from '../support/browser.js';
import { RelyingParty, type Tokens } from '../support/relying-party.js';
import { type Cluster, startCluster } from './cluster.js';

const MANY = 120;
/** Sign-ins that are made ready at a time: more right passwords at once would meet the limit on guesses. */
const AT_A_TIME = 4;

let cluster: Cluster;
let rp: RelyingParty;
beforeAll(async () => {
  cluster = await startCluster();
  rp = new RelyingParty(cluster.issuer);
}, 60_000);
afterAll(() => cluster.stop());
beforeEach(() => {
  cluster.balancer.to = 'alternate';
});

const times = <T>(count: number, work: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, work));

/** One sign-in that stands before its second step; `send` answers it. */
interface Waiting {
  browser: Browser;
  entry: URL;
  send(method: string, code: string): Promise<Response>;
}

/** Sign-ins of their own with the right password given. Pages are not looked at: their forms are known. */
async function afterThePassword(login: string, count: number): Promise<Waiting[]> {
  const first = new Browser(cluster.issuer);
  const csrf = (await first.open(rp.request().url)).forms[0]?.values.csrf ?? '';
  const one = async (): Promise<Waiting> => {
    const browser = first.clone();
    const post = (url: string | URL, form: Record<string, string>) =>
      browser.request(new URL(url, cluster.issuer), { method: 'POST', form: { csrf, ...form } });
    const next = async (answer: Response): Promise<URL> => {
      if (answer.status !== 303) throw new Error(`${answer.status} instead of a redirect`);
      return new URL(answer.headers.get('location') ?? '', cluster.issuer);
    };
    const page = await next(await browser.request(rp.request().url));
    const resume = await next(await post(page, { login, password: PASSWORD }));
    const entry = await next(await browser.request(resume));
    return { browser, entry, send: (method, code) => post(`${entry.pathname}/with/${method}`, { code }) };
  };
  const all: Waiting[] = [];
  while (all.length < count) all.push(...(await times(Math.min(AT_A_TIME, count - all.length), one)));
  return all;
}

const factorEvents = async (accountId: string, type: 'factor_verified' | 'factor_rejected' | 'factor_throttled') =>
  (await cluster.office.app.audit.list({ accountId, types: [type] }, { limit: 500 })).length;

test(`one recovery code sent ${MANY} times at once in as many sign-ins: exactly one signs in`, async () => {
  const anna = await person(cluster.office, 'anna@example.com');
  const signIns = await afterThePassword('anna@example.com', MANY);
  const answers = await Promise.all(signIns.map((one) => one.send('recovery_code', anna.recoveryCodes[0] ?? '')));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 303)).toHaveLength(1);
  expect(statuses.filter((status) => ![303, 422, 429].includes(status))).toEqual([]);
  expect(await factorEvents(anna.account.id, 'factor_verified')).toBe(1);
  const winner = statuses.indexOf(303);
  for (const index of new Set([winner, 0, 1, 2, MANY - 1])) {
    const { browser, entry } = signIns[index] as Waiting;
    expect(rp.answer(await browser.open(entry)).code !== undefined).toBe(index === winner);
  }
}, 120_000);

test(`${MANY / 2} wrong codes at once in as many sign-ins: no more are looked at than the limits allow`, async () => {
  const ben = await person(cluster.office, 'ben@example.com');
  const signIns = await afterThePassword('ben@example.com', MANY / 2);
  const right = new Set([-1, 0, 1, 2].map((steps) => ben.authenticator.code(steps)));
  const wrong = ['000000', '111111', '222222', '333333', '444444'].find((code) => !right.has(code)) ?? '';
  const answers = await Promise.all(signIns.map((one) => one.send('totp', wrong)));
  expect(answers.filter(({ status }) => ![422, 429].includes(status))).toEqual([]);
  // Five without a wait; the sixth begins the first wait of 30 s.
  const looked = await factorEvents(ben.account.id, 'factor_rejected');
  expect(looked).toBeGreaterThanOrEqual(1);
  expect(looked).toBeLessThanOrEqual(6);
  expect(answers.filter(({ status }) => status === 422)).toHaveLength(looked);
  // Refusals cost a stranger nothing: one event a minute, on both nodes together.
  const refusals = await factorEvents(ben.account.id, 'factor_throttled');
  expect(refusals).toBeGreaterThanOrEqual(1);
  expect(refusals).toBeLessThanOrEqual(3);
  expect((await signIns[0]?.send('totp', ben.authenticator.code()))?.status).toBe(429);
}, 120_000);

test(`one authorization code exchanged ${MANY} times at once: exactly one gets tokens, and the replay takes them back`, async () => {
  const carla = await person(cluster.office, 'carla@example.com');
  const browser = new Browser(cluster.issuer);
  const { url, verifier } = rp.request();
  const page = await typeRecoveryCode(browser, await typePassword(browser, url, 'carla@example.com'), carla);
  const { code = '' } = rp.answer(page);
  const answers = await times(MANY, () => rp.exchange(code, verifier));
  const [first, ...others] = answers.filter(({ status }) => status === 200) as [Tokens, ...Tokens[]];
  expect(others).toEqual([]);
  expect(answers.filter(({ status, error }) => status !== 200 && error !== 'invalid_grant')).toEqual([]);
  // RFC 6749 section 4.1.2: a code that comes again revokes what was issued for it.
  await rp.exchange(code, verifier);
  expect((await rp.userinfo(first.access_token)).status).toBe(401);
  expect(await rp.refresh(first.refresh_token ?? '')).toMatchObject({ error: 'invalid_grant' });
}, 60_000);

test('one refresh token used at both nodes at once: one wins, and its family goes on', async () => {
  const dora = await person(cluster.office, 'dora@example.com');
  let tokens: Tokens = await signIn(new Browser(cluster.issuer), rp, dora);
  for (let round = 0; round < 3; round += 1) {
    const { refresh_token: token = '' } = tokens;
    // Both are on the way before either is answered: a token found spent is another matter.
    const held = cluster.gate.hold('RefreshToken:', 'consumed');
    cluster.balancer.to = 'a';
    const one = rp.refresh(token);
    await held.reached;
    cluster.balancer.to = 'b';
    const two = await rp.refresh(token);
    held.release();
    const both = [await one, two];
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(both.find(({ status }) => status === 400)).toMatchObject({ error: 'invalid_grant' });
    tokens = both.find(({ status }) => status === 200) ?? tokens;
    expect((await rp.userinfo(tokens.access_token)).status).toBe(200);
  }
  expect((await rp.refresh(tokens.refresh_token ?? '')).status).toBe(200);
}, 60_000);
