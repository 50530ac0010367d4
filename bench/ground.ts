import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mongo } from 'mongoose';
import { openMongo } from '../src/platform/embedded-mongodb/index.js';
import { pinSelf } from './processes.js';

export const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });

/** Keys of an installation, as its environment holds them. */
export const makeSecrets = (): Record<string, string> => ({
  COUNTERSIGN_SEALING_KEYS: `bench:${randomBytes(32).toString('base64')}`,
  COUNTERSIGN_COOKIE_KEYS: randomBytes(32).toString('base64'),
  COUNTERSIGN_INDEX_KEY: randomBytes(32).toString('base64'),
});

/** What every bench stands on: a folder and a database of its own, gone afterwards. */
export interface Ground {
  folder: string;
  uri: string;
  client: mongo.MongoClient;
  /** To be stopped afterwards; the latest first. */
  stops: (() => Promise<unknown>)[];
}

/** Does the work on such a ground, off the core of the server under test, and prints what it returns. */
export async function onGround(work: (ground: Ground) => Promise<string>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  const stops: Ground['stops'] = [];
  try {
    pinSelf();
    const { uri, stop } = await openMongo({
      dataPath: join(folder, 'mongodb'),
      env: { ...process.env, MONGODB_URI: undefined },
      log: () => {},
      progress: say,
    });
    stops.unshift(stop);
    const client = await mongo.MongoClient.connect(uri);
    stops.unshift(() => client.close());
    console.log(await work({ folder, uri, client, stops }));
  } finally {
    for (const stop of stops) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
