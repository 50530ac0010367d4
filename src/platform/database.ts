import mongoose, { type Connection, type mongo } from 'mongoose';

/** One connection for everything: mongoose for what administrators edit, the native collections for the hot paths. */
export interface Database {
  connection: Connection;
  /** A native collection; majority writes, `undefined` fields left out. */
  collection<T extends mongo.Document>(name: string): mongo.Collection<T>;
  close(): Promise<void>;
}

/**
 * Connects with majority writes.
 * @throws when no server answers within `timeoutMs`.
 */
export async function connectDatabase(
  uri: string,
  options: { name?: string; timeoutMs?: number } = {},
): Promise<Database> {
  const connection = await mongoose
    .createConnection(uri, {
      ...(options.name ? { dbName: options.name } : {}),
      serverSelectionTimeoutMS: options.timeoutMs ?? 5_000,
      autoIndex: false,
      autoCreate: false,
      ignoreUndefined: true,
      writeConcern: { w: 'majority' },
      maxPoolSize: 50,
    })
    .asPromise();
  const { db } = connection;
  if (!db) throw new Error('the connection has no database');
  return {
    connection,
    collection: <T extends mongo.Document>(name: string) => db.collection<T>(name),
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

/** True when the database cannot be reached or cannot promise durability: answer 503, change nothing. */
export function isDatabaseUnavailable(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    if (UNAVAILABLE.has(cause.name)) return true;
  }
  return false;
}
