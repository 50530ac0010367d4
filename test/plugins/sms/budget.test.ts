import { afterEach, expect, test } from '@jest/globals';
import { dayBefore, endOfDay } from '../../../plugins/sms/days.js';
import { ACCEPTED, openWorld, orderOf, REFUSED, tally, times, UNKNOWN, type World } from './senders.js';

let world: World;
afterEach(() => world.stop());

const order = (n: number, more = {}) => world.nodes[n % world.nodes.length]?.sender.order(orderOf(more));
const orders = async (count: number, more: (n: number) => object = () => ({})) =>
  (await times(count, async (n) => order(n, more(n)))).filter((result) => result !== undefined);

test('40 messages: exactly 40 of 120 orders on four nodes go out', async () => {
  world = await openWorld(4, { budget: { messagesPerDay: 40 } });
  expect(tally(await orders(120, (n) => ({ country: n % 3 ? 'US' : 'DE' })))).toEqual({
    sent: 40,
    out_of_service: 80,
  });
  expect(world.carried).toHaveLength(40);
  expect(await world.nodes[0]?.sender.obstacle('US')).toEqual({ reason: 'out_of_service' });
  world.clock.advance(24 * 3600);
  expect(tally(await orders(5))).toEqual({ sent: 5 });
}, 60_000);

test('money: never a message more than it pays for, each at the price of its country', async () => {
  world = await openWorld(4, { budget: { messagesPerDay: 10_000, amountPerDay: 1, price: 0.1, prices: { DE: 0.03 } } });
  const results = await orders(100, (n) => ({ country: n % 2 ? 'US' : 'DE' }));
  expect(tally(results).out_of_service).toBeGreaterThan(0);
  const state = (await world.nodes[0]?.delivery.report(1))?.budget;
  expect(state?.amount).toBeLessThanOrEqual(1_000_000);
  // Not even the cheapest would fit any more.
  expect(state?.amount).toBeGreaterThan(1_000_000 - 30_000);
  const spent = (await world.messages.find({}).toArray()).reduce((sum, { amount }) => sum + amount, 0);
  expect(spent).toBe(state?.amount);
}, 60_000);

test('a country has a limit of its own', async () => {
  world = await openWorld(2, { limits: { perCountry: { perDay: 7 } } });
  expect(tally(await orders(30))).toEqual({ sent: 7, out_of_service: 23 });
  expect(tally(await orders(3, () => ({ country: 'DE' })))).toEqual({ sent: 3 });
  expect(world.announced).toEqual([]);
});

test('what was surely not sent is given back to the budget; what may have been is not; the limits of people stay', async () => {
  world = await openWorld(1, { budget: { messagesPerDay: 10 } });
  const budget = async () => (await world.nodes[0]?.delivery.report(1))?.budget.messages;
  world.outcome.sending = REFUSED;
  const refused = orderOf();
  await world.nodes[0]?.sender.order(refused);
  expect(await budget()).toBe(0);
  expect(await world.counts(`sms:account:${refused.accountId}`)).toMatchObject({ hour: 1, day: 1 });
  world.outcome.sending = UNKNOWN;
  await orders(1);
  expect(await budget()).toBe(1);
  world.outcome.sending = { ...ACCEPTED, mayHaveSent: ['one', 'two'] };
  await orders(1);
  expect(await budget()).toBe(3);
  expect(await world.usage.find({}).toArray()).toMatchObject([{ sent: 1, failed: 2, amount: 300_000 }]);
});

test('a second provider is not asked when the budget has no room for it', async () => {
  world = await openWorld(1, { budget: { messagesPerDay: 1 } });
  world.outcome.sending = { ...ACCEPTED, mayHaveSent: ['one', 'two'] };
  await orders(1);
  expect((await world.nodes[0]?.delivery.report(1))?.budget.messages).toBe(1);
  expect(await world.messages.findOne({})).toMatchObject({ status: 'failed', reason: 'provider_trouble' });
});

test('a second provider that is asked after midnight, and refuses, is given back to its own day', async () => {
  world = await openWorld(1, { budget: { messagesPerDay: 5 } }, 'UTC', new Date('2046-07-01T23:59:59Z'));
  world.outcome.sending = UNKNOWN;
  world.meanwhile.work = () => world.clock.advance(2);
  await orders(1);
  expect(await world.counts('sms:day:2046-07-01')).toMatchObject({ messages: 1, amount: 100_000 });
  expect(await world.counts('sms:day:2046-07-02')).toMatchObject({ messages: 0, amount: 0 });
});

test('a notice is held back by nothing and counts as spent', async () => {
  world = await openWorld(1, { budget: { messagesPerDay: 1 } });
  await orders(2);
  const { accountId, number, country, text } = orderOf();
  await world.nodes[0]?.sender.notify({ accountId, number, country, text });
  expect(world.carried.map(({ to }) => to)).toContain(number);
  expect((await world.nodes[0]?.delivery.report(1))?.budget).toMatchObject({ messages: 2, isExhausted: true });
});

test('80 % and 100 % are told once each, whoever crosses them', async () => {
  world = await openWorld(4, { budget: { messagesPerDay: 50 } });
  await orders(39);
  expect(world.announced).toEqual([]);
  await orders(1);
  await orders(60);
  await orders(20);
  expect(world.announced.map(({ type, facts }) => [type, facts.percent])).toEqual([
    ['sms_budget_warned', 80],
    ['sms_budget_exhausted', 100],
  ]);
  expect(world.audited.map(({ type }) => type)).toEqual(['sms_budget_warned', 'sms_budget_exhausted']);
}, 60_000);

test('a day is one of the installation’s time zone', async () => {
  world = await openWorld(1, { budget: { messagesPerDay: 1 } }, 'Pacific/Auckland', new Date('2046-07-01T11:59:00Z'));
  expect(tally(await orders(2))).toEqual({ sent: 1, out_of_service: 1 });
  world.clock.advance(60);
  expect(tally(await orders(2))).toEqual({ sent: 1, out_of_service: 1 });
  for (const [at, zone, end] of [
    ['2026-03-29T10:00:00Z', 'Europe/Berlin', '2026-03-29T22:00:00Z'],
    ['2026-10-25T10:00:00Z', 'Europe/Berlin', '2026-10-25T23:00:00Z'],
    ['2026-10-24T22:30:00Z', 'Europe/Berlin', '2026-10-25T23:00:00Z'],
    ['2026-01-01T00:00:00Z', 'UTC', '2026-01-02T00:00:00Z'],
  ] as const)
    expect(endOfDay(new Date(at), zone)).toEqual(new Date(end));
  expect(dayBefore('2026-03-01', 1)).toBe('2026-02-28');
});
