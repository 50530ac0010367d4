import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Webhook as Verifier } from 'standardwebhooks';
import { ensureIndexes as ensureOutboxIndexes } from '../../src/notifications/index.js';
import { ensureIndexes, type NewWebhook } from '../../src/webhooks/index.js';
import { testDatabase } from '../support/database.js';
import { Receiver } from './receiver.js';
import { APPROVED, webhooksOn } from './support.js';

let database: Awaited<ReturnType<typeof testDatabase>>;
let receiver: Receiver;
let node: ReturnType<typeof webhooksOn>;

const trusting = () => webhooksOn(database, { privateOrigins: [receiver.origin] });

beforeAll(async () => {
  database = await testDatabase();
  await Promise.all([ensureIndexes(database), ensureOutboxIndexes(database)]);
});
beforeEach(async () => {
  receiver = await Receiver.start();
  node = trusting();
});
afterEach(async () => {
  await receiver.stop();
  for (const name of ['webhooks', 'webhook_deliveries', 'outbox']) await database.collection(name).deleteMany({});
});
afterAll(() => database.drop());

async function endpoint(settings: Partial<NewWebhook> = {}) {
  const created = await node.webhooks.create({
    url: receiver.url,
    events: ['recovery_request.approved', 'suspension.ended'],
    ...settings,
  });
  if (created.status !== 'created') throw new Error(created.problem);
  return { ...created.webhook, secret: created.secret };
}

const tell = async (announcementId = 'row-1') => {
  await node.webhooks.publish(announcementId, APPROVED);
  await node.outbox.kick();
};

const latest = async (webhookId: string) => (await node.webhooks.deliveries(webhookId, { limit: 1 })).items[0];

describe('a message', () => {
  test('is signed so that the receiver can tell it is ours, and says ids and times only', async () => {
    const { id, secret } = await endpoint();
    await tell();
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
    const read = new Verifier(secret).verify(body, headers as Record<string, string>);
    expect(read).toEqual({
      type: 'recovery_request.approved',
      timestamp: '2026-11-23T09:00:00.000Z',
      data: { accountId: 'acc_anna', ...APPROVED.facts },
    });
    expect(() => new Verifier(secret).verify(`${body} `, headers as Record<string, string>)).toThrow();
    expect(headers['content-type']).toBe('application/json');
    expect(await latest(id)).toEqual({
      id: headers['webhook-id'],
      webhookId: id,
      event: 'recovery_request.approved',
      state: 'delivered',
      attempts: 1,
      createdAt: expect.any(Date),
      lastAttemptAt: expect.any(Date),
      responseStatus: 204,
    });
  });

  test('goes to whoever listens for it, and to nobody else', async () => {
    await endpoint({ events: ['suspension.ended'] });
    await endpoint({ state: 'disabled' });
    const one = await endpoint();
    const two = await endpoint();
    await tell();
    const sent = await Promise.all([one, two].map(({ id }) => latest(id)));
    expect(receiver.received.map(({ headers }) => headers['webhook-id']).sort()).toEqual(
      sent.map((delivery) => delivery?.id).sort(),
    );
  });

  test('is sent once, however often its announcement is told', async () => {
    await endpoint();
    for (let n = 0; n < 3; n += 1) await tell();
    expect(receiver.received).toHaveLength(1);
    await tell('row-2');
    expect(receiver.received).toHaveLength(2);
  });

  test('is not sent again by whoever takes over from a node that died after the answer', async () => {
    const { id } = await endpoint();
    await tell();
    const delivery = await latest(id);
    await node.webhooks.deliver({ id: delivery?.id }, { id: 'row', isLast: false });
    expect(receiver.received).toHaveLength(1);
  });
});

describe('an endpoint that does not take it', () => {
  test('is tried again under the same id with a fresh signature, and its trouble shows', async () => {
    const { id, secret } = await endpoint();
    receiver.answerWith(503);
    await tell();
    expect(await latest(id)).toMatchObject({ state: 'pending', attempts: 1, responseStatus: 503 });
    const { failingSince } = (await node.webhooks.find(id)) ?? {};
    expect(failingSince).toEqual(node.clock.now());

    node.clock.advance(60);
    receiver.answerWith(500);
    await node.outbox.kick();
    expect((await node.webhooks.find(id))?.failingSince).toEqual(failingSince);

    node.clock.advance(180);
    receiver.answerWith(200);
    await node.outbox.kick();
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(3);
    for (const { body, headers } of receiver.received) {
      expect(() => new Verifier(secret).verify(body, headers as Record<string, string>)).not.toThrow();
    }
    expect(await latest(id)).toMatchObject({ state: 'delivered', attempts: 3, responseStatus: 200 });
    expect(await node.webhooks.find(id)).not.toHaveProperty('failingSince');
  });

  test('is given up after the tenth time', async () => {
    const { id } = await endpoint();
    receiver.answerWith(400);
    await tell();
    for (let n = 0; n < 12; n += 1) {
      node.clock.advance(6 * 3600);
      await node.outbox.kick();
    }
    expect(receiver.received).toHaveLength(10);
    expect(await latest(id)).toMatchObject({ state: 'failed', attempts: 10, responseStatus: 400 });
    expect(await node.outbox.deadLetters()).toEqual([expect.objectContaining({ kind: 'webhook', reason: '400' })]);
  });

  test('and says 410 is left alone from then on', async () => {
    const { id, version } = await endpoint();
    receiver.answerWith(410);
    await tell();
    node.clock.advance(7 * 24 * 3600);
    await node.outbox.kick();
    await tell('row-2');
    expect(receiver.received).toHaveLength(1);
    expect(await latest(id)).toMatchObject({ state: 'failed', responseStatus: 410 });
    expect(await node.webhooks.find(id)).toMatchObject({
      state: 'disabled',
      disabledBecause: 'gone',
      version: version + 1,
    });
  });

  test.each([301, 302, 307, 308])('but redirects with %i leads nowhere', async (status) => {
    const { id } = await endpoint();
    receiver.answerWith(status, { location: `${receiver.origin}/elsewhere` });
    await tell();
    expect(receiver.received).toHaveLength(1);
    expect(await latest(id)).toMatchObject({ state: 'pending', responseStatus: status });
  });

  test('and cannot be reached is told by its code', async () => {
    const { id } = await endpoint();
    await receiver.stop();
    await tell();
    expect(await latest(id)).toMatchObject({ state: 'pending', failure: 'ECONNREFUSED' });
    expect(await latest(id)).not.toHaveProperty('responseStatus');
    receiver = await Receiver.start();
  });
});

describe('a private network', () => {
  const [v4, mapped, site, metadata] = [
    { address: '127.0.0.1', family: 4 },
    { address: '::ffff:127.0.0.1', family: 6 },
    { address: 'fd00::7', family: 6 },
    { address: '169.254.169.254', family: 4 },
  ];
  const internet = { address: '93.184.215.14', family: 4 };

  test.each([
    ['this machine', [v4]],
    ['this machine as IPv6 writes it', [mapped]],
    ['a neighbour', [site]],
    ['the metadata of a cloud', [metadata]],
    ['the internet and this machine', [internet, v4]],
    ['nothing', []],
  ])('is not reached by a name that leads to %s', async (_where, addresses) => {
    node = webhooksOn(database, { addresses });
    const { port } = new URL(receiver.url);
    const { id } = await endpoint({ url: `https://hooks.example:${port}/` });
    await tell();
    expect(await latest(id)).toMatchObject({ state: 'pending', attempts: 1, failure: 'PRIVATE_ADDRESS' });
    expect(receiver.connections).toBe(0);
  });

  test('is not reached any more once the configuration no longer says so', async () => {
    const { id } = await endpoint();
    node = webhooksOn(database, { clock: node.clock });
    await tell();
    expect(await latest(id)).toMatchObject({ state: 'pending', failure: 'NOT_HTTPS' });
    expect(receiver.connections).toBe(0);
  });
});

describe('what became of it', () => {
  test('is listed, newest first, page by page', async () => {
    const { id } = await endpoint();
    for (const row of ['a', 'b', 'c']) {
      await tell(row);
      node.clock.advance(1);
    }
    const first = await node.webhooks.deliveries(id, { limit: 2 });
    expect(first.items.map(({ createdAt }) => createdAt)).toEqual(
      [...first.items.map(({ createdAt }) => createdAt)].sort((a, b) => b.getTime() - a.getTime()),
    );
    const second = await node.webhooks.deliveries(id, { limit: 2, ...(first.next ? { after: first.next } : {}) });
    expect([first.items.length, second.items.length, second.next]).toEqual([2, 1, undefined]);
    expect(JSON.stringify([first, second])).not.toContain('req_1');
  });

  test('can be sent once more by hand, under the same id', async () => {
    const { id } = await endpoint();
    await tell();
    const { id: messageId = '' } = (await latest(id)) ?? {};
    expect(await node.webhooks.redeliver(id, messageId)).toBe('queued');
    expect(await node.webhooks.redeliver(id, messageId)).toBe('pending');
    await node.outbox.kick();
    const [first, second] = receiver.received;
    expect(receiver.received).toHaveLength(2);
    expect(second?.headers['webhook-id']).toBe(messageId);
    expect(second?.body).toBe(first?.body);
    expect(await latest(id)).toMatchObject({ state: 'delivered', attempts: 2 });
  });

  test('cannot be sent where it does not belong', async () => {
    const { id, version } = await endpoint();
    const other = await endpoint();
    await tell();
    const { id: messageId = '' } = (await latest(id)) ?? {};
    expect(await node.webhooks.redeliver(other.id, messageId)).toBe('not_found');
    expect(await node.webhooks.findDelivery(other.id, messageId)).toBeUndefined();
    expect(await node.webhooks.redeliver('wh_none', messageId)).toBe('not_found');
    await node.webhooks.update(id, { state: 'disabled' }, version);
    expect(await node.webhooks.redeliver(id, messageId)).toBe('disabled');
  });

  test('is that it was cancelled, once the endpoint is disabled or removed', async () => {
    const disabled = await endpoint();
    const removed = await endpoint();
    await node.webhooks.publish('row-1', APPROVED);
    await node.webhooks.update(disabled.id, { state: 'disabled' }, disabled.version);
    await node.webhooks.remove(removed.id, removed.version);
    await node.outbox.kick();
    expect(receiver.received).toHaveLength(0);
    expect(await latest(disabled.id)).toMatchObject({ state: 'cancelled', attempts: 0 });
    expect(await latest(removed.id)).toMatchObject({ state: 'cancelled' });
  });
});

test('two workers send each of thirty messages once', async () => {
  const { id } = await endpoint();
  const heir = webhooksOn(database, { privateOrigins: [receiver.origin], clock: node.clock });
  for (let n = 0; n < 30; n += 1) await node.webhooks.publish(`row-${n}`, APPROVED);
  await Promise.all([node.outbox.kick(), heir.outbox.kick()]);
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(30);
  expect(receiver.received).toHaveLength(30);
  expect((await node.webhooks.deliveries(id, { limit: 50 })).items).toHaveLength(30);
});

test('every query has an index', async () => {
  const plans = [
    database.collection('webhooks').find({ state: 'active', events: 'suspension.ended' }),
    database.collection('webhooks').find().sort({ createdAt: -1, _id: -1 }),
    database.collection('webhook_deliveries').find({ webhookId: 'wh' }).sort({ createdAt: -1, _id: -1 }),
  ].map(async (query) => JSON.stringify(await query.explain('queryPlanner')));
  for (const plan of await Promise.all(plans)) {
    expect(plan).toContain('IXSCAN');
    expect(plan).not.toMatch(/COLLSCAN|"stage":"SORT"/);
  }
});
