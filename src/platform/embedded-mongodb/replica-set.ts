import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';

const PRIMARY_WITHIN_MS = 60_000;
const POLL_MS = 50;

/** The name of the replica set that an embedded mongod forms by itself. */
export const REPLICA_SET = 'embedded';

export const embeddedUri = (port: number): string => `mongodb://127.0.0.1:${port}/?directConnection=true`;

/**
 * Makes the mongod on `port` the writable primary of a replica set of one. Its port differs from start to start, so a
 * set that exists is told the new one by force: there is no other member whose consent could be asked.
 * @throws when it is not writable after a minute.
 */
export async function becomePrimary(port: number): Promise<void> {
  const client = await mongoose.mongo.MongoClient.connect(embeddedUri(port));
  try {
    const admin = client.db('admin');
    const members = [{ _id: 0, host: `127.0.0.1:${port}` }];
    try {
      const { config } = await admin.command({ replSetGetConfig: 1 });
      await admin.command({ replSetReconfig: { ...config, version: config.version + 1, members }, force: true });
    } catch (error) {
      if (!(error instanceof mongoose.mongo.MongoServerError && error.codeName === 'NotYetInitialized')) throw error;
      await admin.command({ replSetInitiate: { _id: REPLICA_SET, members } });
    }
    const deadline = Date.now() + PRIMARY_WITHIN_MS;
    while (!(await admin.command({ hello: 1 })).isWritablePrimary) {
      if (Date.now() > deadline) throw new Error('the embedded MongoDB did not become writable');
      await sleep(POLL_MS);
    }
  } finally {
    await client.close();
  }
}

/**
 * Ends the mongod on `port` in order and at once: by itself it would wait for other members to catch up.
 * @returns whether it took the command.
 */
export async function shutDown(port: number): Promise<boolean> {
  const client = new mongoose.mongo.MongoClient(embeddedUri(port), { serverSelectionTimeoutMS: 1_000 });
  try {
    await client.db('admin').command({ shutdown: 1, force: true, timeoutSecs: 0 });
    return true;
  } catch (error) {
    // The answer to a shutdown is a connection that closes.
    return error instanceof mongoose.mongo.MongoNetworkError;
  } finally {
    await client.close();
  }
}
