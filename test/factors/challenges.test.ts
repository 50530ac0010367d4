import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Challenges } from '../../src/factors/challenges.js';
import { systemRandom } from '../../src/platform/random.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

describe('challenges', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let challenges: Challenges;
  const clock = new FakeClock(new Date('2046-03-02T09:00:00Z'));
  beforeAll(async () => {
    database = await testDatabase();
    challenges = new Challenges({ database, clock, random: systemRandom });
  });
  afterAll(() => database.drop());

  let count = 0;
  const newKey = () => ({ cid: `cid-${count++}`, accountId: 'anna', method: 'sms' });

  test('an answer to an earlier question does not complete a later one', async () => {
    const key = newKey();
    await challenges.save(key, { question: 1 });
    const { revision } = await challenges.find(key);
    await challenges.save(key, { question: 2 });
    expect(await challenges.claim(key, revision)).toBe(false);
    const later = await challenges.find(key);
    expect(later.challenge.state).toEqual({ question: 2 });
    expect(await challenges.claim(key, later.revision)).toBe(true);
  });

  test('what was cancelled cannot be answered, and others are not touched', async () => {
    const mine = { ...newKey(), accountId: 'ben' };
    const other = newKey();
    for (const key of [mine, other]) await challenges.save(key, { question: 1 });
    const [asked, stays] = [await challenges.find(mine), await challenges.find(other)];
    await challenges.cancel('ben');
    expect(await challenges.claim(mine, asked.revision)).toBe(false);
    expect(await challenges.claim(other, stays.revision)).toBe(true);
  });

  test('what is done stays done, and keeps no state', async () => {
    const key = newKey();
    await challenges.save(key, { question: 1 });
    const { revision } = await challenges.find(key);
    const claims = await Promise.all(Array.from({ length: 20 }, () => challenges.claim(key, revision)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    await challenges.save(key, { question: 2 });
    expect(await challenges.find(key)).toEqual({ challenge: { ...key, state: {} }, isDone: true });
    expect(await challenges.claim(key, undefined)).toBe(false);
  });

  test('a method that remembers nothing is claimed once too', async () => {
    const key = newKey();
    const claims = await Promise.all(Array.from({ length: 20 }, () => challenges.claim(key, undefined)));
    expect(claims.filter(Boolean)).toHaveLength(1);
  });

  test('an expired one cannot be claimed', async () => {
    const key = newKey();
    await challenges.save(key, { question: 1 });
    const { revision } = await challenges.find(key);
    clock.advance(600);
    expect(await challenges.claim(key, revision)).toBe(false);
    expect(await challenges.claim(key, undefined)).toBe(false);
  });

  test('names with separators in them do not meet', async () => {
    const one = { cid: 'c', accountId: 'a|b', method: 'sms' };
    const other = { cid: 'c|a', accountId: 'b', method: 'sms' };
    expect(await challenges.claim(one, undefined)).toBe(true);
    expect(await challenges.claim(other, undefined)).toBe(true);
  });
});
