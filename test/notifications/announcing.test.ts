import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import {
  ANNOUNCEMENTS,
  type Announcement,
  createAnnouncing,
  ensureIndexes,
  type Outbox,
} from '../../src/notifications/index.js';
import type { OutboxRow } from '../../src/notifications/outbox-store.js';
import type { Database } from '../../src/platform/database.js';
import { systemRandom } from '../../src/platform/random.js';
import { createWebhooks, ensureIndexes as ensureWebhookIndexes, WEBHOOK_EVENTS } from '../../src/webhooks/index.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';
import { Receiver } from '../webhooks/receiver.js';
import { CaptureTransport, outboxOn, secretBox } from './support.js';

let database: Awaited<ReturnType<typeof testDatabase>>;
let receiver: Receiver;
const rows = () => database.collection<OutboxRow>('outbox');

const account = (id: string, name: string): Account => ({
  id,
  login: `${name}@example.com`.toLowerCase(),
  name,
  email: `${name}@example.com`.toLowerCase(),
  groups: [],
  active: true,
});
const ANNA = account('acc_anna', 'Anna');
const OLGA: Account = { ...account('acc_olga', 'Olga'), roles: ['owner'] };
const HUGO = account('acc_hugo', 'Hugo');

const FILED: Announcement = {
  type: 'recovery_request_filed',
  accountId: ANNA.id,
  at: '2026-11-23T08:55:00.000Z',
  facts: { requestId: 'req_1', circumstances: 'lost_or_stolen' },
};

/** Puts itself after each write of an outbox, to fail or to fall silent there. */
type AfterWrite = () => Promise<void>;

/** One node: an outbox that tells announcements, with webhooks. Several of them share transport, database and clock. */
function nodeOn(
  shared: { clock: FakeClock; transport: CaptureTransport },
  options: { afterWrite?: AfterWrite; database?: Database; administrators?: Account[] } = {},
) {
  const { afterWrite = async () => {}, administrators = [OLGA, HUGO, ANNA] } = options;
  const { outbox } = outboxOn(options.database ?? database, {
    ...shared,
    notMeLink: async (accountId, notice) => `https://id.example/not-me/${accountId}?what=${notice}`,
    deliver: { announcement: (payload, attempt) => announcing(payload, attempt) },
    call: { webhook: (payload, attempt) => webhooks.deliver(payload, attempt) },
  });
  const interrupted: Pick<Outbox, 'notify' | 'enqueue'> = {
    async notify(...mail) {
      await outbox.notify(...mail);
      await afterWrite();
    },
    async enqueue(...row) {
      await outbox.enqueue(...row);
      await afterWrite();
    },
  };
  const webhooks = createWebhooks({
    database: options.database ?? database,
    random: systemRandom,
    secretBox,
    clock: shared.clock,
    outbox: interrupted,
    issuer: 'https://id.example',
    privateOrigins: [receiver.origin],
  });
  const announcing = createAnnouncing({
    issuer: 'https://id.example',
    outbox: interrupted,
    findAccount: async (id) => [ANNA, OLGA, HUGO].find((one) => one.id === id),
    administrators: async () => administrators,
    publish: webhooks.publish,
  });
  return { outbox, webhooks };
}

const shared = () => ({ clock: new FakeClock(), transport: new CaptureTransport() });

/** Two endpoints that hear of everything. */
async function listening(): Promise<void> {
  const { webhooks } = nodeOn(shared());
  for (let n = 0; n < 2; n += 1) await webhooks.create({ url: receiver.url, events: WEBHOOK_EVENTS });
}

const told = ({ transport }: { transport: CaptureTransport }) => ({
  mails: transport.sent.map(({ to, subject }) => `${to}: ${subject}`).sort(),
  hooks: receiver.received.map(({ body }) => JSON.parse(body).type as string),
  ids: new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size,
});

/** Of one request that was filed: one mail each, and one message for each endpoint. */
const EXACTLY_ONCE = {
  mails: [
    'anna@example.com: recovery_request_sent for Anna',
    'hugo@example.com: recovery_request_received for Hugo',
    'olga@example.com: recovery_request_received for Olga',
  ],
  hooks: ['recovery_request.filed', 'recovery_request.filed'],
  ids: 2,
};
/** Rows that one such announcement becomes. */
const WRITES = 5;

beforeAll(async () => {
  database = await testDatabase();
  receiver = await Receiver.start();
  await Promise.all([ensureIndexes(database), ensureWebhookIndexes(database)]);
});
afterEach(async () => {
  receiver.received.length = 0;
  for (const name of ['outbox', 'webhooks', 'webhook_deliveries']) await database.collection(name).deleteMany({});
});
afterAll(async () => {
  await receiver.stop();
  await database.drop();
});

describe('a request that was filed', () => {
  test('is told to the person, to each administrator, and to each endpoint', async () => {
    await listening();
    const world = shared();
    const { outbox } = nodeOn(world);
    await outbox.announce(FILED);
    await outbox.kick();
    expect(told(world)).toEqual(EXACTLY_ONCE);
    const [anna, hugo] = [...world.transport.sent].sort((a, b) => a.to.localeCompare(b.to));
    expect(anna?.text).toContain('/not-me/acc_anna?what=recovery_request_sent');
    expect(hugo?.text).toContain('https://id.example/console/requests/req_1');
    expect(hugo?.text).toContain('"who":"Anna"');
    expect(hugo?.text).not.toContain('/not-me/');
  });

  test('is told in rows whose ids say what they are and for whom', async () => {
    const { outbox } = nodeOn(shared());
    await outbox.announce(FILED);
    const { _id = '' } = (await rows().findOne({ kind: 'announcement' })) ?? {};
    await outbox.kick();
    const ids = (await rows().find({ kind: 'mail' }).toArray()).map((row) => row._id);
    expect(ids.sort()).toEqual([`${_id}:admin:acc_hugo`, `${_id}:admin:acc_olga`, `${_id}:mail:acc_anna`]);
  });

  test('by an administrator is not for themselves to decide', async () => {
    const world = shared();
    const { outbox } = nodeOn(world);
    await outbox.announce({ ...FILED, accountId: HUGO.id });
    await outbox.kick();
    expect(told(world).mails).toEqual([
      'anna@example.com: recovery_request_received for Anna',
      'hugo@example.com: recovery_request_sent for Hugo',
      'olga@example.com: recovery_request_received for Olga',
    ]);
  });

  test('is told of in a sealed row that shows nothing while it waits', async () => {
    const { outbox } = nodeOn(shared());
    await outbox.announce(FILED);
    expect(JSON.stringify(await rows().findOne({}))).not.toMatch(/req_1|lost_or_stolen|example/);
  });
});

describe('with its decision', () => {
  test('an announcement is stored, or not at all', async () => {
    const world = shared();
    const { outbox } = nodeOn(world);
    const broken = database.transaction(async (unit) => {
      await outbox.announce(FILED, unit);
      throw new Error('broken off');
    });
    await expect(broken).rejects.toThrow('broken off');
    expect(await rows().countDocuments()).toBe(0);
    await database.transaction((unit) => outbox.announce(FILED, unit));
    await outbox.kick();
    expect(told(world).mails).toHaveLength(3);
  });

  test('a started outbox tells it at once', async () => {
    const world = shared();
    const { outbox } = nodeOn(world);
    outbox.start();
    await outbox.kick();
    await database.transaction((unit) => outbox.announce(FILED, unit));
    await outbox.kick();
    await outbox.stop();
    expect(told(world).mails).toHaveLength(3);
  });
});

describe('exactly once', () => {
  test.each(Array.from({ length: WRITES }, (_, n) => n + 1))(
    'although telling fails after row %i, and is tried again',
    async (failsAfter) => {
      await listening();
      const world = shared();
      let writes = 0;
      const { outbox } = nodeOn(world, {
        afterWrite: async () => {
          writes += 1;
          if (writes === failsAfter) throw new Error('broken off');
        },
      });
      await outbox.announce(FILED);
      await outbox.kick();
      expect(await rows().findOne({ kind: 'announcement' })).toMatchObject({ status: 'due', attempts: 1 });
      world.clock.advance(60);
      await outbox.kick();
      expect(await rows().findOne({ kind: 'announcement' })).toMatchObject({ status: 'sent', attempts: 2 });
      expect(told(world)).toEqual(EXACTLY_ONCE);
    },
  );

  test.each(Array.from({ length: WRITES }, (_, n) => n + 1))(
    'although the node is killed after row %i, and another takes over when its lease is over',
    async (diesAfter) => {
      await listening();
      const world = shared();
      let writes = 0;
      let died: () => void = () => {};
      const isDead = new Promise<void>((resolve) => {
        died = resolve;
      });
      const killed = nodeOn(world, {
        afterWrite: async () => {
          writes += 1;
          if (writes < diesAfter) return;
          died();
          await new Promise(() => undefined);
        },
      });
      await killed.outbox.announce(FILED);
      void killed.outbox.kick();
      await isDead;
      const heir = nodeOn(world);
      await heir.outbox.kick();
      expect(await rows().findOne({ kind: 'announcement' })).toMatchObject({ status: 'sending' });
      world.clock.advance(20);
      await heir.outbox.kick();
      expect(await rows().findOne({ kind: 'announcement' })).toMatchObject({ status: 'sent', attempts: 2 });
      expect(told(world)).toEqual(EXACTLY_ONCE);
    },
  );

  test('although two workers tell it at the same time', async () => {
    await listening();
    const world = shared();
    const slow = nodeOn(world, { afterWrite: () => new Promise((resolve) => setTimeout(resolve, 20)) });
    const fast = nodeOn(world);
    await slow.outbox.announce(FILED);
    const late = slow.outbox.kick();
    while (!(await rows().findOne({ kind: 'announcement', status: 'sending' })));
    world.clock.advance(20);
    await Promise.all([late, fast.outbox.kick()]);
    world.clock.advance(20);
    await fast.outbox.kick();
    expect(told(world)).toEqual(EXACTLY_ONCE);
  });

  test('of twenty announcements that two nodes share', async () => {
    await listening();
    const world = shared();
    const [one, two] = [nodeOn(world), nodeOn(world)];
    for (let n = 0; n < 20; n += 1) await one.outbox.announce({ ...FILED, facts: { requestId: `req_${n}` } });
    await Promise.all([one.outbox.kick(), two.outbox.kick()]);
    await one.outbox.kick();
    expect(world.transport.sent).toHaveLength(60);
    expect(new Set(world.transport.sent.map(({ id }) => id)).size).toBe(60);
    expect(told(world).ids).toBe(40);
  });

  test('although a row fails for days after the others were sent', async () => {
    const world = shared();
    let isBroken = true;
    const { outbox } = nodeOn(world, {
      afterWrite: async () => {
        if (isBroken) throw new Error('broken off');
      },
    });
    await outbox.announce(FILED);
    await outbox.kick();
    const { expiresAt } = (await rows().findOne({ kind: 'mail', status: 'sent' })) ?? {};
    // A dead letter stays for 30 days and may be revived on the last.
    expect((expiresAt?.getTime() ?? 0) - world.clock.now().getTime()).toBeGreaterThan(40 * 86_400_000);
    isBroken = false;
    world.clock.advance(60);
    await outbox.kick();
    expect(told(world).mails).toEqual(EXACTLY_ONCE.mails);
  });
});

describe('who is told what', () => {
  const mailsOf = async (announcement: Announcement): Promise<string[]> => {
    const world = shared();
    const { outbox } = nodeOn(world, { administrators: [OLGA] });
    await outbox.announce(announcement);
    await outbox.kick();
    return told(world).mails;
  };
  const facts = { requestId: 'req_1' };

  test.each([
    ['recovery_request_filed', facts, ['anna: recovery_request_sent', 'olga: recovery_request_received']],
    ['recovery_request_approved', facts, ['anna: recovery_request_approved']],
    ['recovery_request_declined', facts, ['anna: recovery_request_declined']],
    ['recovery_request_withdrawn', facts, []],
    ['recovery_request_expired', facts, []],
    ['recovery_request_superseded', facts, []],
    ['suspension_started', {}, ['anna: suspension_started']],
    // The approval has said so.
    ['suspension_started', facts, []],
    ['suspension_used', {}, ['anna: suspension_used']],
    ['suspension_ended', {}, ['anna: suspension_ended']],
    ['access_code_issued', {}, ['anna: access_code_issued']],
    ['access_pass_issued', {}, ['anna: access_pass_issued']],
    ['access_pass_used', {}, ['anna: access_pass_used']],
    ['access_pass_revoked', {}, []],
    ['factor_revoked', {}, ['anna: factor_revoked']],
    ['role_granted', {}, ['anna: role_granted']],
    ['suspension_started', { operator: true }, ['anna: suspension_started', 'olga: operator_acted']],
    ['account_updated', { operator: true }, []],
    ['role_revoked', {}, ['anna: role_revoked']],
    ['account_created', {}, []],
    ['account_updated', {}, []],
    ['account_deactivated', {}, []],
    ['account_reactivated', {}, []],
    ['account_deleted', {}, []],
    ['not_me_reported', {}, ['olga: not_me_alert']],
    ['sign_in_denied', { method: 'app' }, ['anna: sign_in_denied', 'olga: sign_in_denied_alert']],
    ['sms_budget_warned', { percent: 80 }, ['olga: sms_budget_warned']],
    ['sms_budget_exhausted', { percent: 100 }, ['olga: sms_budget_exhausted']],
    ['sms_country_closed', { country: 'JM' }, ['olga: sms_country_closed']],
    ['signing_keys_replaced', {}, ['olga: signing_keys_replaced']],
  ] as const)('%s %j', async (type, given, expected) => {
    const mails = await mailsOf({ type, accountId: ANNA.id, at: FILED.at, facts: given });
    expect(mails.map((mail) => mail.replace('@example.com', '').replace(/ for .*/, ''))).toEqual(expected);
  });

  test('of what happened to nobody, administrators and endpoints hear', async () => {
    await listening();
    const world = shared();
    const { outbox } = nodeOn(world);
    await outbox.announce({ type: 'sms_country_closed', at: FILED.at, facts: { country: 'JM' } });
    await outbox.kick();
    expect(told(world).mails).toEqual(
      ['anna', 'hugo', 'olga'].map(
        (name) => `${name}@example.com: sms_country_closed for ${name[0]?.toUpperCase()}${name.slice(1)}`,
      ),
    );
    expect(world.transport.sent[0]?.text).toContain('https://id.example/console/sms');
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toEqual({
      type: 'sms.country_closed',
      timestamp: FILED.at,
      data: { country: 'JM' },
    });
  });

  test('of signing keys that were replaced owners alone hear, among administrators', async () => {
    const world = shared();
    const { outbox } = nodeOn(world);
    await outbox.announce({ type: 'signing_keys_replaced', at: FILED.at, facts: { kids: ['k2'], voidKids: ['k1'] } });
    await outbox.kick();
    expect(told(world).mails).toEqual(['olga@example.com: signing_keys_replaced for Olga']);
    expect(world.transport.sent[0]?.text).toContain('https://id.example/console/audit?type=signing_keys_replaced');
  });

  test('sentences get the facts that they speak of, and no others', async () => {
    const world = shared();
    const { outbox } = nodeOn(world);
    const until = '2026-11-25T08:55:00.000Z';
    const given = { accessPassId: 'pas_1', expiresAt: until, by: 'acc_olga' };
    await outbox.announce({ type: 'access_pass_issued', accountId: ANNA.id, at: FILED.at, facts: given });
    await outbox.kick();
    expect(JSON.parse(world.transport.sent[0]?.text.split('\n')[0] ?? '')).toEqual({ at: FILED.at, until });
  });

  test('endpoints hear of everything, once each', async () => {
    await listening();
    const { outbox } = nodeOn(shared());
    for (const type of ANNOUNCEMENTS) await outbox.announce({ type, accountId: ANNA.id, at: FILED.at, facts: {} });
    await outbox.kick();
    const heard = receiver.received.map(({ body }) => JSON.parse(body).type as string);
    expect(heard.sort()).toEqual([...WEBHOOK_EVENTS, ...WEBHOOK_EVENTS].sort());
  });

  test('of an account that is gone, endpoints alone', async () => {
    await listening();
    const world = shared();
    const { outbox } = nodeOn(world);
    await outbox.announce({ ...FILED, accountId: 'acc_gone' });
    await outbox.kick();
    expect(told(world)).toMatchObject({ mails: [], ids: 2 });
  });
});
