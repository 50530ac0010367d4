import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import mongoose from 'mongoose';

const ANSWER_WITHIN_MS = 1_000;
const fileIn = (dataPath: string): string => join(dataPath, 'countersign-address');

/** Leaves word of where the embedded MongoDB of this folder answers, for commands that run beside the server. */
export const announce = (dataPath: string, uri: string): Promise<void> =>
  writeFile(fileIn(dataPath), uri, { mode: 0o600 });

export const retract = (dataPath: string): Promise<void> => rm(fileIn(dataPath), { force: true });

/**
 * The address of the embedded MongoDB that works on this folder right now, started by another process. What a killed
 * process left behind is not believed: the port may be somebody else's by now.
 */
export async function runningMongo(dataPath: string): Promise<string | undefined> {
  const folder = resolve(dataPath);
  const uri = await readFile(fileIn(folder), 'utf8').catch(() => undefined);
  if (!uri) return undefined;
  const client = new mongoose.mongo.MongoClient(uri, { serverSelectionTimeoutMS: ANSWER_WITHIN_MS });
  try {
    const { parsed } = await client.db('admin').command({ getCmdLineOpts: 1 });
    return parsed?.storage?.dbPath === folder ? uri : undefined;
  } catch {
    return undefined;
  } finally {
    await client.close();
  }
}
