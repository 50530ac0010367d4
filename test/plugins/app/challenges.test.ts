import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type Answering,
  type ChallengeDocument,
  createChallenges,
  ensureChallengeIndexes,
} from '../../../plugins/app/challenges.js';
import { connectDatabase, type Database } from '../../../src/platform/database.js';
import { systemRandom } from '../../../src/platform/random.js';
import { createSecretBox } from '../../../src/platform/secret-box.js';
import { FakeClock } from '../../support/clock.js';
import { testDatabase } from '../../support/database.js';

let first: Awaited<ReturnType<typeof testDatabase>>;
let second: Database;
let a: Node;
let b: Node;
const clock = new FakeClock(new Date('2046-03-02T09:00:00Z'));
const secretBox = createSecretBox([{ id: 'k1', key: randomBytes(32) }], randomBytes(32));
/** As the endpoint answers: a number that is not right is counted in a unit of its own. */
const node = (database: Database) => {
  const challenges = createChallenges({ clock, database, random: systemRandom, secretBox }, { digits: 6 });
  const { approve, deny, isNumberOf, miss, postpone, waitingFor } = challenges;
  const listFor = ({ accountId: account, factorId }: Pick<Answering, 'accountId' | 'factorId'>) => {
    const { collection, pipeline } = waitingFor(factorId);
    return database
      .collection(collection)
      .aggregate<ChallengeDocument>([{ $match: { accountId: account } }, ...pipeline])
      .toArray();
  };
  return {
    ...challenges,
    listFor,
    findPending: async (one: Answering) => (await listFor(one)).find(({ _id }) => _id === one.id),
    async approve(one: Answering, typed: string) {
      const challenge = await database.collection<ChallengeDocument>('app_challenges').findOne({ _id: one.id });
      if (!challenge) return undefined;
      if (isNumberOf(challenge, typed)) return (await approve(one)) ? { status: 'approved' as const } : undefined;
      const triesLeft = await database.transaction((unit) => miss(one, unit));
      return triesLeft === undefined ? undefined : { status: 'wrong' as const, triesLeft };
    },
    heldUntil: async (account: string) => (await challenges.standing({ accountId: account, cid: 'none' })).heldUntil,
    deny: (one: Answering) => database.transaction((unit) => deny(one, unit)),
    postpone: (one: Answering) => database.transaction((unit) => postpone(one, unit)),
  };
};
type Node = ReturnType<typeof node>;

beforeAll(async () => {
  first = await testDatabase();
  second = await connectDatabase(first.uri, { name: first.name });
  await ensureChallengeIndexes(first);
  [a, b] = [node(first), node(second)];
});
afterAll(async () => {
  await second.close();
  await first.drop();
});

let accountId = '';
beforeEach(() => {
  accountId = randomBytes(8).toString('hex');
  clock.advance(7_200);
});
const question = { details: '{"at":"2046-03-02T09:00:00.000Z"}', isWoken: false };
const ask = async (
  cid = randomBytes(8).toString('hex'),
  engine: Pick<Node, 'open'> = a,
): Promise<ChallengeDocument> => {
  const opening = await engine.open({ cid, accountId, ...question });
  if (!('challenge' in opening)) throw new Error(`no place until ${opening.retryAt.toISOString()}`);
  return opening.challenge;
};
const by = ({ _id }: ChallengeDocument, factorId = 'phone') => ({ id: _id, accountId, factorId });
const stored = (challenge: ChallengeDocument) =>
  first.collection<ChallengeDocument>('app_challenges').findOne({ _id: challenge._id });
const wrongFor = (challenge: ChallengeDocument): string =>
  String((Number(a.numberOf(challenge)) + 1) % 10 ** challenge.digits).padStart(challenge.digits, '0');

describe('the answer', () => {
  test('200 approvals and refusals at once, on two nodes: one counts', async () => {
    const challenge = await ask();
    const number = a.numberOf(challenge);
    const results = await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const at = n % 2 ? a : b;
        if (n % 4 === 1) return (await at.deny(by(challenge))) && 'denied';
        if (n % 4 === 2) return (await at.postpone(by(challenge))) && 'postponed';
        return (await at.approve(by(challenge), number))?.status === 'approved' && 'approved';
      }),
    );
    const counted = results.filter((result) => result !== false);
    expect(counted).toHaveLength(1);
    expect((await stored(challenge))?.status).toBe(counted[0]);
  });

  test('an approval is fetched once, by the sign-in that asked, within two minutes', async () => {
    const challenge = await ask('mine');
    expect(await a.claim(challenge)).toBeUndefined();
    expect(await a.approve(by(challenge), a.numberOf(challenge))).toEqual({ status: 'approved' });
    expect(await a.claim({ accountId, cid: 'another' })).toBeUndefined();
    expect(await a.claim({ accountId: 'another', cid: 'mine' })).toBeUndefined();
    const claims = await Promise.all(Array.from({ length: 50 }, (_, n) => (n % 2 ? a : b).claim(challenge)));
    expect(claims.filter((claimed) => claimed === 'phone')).toHaveLength(1);

    const late = await ask();
    clock.advance(119);
    expect(await b.approve(by(late), a.numberOf(late))).toEqual({ status: 'approved' });
    clock.advance(120);
    expect(await a.claim(late)).toBeUndefined();
  });

  test('a sign-in that was answered asks nothing more, however old its look; a trial is repeated', async () => {
    const answered = async (more: { onlyFor?: string } = {}) => {
      const asker = { accountId, cid: randomBytes(8).toString('hex') };
      const before = await a.standing(asker);
      const lookAndAsk = () => b.open({ ...asker, ...question, ...more }, before);
      const opening = await lookAndAsk();
      if (!('challenge' in opening)) throw new Error('no place');
      await a.approve(by(opening.challenge), a.numberOf(opening.challenge));
      expect(await lookAndAsk()).toMatchObject({ isNew: false, challenge: { _id: opening.challenge._id } });
      expect(await a.claim(asker)).toBe('phone');
      return lookAndAsk();
    };
    expect(await answered()).toMatchObject({ isNew: false, challenge: { status: 'claimed' } });
    expect(await answered({ onlyFor: 'phone' })).toMatchObject({ isNew: true });
  });

  test('after two minutes it comes too late, whatever it is', async () => {
    const [one, two, three] = [await ask(), await ask(), await ask()];
    clock.advance(119);
    expect(await a.listFor({ accountId, factorId: 'phone' })).toHaveLength(3);
    expect(await a.approve(by(one), wrongFor(one))).toEqual({ status: 'wrong', triesLeft: 2 });
    clock.advance(1);
    expect(await a.listFor({ accountId, factorId: 'phone' })).toEqual([]);
    expect(await a.findPending(by(one))).toBeUndefined();
    expect(await a.approve(by(one), a.numberOf(one))).toBeUndefined();
    expect(await a.approve(by(one), wrongFor(one))).toBeUndefined();
    expect(await a.deny(by(two))).toBe(false);
    expect(await a.postpone(by(three))).toBe(false);
    expect((await stored(two))?.status).toBe('pending');
  });

  test('the third wrong number ends it, also when they are typed at once', async () => {
    const challenge = await ask();
    expect(await a.approve(by(challenge), wrongFor(challenge))).toEqual({ status: 'wrong', triesLeft: 2 });
    expect(await b.approve(by(challenge, 'another phone'), '1')).toEqual({ status: 'wrong', triesLeft: 1 });
    expect(await a.approve(by(challenge), wrongFor(challenge))).toEqual({ status: 'wrong', triesLeft: 0 });
    expect(await a.approve(by(challenge), a.numberOf(challenge))).toBeUndefined();
    expect(await a.findPending(by(challenge))).toBeUndefined();

    const other = await ask();
    const results = await Promise.all(
      Array.from({ length: 60 }, (_, n) => (n % 2 ? a : b).approve(by(other), wrongFor(other))),
    );
    expect(results.map((result) => (result?.status === 'wrong' ? result.triesLeft : 9)).sort()).toEqual(
      [0, 1, 2].concat(Array.from({ length: 57 }, () => 9)),
    );
    expect(await stored(other)).toMatchObject({ status: 'over', wrong: 3 });
  });

  test('the number of another sign-in is a wrong one', async () => {
    const [mine, another] = [await ask(), await ask()];
    expect(await a.approve(by(mine), a.numberOf(another))).toMatchObject({ status: 'wrong' });
    expect(await a.approve(by(another), a.numberOf(another))).toEqual({ status: 'approved' });
  });

  test('nobody answers for another account', async () => {
    const challenge = await ask();
    const stranger = { ...by(challenge), accountId: 'another' };
    expect(await a.findPending(stranger)).toBeUndefined();
    expect(await a.approve(stranger, a.numberOf(challenge))).toBeUndefined();
    expect(await a.deny(stranger)).toBe(false);
    expect(await a.postpone(stranger)).toBe(false);
    expect(await stored(challenge)).toMatchObject({ status: 'pending', wrong: 0 });
  });
});

describe('the number', () => {
  test('is stored sealed, and opens in its own challenge alone', async () => {
    const [one, another] = [await ask(), await ask()];
    const number = a.numberOf(one);
    expect(number).toMatch(/^\d{6}$/);
    expect(JSON.stringify(await stored(one))).not.toContain(number);
    expect(() => a.numberOf({ ...another, number: one.number })).toThrow();
    expect(() => a.numberOf({ ...one, accountId: 'another' })).toThrow();
  });

  test('has as many digits as configured, zeros in front among them', async () => {
    const zeros = createChallenges(
      { clock, database: first, random: { ...systemRandom, integer: () => 7 }, secretBox },
      { digits: 2 },
    );
    expect(zeros.numberOf(await ask('short', zeros))).toBe('07');
  });
});

describe('places', () => {
  test('one for a sign-in, whoever opens it and however often', async () => {
    const asked = await Promise.all(Array.from({ length: 40 }, (_, n) => ask('the same', n % 2 ? a : b)));
    expect(new Set(asked.map(({ _id }) => _id)).size).toBe(1);
    expect(await a.listFor({ accountId, factorId: 'phone' })).toHaveLength(1);
    const [challenge] = asked as [ChallengeDocument];
    await a.approve(by(challenge), a.numberOf(challenge));
    expect((await ask('the same'))._id).toBe(challenge._id);
  });

  test('three for an account, on two nodes together; a fourth pushes nobody out and hears when there will be one', async () => {
    const openings = await Promise.all(
      Array.from({ length: 30 }, (_, n) => (n % 2 ? a : b).open({ cid: `cid-${n}`, accountId, ...question })),
    );
    const opened = openings.flatMap((opening) => ('challenge' in opening ? [opening.challenge] : []));
    expect(opened).toHaveLength(3);
    expect((await b.listFor({ accountId, factorId: 'phone' })).map(({ _id }) => _id).sort()).toEqual(
      opened.map(({ _id }) => _id).sort(),
    );
    clock.advance(20);
    expect(await b.open({ cid: 'fourth', accountId, ...question })).toEqual({
      retryAt: new Date(clock.now().getTime() + 100_000),
    });
    for (const challenge of opened) expect((await stored(challenge))?.status).toBe('pending');
    expect(await a.postpone(by(opened[0] as ChallengeDocument))).toBe(true);
    expect(await b.open({ cid: 'fourth', accountId, ...question })).toMatchObject({ isNew: true });
    expect(await b.open({ cid: 'fifth', accountId, ...question })).toHaveProperty('retryAt');
    clock.advance(100);
    expect(await b.open({ cid: 'fifth', accountId, ...question })).toMatchObject({ isNew: true });
  });

  test('every end gives the place back', async () => {
    const ends: ((challenge: ChallengeDocument) => Promise<unknown>)[] = [
      (one) => a.approve(by(one), a.numberOf(one)),
      (one) => a.postpone(by(one)),
      (one) => a.deny(by(one)),
      (one) => a.cancel(accountId, one.cid),
      async (one) => {
        for (let n = 0; n < 3; n += 1) await a.approve(by(one), wrongFor(one));
      },
    ];
    for (const end of ends) {
      const [one] = [await ask(), await ask(), await ask()];
      await end(one);
      await ask();
      await a.cancel(accountId);
    }
  });

  test('what waits is told in the order in which it was asked, to its own account', async () => {
    const asked: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      asked.push((await ask())._id);
      clock.advance(1);
    }
    expect((await b.listFor({ accountId, factorId: 'phone' })).map(({ _id }) => _id)).toEqual(asked);
    expect(await b.listFor({ accountId: 'another', factorId: 'phone' })).toEqual([]);
  });
});

test('cancelled: one sign-in, or all; what was approved and not fetched as well', async () => {
  const [left, approved, kept] = [await ask(), await ask(), await ask()];
  await a.approve(by(approved), a.numberOf(approved));
  await b.cancel(accountId, left.cid);
  expect(await a.approve(by(left), a.numberOf(left))).toBeUndefined();
  expect(await a.findPending(by(kept))).toMatchObject({ _id: kept._id });
  await b.cancel(accountId);
  expect(await a.claim(approved)).toBeUndefined();
  expect(await a.approve(by(kept), a.numberOf(kept))).toBeUndefined();
  expect(await a.listFor({ accountId, factorId: 'phone' })).toEqual([]);
});

test('after "it wasn’t me" others are held back for a quarter of an hour', async () => {
  const challenge = await ask();
  expect(await a.heldUntil(accountId)).toBeUndefined();
  clock.advance(60);
  await a.deny(by(challenge));
  expect(await b.heldUntil(accountId)).toEqual(new Date(clock.now().getTime() + 900_000));
  expect(await b.heldUntil('another')).toBeUndefined();
  clock.advance(900);
  expect(await b.heldUntil(accountId)).toBeUndefined();
});

test('its phones are told again once, whoever looked at the same time, and not when it is over', async () => {
  const challenge = await ask();
  const before = clock.now();
  clock.advance(20);
  expect(await a.wakeAgain(challenge, before)).toBe(true);
  clock.advance(1);
  expect(await b.wakeAgain(challenge, before)).toBe(false);
  await a.cancel(accountId);
  expect(await b.wakeAgain(challenge, clock.now())).toBe(false);
});

test('every change is one that a waiting page hears of', async () => {
  const challenge = await ask();
  for (const change of [
    () => a.approve(by(challenge), wrongFor(challenge)),
    () => a.approve(by(challenge), a.numberOf(challenge)),
    () => a.claim(challenge),
  ]) {
    clock.advance(1);
    await change();
    expect((await stored(challenge))?.changedAt).toEqual(clock.now());
  }
});

test('goes along indexes', async () => {
  for (let n = 0; n < 20; n += 1) {
    await ask();
    clock.advance(130);
  }
  const { db } = first.connection;
  await db?.command({ profile: 2 });
  const one = await ask();
  await a.listFor({ accountId, factorId: 'phone' });
  await a.heldUntil(accountId);
  await a.approve(by(one), a.numberOf(one));
  await a.claim(one);
  await a.deny(by(await ask()));
  for (let n = 0; n < 3; n += 1) await ask();
  await a.open({ cid: 'fourth', accountId, ...question });
  await a.cancel(accountId, one.cid);
  await a.cancel(accountId);
  await db?.command({ profile: 0 });
  const queries = await db
    ?.collection('system.profile')
    .find({ ns: /app_challenges$/, planSummary: { $exists: true } })
    .toArray();
  expect(queries?.length).toBeGreaterThan(10);
  for (const { planSummary, docsExamined } of queries ?? []) {
    expect(planSummary).not.toContain('COLLSCAN');
    expect(docsExamined ?? 0).toBeLessThan(10);
  }
});
