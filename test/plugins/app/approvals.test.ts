import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CryptoKey, generateKeyPair } from 'jose';
import type { Engine, EngineAccount, SignIn } from '../../../src/factors/index.js';
import { origin, type TwoNodes } from '../../factors/two-nodes.js';
import { answerWith, approveWith, asking, claimsOf, shownHash, stateOf, type Waiting, waitingOn } from './approval.js';
import { personWithPhone, twoNodesWithApp } from './pairs.js';
import type { Phone } from './phone.js';

let nodes: TwoNodes;
let a: Engine;
let b: Engine;
let account: EngineAccount;
let phone: Phone;
beforeAll(async () => {
  nodes = await twoNodesWithApp();
  ({ a, b } = nodes);
});
afterAll(() => nodes.stop());
beforeEach(async () => {
  nodes.clock.advance(7_200);
  ({ account, phone } = await personWithPhone(nodes));
  for (const told of [nodes.audited, nodes.announced, nodes.announcements, nodes.logged]) told.length = 0;
});

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';
const REFUSED = { status: 409, body: { code: 'REFUSED' } };
const VERIFIED = { status: 'verified', method: 'app', level: '2fa', amr: ['swk', 'user', 'mca'] };
const only = async (from = phone): Promise<Waiting> => {
  const [waiting, ...more] = await waitingOn(from);
  if (!waiting || more.length > 0) throw new Error('not exactly one waits');
  return waiting;
};
const another = (number: string): string => String((Number(number) + 1) % 1_000_000).padStart(6, '0');

describe('a sign-in is confirmed', () => {
  test('with the number of its page, once, on any node', async () => {
    const { signIn, locals, number } = await asking(a, account, {
      application: 'Time Sheets',
      origin: { ...origin, userAgent: FIREFOX },
    });
    expect(locals).toMatchObject({
      state: 'waiting',
      number: expect.stringMatching(/^\d{3} \d{3}$/),
      confirmHref: `http://localhost/app/confirm#${number}`,
      qrSvg: expect.stringContaining('<svg'),
      devices: ['Pixel 9'],
      woken: [],
      expiresAt: new Date(nodes.clock.now().getTime() + 120_000),
    });
    expect(await b.submit(signIn, 'app', {})).toEqual({ status: 'pending' });
    const waiting = await only();
    expect(waiting).toEqual({
      id: expect.stringMatching(/^[\w-]{22}$/),
      details: expect.any(String),
      digits: 6,
      createdAt: nodes.clock.now().toISOString(),
      expiresAt: new Date(nodes.clock.now().getTime() + 120_000).toISOString(),
    });
    expect(JSON.parse(waiting.details)).toEqual({
      application: 'Time Sheets',
      browser: 'Firefox, Windows',
      ip: origin.ip,
      at: nodes.clock.now().toISOString(),
    });
    expect(await approveWith(phone, waiting, number)).toMatchObject({ status: 200, body: { outcome: 'approved' } });
    expect(await stateOf(b, signIn)).toBe('approved');
    expect(await waitingOn(phone)).toEqual([]);
    nodes.clock.advance(60);
    expect(await b.submit(signIn, 'app', {})).toEqual({ ...VERIFIED, factorId: phone.deviceId });
    expect(await a.submit(signIn, 'app', {})).toMatchObject({ status: 'rejected', code: 'used' });
    const [own] = (await a.forAccount(account.id)).find(({ id }) => id === 'app')?.factors ?? [];
    expect(own?.lastUsedAt).toEqual(nodes.clock.now());
    expect(nodes.audited.map(({ type }) => type)).toEqual(['factor_verified', 'factor_rejected']);
  });

  test('200 approvals and refusals at once on both nodes, and 20 fetches of the result: one of each counts', async () => {
    const { signIn, number } = await asking(a, account);
    const waiting = await only();
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        answerWith(phone, waiting, n % 3 ? { decision: 'approve', number } : { decision: 'not_now' }),
      ),
    );
    const counted = results.filter(({ status }) => status === 200);
    expect(counted).toHaveLength(1);
    // Over, or not looked at because so many look already.
    expect(results.filter(({ status }) => status === 409 || status === 429)).toHaveLength(199);
    if (counted[0]?.body.outcome !== 'approved') {
      expect(await stateOf(a, signIn)).toBe('postponed');
      return;
    }
    const fetched = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? a : b).submit(signIn, 'app', {})));
    expect(fetched.filter(({ status }) => status === 'verified')).toHaveLength(1);
  });

  test('once by 40 browsers that fetch it at once', async () => {
    const { signIn, number } = await asking(a, account);
    await approveWith(phone, await only(), number);
    const fetched = await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 ? a : b).submit(signIn, 'app', {})));
    expect(fetched.filter(({ status }) => status === 'verified')).toHaveLength(1);
  });

  test('for nobody once two minutes are over: not answered, or approved and not fetched', async () => {
    const { signIn, number } = await asking(a, account);
    const waiting = await only();
    nodes.clock.advance(120);
    expect(await approveWith(phone, waiting, number)).toMatchObject(REFUSED);
    expect(await stateOf(a, signIn)).toBe('expired');
    expect(await a.submit(signIn, 'app', {})).toMatchObject({ status: 'rejected', code: 'expired' });

    const second = await asking(a, account);
    await approveWith(phone, await only(), second.number);
    nodes.clock.advance(120);
    expect(await stateOf(a, second.signIn)).toBe('expired');
    expect(await a.submit(second.signIn, 'app', {})).toMatchObject({ status: 'rejected', code: 'expired' });
  });

  test('not for another sign-in, and not for another account that this browser takes', async () => {
    const mine = await asking(a, account);
    await approveWith(phone, await only(), mine.number);
    const other = await asking(a, account);
    expect(await a.submit(other.signIn, 'app', {})).toEqual({ status: 'pending' });
    const ben = (await personWithPhone(nodes)).account;
    const switched = { ...mine.signIn, account: ben };
    expect(await a.submit(switched, 'app', {})).toMatchObject({ status: 'rejected', code: 'expired' });
    expect(await stateOf(a, switched)).toBe('waiting');
    expect(await a.submit(switched, 'app', {})).toEqual({ status: 'pending' });
    expect(await b.submit(mine.signIn, 'app', {})).toMatchObject(VERIFIED);
  });

  test('not by a phone that is removed before it is fetched', async () => {
    const { signIn, number } = await asking(a, account);
    const other = (await personWithPhone(nodes, account)).phone;
    await approveWith(other, await only(), number);
    await b.remove(account, other.deviceId, origin);
    expect(await a.submit(signIn, 'app', {})).toMatchObject({ status: 'rejected', code: 'not_enrolled' });
    expect(await a.submit(signIn, 'app', {})).toMatchObject({ status: 'rejected' });
  });

  test('not after everything that waits was cancelled, or another way was chosen', async () => {
    const ends: ((signIn: SignIn) => Promise<unknown>)[] = [
      () => b.cancel(account.id),
      ({ cid }) => b.cancel(account.id, cid),
      (signIn) => b.begin(signIn, 'totp'),
    ];
    for (const end of ends) {
      const asked = await asking(a, account);
      const waiting = await only();
      await end(asked.signIn);
      expect(await waitingOn(phone)).toEqual([]);
      expect(await approveWith(phone, waiting, asked.number)).toMatchObject(REFUSED);

      const approved = await asking(a, account);
      await approveWith(phone, await only(), approved.number);
      await end(approved.signIn);
      expect(await a.submit(approved.signIn, 'app', {})).toMatchObject({ status: 'rejected', code: 'expired' });
    }
  });
});

describe('a wrong answer', () => {
  test('a wrong number three times ends it; the right one comes too late', async () => {
    const { signIn, number } = await asking(a, account);
    const waiting = await only();
    for (const triesLeft of [2, 1, 0]) {
      expect(await approveWith(phone, waiting, another(number))).toMatchObject({
        status: 422,
        body: { code: 'WRONG_NUMBER', triesLeft },
      });
    }
    expect(await approveWith(phone, waiting, number)).toMatchObject(REFUSED);
    expect(await stateOf(b, signIn)).toBe('over');
    expect(await a.submit(signIn, 'app', {})).toMatchObject({ status: 'rejected', code: 'wrong' });
    expect(nodes.audited.filter(({ type }) => type === 'factor_rejected')).toHaveLength(3);
  });

  test('the number of another sign-in is wrong; each has its own', async () => {
    const one = await asking(a, account);
    nodes.clock.advance(1);
    const two = await asking(b, account);
    const [first, second] = await waitingOn(phone);
    if (!first || !second) throw new Error('two wait');
    expect(await approveWith(phone, first, two.number)).toMatchObject({ status: 422 });
    expect(await approveWith(phone, second, two.number)).toMatchObject({ status: 200 });
    expect(await a.submit(one.signIn, 'app', {})).toEqual({ status: 'pending' });
    expect(await a.submit(two.signIn, 'app', {})).toMatchObject(VERIFIED);
  });

  test('another account’s phone neither sees it nor answers it', async () => {
    const { number } = await asking(a, account);
    const waiting = await only();
    const stranger = (await personWithPhone(nodes)).phone;
    expect(await waitingOn(stranger)).toEqual([]);
    for (const claims of [{ decision: 'approve', number }, { decision: 'not_now' }, { decision: 'not_me' }])
      expect(await answerWith(stranger, waiting, claims)).toMatchObject(REFUSED);
    expect(await only()).toEqual(waiting);
  });

  test('whatever is not signed as described is refused, counts nothing, and leaves its reason in the log', async () => {
    const { number, signIn } = await asking(a, account);
    const waiting = await only();
    const approve = { decision: 'approve', number };
    const stranger = await generateKeyPair('ES256');
    const second = (await personWithPhone(nodes, account)).phone;
    const odd: [string, () => ReturnType<typeof answerWith>][] = [
      ['typ', () => answerWith(phone, waiting, approve, { typ: 'countersign-request+jwt' })],
      ['header', () => answerWith(phone, waiting, approve, { header: { jwk: phone.jwk } })],
      ['kid', () => answerWith(phone, waiting, approve, { header: { kid: second.deviceId } })],
      ['signature', () => forged(stranger.privateKey)],
      ['aud', () => answerWith(phone, waiting, { ...approve, aud: 'https://elsewhere.example' })],
      ['challenge', () => answerWith(phone, waiting, { ...approve, challenge: 'another' })],
      ['shown', () => answerWith(phone, waiting, { ...approve, shown: shownHash('{}') })],
      ['shown', () => answerWith(phone, waiting, { ...approve, shown: undefined })],
      ['decision', () => answerWith(phone, waiting, { decision: 'maybe' })],
      ['decision', () => answerWith(phone, waiting, {})],
      ['decision', () => answerWith(phone, waiting, { decision: 'approve' })],
      ['decision', () => answerWith(phone, waiting, { decision: 'approve', number: Number(number) })],
      [
        'decision',
        () => answerWith(phone, waiting, { decision: 'approve', number: `${number.slice(0, 3)} ${number.slice(3)}` }),
      ],
      ['decision', () => answerWith(phone, waiting, { decision: 'approve', number: { $gt: '' } })],
      ['decision', () => answerWith(phone, waiting, { decision: 'not_now', number })],
      ['decision', () => answerWith(phone, waiting, { decision: 'not_me', number })],
      ['not pending', () => answerWith(phone, waiting, approve, { id: 'another' })],
      ['unreadable', () => phone.post(`/challenges/${waiting.id}/answer`, { answer: 'a.b.c' })],
    ];
    const forged = async (privateKey: CryptoKey) => {
      const answer = await phone.sign('countersign-approval+jwt', claimsOf(phone, waiting, approve), { privateKey });
      return phone.post(`/challenges/${waiting.id}/answer`, { answer });
    };
    for (const [reason, send] of odd) {
      nodes.logged.length = 0;
      const answer = await send();
      expect({ reason, status: answer.status, code: answer.body.code }).toEqual({
        reason,
        status: 409,
        code: 'REFUSED',
      });
      expect(JSON.stringify(nodes.logged)).toContain(`"reason":"${reason}"`);
      expect(JSON.stringify(nodes.logged)).not.toContain(number);
    }
    for (const body of [{}, { answer: 1 }, { answer: 'x'.repeat(5_000) }, { answer: 'a.b.c', more: 1 }])
      expect((await phone.post(`/challenges/${waiting.id}/answer`, body)).status).toBe(400);
    expect((await phone.post('/challenges', { all: true })).status).toBe(400);
    expect(await stateOf(a, signIn)).toBe('waiting');
    expect(await approveWith(phone, waiting, number)).toMatchObject({ status: 200 });
  });

  test('a request is no answer: what a phone signed to ask cannot be turned into one', async () => {
    const { number } = await asking(a, account);
    const waiting = await only();
    await approveWith(phone, waiting, another(number));
    const answer = phone.lastRequest?.headers['device-signature'];
    expect(await phone.post(`/challenges/${waiting.id}/answer`, { answer })).toMatchObject(REFUSED);
  });
});

test('"not now" leaves the page a new number, by the person’s wish alone', async () => {
  const { signIn, number } = await asking(a, account);
  const waiting = await only();
  expect(await answerWith(phone, waiting, { decision: 'not_now' })).toMatchObject({ body: { outcome: 'postponed' } });
  expect(await stateOf(b, signIn)).toBe('postponed');
  expect(await waitingOn(phone)).toEqual([]);
  expect(await a.submit(signIn, 'app', {})).toMatchObject({ status: 'rejected' });
  expect(await b.send(signIn, 'app')).toEqual({ status: 'sent' });
  const page = await a.begin(signIn, 'app');
  expect(page?.locals.state).toBe('waiting');
  const fresh = await only();
  expect(fresh.id).not.toBe(waiting.id);
  expect(JSON.parse(fresh.details)).toMatchObject({ ip: origin.ip });
  if (page?.locals.number !== number) expect(await approveWith(phone, fresh, number)).toMatchObject({ status: 422 });
  const now = String(page?.locals.number).replace(' ', '');
  expect(await approveWith(phone, fresh, now)).toMatchObject({ status: 200 });
  expect(await a.submit(signIn, 'app', {})).toMatchObject(VERIFIED);
});

test('the number stands in no answer, log or audit event, and nowhere in the database unsealed', async () => {
  const { signIn, number } = await asking(a, account);
  const waiting = await only();
  const answers = [
    waiting,
    await approveWith(phone, waiting, another(number)),
    await approveWith(phone, waiting, number),
  ];
  await a.submit(signIn, 'app', {});
  const written = JSON.stringify([answers, nodes.audited, nodes.logged, nodes.announced, nodes.announcements]);
  expect(written).not.toContain(number);
  const { db } = nodes.database.connection;
  for (const { name } of (await db?.listCollections().toArray()) ?? []) {
    const documents = await db?.collection(name).find({}).toArray();
    expect({ name, holds: JSON.stringify(documents).includes(`"${number}"`) }).toEqual({ name, holds: false });
  }
});
