/** Confirming in the app with two server processes: the phone at one node, the browser at the other, either of them killed, many answers at once. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type CryptoKey, importJWK } from 'jose';
import type { Challenge, DeviceClient, DeviceError } from '../../examples/device-cli/client.js';
import { signRequest } from '../../examples/device-cli/signatures.js';
import { fetchOutcome, numberOn } from '../app/employee.js';
import { pairPhone } from '../app/trusted-phone.js';
import { typePassword } from '../security/support.js';
import { eventually } from '../sms/support.js';
import { Browser, type Page } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Cluster, startCluster } from './cluster.js';

const MANY = 200;
const HEARD_WITHIN_MS = 1_000;

let cluster: Cluster;
let rp: RelyingParty;
let replaced: Promise<void> | undefined;
beforeAll(async () => {
  cluster = await startCluster({ methods: [{ id: 'app' }, { id: 'totp' }] });
  rp = new RelyingParty(cluster.issuer);
}, 60_000);
afterAll(() => cluster.stop());
beforeEach(() => {
  cluster.balancer.to = 'a';
});
afterEach(async () => {
  await replaced;
  replaced = undefined;
}, 60_000);

const someone = async (login: string) => {
  const account = await cluster.office.account(login);
  return { account, phone: await pairPhone(cluster.office, account) };
};

/** A sign-in in a browser of its own, as far as the number; and what the phone is asked. */
const signInOf = async (login: string, phone: DeviceClient) => {
  const browser = new Browser(cluster.issuer);
  const { url, verifier } = rp.request();
  const page = await typePassword(browser, url, login);
  const [challenge, ...more] = await phone.list();
  if (!challenge || more.length > 0) throw new Error('not exactly one waits');
  return { browser, page, verifier, challenge, number: numberOn(page) };
};

/** The page listens: over when its stream is. */
const listen = (browser: Browser, page: Page) => {
  const [, href = ''] = /data-events="([^"]+)"/.exec(page.html) ?? [];
  const [, since = ''] = /data-since="(\d+)"/.exec(page.html) ?? [];
  return browser.request(new URL(`${href}?since=${since}`, page.url));
};

/** The same, once the node has begun to answer. */
const listenAt = async (node: 'a' | 'b', browser: Browser, page: Page) => {
  cluster.balancer.to = node;
  const { answeredBy } = cluster.balancer;
  const before = answeredBy.length;
  const ended = listen(browser, page);
  ended.catch(() => undefined);
  await eventually(() => (answeredBy.length > before ? true : undefined));
  expect(answeredBy.slice(before)).toEqual([node]);
  return { ended };
};

const approveAt = (node: 'a' | 'b', phone: DeviceClient, challenge: Challenge, number: string) => {
  cluster.balancer.to = node;
  return phone.answer(challenge, 'approve', number);
};

const statusOf = (challenge: Challenge) =>
  cluster.office.database
    .collection<{ _id: string; status: string }>('app_challenges')
    .findOne({ _id: challenge.id })
    .then((found) => found?.status);

test('asked at A, approved at B: the page at A hears of it within a second, and the sign-in is done there', async () => {
  const { account, phone } = await someone('anna');
  const { browser, page, verifier, challenge, number } = await signInOf('anna', phone);
  const stream = await listenAt('a', browser, page);
  expect(await approveAt('b', phone, challenge, number)).toBe('approved');
  const approvedAt = performance.now();
  expect((await stream.ended).html).toContain('event: changed');
  expect(performance.now() - approvedAt).toBeLessThan(HEARD_WITHIN_MS);
  cluster.balancer.to = 'a';
  const { claims } = await rp.tokens(await fetchOutcome(browser, page), verifier);
  expect(claims).toMatchObject({ sub: account.id, acr: 'urn:countersign:acr:2fa' });
  expect([...(claims.amr as string[])].sort()).toEqual(['mca', 'mfa', 'pwd', 'swk', 'user']);
  expect(await statusOf(challenge)).toBe('claimed');
});

test('a phone that listens at B hears of a question asked at A within a second, and when it is not trusted any more', async () => {
  const { account, phone } = await someone('clara');
  cluster.balancer.to = 'b';
  const { answeredBy } = cluster.balancer;
  const before = answeredBy.length;
  const heard: { event: string; at: number; waiting: number }[] = [];
  const listening = (async () => {
    for await (const event of phone.watch()) {
      const waiting = event === 'changed' ? (await phone.list()).length : 0;
      heard.push({ event, at: performance.now(), waiting });
    }
  })();
  await eventually(() => (heard.length > 0 ? true : undefined));
  // The first one had no nonce of this minute perhaps; the list came after it.
  expect(new Set(answeredBy.slice(before))).toEqual(new Set(['b']));
  expect(heard).toEqual([expect.objectContaining({ event: 'changed', waiting: 0 })]);
  cluster.balancer.to = 'a';
  await typePassword(new Browser(cluster.issuer), rp.request().url, 'clara');
  const askedAt = performance.now();
  const news = await eventually(() => heard.find(({ waiting }) => waiting === 1));
  expect(news.at - askedAt).toBeLessThan(HEARD_WITHIN_MS);
  const [method] = await cluster.office.app.engine.forAccount(account.id);
  const factorId = method?.factors[0]?.id ?? '';
  await cluster.office.app.engine.remove(account, factorId, { requestId: 'test', browser: 'test' });
  await listening;
  expect(heard.at(-1)?.event).toBe('revoked');
});

test.each([
  ['asked', 'a', 'b'],
  ['took the approval', 'b', 'a'],
] as const)(
  'kill -9 of the node that %s, between approval and claim: the sign-in goes on at the other',
  async (what, killed, other) => {
    const login = `killed.${killed}`;
    const { account, phone } = await someone(login);
    const { browser, page, verifier, challenge, number } = await signInOf(login, phone);
    const stream = await listenAt(killed, browser, page);
    expect(await approveAt('b', phone, challenge, number)).toBe('approved');
    await cluster.nodes[killed].kill();
    cluster.balancer.to = other;
    replaced = cluster.revive(killed);
    // Heard or not: the browser takes its stream up again at the other node.
    await stream.ended.catch(() => undefined);
    expect([what, (await listen(browser, page)).html]).toEqual([what, expect.stringContaining('event: changed')]);
    const { claims } = await rp.tokens(await fetchOutcome(browser, page), verifier);
    expect(claims).toMatchObject({ sub: account.id, acr: 'urn:countersign:acr:2fa' });
  },
  30_000,
);

const answerOf = (answering: Promise<string>): Promise<string | number | undefined> =>
  answering.catch((error: DeviceError) => error.status);

test.each(['approve', 'not_me'] as const)(
  `${MANY} approvals and denials of one sign-in at once on both nodes, %s first: one counts, once`,
  async (first) => {
    const login = `first.${first.replace('_', '.')}`;
    const { account, phone } = await someone(login);
    const { browser, page, challenge, number } = await signInOf(login, phone);
    const changes: string[] = [];
    const stream = cluster.office.database
      .collection('app_challenges')
      .watch([{ $match: { operationType: 'update' } }]);
    stream.on('change', (change) => {
      if (change.operationType === 'update') changes.push(String(change.updateDescription.updatedFields?.status));
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    cluster.balancer.to = 'alternate';
    const before = cluster.balancer.answeredBy.length;
    const answers = await Promise.all(
      Array.from({ length: MANY }, (_, index) => {
        const isApproval = (index % 2 === 0) === (first === 'approve');
        return answerOf(isApproval ? phone.answer(challenge, 'approve', number) : phone.answer(challenge, 'not_me'));
      }),
    );
    const nodes = cluster.balancer.answeredBy.slice(before);
    expect(nodes.filter((node) => node === 'a')).toHaveLength(MANY / 2);
    expect(nodes).toHaveLength(MANY);
    // Over, or not looked at because so many look already.
    const done = answers.filter((answer) => answer !== 409 && answer !== 429);
    expect(done).toHaveLength(1);
    const [outcome] = done;
    expect(['approved', 'denied']).toContain(outcome);
    expect(await statusOf(challenge)).toBe(outcome);
    await eventually(() => (changes.length > 0 ? true : undefined));
    expect(changes).toEqual([outcome]);
    await stream.close();
    const isDenied = outcome === 'denied';
    const denials = await cluster.office.app.audit.list(
      { accountId: account.id, types: ['sign_in_denied'] },
      { limit: 9 },
    );
    expect(denials).toHaveLength(isDenied ? 1 : 0);
    const after = await fetchOutcome(browser, page);
    expect(after.url.origin).toBe(isDenied ? cluster.issuer : 'https://rp.example');
  },
  60_000,
);

test('a signed request that reaches both nodes at once is accepted once', async () => {
  const { phone } = await someone('bela');
  const { issuer } = cluster;
  const { key, deviceId = '' } = phone.toStored();
  const privateKey = (await importJWK(key, 'ES256')) as CryptoKey;
  const url = `${issuer}/device/v1/device`;
  const body = '{}';
  const sign = (nonce?: string) =>
    signRequest(privateKey, deviceId, { issuer, url, body, ...(nonce ? { nonce } : {}) });
  const send = (signature: string) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'device-signature': signature },
      body,
    });
  const nonce = (await send(await sign())).headers.get('device-nonce') ?? '';
  cluster.balancer.to = 'alternate';
  for (let round = 0; round < 10; round += 1) {
    const signature = await sign(nonce);
    const before = cluster.balancer.answeredBy.length;
    const both = await Promise.all([send(signature), send(signature)]);
    expect(cluster.balancer.answeredBy.slice(before).sort()).toEqual(['a', 'b']);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
    const refused = both.find(({ status }) => status === 401);
    expect(await refused?.json()).toMatchObject({ code: 'DEVICE_REFUSED' });
  }
});
