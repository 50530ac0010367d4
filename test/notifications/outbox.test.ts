import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureIndexes, type Mail } from '../../src/notifications/index.js';
import type { OutboxRow } from '../../src/notifications/outbox-store.js';
import { connectDatabase } from '../../src/platform/database.js';
import { watchedDatabase } from '../performance/database-calls.js';
import { testDatabase } from '../support/database.js';
import { ANNA, CaptureTransport, outboxOn } from './support.js';

let database: Awaited<ReturnType<typeof testDatabase>>;
const rows = () => database.collection<OutboxRow>('outbox');

beforeAll(async () => {
  database = await testDatabase();
  await ensureIndexes(database);
});
afterEach(async () => {
  await rows().deleteMany({});
});
afterAll(() => database.drop());

describe('a mail', () => {
  test('is stored, then sent once, then only a bare row is left', async () => {
    const { outbox, transport } = outboxOn(database);
    await outbox.notify(ANNA, 'password_changed', { at: 'noon' });
    expect(transport.attempts).toBe(0);
    await outbox.kick();
    await outbox.kick();
    expect(transport.sent).toEqual([
      expect.objectContaining({
        to: ANNA.email,
        subject: 'password_changed for Anna',
        html: '<p>password_changed</p>',
      }),
    ]);
    const row = await rows().findOne({});
    expect(row).toMatchObject({ status: 'sent', accountId: ANNA.id, notice: 'password_changed', attempts: 1 });
    expect(row).not.toHaveProperty('sealed');
    expect(row?.expiresAt?.getTime()).toBe((row?.sentAt?.getTime() ?? 0) + 24 * 3600_000);
  });

  test('shows neither recipient nor link while it waits', async () => {
    const { outbox } = outboxOn(database);
    await outbox.notify(ANNA, 'password_reset', { link: 'https://issuer.test/reset/SECRET-LINK' });
    const stored = JSON.stringify(await rows().findOne({}));
    for (const secret of ['anna@', 'SECRET-LINK', 'issuer.test', 'Anna']) expect(stored).not.toContain(secret);
  });

  test('does not open in another row', async () => {
    const { outbox, transport } = outboxOn(database);
    await outbox.notify(ANNA, 'password_reset', { link: 'a' });
    await outbox.notify({ ...ANNA, email: 'mallory@example.com' }, 'password_reset', { link: 'b' });
    const [anna, mallory] = await rows().find().sort({ _id: 1 }).toArray();
    await rows().updateOne({ _id: anna?._id ?? '' }, { $set: { sealed: mallory?.sealed ?? '' } });
    await outbox.kick();
    expect(transport.sent).toHaveLength(1);
  });

  test('is not made for an account without an address', async () => {
    const { outbox } = outboxOn(database);
    await outbox.notify({ id: 'acc_x', name: 'X' }, 'password_changed');
    expect(await rows().countDocuments()).toBe(0);
  });

  test('offers "not me" when it reports a change, and not when it carries its own link', async () => {
    const { outbox, transport } = outboxOn(database, { notMeLink: async (id) => `https://issuer.test/not-me/${id}` });
    await outbox.notify(ANNA, 'factor_removed');
    await outbox.notify(ANNA, 'invitation', { link: 'https://issuer.test/i' });
    await outbox.kick();
    const text = (notice: string) => transport.sent.find(({ subject }) => subject.startsWith(notice))?.text;
    expect(text('factor_removed')).toContain('/not-me/acc_anna');
    expect(text('invitation')).not.toContain('/not-me/');
  });
});

describe('a relay that is away', () => {
  const away = Object.assign(new Error('550 anna@example.com is away'), { code: 'ECONNREFUSED' });

  test('is tried again after growing waits, and given up after ten failures', async () => {
    const { outbox, transport, clock } = outboxOn(database);
    transport.failure = away;
    await outbox.notify(ANNA, 'factor_enrolled');
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      await outbox.kick();
      expect(transport.attempts).toBe(attempt);
      const row = await rows().findOne({ status: 'due' });
      waits.push(((row?.nextAttemptAt.getTime() ?? 0) - clock.now().getTime()) / 60_000);
      clock.advance((waits.at(-1) ?? 0) * 60 - 1);
      await outbox.kick();
      expect(transport.attempts).toBe(attempt);
      clock.advance(1);
    }
    expect(waits).toEqual([1, 3, 9, 27, 81, 243, 360, 360, 360]);
    await outbox.kick();
    clock.advance(7 * 24 * 3600);
    await outbox.kick();
    expect(transport.attempts).toBe(10);
    expect(await outbox.deadLetters()).toEqual([
      expect.objectContaining({ accountId: ANNA.id, notice: 'factor_enrolled', attempts: 10, reason: 'ECONNREFUSED' }),
    ]);
    expect(JSON.stringify(await rows().findOne({}))).not.toContain('anna@');
  });

  test('leaves a dead letter that can be revived once', async () => {
    const { outbox, transport } = outboxOn(database, {
      retry: { firstWaitSeconds: 1, factor: 1, longestWaitSeconds: 1, attempts: 1 },
    });
    transport.failure = away;
    await outbox.notify(ANNA, 'factor_enrolled');
    await outbox.kick();
    const [dead] = await outbox.deadLetters();
    transport.failure = undefined;
    expect(await outbox.revive(dead?.id ?? '')).toBe(true);
    expect(await outbox.revive(dead?.id ?? '')).toBe(false);
    await outbox.kick();
    expect(transport.sent).toHaveLength(1);
    expect(await outbox.deadLetters()).toEqual([]);
  });

  test('does not hold up whoever notifies', async () => {
    const { outbox, transport } = outboxOn(database);
    // Both may be in hand at the same time.
    const held: (() => void)[] = [];
    transport.before = () => new Promise((resolve) => void held.push(resolve));
    outbox.start();
    await outbox.notify(ANNA, 'password_changed');
    await outbox.notify(ANNA, 'password_changed');
    expect(transport.sent).toHaveLength(0);
    transport.before = async () => {};
    while (transport.attempts < 1) await new Promise((r) => setTimeout(r, 5));
    for (const release of held) release();
    await outbox.kick();
    await outbox.stop();
  });
});

describe('another kind of delivery', () => {
  test('goes the same way: sealed, tried again, once', async () => {
    const taken: unknown[] = [];
    let isAway = true;
    const { outbox, clock, transport } = outboxOn(database, {
      deliver: {
        logout: async (payload) => {
          if (isAway) throw new Error('away');
          taken.push(payload);
        },
      },
    });
    await outbox.enqueue('logout', ANNA.id, { sid: 'SESSION-ID' });
    expect(JSON.stringify(await rows().findOne({}))).not.toContain('SESSION-ID');
    await outbox.kick();
    expect(await rows().findOne({})).toMatchObject({ status: 'due', kind: 'logout', lastError: 'unknown' });
    isAway = false;
    clock.advance(60);
    await outbox.kick();
    await outbox.kick();
    expect(taken).toEqual([{ sid: 'SESSION-ID' }]);
    expect(transport.attempts).toBe(0);
  });

  test('that nobody delivers waits for a version that does', async () => {
    const { outbox, clock } = outboxOn(database);
    await outbox.enqueue('pigeon', ANNA.id, {});
    await outbox.kick();
    expect(await rows().findOne({})).toMatchObject({ status: 'due', lastError: 'UNKNOWN_KIND' });
    const taken: unknown[] = [];
    clock.advance(60);
    const newer = outboxOn(database, { clock, deliver: { pigeon: async (payload) => void taken.push(payload) } });
    await newer.outbox.kick();
    expect(taken).toHaveLength(1);
  });
});

test('a receiver that lets us wait holds up neither mails nor what is done within the house', async () => {
  let release = () => {};
  const isStuck = new Promise<void>((resolve) => {
    release = resolve;
  });
  const done: unknown[] = [];
  const { outbox, transport } = outboxOn(database, {
    call: { hook: () => isStuck },
    deliver: { job: async (payload) => void done.push(payload) },
    pollMs: 60_000,
  });
  outbox.start();
  for (let n = 0; n < 10; n += 1) await outbox.enqueue('hook', ANNA.id, {});
  await outbox.enqueue('job', ANNA.id, {});
  await outbox.notify(ANNA, 'password_changed');
  while (transport.sent.length + done.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await rows().countDocuments({ kind: 'hook', status: 'sent' })).toBe(0);
  release();
  // What nobody had a hand free for is done next, without a look at the clock.
  while ((await rows().countDocuments({ kind: 'hook', status: 'sent' })) < 10)
    await new Promise((resolve) => setTimeout(resolve, 5));
  await outbox.stop();
});

describe('several workers', () => {
  test('send each of fifty mails once, over two connections', async () => {
    const other = await connectDatabase(database.uri, { name: database.name });
    try {
      const transport = new CaptureTransport();
      const first = outboxOn(database, { transport });
      const second = outboxOn(other, { transport });
      first.clock.advance(60);
      second.clock.advance(60);
      const writer = outboxOn(database).outbox;
      await Promise.all(Array.from({ length: 50 }, (_, n) => writer.notify(ANNA, 'password_changed', { n })));
      await Promise.all([first.outbox.kick(), second.outbox.kick()]);
      expect(transport.sent).toHaveLength(50);
      expect(new Set(transport.sent.map(({ id }) => id)).size).toBe(50);
    } finally {
      await other.close();
    }
  });

  test('take a mail over when its sender went silent, and not a second earlier; the late sender settles nothing', async () => {
    const slow = outboxOn(database, { leaseSeconds: 120 });
    const heir = outboxOn(database, { leaseSeconds: 120, clock: slow.clock });
    let release = (_: unknown) => {};
    const stuck = new Promise<void>((_, reject) => {
      release = reject;
    });
    const begun = new Promise<Mail>((resolve) => {
      slow.transport.before = (mail) => {
        resolve(mail);
        return stuck;
      };
    });
    await slow.outbox.notify(ANNA, 'password_changed');
    const late = slow.outbox.kick();
    const { id } = await begun;

    slow.clock.advance(119);
    await heir.outbox.kick();
    expect(heir.transport.sent).toHaveLength(0);
    slow.clock.advance(1);
    await heir.outbox.kick();
    expect(heir.transport.sent.map((mail) => mail.id)).toEqual([id]);

    release(new Error('timed out at last'));
    await late;
    expect(await rows().findOne({ _id: id })).toMatchObject({ status: 'sent', attempts: 2 });
  });

  test('leave what is not sent yet to the next start', async () => {
    const { outbox, clock } = outboxOn(database);
    await outbox.stop();
    await outbox.notify(ANNA, 'password_changed');
    await outbox.kick();
    const next = outboxOn(database, { clock });
    await next.outbox.kick();
    expect(next.transport.sent).toHaveLength(1);
  });
});

describe('what a worker posts itself', () => {
  const postOnes = (count: number) => {
    const taken: unknown[] = [];
    const deliver = { job: async (payload: unknown) => void taken.push(payload) };
    return { taken, deliver, ids: Array.from({ length: count }, (_, n) => `job/${n}`) };
  };
  const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  test('is in its hands at once: nothing looks for it', async () => {
    const watched = await watchedDatabase(database.name);
    try {
      const { taken, deliver } = postOnes(1);
      const { outbox } = outboxOn(watched, { deliver });
      outbox.start();
      await outbox.kick();
      watched.take();
      await outbox.enqueue('job', ANNA.id, {});
      await until(() => taken.length === 1);
      await outbox.stop();
      expect(watched.take()).toEqual(['insert outbox', 'update outbox']);
    } finally {
      await watched.close();
    }
  });

  test('is taken over when it goes silent, and not a second earlier', async () => {
    const silent = outboxOn(database, { leaseSeconds: 120 });
    const heir = outboxOn(database, { leaseSeconds: 120, clock: silent.clock });
    let release = () => {};
    silent.transport.before = () => new Promise((resolve) => (release = resolve));
    silent.outbox.start();
    await silent.outbox.notify(ANNA, 'password_changed');
    silent.clock.advance(119);
    await heir.outbox.kick();
    expect(heir.transport.sent).toHaveLength(0);
    silent.clock.advance(1);
    await heir.outbox.kick();
    expect(heir.transport.sent).toHaveLength(1);
    release();
    await silent.outbox.stop();
    expect(await rows().findOne({})).toMatchObject({ status: 'sent', attempts: 2 });
  });

  test('is done once, however many are told to at the same moment, and all of it, however few can work', async () => {
    const { taken, deliver, ids } = postOnes(20);
    // Nobody looks again by the clock.
    const options = { deliver, pollMs: 60_000 };
    const posting = [outboxOn(database, options), outboxOn(database, options)];
    for (const { outbox } of posting) outbox.start();
    await Promise.all(ids.flatMap((id) => posting.map(({ outbox }) => outbox.enqueue('job', ANNA.id, { id }, { id }))));
    await until(async () => (await rows().countDocuments({ status: 'sent' })) === ids.length);
    await Promise.all(posting.map(({ outbox }) => outbox.stop()));
    expect(taken.map((job) => (job as { id: string }).id).sort()).toEqual([...ids].sort());
  });

  test('is not done before the transaction that it is part of, nor without it', async () => {
    const { taken, deliver } = postOnes(1);
    const { outbox } = outboxOn(database, { deliver });
    outbox.start();
    const posted = (isUndone: boolean) =>
      database.transaction(async (unit) => {
        await outbox.enqueue('job', ANNA.id, {}, { unit });
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect(taken).toEqual([]);
        if (isUndone) throw new Error('undone');
      });
    await expect(posted(true)).rejects.toThrow('undone');
    await posted(false);
    await until(() => taken.length === 1);
    await outbox.stop();
    expect(await rows().countDocuments({ status: 'sent' })).toBe(1);
  });

  test('is left to the next start when it has stopped', async () => {
    const { outbox, transport } = outboxOn(database);
    outbox.start();
    await outbox.stop();
    await outbox.notify(ANNA, 'password_changed');
    expect(transport.attempts).toBe(0);
    expect(await rows().findOne({})).toMatchObject({ status: 'due', attempts: 0 });
  });
});

test('every query of the outbox has an index', async () => {
  const claims = [{ $exists: false }, 'calls' as const].map((lane) => ({
    $or: [
      { status: 'due' as const, lane, nextAttemptAt: { $lte: new Date() } },
      { status: 'sending' as const, lane, leaseUntil: { $lte: new Date() } },
    ],
  }));
  for (const filter of [...claims, { status: 'dead' as const }]) {
    const plan = JSON.stringify((await rows().find(filter).explain('queryPlanner')).queryPlanner.winningPlan);
    expect(plan).not.toContain('COLLSCAN');
    expect(plan).toContain('IXSCAN');
  }
});
