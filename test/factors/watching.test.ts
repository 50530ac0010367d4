import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Factor, FactorMethod } from '../../src/factors/contract.js';
import { secretWord } from './secret-word.js';
import { newAccount, newSignIn, origin, type TwoNodes, twoNodes } from './two-nodes.js';

/** Well over a tick. */
const SOON_MS = 900;
const COLLECTION = 'answers_elsewhere';

interface Answer {
  _id: string;
  changedAt: Date;
  status: string;
}

/** Answered elsewhere: its question is a document of the method's own. */
const watched: FactorMethod = {
  ...(secretWord as unknown as FactorMethod),
  ensureIndexes: async (database) => void (await database.collection(COLLECTION).createIndex({ changedAt: 1 })),
  create(config, deps): Factor {
    const answers = deps.database.collection<Answer>(COLLECTION);
    return {
      ...(secretWord as unknown as FactorMethod).create(config, deps),
      watch: {
        collection: COLLECTION,
        answered: 'yes',
        async of({ state }) {
          const found = await answers.findOne({ _id: String(state.question) });
          return found ? { id: found._id, changedAt: found.changedAt, status: found.status } : undefined;
        },
      },
    };
  },
};

let nodes: TwoNodes;
beforeAll(async () => {
  nodes = await twoNodes([watched]);
});
afterAll(() => nodes.stop());

test('what is answered at one node is heard at the other, once, and by nobody who waits for something else', async () => {
  const { a, b, clock, database } = nodes;
  const account = newAccount();
  const page = await a.beginEnrolment(account, secretWord.id, origin);
  await a.confirmEnrolment(account, secretWord.id, { word: String(page?.locals.word) }, origin);
  const answers = database.collection<Answer>(COLLECTION);
  const asked = async () => {
    const signIn = newSignIn(account);
    expect(await a.watched(signIn, secretWord.id)).toBeUndefined();
    const step = await a.begin(signIn, secretWord.id);
    const question = String(step?.locals.question);
    await answers.insertOne({ _id: question, changedAt: clock.now(), status: 'asked' });
    return { signIn, question };
  };
  const [one, other] = [await asked(), await asked()];
  const waiting = await b.watched(one.signIn, secretWord.id);
  const elsewhere = await b.watched(other.signIn, secretWord.id);
  if (!waiting || !elsewhere) throw new Error('nothing to wait for');
  const heard: unknown[] = [];
  waiting.onChange(waiting.changedAt, (isAnswered) => heard.push('one', isAnswered));
  elsewhere.onChange(elsewhere.changedAt, (isAnswered) => heard.push('other', isAnswered));
  await sleep(SOON_MS);
  expect(heard).toEqual([]);

  clock.advance(1);
  await answers.updateOne({ _id: one.question }, { $set: { changedAt: clock.now(), status: 'yes' } });
  await sleep(SOON_MS);
  expect(heard).toEqual(['one', true]);
  clock.advance(1);
  await answers.updateOne({ _id: one.question }, { $set: { changedAt: clock.now() } });
  await sleep(SOON_MS);
  expect(heard).toEqual(['one', true]);
  expect([waiting.isAnswered, (await b.watched(one.signIn, secretWord.id))?.isAnswered]).toEqual([false, true]);
  await answers.updateOne({ _id: other.question }, { $set: { changedAt: clock.now(), status: 'no' } });
  await sleep(SOON_MS);
  expect(heard).toEqual(['one', true, 'other', false]);

  expect(await b.watched({ ...one.signIn, account: { ...account, active: false } }, secretWord.id)).toBeUndefined();
  expect(await b.watched({ ...one.signIn, account: newAccount() }, secretWord.id)).toBeUndefined();
});
