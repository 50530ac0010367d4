import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, type Database } from '../../src/platform/database.js';
import { createThrottle, ensureIndexes, type Throttle, type ThrottleRule } from '../../src/throttle/index.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

// Far ahead, so that MongoDB's own broom, which goes by the real time, takes nothing away meanwhile.
const clock = new FakeClock(new Date('2046-03-02T08:00:00Z'));
let database: Awaited<ReturnType<typeof testDatabase>>;
let second: Database;
let throttle: Throttle;
let subjects = 0;
const subject = () => `subject:${subjects++}`;
const secondsFromNow = (seconds: number) => new Date(clock.now().getTime() + seconds * 1000);

beforeAll(async () => {
  database = await testDatabase();
  second = await connectDatabase(database.uri, { name: database.name });
  await ensureIndexes(database);
  throttle = createThrottle({ database, clock });
});
afterAll(async () => {
  await second.close();
  await database.drop();
});

const WAITING: ThrottleRule = { counter: 'password', free: 5, waitsSeconds: [30, 60, 120] };
const HOURLY: ThrottleRule = { counter: 'all', limit: 20, windowSeconds: 3600 };
const HUNDRED: ThrottleRule = { counter: 'method:totp', free: 5, waitsSeconds: [30], limit: 100 };

describe('reservations', () => {
  it('never exceed the limit, 500 at once on two connections', async () => {
    const other = createThrottle({ database: second, clock });
    const name = subject();
    const results = await Promise.all(
      Array.from({ length: 500 }, (_, n) => (n % 2 ? throttle : other).reserve(name, [HOURLY])),
    );
    const reserved = results.filter((result) => result.reserved);
    expect(reserved).toHaveLength(20);
    expect(
      reserved.map((result) => result.reserved && result.counts.all).sort((a, b) => Number(a) - Number(b)),
    ).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    expect(await throttle.peek(name, [HOURLY])).toEqual({
      reserved: false,
      counter: 'all',
      retryAt: secondsFromNow(3600),
    });
  });

  it('never exceed the free attempts either', async () => {
    const name = subject();
    const results = await Promise.all(Array.from({ length: 100 }, () => throttle.reserve(name, [WAITING, HOURLY])));
    expect(results.filter((result) => result.reserved)).toHaveLength(5);
  });

  it('count on all counters or on none', async () => {
    const name = subject();
    for (let n = 0; n < 5; n += 1) await throttle.reserve(name, [WAITING]);
    expect(await throttle.reserve(name, [HOURLY, WAITING])).toMatchObject({ reserved: false, counter: 'password' });
    expect(await throttle.peek(name, [HOURLY])).toEqual({ reserved: true, counts: { all: 0 } });
  });
});

describe('reservations of several subjects', () => {
  const counted = async (name: string): Promise<Record<string, number>> => {
    const stored = await database
      .collection<{ _id: string; counters: Record<string, { count: number }> }>('attempts')
      .findOne({ _id: name });
    return Object.fromEntries(Object.entries(stored?.counters ?? {}).map(([field, { count }]) => [field, count]));
  };
  const waitsAtOnce: ThrottleRule = { counter: 'wait', free: 1, waitsSeconds: [30], windowSeconds: 3600 };
  const nodes = () => [throttle, createThrottle({ database: second, clock })] as const;

  it('count on all or on none, 100 at once on two connections', async () => {
    const [one, other] = nodes();
    const shared = subject();
    const own = Array.from({ length: 100 }, subject);
    const results = await Promise.all(
      own.map((name, n) =>
        (n % 2 ? one : other).reserveAll([
          { subject: name, rules: [waitsAtOnce, HOURLY] },
          { subject: shared, rules: [HOURLY] },
        ]),
      ),
    );
    expect(results.filter(({ reserved }) => reserved)).toHaveLength(20);
    expect(results.find(({ reserved }) => !reserved)).toEqual({
      reserved: false,
      subject: shared,
      counter: 'all',
      retryAt: secondsFromNow(3600),
    });
    expect(await counted(shared)).toEqual({ c_all: 20 });
    for (const [n, name] of own.entries()) {
      const isIn = results[n]?.reserved === true;
      expect(await counted(name)).toEqual(isIn ? { c_wait: 1, c_all: 1 } : { c_wait: 0, c_all: 0 });
      // The wait that it began is given back, too.
      expect((await throttle.peek(name, [waitsAtOnce])).reserved).toBe(!isIn);
    }
  });

  it('go on where they stopped when nothing stands in the way any more, and count nothing twice', async () => {
    const names = [subject(), subject(), subject()];
    const once = { counter: 'once', limit: 1, windowSeconds: 3600 };
    await throttle.reserve(names[1] ?? '', [once]);
    let looks = 0;
    const racing = createThrottle({
      clock,
      database: {
        ...database,
        collection: (name) =>
          new Proxy(database.collection(name), {
            get(collection, key) {
              const value = Reflect.get(collection, key);
              if (key !== 'findOne') return typeof value === 'function' ? value.bind(collection) : value;
              return async (...filter: Parameters<typeof collection.findOne>) => {
                looks += 1;
                await throttle.settle(names[1] ?? '', { reset: ['once'] });
                return collection.findOne(...filter);
              };
            },
          }) as never,
      },
    });
    expect(await racing.reserveAll(names.map((name) => ({ subject: name, rules: [once] })))).toEqual({
      reserved: true,
    });
    expect(looks).toBe(1);
    for (const name of names) expect(await counted(name)).toEqual({ c_once: 1 });
  });

  it('that lose the first insert of one to each other are counted all the same, each once', async () => {
    const [one, other] = nodes();
    const limits = [subject(), subject(), subject()].map((name) => ({
      subject: name,
      rules: [{ ...HOURLY, limit: 1000 }],
    }));
    const results = await Promise.all(Array.from({ length: 100 }, (_, n) => (n % 2 ? one : other).reserveAll(limits)));
    expect(results.filter(({ reserved }) => reserved)).toHaveLength(100);
    for (const { subject: name } of limits) expect(await counted(name)).toEqual({ c_all: 100 });
  });

  it('never pass a limit in the middle, and what is left counted is what was let through', async () => {
    const [one, other] = nodes();
    const [middle, last] = [subject(), subject()];
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        (n % 2 ? one : other).reserveAll([
          { subject: subject(), rules: [HOURLY] },
          { subject: middle, rules: [HOURLY] },
          { subject: last, rules: [{ ...HOURLY, limit: 7 }] },
        ]),
      ),
    );
    const through = results.filter(({ reserved }) => reserved).length;
    expect(through).toBe(7);
    expect(await counted(middle)).toEqual({ c_all: 7 });
    expect(await counted(last)).toEqual({ c_all: 7 });
  });

  it('end with the first that refuses: those after it are not touched, not even for a moment', async () => {
    const [waiting, other] = [subject(), subject()];
    await throttle.reserve(waiting, [waitsAtOnce]);
    const limits = [
      { subject: waiting, rules: [waitsAtOnce] },
      { subject: other, rules: [HOURLY] },
    ];
    expect(await throttle.reserveAll(limits)).toEqual({
      reserved: false,
      subject: waiting,
      counter: 'wait',
      retryAt: secondsFromNow(30),
    });
    expect(await database.collection<{ _id: string }>('attempts').findOne({ _id: other })).toBeNull();
    clock.advance(30);
    expect(await throttle.reserveAll(limits)).toEqual({ reserved: true });
    expect(await counted(other)).toEqual({ c_all: 1 });
  });

  it('cost what they cost, and give back as much', async () => {
    const [money, full] = [subject(), subject()];
    const costly = { counter: 'money', cost: 30, limit: 100, windowSeconds: 3600 };
    const once = { counter: 'once', limit: 1, windowSeconds: 3600 };
    expect(await throttle.reserveAll([{ subject: money, rules: [costly] }])).toEqual({ reserved: true });
    await throttle.reserve(full, [once]);
    const both = [
      { subject: money, rules: [costly] },
      { subject: full, rules: [once] },
    ];
    for (let n = 0; n < 5; n += 1)
      expect(await throttle.reserveAll(both)).toMatchObject({ reserved: false, subject: full });
    expect(await counted(money)).toEqual({ c_money: 30 });
  });
});

describe('waits', () => {
  it('grow after the free attempts, the last one repeats', async () => {
    const name = subject();
    for (let n = 1; n <= 5; n += 1)
      expect(await throttle.reserve(name, [WAITING])).toEqual({ reserved: true, counts: { password: n } });
    for (const wait of [30, 60, 120, 120]) {
      expect(await throttle.reserve(name, [WAITING])).toEqual({
        reserved: false,
        counter: 'password',
        retryAt: secondsFromNow(wait),
      });
      clock.advance(wait - 1);
      expect(await throttle.reserve(name, [WAITING])).toMatchObject({ reserved: false, retryAt: secondsFromNow(1) });
      clock.advance(1);
      expect(await throttle.reserve(name, [WAITING])).toMatchObject({ reserved: true });
    }
  });

  it('are forgotten after a quiet day, also while the document still stands', async () => {
    const name = subject();
    for (let n = 0; n < 5; n += 1) await throttle.reserve(name, [WAITING]);
    clock.advance(86_400 + 121);
    expect(await throttle.reserve(name, [WAITING])).toEqual({ reserved: true, counts: { password: 1 } });
  });

  it('of several rules: the longest is told', async () => {
    const name = subject();
    for (let n = 0; n < 5; n += 1) await throttle.reserve(name, [WAITING]);
    for (let n = 0; n < 20; n += 1) await throttle.reserve(name, [HOURLY]);
    expect(await throttle.reserve(name, [WAITING, HOURLY])).toMatchObject({
      counter: 'all',
      retryAt: secondsFromNow(3600),
    });
    expect(await throttle.reserve(name, [HOURLY, WAITING])).toMatchObject({
      counter: 'all',
      retryAt: secondsFromNow(3600),
    });
  });
});

describe('limits', () => {
  it('with a window end with it, and it begins with the first attempt', async () => {
    const name = subject();
    await throttle.reserve(name, [HOURLY]);
    clock.advance(1800);
    for (let n = 0; n < 19; n += 1) await throttle.reserve(name, [HOURLY]);
    expect(await throttle.reserve(name, [HOURLY])).toMatchObject({ reserved: false, retryAt: secondsFromNow(1800) });
    clock.advance(1800);
    expect(await throttle.reserve(name, [HOURLY])).toEqual({ reserved: true, counts: { all: 1 } });
  });

  it('without a window hold for good, until success; the broom leaves them', async () => {
    const name = subject();
    for (let n = 1; n <= 100; n += 1) {
      expect(await throttle.reserve(name, [HUNDRED])).toMatchObject({ reserved: true });
      clock.advance(30);
    }
    clock.advance(10 * 365 * 86_400);
    expect(await throttle.reserve(name, [HUNDRED])).toEqual({ reserved: false, counter: 'method:totp' });
    const stored = await database.collection<{ _id: string; expiresAt: Date }>('attempts').findOne({ _id: name });
    expect(stored?.expiresAt.getUTCFullYear()).toBe(9999);
    await throttle.settle(name, { reset: ['method:totp'] });
    expect(await throttle.reserve(name, [HUNDRED])).toEqual({ reserved: true, counts: { 'method:totp': 1 } });
  });
});

describe('settling', () => {
  it('resets one counter with its wait and gives one attempt of another back', async () => {
    const name = subject();
    const other: ThrottleRule = { ...WAITING, counter: 'other' };
    for (let n = 0; n < 5; n += 1) await throttle.reserve(name, [WAITING, HOURLY, other]);
    await throttle.settle(name, { reset: ['password'], release: ['all'] });
    expect(await throttle.peek(name, [WAITING, HOURLY])).toEqual({ reserved: true, counts: { password: 0, all: 4 } });
    expect(await throttle.peek(name, [other])).toMatchObject({ reserved: false });
  });

  it('never goes below zero and makes nothing out of nothing', async () => {
    const name = subject();
    await throttle.settle(name, { release: ['all'], reset: ['password'] });
    expect(await database.collection<{ _id: string }>('attempts').findOne({ _id: name })).toBeNull();
    await throttle.reserve(name, [HOURLY]);
    for (let n = 0; n < 3; n += 1) await throttle.settle(name, { release: ['all', 'never-seen'] });
    expect(await throttle.reserve(name, [HOURLY])).toEqual({ reserved: true, counts: { all: 1 } });
    const stored = await database
      .collection<{ _id: string; counters: Record<string, unknown> }>('attempts')
      .findOne({ _id: name });
    expect(Object.keys(stored?.counters ?? {})).toEqual(['c_all']);
  });
});

describe('names', () => {
  it.each(['a.b', '$where', '__proto__', 'constructor', '', 'ü 1', 'a\u0000b', 'x;y%2e', '𝒳'])(
    'counts on %j',
    async (counter) => {
      const name = `${counter}.$${subject()}`;
      const rule = { counter, limit: 2, windowSeconds: 60 };
      const neighbour = { counter: 'neighbour', limit: 2, windowSeconds: 60 };
      await throttle.reserve(name, [rule, neighbour]);
      await throttle.settle(name, { release: ['neighbour'] });
      await throttle.reserve(name, [rule]);
      expect(await throttle.reserve(name, [rule])).toMatchObject({ reserved: false, counter });
      await throttle.settle(name, { reset: [counter] });
      expect(await throttle.reserve(name, [rule, neighbour])).toMatchObject({ reserved: true });
    },
  );
});
