import { loadConfig } from '../config/index.js';
import { startServer } from '../main.js';
import { openMongo } from '../platform/embedded-mongodb/index.js';
import { type CliIo, CommandRefused } from './command.js';
import { createConfiguredAccounts } from './configured-accounts.js';
import { secretsOf } from './open-app.js';

const STOP_WITHIN_MS = 10_000;

/** MongoDB's codes for an index that is there, but another one. */
const INDEX_OPTIONS_CONFLICT = 85;
const INDEX_KEY_SPECS_CONFLICT = 86;

/** Runs the server until it is told to stop. */
export async function serve(file: string, io: CliIo): Promise<void> {
  const { env } = io;
  const config = loadConfig(file, env);
  const secrets = secretsOf(config, env);
  const stopped = untilSignal(io, config.listen.drainSeconds * 1000 + STOP_WITHIN_MS);
  const mongo = await openMongo({ dataPath: config.database.embeddedPath, env, log: io.err });
  try {
    if (mongo.embedded)
      io.err(
        `The embedded MongoDB keeps its data in ${config.database.embeddedPath}; mongodump and mongorestore move them to a server.`,
      );
    const server = await startServer({ config, secrets, env, mongoUri: mongo.uri }).catch((error: unknown) => {
      throw inWords(error, config.listen);
    });
    try {
      await createConfiguredAccounts(config.accounts, server, env);
      io.out(`Ready: ${server.issuer}`);
      await stopped;
    } finally {
      await server.stop();
    }
  } finally {
    await mongo.stop();
  }
}

/** The first signal stops in order; the second one, or waiting too long, ends the process as it stands. */
function untilSignal({ err }: CliIo, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    const onSignal = (): void => {
      if (isStopping) process.exit(130);
      isStopping = true;
      err('Stopping.');
      setTimeout(() => process.exit(1), withinMs).unref();
      resolve();
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  });
}

function inWords(error: unknown, { host, port: own }: { host: string; port: number }): unknown {
  const port = typeof error === 'object' && error !== null && 'port' in error ? error.port : own;
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return new CommandRefused([
      `port ${port} is in use: end the program that has it, or set ${port === own ? 'listen.port' : 'metrics.listen.port'}`,
    ]);
  if (code === INDEX_OPTIONS_CONFLICT || code === INDEX_KEY_SPECS_CONFLICT)
    return new CommandRefused([
      'an index of the database is not as it should be: countersign doctor says which, and what to do',
    ]);
  if (code === 'EACCES') return new CommandRefused([`port ${port} may not be used by this user: set listen.port`]);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new CommandRefused([`listen.host ${host} is no address of this machine`]);
  return error;
}
