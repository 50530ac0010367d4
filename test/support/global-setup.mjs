import { mkdtemp } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { MongoMemoryServer } from 'mongodb-memory-server';

/** One embedded MongoDB for the whole run, as a single-member replica set; each test file uses a database of its own. */
export default async function globalSetup() {
  if (process.env.TEST_MONGODB_URI) return;
  const dbPath = await mkdtemp(join(tmpdir(), 'countersign-test-'));
  const server = await MongoMemoryServer.create({
    instance: { dbPath, storageEngine: 'wiredTiger', replSet: 'embedded', ip: '127.0.0.1' },
    binary: {
      systemBinary: join(homedir(), '.cache/countersign/mongod-6.0.5/fiftyone/db/bin/mongod'),
      checkMD5: false,
    },
  });
  const client = await new MongoClient(`${server.getUri()}?directConnection=true`).connect();
  await client
    .db('admin')
    .command({
      replSetInitiate: { _id: 'embedded', members: [{ _id: 0, host: `127.0.0.1:${server.instanceInfo.port}` }] },
    });
  while (!(await client.db('admin').command({ hello: 1 })).isWritablePrimary)
    await new Promise((r) => setTimeout(r, 50));
  await client.close();
  process.env.TEST_MONGODB_URI = `mongodb://127.0.0.1:${server.instanceInfo.port}/?directConnection=true`;
  globalThis.testMongoServer = server;
}
