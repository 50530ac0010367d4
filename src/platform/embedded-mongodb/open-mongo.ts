import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../errors.js';
import { reasonOf } from './environment.js';
import { type FindOptions, mongodCandidates, noMongod } from './find-mongod.js';
import { askServer } from './given-server.js';
import { type RunningMongod, startMongod } from './memory-server.js';
import type { Mongod } from './mongod.js';
import { becomePrimary, embeddedUri, REPLICA_SET } from './replica-set.js';
import { announce, retract } from './running-copy.js';

/** A killed process leaves its mongod behind for a moment: it is watched every 2 s and then ends in order. */
const FOLDER_FREE_WITHIN_MS = 6_000;
const RETRY_MS = 500;
const PORT_ATTEMPTS = 3;

export interface OpenMongoOptions extends FindOptions {
  /** Default: `MONGODB_URI` of `env`. */
  uri?: string;
  /** The folder of the embedded data; made when it is not there. */
  dataPath: string;
}

export interface OpenMongo {
  /** Without a database name. */
  uri: string;
  embedded: boolean;
  /** Ends an embedded mongod, whose data stay; nothing for the operator's own server. */
  stop(): Promise<void>;
}

/**
 * Connects to `MONGODB_URI`, or starts an embedded MongoDB with the first mongod that works.
 * @throws AppError `DATABASE_UNAVAILABLE`: the named server does not answer, the folder is in use, or nothing worked.
 */
export async function openMongo(options: OpenMongoOptions): Promise<OpenMongo> {
  const { env = process.env, log } = options;
  const uri = (options.uri ?? env.MONGODB_URI ?? '').trim();
  if (uri) {
    const { isReplicated } = await askServer(uri);
    log('MongoDB 1/6: MONGODB_URI is set: connected');
    if (!isReplicated) log('this MongoDB is no replica set: what is acknowledged can be lost when it fails');
    return { uri, embedded: false, stop: async () => {} };
  }
  log('MongoDB 1/6: MONGODB_URI: not set; going on');
  const tried = ['MONGODB_URI: not set'];
  const dataPath = await dataFolder(options.dataPath);
  for await (const mongod of mongodCandidates(options, tried)) {
    try {
      const running = await start(mongod, dataPath, log);
      const uri = embeddedUri(running.port);
      await announce(dataPath, uri);
      const stop = async () => {
        await retract(dataPath);
        await running.stop();
      };
      return { uri, embedded: true, stop };
    } catch (error) {
      if (error instanceof AppError) throw error;
      log(`${mongod.binary} does not start on ${dataPath}: ${reasonOf(error)}; going on`);
      tried.push(`${mongod.binary}: does not start on ${dataPath}: ${reasonOf(error)}`);
    }
  }
  throw noMongod(tried);
}

async function dataFolder(path: string): Promise<string> {
  const dataPath = resolve(path);
  try {
    await mkdir(dataPath, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new AppError('DATABASE_UNAVAILABLE', `the data folder ${dataPath} cannot be made: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  return dataPath;
}

async function start(mongod: Mongod, dataPath: string, log: (line: string) => void): Promise<RunningMongod> {
  const onExit = (reason: string) => log(`the embedded MongoDB ended by itself: ${reason}`);
  const deadline = Date.now() + FOLDER_FREE_WITHIN_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const running = await startMongod(mongod, { dataPath, replSet: REPLICA_SET, onExit });
      await becomePrimary(running.port).catch(async (error) => {
        await running.stop();
        throw error;
      });
      return running;
    } catch (error) {
      const reason = reasonOf(error);
      if (/DBPathInUse/.test(reason)) {
        if (attempt === 1) log(`${dataPath} is in use; waiting a few seconds in case another copy is just ending`);
        if (Date.now() < deadline) await sleep(RETRY_MS);
        else throw folderInUse(dataPath);
      } else if (!(/already in use/i.test(reason) && attempt < PORT_ATTEMPTS)) throw error;
    }
  }
}

const folderInUse = (dataPath: string): AppError =>
  new AppError(
    'DATABASE_UNAVAILABLE',
    `another process works with the data folder ${dataPath}. Stop it first, or choose another folder (database.embeddedPath).`,
  );
