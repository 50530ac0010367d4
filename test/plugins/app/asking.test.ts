import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Engine, EngineAccount } from '../../../src/factors/index.js';
import { createThrottle } from '../../../src/throttle/index.js';
import { newSignIn, origin, type TwoNodes } from '../../factors/two-nodes.js';
import { answerWith, approveWith, asking, stateOf, type Waiting, waitingOn } from './approval.js';
import { personWithPhone, twoNodesWithApp } from './pairs.js';
import type { Phone } from './phone.js';
import { PushService, Subscriber } from './push-service.js';

const HOUR = 3_600;

let nodes: TwoNodes;
let a: Engine;
let b: Engine;
let account: EngineAccount;
let phone: Phone;
let service: PushService;
beforeAll(async () => {
  service = await PushService.start();
  nodes = await twoNodesWithApp({ push: { privateOrigins: [service.origin] } });
  ({ a, b } = nodes);
});
afterAll(async () => {
  await nodes.stop();
  await service.stop();
});
beforeEach(async () => {
  nodes.clock.advance(2 * HOUR);
  ({ account, phone } = await personWithPhone(nodes));
  service.pushed.length = 0;
  for (const told of [nodes.audited, nodes.announced, nodes.announcements, nodes.logged]) told.length = 0;
});

const only = async (): Promise<Waiting> => {
  const [waiting, ...more] = await waitingOn(phone);
  if (!waiting || more.length > 0) throw new Error('not exactly one waits');
  return waiting;
};
const inSeconds = (seconds: number) => new Date(nodes.clock.now().getTime() + seconds * 1000);
const subscribe = async (one = phone): Promise<void> => {
  const { subscription } = new Subscriber(`${service.origin}/${one.deviceId}`);
  expect(await one.post('/push', { subscription })).toMatchObject({ status: 200 });
};
/** Asks and is done with it, so that the next one has a place. */
const askAndLeave = async (engine = a): Promise<Record<string, unknown>> => {
  const { signIn, locals } = await asking(engine, account);
  await engine.cancel(account.id, signIn.cid);
  return locals;
};

describe('the phone is asked', () => {
  test('at the first look; a reload, on any node and by any number of tabs, shows the same number and asks nobody', async () => {
    const signIn = newSignIn(account);
    const first = await Promise.all(Array.from({ length: 8 }, (_, n) => (n % 2 ? a : b).begin(signIn, 'app')));
    const { id } = await only();
    nodes.clock.advance(30);
    const later = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? a : b).begin(signIn, 'app')));
    expect(new Set([...first, ...later].map((page) => page?.locals.number)).size).toBe(1);
    expect(later[0]?.locals.expiresAt).toEqual(inSeconds(90));
    expect((await only()).id).toBe(id);
    nodes.clock.advance(90);
    for (const engine of [a, b]) expect(await stateOf(engine, signIn)).toBe('expired');
    expect(await waitingOn(phone)).toEqual([]);
  });

  test('again by the person’s wish alone; while one waits, wishing changes nothing', async () => {
    const { signIn, number } = await asking(a, account);
    const { id } = await only();
    expect(await Promise.all([a.send(signIn, 'app'), b.send(signIn, 'app')])).toEqual([
      { status: 'sent' },
      { status: 'sent' },
    ]);
    expect((await only()).id).toBe(id);
    nodes.clock.advance(120);
    await Promise.all([a.send(signIn, 'app'), b.send(signIn, 'app'), a.send(signIn, 'app')]);
    const again = await only();
    expect(again.id).not.toBe(id);
    expect(await stateOf(b, signIn)).toBe('waiting');
    expect(JSON.parse(again.details)).toMatchObject({ at: nodes.clock.now().toISOString() });
    await approveWith(phone, again, number);
  });

  test('not any more once the sign-in is done: another tab goes on, too', async () => {
    const { signIn, number } = await asking(a, account);
    await approveWith(phone, await only(), number);
    expect(await a.submit(signIn, 'app', {})).toMatchObject({ status: 'verified' });
    expect(await stateOf(b, signIn)).toBe('approved');
    expect(await b.send(signIn, 'app')).toBeUndefined();
    expect(await waitingOn(phone)).toEqual([]);
    expect(await b.submit(signIn, 'app', {})).toMatchObject({ status: 'rejected', isAnswered: true });
  });

  test('not by an account without a phone', async () => {
    await b.remove(account, phone.deviceId, origin);
    expect(await a.begin(newSignIn(account), 'app')).toBeUndefined();
    expect(await a.send(newSignIn(account), 'app')).toMatchObject({ status: 'refused', reason: 'not_served' });
    expect(await a.submit(newSignIn(account), 'app', {})).toMatchObject({ code: 'not_enrolled' });
  });

  test('and hears of a change where it waits', async () => {
    const { signIn } = await asking(a, account);
    const before = await b.watched(signIn, 'app');
    expect(before?.changedAt).toEqual(nodes.clock.now());
    nodes.clock.advance(1);
    await answerWith(phone, await only(), { decision: 'not_now' });
    expect((await b.watched(signIn, 'app'))?.changedAt).toEqual(nodes.clock.now());
    expect(await b.watched(newSignIn(account), 'app')).toBeUndefined();
  });
});

describe('limits', () => {
  test('three sign-ins at a time: a fourth is told so, and the owner’s go on', async () => {
    const mine = await asking(a, account);
    const [{ id }] = (await waitingOn(phone)) as [Waiting];
    nodes.clock.advance(10);
    const strangers = await Promise.all(Array.from({ length: 30 }, (_, n) => asking(n % 2 ? a : b, account)));
    const states = strangers.map(({ locals }) => locals.state);
    expect(states.filter((state) => state === 'waiting')).toHaveLength(2);
    const refused = strangers.find(({ locals }) => locals.state === 'too_many');
    expect(refused?.locals).toMatchObject({ retryAt: inSeconds(110), devices: ['Pixel 9'] });
    expect(await b.send(refused?.signIn ?? mine.signIn, 'app')).toEqual({
      status: 'refused',
      reason: 'too_many',
      retryAt: inSeconds(110),
    });
    const waiting = (await waitingOn(phone)).find((one) => one.id === id);
    expect(await waitingOn(phone)).toHaveLength(3);
    expect(await approveWith(phone, waiting as Waiting, mine.number)).toMatchObject({ status: 200 });
    expect(await b.submit(mine.signIn, 'app', {})).toMatchObject({ status: 'verified' });
    expect(await b.send(refused?.signIn ?? mine.signIn, 'app')).toEqual({ status: 'sent' });
  });

  test('a stranger who sends the form without an answer wears nothing out, and writes nothing down', async () => {
    const stranger = newSignIn(account);
    for (let n = 0; n < 30; n += 1)
      expect(await (n % 2 ? a : b).submit(stranger, 'app', {})).toEqual({ status: 'rejected', code: 'expired' });
    expect(nodes.audited).toEqual([]);
    const { signIn, number } = await asking(a, account);
    await approveWith(phone, await only(), number);
    expect(await b.submit(signIn, 'app', {})).toMatchObject({ status: 'verified' });
  });

  test('a second tab, a look while three wait and a wish while one waits wake nobody, and twenty in an hour do', async () => {
    await subscribe();
    const signIn = newSignIn(account);
    await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 ? a : b).begin(signIn, 'app')));
    for (let n = 0; n < 10; n += 1) await a.send(signIn, 'app');
    await asking(a, account);
    await asking(a, account);
    for (let n = 0; n < 10; n += 1) expect((await asking(b, account)).locals.state).toBe('too_many');
    expect(service.pushed).toHaveLength(3);
    await a.cancel(account.id);
    for (let n = 0; n < 17; n += 1) expect(await askAndLeave(n % 2 ? a : b)).toMatchObject({ woken: ['Pixel 9'] });
    expect(service.pushed).toHaveLength(20);
  });

  test('woken too often, the phone is asked all the same: a stranger shuts nobody out, and nobody else is touched', async () => {
    await subscribe();
    for (let n = 0; n < 20; n += 1) await askAndLeave(n % 2 ? a : b);
    for (let n = 0; n < 10; n += 1) expect(await askAndLeave()).toMatchObject({ state: 'waiting', woken: [] });
    expect(service.pushed).toHaveLength(20);
    const ben = await personWithPhone(nodes);
    await subscribe(ben.phone);
    expect((await asking(a, ben.account)).locals).toMatchObject({ woken: ['Pixel 9'] });
    const { signIn, number, locals } = await asking(b, account);
    expect(locals).toMatchObject({ state: 'waiting', woken: [] });
    await approveWith(phone, await only(), number);
    expect(await a.submit(signIn, 'app', {})).toMatchObject({ status: 'verified' });
    // The owner is there: from then on the phone is woken again.
    for (let n = 0; n < 20; n += 1) expect(await askAndLeave()).toMatchObject({ woken: ['Pixel 9'] });
    expect(await askAndLeave()).toMatchObject({ woken: [] });
    nodes.clock.advance(HOUR);
    expect(await askAndLeave()).toMatchObject({ woken: ['Pixel 9'] });
  });

  test('40 at once wake no more than are left', async () => {
    await subscribe();
    for (let n = 0; n < 18; n += 1) await askAndLeave();
    await Promise.all(Array.from({ length: 40 }, (_, n) => asking(n % 2 ? a : b, account)));
    expect(await waitingOn(phone)).toHaveLength(3);
    expect(service.pushed.length).toBeLessThanOrEqual(20);
  });
});

describe('"Send again"', () => {
  test('wakes the phone once more for the same number, after a while, whichever node and however often it is pressed', async () => {
    await subscribe();
    const { signIn, number, locals } = await asking(a, account);
    expect(locals).toMatchObject({ isAgain: false, againAt: inSeconds(20) });
    nodes.clock.advance(19);
    expect(await b.send(signIn, 'app')).toEqual({ status: 'refused', reason: 'wait', retryAt: inSeconds(1) });
    nodes.clock.advance(1);
    const pressed = await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 ? a : b).send(signIn, 'app')));
    expect(pressed.filter((one) => one?.status === 'sent').length).toBeGreaterThan(0);
    expect(service.pushed).toHaveLength(2);
    const page = await a.begin(signIn, 'app');
    expect(page?.locals).toMatchObject({ number: locals.number, isAgain: true, againAt: inSeconds(20) });
    expect(page?.locals.expiresAt).toEqual(locals.expiresAt);
    await approveWith(phone, await only(), number);
    expect(await b.submit(signIn, 'app', {})).toMatchObject({ status: 'verified' });
  });

  test('not beyond the hour’s limit, and it says so; what waits goes on waiting', async () => {
    await subscribe();
    for (let n = 0; n < 19; n += 1) await askAndLeave();
    const { signIn } = await asking(a, account);
    nodes.clock.advance(20);
    expect(await a.send(signIn, 'app')).toMatchObject({ status: 'refused', reason: 'quiet' });
    expect(service.pushed).toHaveLength(20);
    expect(await stateOf(b, signIn)).toBe('waiting');
  });

  test('changes nothing where no phone can be woken, and the page says to open the app', async () => {
    const { signIn, locals } = await asking(a, account);
    expect(locals).toMatchObject({ woken: [], devices: ['Pixel 9'] });
    expect(locals.againAt).toBeUndefined();
    expect(await a.send(signIn, 'app')).toEqual({ status: 'sent' });
    await subscribe();
    service.answerWith(410);
    const next = await asking(a, account);
    service.answerWith(201);
    expect((await b.begin(next.signIn, 'app'))?.locals).toMatchObject({ state: 'waiting', woken: [] });
  });
});

describe('wrong numbers', () => {
  const another = (number: string): string => String((Number(number) + 1) % 1_000_000).padStart(6, '0');
  /** In two questions: none of them ends it before. */
  const typeWrongly = async (times: number): Promise<void> => {
    for (let left = times; left > 0; left -= 2) {
      const { signIn, number } = await asking(a, account);
      for (let n = 0; n < Math.min(left, 2); n += 1) await approveWith(phone, await only(), another(number));
      await a.cancel(account.id, signIn.cid);
    }
  };

  test('five of an account, in whichever sign-ins: answers wait, and a look at the page asks and wakes nobody', async () => {
    await subscribe();
    const mine = await asking(b, account);
    await b.cancel(account.id, mine.signIn.cid);
    await typeWrongly(4);
    const last = await asking(a, account);
    expect(await approveWith(phone, await only(), another(last.number))).toMatchObject({
      status: 422,
      body: { triesLeft: 2 },
    });
    service.pushed.length = 0;
    const refused = await approveWith(phone, await only(), last.number);
    expect(refused).toMatchObject({ status: 429, body: { code: 'TOO_MANY' }, headers: { 'Retry-After': '30' } });
    const next = await asking(b, account);
    expect(next.locals).toMatchObject({ state: 'throttled', retryAt: inSeconds(30) });
    expect(await b.send(next.signIn, 'app')).toEqual({ status: 'throttled', retryAt: inSeconds(30) });
    expect(await a.obstacle(account.id, { id: 'app', factors: [] })).toMatchObject({ status: 'throttled' });
    expect(service.pushed).toEqual([]);
    await only();
    nodes.clock.advance(30);
    expect(await stateOf(b, next.signIn)).toBe('waiting');
    const waiting = (await waitingOn(phone)).find(({ createdAt }) => createdAt < nodes.clock.now().toISOString());
    expect(await approveWith(phone, waiting as Waiting, last.number)).toMatchObject({ status: 200 });
    expect(await b.submit(last.signIn, 'app', {})).toMatchObject({ status: 'verified' });
    // The owner is there: all attempts are free again.
    await a.cancel(account.id);
    await typeWrongly(4);
    expect(await stateOf(b, newSignIn(account))).toBe('waiting');
  });

  test('a stranger with the password cannot make any, and by codes for other methods closes the app to nobody', async () => {
    const all = { counter: 'all', limit: 20, windowSeconds: HOUR };
    const throttle = createThrottle(nodes);
    for (let n = 0; n < 20; n += 1) await throttle.reserve(`account:${account.id}`, [all]);
    expect(await a.obstacle(account.id, { id: 'totp', factors: [] })).toMatchObject({ status: 'throttled' });
    for (let n = 0; n < 30; n += 1) await b.submit(newSignIn(account), 'app', {});
    const { signIn, number } = await asking(b, account);
    expect(await approveWith(phone, await only(), number)).toMatchObject({ status: 200 });
    expect(await a.submit(signIn, 'app', {})).toMatchObject({ status: 'verified' });
  });

  test('close no other method', async () => {
    await typeWrongly(5);
    expect(await a.obstacle(account.id, { id: 'app', factors: [] })).toMatchObject({ status: 'throttled' });
    expect(await a.obstacle(account.id, { id: 'totp', factors: [] })).toBeUndefined();
  });

  test('refusals are no guesses: "not now" is heard while answers wait', async () => {
    const { signIn } = await asking(a, account);
    const waiting = await only();
    await a.cancel(account.id, signIn.cid);
    await typeWrongly(4);
    const open = await asking(b, account);
    expect(await approveWith(phone, await only(), another(open.number))).toMatchObject({ status: 422 });
    expect(await answerWith(phone, waiting, { decision: 'not_now' })).toMatchObject({ status: 409 });
    expect(await answerWith(phone, await only(), { decision: 'not_now' })).toMatchObject({ status: 200 });
  });
});

describe('"It wasn’t me"', () => {
  const deny = async (waiting: Waiting) => answerWith(phone, waiting, { decision: 'not_me' });

  test('ends the sign-in, is written down with what was shown, and told', async () => {
    const { signIn, number } = await asking(a, account, { application: 'Time Sheets' });
    const waiting = await only();
    expect(await deny(waiting)).toMatchObject({ status: 200, body: { outcome: 'denied' } });
    expect(await stateOf(b, signIn)).toBe('denied');
    expect(await a.submit(signIn, 'app', {})).toMatchObject({ status: 'rejected', code: 'wrong' });
    expect(await approveWith(phone, waiting, number)).toMatchObject({ status: 409 });
    expect(nodes.audited.filter(({ type }) => type === 'sign_in_denied')).toEqual([
      {
        type: 'sign_in_denied',
        accountId: account.id,
        actor: { type: 'account', id: account.id },
        origin: { requestId: 'request-1', ip: '192.0.2.7' },
        details: {
          method: 'app',
          factorId: phone.deviceId,
          application: 'Time Sheets',
          signInIp: origin.ip,
          signInAt: nodes.clock.now().toISOString(),
        },
      },
    ]);
    expect(nodes.announcements).toEqual([
      {
        type: 'sign_in_denied',
        accountId: account.id,
        at: nodes.clock.now().toISOString(),
        facts: { method: 'app' },
      },
    ]);
  });

  test('said 30 times at once: told once', async () => {
    await asking(a, account);
    const waiting = await only();
    const answers = await Promise.all(Array.from({ length: 30 }, () => deny(waiting)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(29);
    expect(await stateOf(a, (await asking(a, account)).signIn)).toBe('too_many');
  });

  test('nobody is asked for a quarter of an hour, in no sign-in, and nothing that waits already can be confirmed', async () => {
    const mine = await asking(a, account);
    nodes.clock.advance(1);
    const theirs = await asking(b, account);
    const [own, strange] = (await waitingOn(phone)) as [Waiting, Waiting];
    await deny(strange);
    const until = inSeconds(900);
    expect((await asking(b, account)).locals).toMatchObject({ state: 'too_many', retryAt: until });
    expect(await a.send(theirs.signIn, 'app')).toEqual({ status: 'refused', reason: 'too_many', retryAt: until });
    expect(await waitingOn(phone)).toEqual([]);
    expect(await approveWith(phone, own, mine.number)).toMatchObject({ status: 409, body: { code: 'REFUSED' } });
    expect(await a.submit(mine.signIn, 'app', {})).toMatchObject({ status: 'rejected', code: 'expired' });
    expect(await stateOf(b, mine.signIn)).toBe('expired');
    nodes.clock.advance(900);
    expect(await a.send(theirs.signIn, 'app')).toEqual({ status: 'sent' });
  });
});
