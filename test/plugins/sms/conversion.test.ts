import { afterEach, expect, test } from '@jest/globals';
import { openWorld, orderOf, times, type World } from './senders.js';

let world: World;
afterEach(() => world.stop());

const MINUTES = 60;
const node = (n = 0) => {
  const found = world.nodes[n % world.nodes.length];
  if (!found) throw new Error('no node');
  return found;
};
/** Messages into a country, of which some are used at once. */
async function send(count: number, used: number, country = 'US'): Promise<void> {
  await times(count, async (n) => {
    const order = orderOf({ country });
    const sent = await node(n).sender.order(order);
    if (sent.status === 'sent' && n < used) await node(n).sender.used(order.accountId, sent.messageId);
  });
}
const isOpen = async (country = 'US') => (await node().delivery.country(country))?.isOpen;
const WIDE = { limits: { perCountry: { perDay: 10_000 } }, budget: { messagesPerDay: 10_000 } };

test('a country whose codes are not typed is closed once, by four nodes, and told', async () => {
  world = await openWorld(4, { ...WIDE, conversion: { outOf: 50 } });
  await send(60, 3);
  expect(await isOpen()).toBe(true);
  world.clock.advance(5 * MINUTES);
  await send(40, 0);
  expect(await isOpen()).toBe(false);
  expect(world.audited.map(({ type, details }) => [type, details?.country])).toEqual([['sms_country_closed', 'US']]);
  expect(world.announced.map(({ type }) => type)).toEqual(['sms_country_closed']);
  expect(await node(2).delivery.country('US')).toMatchObject({ because: 'conversion', since: expect.any(Date) });
  expect(await node().sender.order(orderOf())).toMatchObject({ reason: 'not_served' });
  expect(await node().sender.obstacle('US')).toEqual({ reason: 'not_served' });
  expect(await node().sender.order(orderOf({ country: 'DE' }))).toMatchObject({ status: 'sent' });
}, 60_000);

test('a few accounts whose passwords are known do not close a country for everybody; many do', async () => {
  world = await openWorld(2, WIDE);
  const flood = async (accounts: number): Promise<void> => {
    const orders = Array.from({ length: accounts }, () => orderOf());
    for (let message = 0; message < 5; message += 1) {
      for (const order of orders) await node(message).sender.order(order);
      world.clock.advance(16 * MINUTES);
    }
    await send(1, 0);
  };
  await flood(5);
  expect([world.carried.length, await isOpen()]).toEqual([26, true]);
  await flood(4);
  expect(await isOpen()).toBe(false);
}, 20_000);

test('whoever comes a moment later, or has measured before it was opened anew, closes nothing', async () => {
  world = await openWorld(2);
  const close = async (n: number, seen: Date | undefined): Promise<number> => {
    let closed = 0;
    world.clock.advance(1);
    await node(n).countries.closeByConversion('US', seen, async (unit) => unit.afterCommit(() => (closed += 1)));
    return closed;
  };
  expect([await close(0, undefined), await close(1, undefined)]).toEqual([1, 0]);
  await node().delivery.setCountry('US', true);
  expect(await close(1, undefined)).toBe(0);
  const from = await node().countries.measuredFrom('US');
  expect([await close(1, from), await close(0, from)]).toEqual([1, 0]);
});

test('it stays closed until an administrator opens it, and is measured anew from then on', async () => {
  world = await openWorld(2, { ...WIDE, conversion: { outOf: 25 } });
  await send(30, 0);
  world.clock.advance(6 * MINUTES);
  await send(1, 0);
  expect(await isOpen()).toBe(false);
  world.clock.advance(60 * MINUTES);
  expect(await isOpen()).toBe(false);
  expect(await node().delivery.setCountry('US', true)).toBe('changed');
  expect(await node().delivery.setCountry('US', true)).toBe('unchanged');
  world.clock.advance(1);
  await send(9, 0);
  world.clock.advance(6 * MINUTES);
  await send(1, 0);
  expect(await isOpen()).toBe(true);
  await send(10, 0);
  world.clock.advance(6 * MINUTES);
  await send(20, 0);
  expect(await isOpen()).toBe(false);
  expect(world.announced.map(({ type }) => type)).toEqual(['sms_country_closed', 'sms_country_closed']);
});

test('what was used before it was opened anew does not make up for what is not used since', async () => {
  world = await openWorld(2, { ...WIDE, conversion: { outOf: 50 } });
  await send(30, 30);
  world.clock.advance(1);
  await node().delivery.setCountry('US', true);
  world.clock.advance(1);
  await send(20, 0);
  world.clock.advance(6 * MINUTES);
  await send(1, 0);
  expect(await isOpen()).toBe(false);
});

test.each([
  ['too few', 9, 0, {}],
  ['enough of them used', 40, 8, {}],
  ['not looked at', 40, 0, { conversion: { atLeast: 0 } }],
])('%s: it stays open', async (_what, count, used, more) => {
  world = await openWorld(2, { ...WIDE, conversion: { outOf: 25 }, ...more });
  await send(count, used);
  world.clock.advance(6 * MINUTES);
  await send(1, 0);
  expect(await isOpen()).toBe(true);
});

test('what never arrived says nothing about who typed its code', async () => {
  world = await openWorld(1, { ...WIDE, conversion: { outOf: 25 } });
  await send(30, 0);
  await world.messages.updateMany({}, { $set: { status: 'failed' } });
  world.clock.advance(6 * MINUTES);
  await send(1, 0);
  expect(await isOpen()).toBe(true);
});

test('where numbers may be: the list, or the home country and those of enrolled numbers; a decision stands above both', async () => {
  world = await openWorld(1, { countries: undefined });
  const { countries, delivery } = node();
  expect([...(await countries.allowed())]).toEqual(['US']);
  await countries.noteEnrolled('AT');
  expect([...(await countries.allowed())].sort()).toEqual(['AT', 'US']);
  expect(await delivery.country('AT')).toMatchObject({ because: 'enrolled', callingCode: '+43', isOpen: true });
  expect(await delivery.country('FR')).toMatchObject({ because: 'not_configured', isOpen: false });
  expect(await delivery.setCountry('FR', true)).toBe('changed');
  expect(await delivery.setCountry('US', false)).toBe('changed');
  expect([...(await countries.allowed())].sort()).toEqual(['AT', 'FR']);
  expect(await delivery.setCountry('XX', true)).toBe('unknown');
  expect(await delivery.country('XX')).toBeUndefined();
});

test('the report adds up', async () => {
  world = await openWorld(2, WIDE);
  await send(20, 5);
  await send(10, 10, 'DE');
  world.clock.advance(24 * 60 * MINUTES);
  await send(4, 4, 'DE');
  const report = await node(1).delivery.report(30);
  expect(report.budget).toMatchObject({ messages: 4, amount: 400_000, isExhausted: false });
  expect(report.days).toEqual([
    { day: '2046-03-03', sent: 4, delivered: 0, failed: 0, used: 4, amount: 400_000 },
    { day: '2046-03-02', sent: 30, delivered: 0, failed: 0, used: 15, amount: 3_000_000 },
  ]);
  expect(report.countries.map(({ country, sent, used }) => [country, sent, used])).toEqual([
    ['DE', 14, 14],
    ['US', 20, 5],
  ]);
  expect((await node().delivery.report(1)).days).toHaveLength(1);
});
