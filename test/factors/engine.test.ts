import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { FactorMethod } from '../../src/factors/contract.js';
import type { Engine, EngineAccount } from '../../src/factors/index.js';
import { secretWord } from './secret-word.js';
import { newAccount, newSignIn, origin, type TwoNodes, twoNodes } from './two-nodes.js';

/** What the method below was told to cancel: account and sign-in. */
const cancelled: (string | undefined)[][] = [];

/** The same method under another name; it asks for something on another device. */
const secondWord: FactorMethod = {
  id: 'second_word',
  parseConfig: () => undefined,
  create: (_config, deps) => ({
    ...(secretWord as FactorMethod).create(undefined, deps),
    method: 'second_word',
    cancel: async (accountId, cid) => void cancelled.push([accountId, cid]),
  }),
};

describe('engine', () => {
  let nodes: TwoNodes;
  let a: Engine;
  let b: Engine;
  beforeAll(async () => {
    nodes = await twoNodes([secondWord, secretWord]);
    ({ a, b } = nodes);
  });
  afterAll(() => nodes.stop());
  beforeEach(() => {
    nodes.audited.length = 0;
    nodes.verifyCalls.clear();
    nodes.clock.advance(7200);
  });

  async function enrol(account: EngineAccount, method = 'secret_word'): Promise<string> {
    const page = await a.beginEnrolment(account, method, origin);
    const word = String(page?.locals.word);
    expect(await a.confirmEnrolment(account, method, { word }, origin)).toMatchObject({ status: 'enrolled' });
    return word;
  }
  const wrong = { answer: 'not the answer' };

  test('lists methods in the order of the administrator, with one query', async () => {
    const account = newAccount();
    await enrol(account, 'secret_word');
    await enrol(account, 'second_word');
    expect(a.enrollable()).toMatchObject([
      { id: 'second_word', kind: 'primary' },
      { id: 'secret_word', kind: 'primary' },
    ]);
    const db = nodes.database.connection.db;
    await db?.command({ profile: 2 });
    const listed = await a.forAccount(account.id);
    await db?.command({ profile: 0 });
    expect(listed.map(({ id }) => id)).toEqual(['second_word', 'secret_word']);
    const queries = await db?.collection('system.profile').countDocuments({ ns: /\.factors$/ });
    expect(queries).toBe(1);
    expect(await a.levels(account.id)).toEqual(['2fa', '2fa']);
  });

  test('who chooses another way needs no answer from elsewhere any more, in this sign-in; a given-up one needs none at all', async () => {
    const account = newAccount();
    const signIn = newSignIn(account);
    await enrol(account, 'secret_word');
    await a.begin(signIn, 'secret_word');
    expect(cancelled).toEqual([]);
    await enrol(account, 'second_word');
    await a.begin(signIn, 'second_word');
    expect(cancelled).toEqual([]);
    await a.begin(signIn, 'secret_word');
    expect(cancelled).toEqual([[account.id, signIn.cid]]);
    await a.cancel(account.id, signIn.cid);
    await a.cancel(account.id);
    expect(cancelled.slice(1)).toEqual([
      [account.id, signIn.cid],
      [account.id, undefined],
    ]);
  });

  test('a sign-in that was given up cannot be confirmed any more; another one of the account can', async () => {
    const account = newAccount();
    const word = await enrol(account, 'second_word');
    const [left, kept] = [newSignIn(account), newSignIn(account)];
    const answers = await Promise.all(
      [left, kept].map(async (signIn) => ({
        answer: `${String((await a.begin(signIn, 'second_word'))?.locals.question)} ${word}`,
      })),
    );
    await b.cancel(account.id, left.cid);
    expect(await a.submit(left, 'second_word', answers[0])).toMatchObject({ status: 'rejected', code: 'expired' });
    expect(await a.submit(kept, 'second_word', answers[1])).toMatchObject({ status: 'verified' });
  });

  test('refused attempts leave one event a minute, however many there are', async () => {
    const account = newAccount();
    await enrol(account);
    const refused = () => nodes.audited.filter(({ type }) => type === 'factor_throttled').length;
    for (let n = 0; n < 12; n += 1) await a.submit(newSignIn(account), 'secret_word', wrong);
    expect(refused()).toBe(1);
    await Promise.all(Array.from({ length: 8 }, () => b.submit(newSignIn(account), 'secret_word', wrong)));
    expect(refused()).toBe(1);
    nodes.clock.advance(61);
    for (let n = 0; n < 3; n += 1) await a.submit(newSignIn(account), 'secret_word', wrong);
    expect(refused()).toBe(2);
  });

  test('a method cannot be listed twice', async () => {
    await expect(twoNodes([secretWord, secretWord])).rejects.toThrow(TypeError);
  });

  test('the question of a sign-in is the same after a reload on the other node, and another in another sign-in', async () => {
    const account = newAccount();
    await enrol(account);
    const signIn = newSignIn(account);
    const first = await a.begin(signIn, 'secret_word');
    expect((await b.begin(signIn, 'secret_word'))?.locals).toEqual(first?.locals);
    expect((await b.begin(newSignIn(account), 'secret_word'))?.locals).not.toEqual(first?.locals);
  });

  test('the answer to one sign-in does not complete another', async () => {
    const account = newAccount();
    const word = await enrol(account);
    const [mine, theirs] = [newSignIn(account), newSignIn(account)];
    const page = await a.begin(mine, 'secret_word');
    await a.begin(theirs, 'secret_word');
    const answer = `${page?.locals.question} ${word}`;
    expect(await b.submit(theirs, 'secret_word', { answer })).toMatchObject({ status: 'rejected', code: 'wrong' });
    expect(await b.submit(mine, 'secret_word', { answer })).toMatchObject({ status: 'verified' });
  });

  test('a challenge expires after ten minutes, and a new one is begun in its place', async () => {
    const account = newAccount();
    const word = await enrol(account);
    const signIn = newSignIn(account);
    const page = await a.begin(signIn, 'secret_word');
    const answer = `${page?.locals.question} ${word}`;
    nodes.clock.advance(600);
    expect(await a.submit(signIn, 'secret_word', { answer })).toMatchObject({ status: 'rejected', code: 'expired' });
    const next = await b.begin(signIn, 'secret_word');
    expect(next?.locals.question).not.toBe(page?.locals.question);
    expect(await a.submit(signIn, 'secret_word', { answer })).toMatchObject({ status: 'rejected' });
    expect(await a.submit(signIn, 'secret_word', { answer: `${next?.locals.question} ${word}` })).toMatchObject({
      status: 'verified',
    });
  });

  test('asking whether the phone has answered costs nothing', async () => {
    const account = newAccount();
    const word = await enrol(account);
    const signIn = newSignIn(account);
    const page = await a.begin(signIn, 'secret_word');
    for (let n = 0; n < 60; n++)
      expect(await (n % 2 ? a : b).submit(signIn, 'secret_word', { answer: 'wait' })).toEqual({ status: 'pending' });
    expect(await a.submit(signIn, 'secret_word', { answer: `${page?.locals.question} ${word}` })).toMatchObject({
      status: 'verified',
    });
    expect(nodes.audited.filter(({ type }) => type === 'factor_rejected')).toEqual([]);
  });

  test("failures at one method leave the other usable, until the account's twenty an hour", async () => {
    const account = newAccount();
    await enrol(account, 'secret_word');
    const word = await enrol(account, 'second_word');
    const signIn = newSignIn(account);
    for (let n = 0; n < 40; n++) await a.submit(signIn, 'secret_word', wrong);
    expect(nodes.verifyCalls.get('secret_word')).toBe(5);
    const page = await a.begin(signIn, 'second_word');
    expect(await b.submit(signIn, 'second_word', { answer: `${page?.locals.question} ${word}` })).toMatchObject({
      status: 'verified',
    });

    const start = nodes.clock.now().getTime();
    let refused: Date | undefined;
    while (nodes.clock.now().getTime() - start < 3_500_000) {
      nodes.clock.advance(60);
      for (const method of ['secret_word', 'second_word']) {
        const result = await a.submit(newSignIn(account), method, wrong);
        if (result.status === 'throttled') refused = result.retryAt;
      }
    }
    const reached = (nodes.verifyCalls.get('secret_word') ?? 0) + (nodes.verifyCalls.get('second_word') ?? 0);
    expect(reached).toBe(21);
    expect(refused?.getTime()).toBeLessThanOrEqual(start + 3_600_000);
    expect(await a.obstacle(account.id, { id: 'second_word', factors: [] })).toMatchObject({
      status: 'throttled',
      retryAt: refused,
    });
  });

  test('success resets only the method that was used', async () => {
    const account = newAccount();
    await enrol(account, 'secret_word');
    const word = await enrol(account, 'second_word');
    for (let n = 0; n < 5; n++) await a.submit(newSignIn(account), 'secret_word', wrong);
    const signIn = newSignIn(account);
    const page = await a.begin(signIn, 'second_word');
    await a.submit(signIn, 'second_word', { answer: `${page?.locals.question} ${word}` });
    expect(await a.submit(newSignIn(account), 'secret_word', wrong)).toMatchObject({ status: 'throttled' });
  });
});
