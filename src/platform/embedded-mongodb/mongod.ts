import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { lastLine, reasonOf } from './environment.js';

const run = promisify(execFile);

/** The oldest release whose transactions, change streams and replica set commands we rely on. */
const OLDEST_MAJOR = 6;
const ANSWER_TIMEOUT_MS = 20_000;

/** A binary that says that it is a mongod we can use. */
export interface Mongod {
  binary: string;
  version: string;
}

/** What a search gives: a mongod, or why there is none. */
export type Found = Mongod | { missing: string };

/** Runs `mongod --version`: a file that is there but lacks a library, or belongs to another processor, shows here. */
export async function examineBinary(binary: string): Promise<Found> {
  let output: string;
  try {
    ({ stdout: output } = await run(binary, ['--version'], { timeout: ANSWER_TIMEOUT_MS }));
  } catch (error) {
    const complaint = typeof error === 'object' && error && 'stderr' in error ? lastLine(String(error.stderr)) : '';
    return { missing: `${binary} does not run (${complaint || reasonOf(error)})` };
  }
  const [, version, major] = /db version v?((\d+)\.\d+\.\d+)/i.exec(output) ?? [];
  if (!version) return { missing: `${binary} does not say that it is a mongod` };
  if (Number(major) < OLDEST_MAJOR) return { missing: `${binary} is release ${version}, older than ${OLDEST_MAJOR}.0` };
  return { binary, version };
}
