import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMongo } from '../../dist/src/platform/embedded-mongodb/index.js';

/** One embedded MongoDB for the whole run, found and started as the product does it; each test file uses a database of its own. */
export default async function globalSetup() {
  if (process.env.TEST_MONGODB_URI) return;
  const dataPath = await mkdtemp(join(tmpdir(), 'countersign-test-'));
  // A run must never touch the database that MONGODB_URI names.
  const env = { ...process.env, MONGODB_URI: undefined };
  const mongo = await openMongo({ dataPath, env, log: () => {}, progress: console.log });
  process.env.TEST_MONGODB_URI = mongo.uri;
  globalThis.testMongo = { mongo, dataPath };
}
