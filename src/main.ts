import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Account, AccountStore } from './accounts/index.js';
import { type App, createApp, ensureIndexes } from './app.js';
import { type Config, clientsWithSecrets, type Environment, readSecret, type Secrets } from './config/index.js';
import { smtpTransport, storedTransport, type Transport } from './notifications/index.js';
import { loadSigningKeys } from './oidc/keys.js';
import { systemClock } from './platform/clock.js';
import { connectDatabase, type Database } from './platform/database.js';
import { createLogger, type Logger } from './platform/logger.js';
import { createSecretBox } from './platform/secret-box.js';

export interface ServerOptions {
  config: Config;
  secrets: Secrets;
  /** A replica set or sharded cluster. */
  mongoUri: string;
  env: Environment;
  logger?: Logger;
}

export interface RunningServer {
  issuer: string;
  port: number;
  app: App;
  accounts: AccountStore;
  /** Mails an invitation in the name of the operator. */
  invite(account: Account): Promise<void>;
  database: Database;
  /** Finishes the requests under way, then lets go of everything. */
  stop(): Promise<void>;
}

/** Requests under way get this long to finish when the server stops. */
const GRACE_MS = 4_000;

function mailTransport(config: Config, database: Database, env: Environment): Transport {
  const { transport, smtp, from } = config.mail;
  if (transport === 'outbox' || !smtp) return storedTransport(database);
  const password = readSecret(env, 'COUNTERSIGN_SMTP_PASSWORD');
  return smtpTransport({ ...smtp, from, ...(password ? { password } : {}) } as Parameters<typeof smtpTransport>[0]);
}

function listen(server: Server, { host, port }: Config['listen']): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/**
 * Connects, wires and listens.
 * @throws when the database does not answer, a plugin refuses its configuration or the port is in use.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, secrets, env, logger = createLogger(config.log.level) } = options;
  const database = await connectDatabase(options.mongoUri, { name: config.database.name });
  try {
    await ensureIndexes(database);
    const secretBox = createSecretBox(secrets.sealingKeys, secrets.indexKey);
    const jwks = await loadSigningKeys({ database, secretBox, clock: systemClock });
    const app = createApp(config, {
      database,
      secrets,
      jwks,
      logger,
      clients: clientsWithSecrets(config, env),
      transport: mailTransport(config, database, env),
    });
    const server = createServer(app.koa.callback());
    server.requestTimeout = 30_000;
    server.headersTimeout = 15_000;
    const port = await listen(server, config.listen);
    app.outbox.start();
    app.web.warmUp();
    await app.audit.record({ type: 'sys_startup', actor: { type: 'system' } });
    return {
      issuer: config.issuer,
      port,
      app,
      accounts: app.accounts,
      invite: (account) => app.sendInvitation(account, { type: 'operator' }),
      database,
      async stop() {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        server.closeIdleConnections();
        const impatient = setTimeout(() => server.closeAllConnections(), GRACE_MS);
        await closed;
        clearTimeout(impatient);
        await app.outbox.stop();
        await app.audit.record({ type: 'sys_shutdown', actor: { type: 'system' } }).catch(() => {});
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}
