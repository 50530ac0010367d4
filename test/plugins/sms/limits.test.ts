import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openWorld, orderOf, type SendingNode, tally, times, type World } from './senders.js';

const HOUR = 3600;
const WIDE = { perHour: 1_000_000, perDay: 1_000_000 };

let world: World;
let a: SendingNode['sender'];
let b: SendingNode['sender'];
const open = async (limits: Record<string, unknown>): Promise<void> => {
  world = await openWorld(2, { limits, budget: { messagesPerDay: 1_000_000 } });
  [a, b] = world.nodes.map(({ sender }) => sender) as [SendingNode['sender'], SendingNode['sender']];
};

describe('the limits of an account', () => {
  beforeAll(() => open({ perNumber: WIDE }));
  afterAll(() => world.stop());
  beforeEach(() => {
    world.carried.length = 0;
    world.clock.advance(25 * HOUR);
  });

  test('300 at once on two nodes: one is sent', async () => {
    const order = orderOf();
    const results = await times(300, (n) => (n % 2 ? a : b).order(order));
    expect(tally(results)).toEqual({ sent: 1, wait: 299 });
    expect(world.carried).toHaveLength(1);
  });

  test('the wait grows, whichever sign-in asks; 6 an hour and 12 a day whatever happens', async () => {
    const order = orderOf();
    for (const wait of [30, 60, 120, 300, 900]) {
      expect(await a.order(order)).toMatchObject({ status: 'sent' });
      expect(await b.order(order)).toMatchObject({ reason: 'wait' });
      world.clock.advance(wait - 1);
      expect(await b.order(order)).toMatchObject({ reason: 'wait' });
      world.clock.advance(1);
    }
    expect(await a.order(order)).toMatchObject({ status: 'sent' });
    world.clock.advance(900);
    expect(await b.order(order)).toMatchObject({ reason: 'limit', retryAt: expect.any(Date) });
    let sent = 6;
    for (let minute = 0; minute < 23 * 60; minute += 20) {
      world.clock.advance(20 * 60);
      if ((await a.order(order)).status === 'sent') sent += 1;
      if (sent === 12) break;
    }
    world.clock.advance(2 * HOUR);
    expect(await a.order(order)).toMatchObject({ reason: 'limit' });
    expect(world.carried).toHaveLength(12);
  });

  test('a right code ends the wait, once, and gives nothing else back', async () => {
    const order = orderOf();
    const sent = await a.order(order);
    const messageId = sent.status === 'sent' ? sent.messageId : '';
    await b.used('somebody-else', messageId);
    expect(await a.againAt(order.accountId)).toEqual(new Date(world.clock.now().getTime() + 30_000));
    await times(20, () => b.used(order.accountId, messageId));
    expect(await a.againAt(order.accountId)).toBeUndefined();
    expect(await world.counts(`sms:account:${order.accountId}`)).toEqual({ hour: 1, day: 1 });
    expect(await world.usage.findOne({ country: 'US', used: { $gte: 1 } }, { sort: { day: -1 } })).toMatchObject({
      used: 1,
    });
    await a.order(order);
    await b.used(order.accountId, messageId);
    expect(await a.againAt(order.accountId)).toBeInstanceOf(Date);
  });
});

describe('the limits of a number, an address and a network', () => {
  beforeAll(() =>
    open({ perNumber: { perHour: 3, perDay: 4 }, perAddress: { perHour: 5 }, perNetwork: { perHour: 8 } }),
  );
  afterAll(() => world.stop());
  beforeEach(() => {
    world.carried.length = 0;
    world.clock.advance(25 * HOUR);
  });

  test('however many accounts ask, a number gets its share, and whoever is refused has nothing counted', async () => {
    const number = orderOf().number;
    const orders = Array.from({ length: 60 }, () => orderOf({ number }));
    const results = await times(60, (n) => (n % 2 ? a : b).order(orders[n] ?? orderOf()));
    expect(tally(results)).toEqual({ sent: 3, limit: 57 });
    const refused = orders.filter((_, n) => results[n]?.status === 'refused');
    for (const { accountId } of refused.slice(0, 5)) {
      expect(await world.counts(`sms:account:${accountId}`)).toEqual({ cool_down: 0, hour: 0, day: 0 });
      expect(await a.againAt(accountId)).toBeUndefined();
    }
    expect((await world.allSubjects()).join()).not.toContain(number.slice(2));
    world.clock.advance(HOUR);
    expect(tally(await times(10, () => a.order(orderOf({ number }))))).toEqual({ sent: 1, limit: 9 });
  });

  test('whoever sets up a number that is another one’s leaves half of its share, however many they are', async () => {
    const { number } = orderOf();
    const strangers = () => times(20, (n) => (n % 2 ? a : b).order(orderOf({ number, purpose: 'enrolment' })));
    expect(tally(await strangers())).toEqual({ sent: 2, limit: 18 });
    expect(tally(await times(5, () => a.order(orderOf({ number }))))).toEqual({ sent: 1, limit: 4 });
    world.clock.advance(HOUR);
    expect(tally(await strangers())).toEqual({ limit: 20 });
    expect(tally(await times(5, () => a.order(orderOf({ number }))))).toEqual({ sent: 1, limit: 4 });
  });

  test.each([
    ['203.0.113.7', '203.0.113.99', '203.0.114.7'],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', '2001:db8:2:2::1'],
  ])(
    'from %s: five from one address, eight from its network, and none of it counts elsewhere',
    async (ip, near, far) => {
      const from = (address: string) => (n: number) => (n % 2 ? a : b).order(orderOf({ ip: address }));
      // At the same moment some may be in each other's way; one after the other everybody gets what is left.
      const all = async (address: string) => {
        const storm = await times(40, from(address));
        for (let n = 0; n < 9; n += 1) storm.push(await from(address)(n));
        return tally(storm).sent;
      };
      expect(await all(ip)).toBe(5);
      expect(await all(near)).toBe(3);
      expect(tally(await times(3, from(far)))).toEqual({ sent: 3 });
    },
  );

  test('whoever has to wait takes nothing from those behind the same address, not even for a moment', async () => {
    const ip = '198.51.100.7';
    const waiting = orderOf({ ip });
    await a.order(waiting);
    const storm = times(200, (n) => (n % 2 ? a : b).order(waiting));
    const others = await times(4, async () => b.order(orderOf({ ip })));
    expect(tally(others)).toEqual({ sent: 4 });
    expect(tally(await storm)).toEqual({ wait: 200 });
    expect(await world.counts(`sms:ip:${ip}`)).toEqual({ hour: 5 });
  });
});
