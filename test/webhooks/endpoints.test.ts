import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Webhook as Verifier } from 'standardwebhooks';
import { ensureIndexes as ensureOutboxIndexes } from '../../src/notifications/index.js';
import { ensureIndexes } from '../../src/webhooks/index.js';
import { testDatabase } from '../support/database.js';
import { Receiver } from './receiver.js';
import { APPROVED, webhooksOn } from './support.js';

let database: Awaited<ReturnType<typeof testDatabase>>;
let receiver: Receiver;
let node: ReturnType<typeof webhooksOn>;

beforeAll(async () => {
  database = await testDatabase();
  await Promise.all([ensureIndexes(database), ensureOutboxIndexes(database)]);
  receiver = await Receiver.start();
  node = webhooksOn(database, { privateOrigins: [receiver.origin] });
});
beforeEach(async () => {
  receiver.received.length = 0;
  await database.collection('webhooks').deleteMany({});
});
afterAll(async () => {
  await receiver.stop();
  await database.drop();
});

async function endpoint() {
  const created = await node.webhooks.create({
    url: receiver.url,
    events: ['recovery_request.approved', 'recovery_request.approved'],
    description: 'Ticket desk',
  });
  if (created.status !== 'created') throw new Error(created.problem);
  return created;
}

describe('an endpoint', () => {
  test('shows its secret once, and keeps it sealed', async () => {
    const { webhook, secret } = await endpoint();
    expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
    expect(webhook).toMatchObject({ events: ['recovery_request.approved'], state: 'active', version: 1 });
    const shown = [webhook, await node.webhooks.find(webhook.id), await node.webhooks.list({ limit: 10 })];
    const stored = await database.collection('webhooks').findOne({});
    for (const text of [shown, stored].map((one) => JSON.stringify(one))) {
      expect(text).not.toContain(secret.slice('whsec_'.length));
    }
    expect(JSON.stringify(shown)).not.toMatch(/secret/i);
  });

  test('at a private address is refused, when made and when changed', async () => {
    const refused = { status: 'url_refused', problem: 'private_address' };
    expect(await node.webhooks.create({ url: 'https://10.0.0.1/', events: ['suspension.used'] })).toEqual(refused);
    const { webhook } = await endpoint();
    expect(await node.webhooks.update(webhook.id, { url: 'https://[::1]/' }, webhook.version)).toEqual(refused);
    expect(await database.collection('webhooks').countDocuments()).toBe(1);
    expect(await node.webhooks.find(webhook.id)).toEqual(webhook);
  });

  test('is changed by merging', async () => {
    const { webhook } = await endpoint();
    node.clock.advance(1);
    const changed = await node.webhooks.update(webhook.id, { description: null, events: ['role.granted'] }, 1);
    const { description, ...rest } = webhook;
    expect(description).toBe('Ticket desk');
    expect(changed).toEqual({
      status: 'updated',
      webhook: { ...rest, events: ['role.granted'], version: 2, updatedAt: node.clock.now() },
    });
  });

  test('says why it is disabled, and forgets it when it is switched on', async () => {
    const { webhook } = await endpoint();
    const off = await node.webhooks.update(webhook.id, { state: 'disabled' }, 1);
    expect(off).toMatchObject({ webhook: { state: 'disabled', disabledBecause: 'administrator' } });
    await database
      .collection<{ _id: string }>('webhooks')
      .updateOne({ _id: webhook.id }, { $set: { failingSince: new Date() } });
    const on = await node.webhooks.update(webhook.id, { state: 'active' }, 2);
    expect(on).toEqual({ status: 'updated', webhook: { ...webhook, version: 3, updatedAt: expect.any(Date) } });
  });

  test('that somebody else has changed meanwhile is neither changed nor removed', async () => {
    const { webhook } = await endpoint();
    const changes = ['a', 'b', 'c', 'd'].map((description) => node.webhooks.update(webhook.id, { description }, 1));
    const outcomes = (await Promise.all(changes)).map(({ status }) => status);
    expect(outcomes.sort()).toEqual(['stale', 'stale', 'stale', 'updated']);
    expect(await node.webhooks.remove(webhook.id, 1)).toMatchObject({ status: 'stale', webhook: { version: 2 } });
    expect(await node.webhooks.remove(webhook.id, 2)).toEqual({ status: 'removed' });
    expect(await node.webhooks.remove(webhook.id, 2)).toEqual({ status: 'not_found' });
    expect(await node.webhooks.update(webhook.id, { state: 'disabled' }, 2)).toEqual({ status: 'not_found' });
  });

  test('changes together with what else is written, or not at all', async () => {
    const { webhook } = await endpoint();
    const broken = database.transaction(async (unit) => {
      await node.webhooks.update(webhook.id, { description: 'Other' }, 1, unit);
      await node.webhooks.create({ url: receiver.url, events: ['role.granted'] }, unit);
      await node.webhooks.rotateSecret(webhook.id, unit);
      throw new Error('broken off');
    });
    await expect(broken).rejects.toThrow('broken off');
    expect((await node.webhooks.list({ limit: 10 })).items).toEqual([webhook]);
  });
});

test('a new secret signs at once, the old one beside it for a day', async () => {
  const { webhook, secret: old } = await endpoint();
  const rotated = await node.webhooks.rotateSecret(webhook.id);
  expect(rotated?.webhook.version).toBe(2);
  expect(await node.webhooks.rotateSecret('wh_none')).toBeUndefined();

  await node.webhooks.publish('row-1', APPROVED);
  await node.outbox.kick();
  node.clock.advance(24 * 3600);
  await node.webhooks.publish('row-2', APPROVED);
  await node.outbox.kick();

  // The package compares with the time of day: what counts here is who signed.
  const signedBy = (secret: string) =>
    receiver.received.map(({ body, headers }) => {
      const at = new Date(Number(headers['webhook-timestamp']) * 1000);
      const signature = new Verifier(secret).sign(String(headers['webhook-id']), at, body);
      return String(headers['webhook-signature']).split(' ').includes(signature);
    });
  expect(signedBy(rotated?.secret ?? '')).toEqual([true, true]);
  expect(signedBy(old)).toEqual([true, false]);
});
