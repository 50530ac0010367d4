import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type ChangeWatcher, createChangeWatcher } from '../../src/platform/change-watcher.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

const TICK_MS = 25;
const clock = new FakeClock();
let database: Awaited<ReturnType<typeof testDatabase>>;
let watcher: ChangeWatcher;
let queries = 0;

const requests = () => database.collection<{ _id: string; changedAt: Date; accountId?: string }>('recovery_requests');
const ago = (seconds: number): Date => new Date(clock.now().getTime() - seconds * 1000);
const write = (_id: string, changedAt: Date, accountId = 'anna') =>
  requests().updateOne({ _id }, { $set: { changedAt, accountId } }, { upsert: true });
const ticks = (count = 4) => sleep(count * TICK_MS);

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await requests().deleteMany({});
  queries = 0;
  const collection = ((name: string) => {
    const own = database.collection(name);
    return {
      find: (...query: Parameters<typeof own.find>) => {
        queries += 1;
        return own.find(...query);
      },
    };
  }) as unknown as typeof database.collection;
  watcher = createChangeWatcher({
    collection: 'recovery_requests',
    database: { ...database, collection },
    clock,
    tickMs: TICK_MS,
  });
});
afterEach(() => watcher.stop());

test('a change is heard once, by everybody who waits for it and by nobody else', async () => {
  const [first, second] = [ago(60), ago(50)];
  await write('a', first);
  await write('b', second);
  const heard: string[] = [];
  watcher.onChange('a', first, () => heard.push('a1'));
  watcher.onChange('a', first, () => heard.push('a2'));
  watcher.onChange('b', second, () => heard.push('b'));
  const stop = watcher.onChange('a', first, () => heard.push('left'));
  stop();
  await ticks();
  expect(heard).toEqual([]);
  await write('a', clock.now());
  await ticks();
  expect(heard.sort()).toEqual(['a1', 'a2']);
  clock.advance(1);
  await write('a', clock.now());
  await ticks();
  expect(heard).toHaveLength(2);
});

test('a change before the listener came is heard too, also from a node whose clock is behind or ahead', async () => {
  for (const [id, at] of [
    ['behind', ago(20)],
    ['ahead', ago(-20)],
  ] as const) {
    await write(id, at);
    const heard = new Promise<void>((resolve) => watcher.onChange(id, ago(3600), () => resolve()));
    await heard;
  }
});

test('what changed while the database was away is heard when it is back', async () => {
  const before = ago(100);
  await write('a', before);
  let isAway = false;
  const own = createChangeWatcher({
    collection: 'recovery_requests',
    database: {
      ...database,
      collection: (() => ({
        find: (...query: Parameters<ReturnType<typeof requests>['find']>) => {
          if (isAway) throw new Error('away');
          return requests().find(...query);
        },
      })) as unknown as typeof database.collection,
    },
    clock,
    tickMs: TICK_MS,
  });
  const heard: string[] = [];
  own.onChange('a', before, () => heard.push('a'));
  await ticks();
  isAway = true;
  await write('a', clock.now());
  clock.advance(600);
  await ticks();
  expect(heard).toEqual([]);
  isAway = false;
  await ticks();
  expect(heard).toEqual(['a']);
  own.stop();
});

test('one query per tick however many listen, and none while nobody does', async () => {
  const at = ago(5);
  await write('a', at);
  await ticks();
  expect(queries).toBe(0);
  const stops = Array.from({ length: 500 }, () => watcher.onChange('a', at, () => {}));
  await ticks(8);
  expect(queries).toBeGreaterThan(2);
  expect(queries).toBeLessThanOrEqual(9);
  for (const stop of stops) stop();
  await ticks(3);
  const rest = queries;
  await ticks();
  expect(queries).toBe(rest);
});

test('whoever watches all of them hears of new and of changed ones, and not of old news', async () => {
  await write('old', ago(10));
  let count = 0;
  const stop = watcher.onAny(() => {
    count += 1;
  });
  await ticks();
  expect(count).toBe(0);
  await write('new', clock.now());
  await ticks();
  expect(count).toBe(1);
  clock.advance(1);
  await write('old', clock.now());
  await ticks();
  expect(count).toBe(2);
  clock.advance(40);
  await ticks();
  expect(count).toBe(2);
  stop();
  await write('newer', clock.now());
  await ticks();
  expect(count).toBe(2);
});

test('an account hears of what is new and what has changed of its own, and of what was new when it came', async () => {
  await write('old', ago(60));
  await write('just before', clock.now());
  const heard: string[] = [];
  const stop = watcher.onAccount('anna', () => heard.push('anna'));
  watcher.onAccount('ben', () => heard.push('ben'));
  await ticks();
  expect(heard).toEqual(['anna']);
  watcher.onAccount('anna', () => heard.push('anna, elsewhere'));
  await write('of ben', clock.now(), 'ben');
  await ticks();
  expect(heard.splice(0)).toEqual(['anna', 'ben']);
  clock.advance(1);
  await write('just before', clock.now());
  await ticks();
  expect(heard.splice(0)).toEqual(['anna', 'anna, elsewhere']);
  stop();
  clock.advance(1);
  await write('old', clock.now());
  await ticks();
  expect(heard).toEqual(['anna, elsewhere']);
});

test('after the stop nobody hears anything, and nothing is asked', async () => {
  let isHeard = false;
  watcher.onChange('a', ago(60), () => {
    isHeard = true;
  });
  watcher.stop();
  await write('a', clock.now());
  const before = queries;
  await ticks();
  expect({ isHeard, asked: queries - before }).toEqual({ isHeard: false, asked: 0 });
});
