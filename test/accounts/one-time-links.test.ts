import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createOneTimeLinks, ensureIndexes, type OneTimeLinks } from '../../src/accounts/index.js';
import { systemRandom } from '../../src/platform/random.js';
import { createSecretBox } from '../../src/platform/secret-box.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

// Far ahead, so that MongoDB's own broom, which goes by the real time, takes nothing away meanwhile.
const clock = new FakeClock(new Date('2046-03-02T08:00:00Z'));
let database: Awaited<ReturnType<typeof testDatabase>>;
let links: OneTimeLinks;
beforeAll(async () => {
  database = await testDatabase();
  await ensureIndexes(database);
  const secretBox = createSecretBox([{ id: 'k1', key: randomBytes(32) }], randomBytes(32));
  links = createOneTimeLinks({ database, clock, random: systemRandom, secretBox });
});
afterAll(() => database.drop());

describe('one-time links', () => {
  it('are consumed once, 50 at a time', async () => {
    const token = await links.create('invitation', 'anna', 60);
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(await links.find('invitation', token)).toMatchObject({ accountId: 'anna' });
    const results = await Promise.all(Array.from({ length: 50 }, () => links.consume('invitation', token)));
    expect(results.filter(Boolean)).toEqual([
      { accountId: 'anna', createdAt: clock.now(), expiresAt: new Date(clock.now().getTime() + 60_000) },
    ]);
    expect(await links.find('invitation', token)).toBeUndefined();
  });

  it('end at their time, also while the document still stands', async () => {
    const token = await links.create('password_reset', 'anna', 60);
    clock.advance(59);
    expect(await links.find('password_reset', token)).toBeDefined();
    clock.advance(1);
    expect(await links.find('password_reset', token)).toBeUndefined();
    expect(await links.consume('password_reset', token)).toBeUndefined();
  });

  it('serve one purpose', async () => {
    const token = await links.create('confirm_email', 'anna', 60);
    expect(await links.consume('password_reset', token)).toBeUndefined();
    expect(await links.consume('confirm_email', `${token}x`)).toBeUndefined();
    expect(await links.consume('confirm_email', token)).toBeDefined();
  });

  it('replace the earlier one of the same purpose and account, also when used before', async () => {
    const first = await links.create('invitation', 'bela', 60);
    const other = await links.create('invitation', 'cleo', 60);
    const reset = await links.create('password_reset', 'bela', 60);
    const second = await links.create('invitation', 'bela', 60);
    expect(await links.consume('invitation', first)).toBeUndefined();
    expect(await links.consume('invitation', second)).toBeDefined();
    expect(await links.consume('invitation', other)).toBeDefined();
    expect(await links.consume('password_reset', reset)).toBeDefined();
    const third = await links.create('invitation', 'bela', 60);
    expect(await links.consume('invitation', third)).toBeDefined();
  });

  it('made at once leave exactly one', async () => {
    const tokens = await Promise.all(Array.from({ length: 20 }, () => links.create('invitation', 'dora', 60)));
    const found = await Promise.all(tokens.map((token) => links.find('invitation', token)));
    expect(found.filter(Boolean)).toHaveLength(1);
  });

  it('of notices stay answerable side by side', async () => {
    const first = await links.create('not_me', 'anna', 60);
    const second = await links.create('not_me', 'anna', 60);
    expect(await links.consume('not_me', first)).toBeDefined();
    expect(await links.consume('not_me', second)).toBeDefined();
  });

  it('do not stand in the database', async () => {
    const token = await links.create('invitation', 'erik', 60);
    const stored = JSON.stringify(await database.collection('one_time_links').find().toArray());
    expect(stored).toContain('erik');
    expect(stored).not.toContain(token);
  });
});
