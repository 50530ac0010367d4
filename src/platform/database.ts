import { AsyncLocalStorage } from 'node:async_hooks';
import mongoose, { type Connection, mongo } from 'mongoose';
import { withPlainWrites } from './plain-writes.js';

/** As many connections for writes outside of transactions, and as many for everything else. */
const POOL_SIZE = 50;

/** One database for everything: mongoose for what administrators edit, the native collections for the hot paths. */
export interface Database {
  connection: Connection;
  /** All that speak to it, for whoever listens to them. */
  clients: readonly mongo.MongoClient[];
  /** A native collection; majority writes, `undefined` fields left out. */
  collection<T extends mongo.Document>(name: string): mongo.Collection<T>;
  /**
   * All writes of `work` or none, with majority. It runs again when another transaction was faster, so it must do nothing
   * but read and write through `unit.session`; everything else belongs into `unit.afterCommit`.
   *
   * A write outside waits for an open transaction that has changed the same document. However many wait, the transaction goes on:
   * they have connections of their own, and none of them is part of `work`, where a write without the session throws TypeError.
   */
  transaction<T>(work: (unit: Unit) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Several writes that are one. Pass `session` to each of them. */
export interface Unit {
  session: mongo.ClientSession;
  /** Runs once the writes are there to stay. */
  afterCommit(work: () => void): void;
}

/** Set within the work of a transaction. One for all databases of a process: each further one would cost every promise a little. */
const working = new AsyncLocalStorage<true>();

/**
 * Connects with majority writes.
 * @param options `majorityMs`: how long a write waits for its majority, else it would hold its request and its connection for as long as
 * that is away. `appName`: what its connections call themselves. `watchCommands`: its clients tell of every command, at some cost.
 * @throws when no server answers within `timeoutMs`.
 */
export async function connectDatabase(
  uri: string,
  options: { name?: string; appName?: string; timeoutMs?: number; majorityMs?: number; watchCommands?: boolean } = {},
): Promise<Database> {
  const { name, appName, timeoutMs = 5_000, majorityMs = 10_000, watchCommands = false } = options;
  const writeConcern = { w: 'majority', wtimeoutMS: majorityMs } as const;
  const clientOptions = {
    serverSelectionTimeoutMS: timeoutMs,
    ignoreUndefined: true,
    writeConcern,
    maxPoolSize: POOL_SIZE,
    monitorCommands: watchCommands,
    ...(appName ? { appName } : {}),
  } as const;
  const connection = await mongoose
    .createConnection(uri, {
      ...clientOptions,
      ...(name ? { dbName: name } : {}),
      autoIndex: false,
      autoCreate: false,
      // Else a query without a connection waits twice: here, and in the driver.
      bufferCommands: false,
    })
    .asPromise();
  const { db } = connection;
  if (!db) throw new Error('the connection has no database');
  const plainWrites = await new mongo.MongoClient(uri, clientOptions).connect();
  const checkPlainWrite = (): void => {
    if (working.getStore()) throw new TypeError('a write without the session of the transaction that it is part of');
  };
  const collectionOf = db.collection.bind(db);
  // In place of the driver's own: mongoose takes its collections from there.
  db.collection = <T extends mongo.Document>(collection: string, collectionOptions?: mongo.CollectionOptions) =>
    withPlainWrites(
      collectionOf<T>(collection, collectionOptions),
      plainWrites.db(db.databaseName).collection<T>(collection, collectionOptions),
      checkPlainWrite,
    );
  return {
    connection,
    clients: [connection.getClient(), plainWrites],
    collection: <T extends mongo.Document>(collection: string) => db.collection<T>(collection),
    async transaction(work) {
      let afterCommit: (() => void)[] = [];
      const result = await connection.getClient().withSession((session) =>
        session.withTransaction(
          () => {
            afterCommit = [];
            return working.run(true, () => work({ session, afterCommit: (then) => afterCommit.push(then) }));
          },
          { readConcern: { level: 'snapshot' }, writeConcern },
        ),
      );
      for (const then of afterCommit) then();
      return result;
    },
    async close() {
      await Promise.all([connection.close(), plainWrites.close()]);
    },
  };
}

/** True for the error of a unique index or an upsert that lost: what "somebody else was first" looks like. */
export function isDuplicateKey(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 11000;
}

/** What each folder that owns collections exports: it makes its indexes, at start-up, before the first request. */
export type EnsureIndexes = (database: Database) => Promise<void>;

const UNAVAILABLE = new Set([
  'MongoServerSelectionError',
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'MongoWriteConcernError',
  'MongooseServerSelectionError',
]);

/** What the driver lets through as it is when a pooled connection breaks in the moment of its use. */
const BROKEN_CONNECTION = new Set(['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT']);

/** Of several writes: all are done, and not by a majority. */
const isUnconfirmed = (error: object): boolean => {
  const { result } = error as { result?: Partial<mongo.BulkWriteResult> };
  return result?.getWriteConcernError?.() !== undefined;
};

/** True when the database cannot be reached or cannot promise durability: answer 503, change nothing. */
export function isDatabaseUnavailable(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; typeof cause === 'object' && cause !== null && depth < 5; depth += 1) {
    const { name = '', code = '', cause: deeper } = cause as { name?: string; code?: string | number; cause?: unknown };
    if (UNAVAILABLE.has(name) || BROKEN_CONNECTION.has(String(code)) || isUnconfirmed(cause)) return true;
    cause = deeper;
  }
  return false;
}
