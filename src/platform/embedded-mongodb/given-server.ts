import mongoose from 'mongoose';
import { AppError } from '../../errors.js';
import { reasonOf } from './environment.js';

const ANSWER_WITHIN_MS = 5_000;

/**
 * Asks the server that the operator named. The cause is left out of the error: the driver's parse errors carry the
 * address with its password.
 * @throws AppError `DATABASE_UNAVAILABLE` when it does not answer within 5 s, or the address is none.
 */
export async function askServer(uri: string): Promise<{ isReplicated: boolean }> {
  let client: InstanceType<typeof mongoose.mongo.MongoClient> | undefined;
  try {
    client = new mongoose.mongo.MongoClient(uri, { serverSelectionTimeoutMS: ANSWER_WITHIN_MS });
    const hello = await client.db('admin').command({ hello: 1 });
    return { isReplicated: Boolean(hello.setName) || hello.msg === 'isdbgrid' };
  } catch (error) {
    throw new AppError(
      'DATABASE_UNAVAILABLE',
      `MONGODB_URI is set, but its server cannot be used: ${reasonOf(error)}. Nothing else was tried: correct it, or remove it to work with an embedded MongoDB.`,
    );
  } finally {
    await client?.close();
  }
}
