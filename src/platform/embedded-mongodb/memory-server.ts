/** The only importer of `mongodb-memory-server`: its downloads, and its care for a mongod that must not outlive us. */
import { createServer } from 'node:net';
import { DryMongoBinary, MongoBinary, MongoInstance } from 'mongodb-memory-server';
import type { Mongod } from './mongod.js';
import { shutDown } from './replica-set.js';

/** Replaying the journal after a crash takes its time. */
const LAUNCH_TIMEOUT_MS = 60_000;

/** A binary that the library downloaded before, in one of its own cache folders. */
export const downloadedBinary = (): Promise<string | undefined> =>
  withVariables({ MONGOMS_SYSTEM_BINARY: undefined }, async () =>
    DryMongoBinary.locateBinary(await DryMongoBinary.generateOptions()),
  );

/**
 * Downloads the library's default release. The library counts attempts and calls them retries: 0 would not even try.
 * Without `npm_config_strict_ssl` it would run what any server sent it, since it then checks no certificate.
 */
export const downloadBinary = (): Promise<string> =>
  withVariables({ MONGOMS_SYSTEM_BINARY: undefined, MONGOMS_MAX_RETRIES: '1', npm_config_strict_ssl: 'true' }, () =>
    MongoBinary.getPath(),
  );

export interface RunningMongod {
  port: number;
  /** Ends the process in order; the data stays. */
  stop(): Promise<void>;
}

/**
 * Starts one member of a replica set on a free port of 127.0.0.1.
 * @throws Error whose message is mongod's own last complaint.
 */
export async function startMongod(
  { binary, version }: Mongod,
  { dataPath, replSet, onExit }: { dataPath: string; replSet: string; onExit(reason: string): void },
): Promise<RunningMongod> {
  const port = await freePort();
  const instance = new WatchedInstance({
    instance: {
      port,
      dbPath: dataPath,
      replSet,
      ip: '127.0.0.1',
      storageEngine: 'wiredTiger',
      launchTimeout: LAUNCH_TIMEOUT_MS,
      args: [
        ...(process.platform === 'win32' ? [] : ['--nounixsocket']),
        '--setParameter',
        'diagnosticDataCollectionEnabled=false',
      ],
    },
    binary: { systemBinary: binary, version },
    // Ctrl-C goes to the whole process group of the terminal: mongod has to live until we have finished our work.
    spawn: process.platform === 'win32' ? {} : { detached: true },
  });
  try {
    await withVariables({ MONGOMS_SYSTEM_BINARY: binary }, () => instance.start());
  } catch (error) {
    await instance.stop();
    throw new Error(instance.complaint ?? (error instanceof Error ? error.message : String(error)), { cause: error });
  }
  let stopping: Promise<void> | undefined;
  const exited = new Promise<void>((resolve) => {
    instance.mongodProcess?.once('exit', (code, signal) => {
      if (!stopping) onExit(instance.complaint ?? `it ended with ${signal ?? `code ${code}`}`);
      resolve();
    });
  });
  const end = async () => {
    if (await shutDown(port)) await exited;
    await instance.stop();
  };
  return {
    port,
    stop: () => {
      stopping ??= end();
      return stopping;
    },
  };
}

/**
 * The library's instance, with two faults mended: it parses whatever chunk the pipe delivers as if it were one line, and
 * throws from an event handler when it is not; and it waits 5 s for a mongod that failed to start to take a command.
 */
class WatchedInstance extends MongoInstance {
  /** What mongod said last at level error or fatal. */
  complaint?: string;
  #rest = '';

  override stdoutHandler(message: string | Buffer): void {
    const lines = (this.#rest + message.toString()).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      this.#remember(line);
      super.stdoutHandler(line);
    }
  }

  override stop(): Promise<boolean> {
    // What is left of a mongod now gets a signal instead of the command for members of a set.
    this.isReplSet = false;
    return super.stop();
  }

  #remember(line: string): void {
    if (!/"s":"[EF]"/.test(line)) return;
    const { msg, attr } = JSON.parse(line) as { msg?: string; attr?: { error?: unknown } };
    const { error } = attr ?? {};
    if (typeof error === 'string') this.complaint = error;
    else this.complaint ??= msg;
  }
}

/** The library prefers these variables to what it is given as options; it reads them while it works. */
async function withVariables<T>(variables: Record<string, string | undefined>, work: () => Promise<T>): Promise<T> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const [name, value] of Object.entries(variables)) set(name, value);
  try {
    return await work();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no free port')),
      );
    });
  });
