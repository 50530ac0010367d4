import mongoose, { type Connection, type mongo } from 'mongoose';

/** One connection for everything: mongoose for what administrators edit, the native collections for the hot paths. */
export interface Database {
  connection: Connection;
  /** A native collection; majority writes, `undefined` fields left out. */
  collection<T extends mongo.Document>(name: string): mongo.Collection<T>;
  /**
   * All writes of `work` or none, with majority. It runs again when another transaction was faster, so it must do nothing
   * but read and write through `unit.session`; everything else belongs into `unit.afterCommit`.
   *
   * A write outside waits in MongoDB for an open transaction that has changed the same document, and holds a connection while it
   * waits: enough of them, and the transaction finds none to go on with. What many can change at once is changed by transactions alone.
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

/**
 * Connects with majority writes.
 * @throws when no server answers within `timeoutMs`.
 */
export async function connectDatabase(
  uri: string,
  options: {
    name?: string;
    timeoutMs?: number /** Tells of every command, at some cost. */;
    watchCommands?: boolean;
  } = {},
): Promise<Database> {
  const connection = await mongoose
    .createConnection(uri, {
      ...(options.name ? { dbName: options.name } : {}),
      serverSelectionTimeoutMS: options.timeoutMs ?? 5_000,
      autoIndex: false,
      autoCreate: false,
      // Else a query without a connection waits twice: here, and in the driver.
      bufferCommands: false,
      ignoreUndefined: true,
      writeConcern: { w: 'majority' },
      maxPoolSize: 50,
      monitorCommands: options.watchCommands ?? false,
    })
    .asPromise();
  const { db } = connection;
  if (!db) throw new Error('the connection has no database');
  return {
    connection,
    collection: <T extends mongo.Document>(name: string) => db.collection<T>(name),
    async transaction(work) {
      let afterCommit: (() => void)[] = [];
      const result = await connection.getClient().withSession((session) =>
        session.withTransaction(
          () => {
            afterCommit = [];
            return work({ session, afterCommit: (then) => afterCommit.push(then) });
          },
          { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } },
        ),
      );
      for (const then of afterCommit) then();
      return result;
    },
    close: () => connection.close(),
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

/** True when the database cannot be reached or cannot promise durability: answer 503, change nothing. */
export function isDatabaseUnavailable(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; typeof cause === 'object' && cause !== null && depth < 5; depth += 1) {
    const { name = '', code = '', cause: deeper } = cause as { name?: string; code?: string | number; cause?: unknown };
    if (UNAVAILABLE.has(name) || BROKEN_CONNECTION.has(String(code))) return true;
    cause = deeper;
  }
  return false;
}
