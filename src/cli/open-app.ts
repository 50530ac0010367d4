import { dirname } from 'node:path';
import { type App, createApp, ensureIndexes } from '../app.js';
import { type Config, demoSecrets, type Environment, loadConfig, loadSecrets, type Secrets } from '../config/index.js';
import { storedTransport } from '../notifications/index.js';
import { loadSigningKeys } from '../oidc/index.js';
import { admitRelease, SCHEMA_VERSION } from '../operations/migrations/index.js';
import { systemClock } from '../platform/clock.js';
import { connectDatabase } from '../platform/database.js';
import { openMongo, runningMongo } from '../platform/embedded-mongodb/index.js';
import { createLogger } from '../platform/logger.js';
import { createSecretBox } from '../platform/secret-box.js';
import type { CliIo } from './command.js';

/** The keys of an installation; the demonstration makes its own, beside its data. */
export const secretsOf = (config: Config, env: Environment): Secrets =>
  config.demo ? demoSecrets(dirname(config.database.embeddedPath)) : loadSecrets(env);

/**
 * Does one piece of work with the services of the server, beside a running one or without: what it puts in the outbox
 * is sent by the server.
 */
export async function withApp(
  file: string,
  { env, err }: CliIo,
  work: (app: App, config: Config) => Promise<void>,
): Promise<void> {
  const config = loadConfig(file, env, { withoutSecrets: true });
  const secrets = secretsOf(config, env);
  const { uri, stop } = await openDatabase(config, env, err);
  try {
    const database = await connectDatabase(uri, { name: config.database.name });
    try {
      await admitRelease(database, SCHEMA_VERSION);
      await ensureIndexes(database);
      const secretBox = createSecretBox(secrets.sealingKeys, secrets.indexKey);
      const signingKeys = await loadSigningKeys({ database, secretBox, clock: systemClock });
      const transport = storedTransport(database);
      const app = createApp(config, {
        database,
        secrets,
        signingKeys,
        clients: [],
        logger: createLogger('warn'),
        transport,
      });
      await work(app, config);
    } finally {
      await database.close();
    }
  } finally {
    await stop();
  }
}

/** The configured one, or the embedded one of a running server. */
export async function openDatabase({ database }: Config, env: Environment, progress: (line: string) => void) {
  const dataPath = database.embeddedPath;
  const running = env.MONGODB_URI?.trim() ? undefined : await runningMongo(dataPath);
  return running ? { uri: running, stop: async () => {} } : openMongo({ dataPath, env, log: () => {}, progress });
}
