import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Callback } from '../../../src/factors/contract.js';
import { ACCEPTED, openWorld, orderOf, REFUSED, times, UNKNOWN, type World } from './senders.js';

let world: World;
beforeEach(async () => {
  world = await openWorld(2);
});
afterEach(() => world.stop());

const sender = (n = 0) => {
  const node = world.nodes[n % world.nodes.length];
  if (!node) throw new Error('no node');
  return node.sender;
};
const ATTEMPT = { id: 'row', isLast: false };

/** One that waits in the outbox. */
async function posted(): Promise<{ messageId: string; parcel: object }> {
  world.outbox.holds = true;
  const sent = await sender().order(orderOf());
  const parcel = world.outbox.parcels.pop() ?? {};
  return { messageId: sent.status === 'sent' ? sent.messageId : '', parcel };
}
const stored = (id: string) => world.messages.findOne({ _id: id });
const counted = async () => {
  const [row] = await world.usage.find({}).toArray();
  const { sent = 0, delivered = 0, failed = 0, amount = 0 } = row ?? {};
  return { sent, delivered, failed, amount };
};

describe('a code is given to a provider once at most', () => {
  test('twenty deliveries at once on two nodes', async () => {
    const { messageId, parcel } = await posted();
    await times(20, (n) => sender(n).deliver(parcel, ATTEMPT));
    expect(world.carried).toHaveLength(1);
    const message = await stored(messageId);
    expect(message?.sentAt).toEqual(world.clock.now());
    // Or another took it for left behind while the provider had it.
    expect(message?.provider === 'one' || message?.mayArrive).toBe(true);
  });

  test('whose node died with it in hand: it failed, and is not sent again', async () => {
    const { messageId, parcel } = await posted();
    await world.messages.updateOne({ _id: messageId }, { $set: { status: 'sending' } });
    await sender(1).deliver(parcel, ATTEMPT);
    await sender(0).deliver(parcel, ATTEMPT);
    expect(world.carried).toEqual([]);
    expect(await stored(messageId)).toMatchObject({
      status: 'failed',
      reason: 'provider_trouble',
      code: 'LEFT_BEHIND',
    });
    expect(await counted()).toEqual({ sent: 0, delivered: 0, failed: 1, amount: 100_000 });
  });

  test('that waited for longer than its code lives: it is not sent, and costs nothing', async () => {
    const { messageId, parcel } = await posted();
    world.clock.advance(300);
    await sender().deliver(parcel, ATTEMPT);
    expect(world.carried).toEqual([]);
    expect(await stored(messageId)).toMatchObject({ status: 'failed' });
    expect((await world.nodes[0]?.delivery.report(1))?.budget.messages).toBe(0);
  });

  test('a provider that refuses is not asked again by the outbox', async () => {
    world.outcome.sending = REFUSED;
    const { parcel } = await posted();
    await sender().deliver(parcel, ATTEMPT);
    await sender(1).deliver(parcel, ATTEMPT);
    expect(world.carried).toHaveLength(1);
  });
});

test('a notice is tried until a provider takes it', async () => {
  const { accountId, number, country, text } = orderOf();
  world.outbox.holds = true;
  await sender().notify({ accountId, number, country, text });
  const [parcel] = world.outbox.parcels;
  world.outcome.sending = REFUSED;
  await expect(sender().deliver(parcel, ATTEMPT)).rejects.toMatchObject({ code: '20429' });
  world.outcome.sending = ACCEPTED;
  await sender(1).deliver(parcel, ATTEMPT);
  expect(world.carried).toHaveLength(2);
  expect(await world.messages.findOne({ accountId })).toMatchObject({ purpose: 'notice', status: 'sent' });
});

describe('what a provider reports', () => {
  const callback = (id: string, service = 'one'): Callback => ({
    service,
    id,
    url: 'http://localhost',
    headers: {},
    body: '',
  });
  const report = async (messageId: string, status: 'sent' | 'delivered' | 'failed', service?: string) => {
    world.callback.answer = {
      messageId,
      status,
      ...(status === 'failed' ? { reason: 'unreachable', code: '30003' } : {}),
    };
    return sender(1).receive(callback(messageId, service));
  };
  const taken = async (): Promise<string> => {
    const { messageId, parcel } = await posted();
    await sender().deliver(parcel, ATTEMPT);
    return messageId;
  };

  test.each([
    [['sent', 'delivered'], 'delivered'],
    [['delivered', 'sent'], 'delivered'],
    [['delivered', 'delivered', 'failed'], 'delivered'],
    [['sent', 'failed', 'failed'], 'failed'],
    [['failed', 'delivered'], 'failed'],
  ] as const)('%j ends as %s, counted once', async (reports, end) => {
    const id = await taken();
    for (const status of reports) expect(await report(id, status)).toBe('accepted');
    expect((await stored(id))?.status).toBe(end);
    expect(await counted()).toEqual({
      sent: 1,
      delivered: end === 'delivered' ? 1 : 0,
      failed: end === 'failed' ? 1 : 0,
      amount: 100_000,
    });
  });

  test('many at once: one counts', async () => {
    const id = await taken();
    world.callback.answer = { messageId: id, status: 'delivered' };
    await times(20, (n) => sender(n).receive(callback(id)));
    expect(await counted()).toMatchObject({ delivered: 1 });
  });

  test('before its answer arrived, and after nobody waited for it any more', async () => {
    const { messageId: early } = await posted();
    await world.messages.updateOne({ _id: early }, { $set: { status: 'sending' } });
    expect(await report(early, 'delivered')).toBe('accepted');
    expect((await stored(early))?.status).toBe('delivered');

    world.outcome.sending = UNKNOWN;
    const late = await taken();
    expect(await stored(late)).toMatchObject({ status: 'failed', reason: 'provider_trouble' });
    await report(late, 'sent');
    await report(late, 'delivered');
    const found = await stored(late);
    expect(found).toMatchObject({ status: 'delivered' });
    expect(found).not.toHaveProperty('reason');
    expect(await counted()).toMatchObject({ sent: 1, delivered: 2, failed: 0 });
  });

  test('between the hand-over and its answer: it stays', async () => {
    const { messageId, parcel } = await posted();
    world.meanwhile.work = () => report(messageId, 'delivered');
    await sender().deliver(parcel, ATTEMPT);
    expect(await stored(messageId)).toMatchObject({ status: 'delivered', provider: 'one', providerMessageId: 'SM1' });
    expect(await counted()).toMatchObject({ sent: 1, delivered: 1, failed: 0 });
  });

  test('a failure without a known reason stays one, whatever comes later', async () => {
    const id = await taken();
    world.callback.answer = { messageId: id, status: 'failed' };
    await sender().receive(callback(id));
    await report(id, 'sent');
    await report(id, 'delivered');
    expect(await stored(id)).toMatchObject({ status: 'failed', reason: 'provider_trouble' });
    expect(await counted()).toEqual({ sent: 1, delivered: 0, failed: 1, amount: 100_000 });
  });

  test('a forged one, one of another provider, one of no message, and one of a message not sent yet change nothing', async () => {
    const id = await taken();
    world.callback.answer = 'forged';
    expect(await sender().receive(callback(id))).toBe('forged');
    expect(await sender().receive(callback('no-such-message'))).toBe('forged');
    expect(await report(id, 'delivered', 'two')).toBe('unknown');
    expect(await report(id, 'delivered', 'three')).toBe('unknown');
    expect(await report('no-such-message', 'delivered')).toBe('unknown');
    const { messageId } = await posted();
    expect(await report(messageId, 'delivered')).toBe('unknown');
    expect((await stored(id))?.status).toBe('sent');
    expect((await stored(messageId))?.status).toBe('queued');
    world.callback.answer = undefined;
    expect(await sender().receive(callback(id))).toBe('accepted');
  });
});

test('no number and no text stands in what is stored', async () => {
  const order = orderOf({ text: 'canary 987654' });
  await sender().order(order);
  const everything = JSON.stringify([
    await world.messages.find({}).toArray(),
    await world.usage.find({}).toArray(),
    await world.allSubjects(),
    world.audited,
    world.announced,
  ]);
  expect(everything).toContain(order.accountId);
  expect(everything).not.toContain(order.number.slice(2));
  expect(everything).not.toContain('987654');
});

describe('an order', () => {
  test('is put in the outbox once its message, and what its code is checked against, are there', async () => {
    let isRemembered = false;
    const seen: unknown[] = [];
    world.outbox.look = async (id) => void seen.push((await world.messages.findOne({ _id: id }))?.status, isRemembered);
    await sender().order(orderOf(), async () => {
      await pause(50);
      isRemembered = true;
    });
    expect(seen).toEqual(['queued', true]);
  });

  test('that cannot be stored is not put in the outbox', async () => {
    const order = orderOf();
    await world.messages.createIndex({ country: 1 }, { unique: true });
    const { country } = order;
    await world.messages.insertOne({ _id: 'in-the-way', country } as Parameters<typeof world.messages.insertOne>[0]);
    const posted: string[] = [];
    world.outbox.look = async (id) => void posted.push(id);
    await expect(sender().order(order)).rejects.toThrow('E11000');
    expect(posted).toEqual([]);
  });

  test('whose code could not be checked goes nowhere, and is given back to the budget', async () => {
    const order = orderOf();
    const remember = async () => {
      await pause(50);
      throw new Error('cannot be kept');
    };
    await expect(sender().order(order, remember)).rejects.toThrow('cannot be kept');
    expect(world.carried).toEqual([]);
    expect(await world.messages.find({}).toArray()).toMatchObject([{ status: 'failed', reason: 'provider_trouble' }]);
    expect(await world.counts('sms:day:2046-03-02')).toMatchObject({ messages: 0, amount: 0 });
    expect(await world.counts(`sms:account:${order.accountId}`)).toMatchObject({ hour: 1 });
  });

  test('that cannot be put in the outbox is not said to be on its way; one that is, all the same, is not sent either', async () => {
    let id = '';
    world.outbox.look = async (messageId) => {
      id = messageId;
      throw new Error('no answer in time');
    };
    await expect(sender().order(orderOf())).rejects.toThrow('no answer in time');
    expect(await sender().find(id)).toMatchObject({ status: 'failed', reason: 'provider_trouble' });
    expect(await world.counts('sms:day:2046-03-02')).toMatchObject({ messages: 0 });
    await sender().deliver({ messageId: id, to: '+12125550100', text: 'a code' }, { id: 'row', isLast: false });
    expect(world.carried).toEqual([]);
    expect(await world.counts('sms:day:2046-03-02')).toMatchObject({ messages: 0 });
  });
});
