import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mongo, Schema } from 'mongoose';
import { testDatabase } from '../support/database.js';

const WRITES = 100;

type Write = (session: mongo.ClientSession) => Promise<unknown>;

describe('the database', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let observer: mongo.MongoClient;
  beforeAll(async () => {
    database = await testDatabase();
    observer = await new mongo.MongoClient(process.env.TEST_MONGODB_URI ?? '').connect();
  });
  afterAll(async () => {
    await observer.close();
    await database.drop();
  });

  /** Until so many writes to a collection are going on in MongoDB. */
  const untilWaiting = async (collection: string, many: number): Promise<void> => {
    const ns = `${database.connection.name}.${collection}`;
    const admin = observer.db('admin');
    const count = () => admin.aggregate([{ $currentOp: {} }, { $match: { ns, op: 'update' } }]).toArray();
    while ((await count()).length < many);
  };

  /** Has a transaction change something, then many writes outside wait for it, and then the transaction go on. */
  const crowd = async (
    collection: string,
    { first, next, outside }: { first: Write; next: Write; outside(): Promise<unknown> },
  ): Promise<void> => {
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const transaction = database.transaction(async ({ session }) => {
      await first(session);
      begin();
      await untilWaiting(collection, 50);
      await next(session);
    });
    await begun;
    const writes = Array.from({ length: WRITES }, () => outside());
    await Promise.all([transaction, ...writes]);
  };

  test('a transaction goes on, however many writes outside wait for it', async () => {
    const counts = database.collection<{ _id: string; n: number }>('counts');
    await counts.insertMany(['one', 'other'].map((_id) => ({ _id, n: 0 })));
    await crowd('counts', {
      first: (session) => counts.updateOne({ _id: 'one' }, { $inc: { n: 1 } }, { session }),
      next: (session) => counts.updateOne({ _id: 'other' }, { $inc: { n: 1 } }, { session }),
      outside: () => counts.updateOne({ _id: 'one' }, { $inc: { n: 1 } }),
    });
    expect(await counts.find().sort({ _id: 1 }).toArray()).toMatchObject([{ n: WRITES + 1 }, { n: 1 }]);
  });

  test('the same for what mongoose writes', async () => {
    const Note = database.connection.model('Note', new Schema({ _id: String, n: Number }));
    await Note.create([{ _id: 'one', n: 0 }]);
    await crowd('notes', {
      first: (session) => Note.updateOne({ _id: 'one' }, { $inc: { n: 1 } }, { session }),
      next: (session) => Note.create([{ _id: 'other', n: 1 }], { session }),
      outside: async () => Note.updateOne({ _id: 'one' }, { $inc: { n: 1 } }),
    });
    expect(await Note.find().sort({ _id: 1 }).lean()).toMatchObject([{ n: WRITES + 1 }, { n: 1 }]);
  });

  test('what a transaction writes without its session throws, and nothing is written', async () => {
    const slips = database.collection<{ _id: string }>('slips');
    const slip = database.transaction(async ({ session }) => {
      await slips.insertOne({ _id: 'right' }, { session });
      await slips.insertOne({ _id: 'wrong' });
    });
    await expect(slip).rejects.toThrow(TypeError);
    expect(await slips.countDocuments()).toBe(0);
  });

  test('what follows a transaction writes as it likes', async () => {
    const notes = database.collection<{ _id: string }>('followed');
    let written: Promise<unknown> = Promise.reject(new Error('not called'));
    written.catch(() => undefined);
    await database.transaction(async ({ session, afterCommit }) => {
      await notes.insertOne({ _id: 'within' }, { session });
      afterCommit(() => {
        written = notes.insertOne({ _id: 'after' });
      });
    });
    await written;
    expect(await notes.countDocuments()).toBe(2);
  });
});
