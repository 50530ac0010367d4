import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { openMongo } from '../../dist/src/platform/embedded-mongodb/index.js';

/** In memory where there is room (a container may have 64 MB there): every majority write would wait for a disk. */
async function folder() {
  const memory = '/dev/shm';
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize > 4 * 2 ** 30 ? memory : tmpdir();
}

/** Enough for every test to see whether a signature is ours; RSA keys take too long to be made in each file. */
function signingKeys() {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const jwk = (key, alg) => ({ ...key.export({ format: 'jwk' }), alg, use: 'sig', kid: alg });
  return [jwk(rsa, 'RS256'), jwk(ec, 'ES256')];
}

/** TTL indexes only sweep: expiry is compared in the query, and a test that compares all there is must not meet the broom. */
async function stopSweeping(uri) {
  const connection = await mongoose.createConnection(uri).asPromise();
  await connection.db.admin().command({ setParameter: 1, ttlMonitorEnabled: false });
  await connection.close();
}

/** One embedded MongoDB for the whole run, found and started as the product does it; each test file uses a database of its own. */
export default async function globalSetup() {
  process.env.TEST_SIGNING_KEYS = JSON.stringify(signingKeys());
  if (process.env.TEST_MONGODB_URI) return;
  const dataPath = await mkdtemp(join(await folder(), 'countersign-test-'));
  // A run must never touch the database that MONGODB_URI names.
  const env = { ...process.env, MONGODB_URI: undefined };
  const mongo = await openMongo({ dataPath, env, log: () => {}, progress: console.log });
  await stopSweeping(mongo.uri);
  process.env.TEST_MONGODB_URI = mongo.uri;
  globalThis.testMongo = { mongo, dataPath };
}
