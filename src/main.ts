import { setTimeout as sleep } from 'node:timers/promises';
import type { Account, AccountStore } from './accounts/index.js';
import { type App, createApp, ensureIndexes } from './app.js';
import { createAudit, createAuditRetention } from './audit/index.js';
import { type Config, clientsWithSecrets, type Environment, readSecret, type Secrets } from './config/index.js';
import { smtpTransport, storedTransport, type Transport } from './notifications/index.js';
import { loadSigningKeys } from './oidc/index.js';
import { createHealth, createRetention, serverAppName } from './operations/index.js';
import { createMetrics, createReadings, openMetricsListener, watchCommands } from './operations/metrics/index.js';
import { admitRelease, createMigrations, MIGRATIONS, SCHEMA_VERSION } from './operations/migrations/index.js';
import { systemClock } from './platform/clock.js';
import { connectDatabase, type Database } from './platform/database.js';
import { type Listener, openListener } from './platform/listener.js';
import { createLogger, type Logger } from './platform/logger.js';
import { systemRandom } from './platform/random.js';
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

/** Requests and deliveries under way get this long to finish when the server stops. */
const GRACE_MS = 4_000;

/** How often what has ended by time is written down. Nothing is let in or kept out by it. */
const SWEEP_MS = 5_000;

/** How often what has been kept long enough is forgotten. */
const FORGET_MS = 3_600_000;

const sweep = (app: App, logger: Logger): Promise<void> =>
  app.desk.sweep().catch((err: unknown) => logger.warn({ err }, 'recovery desk not swept'));

/** How often a node looks whether a signing key is due. */
const KEEP_KEYS_MS = 60_000;

/** @returns how to stop it; resolves when nothing is under way any more. */
function keepKeys({ keyRotation }: App, logger: Logger): () => Promise<void> {
  let running = Promise.resolve();
  const keep = (): void => {
    running = running
      .then(() => keyRotation.keep())
      .catch((err: unknown) => logger.warn({ err }, 'signing keys not looked after'));
  };
  keep();
  const timer = setInterval(keep, KEEP_KEYS_MS).unref();
  return () => {
    clearInterval(timer);
    return running;
  };
}

function mailTransport(config: Config, database: Database, env: Environment): Transport {
  const { transport, smtp, from } = config.mail;
  if (transport === 'outbox' || !smtp) return storedTransport(database);
  const password = readSecret(env, 'COUNTERSIGN_SMTP_PASSWORD');
  return smtpTransport({ ...smtp, from, ...(password ? { password } : {}) } as Parameters<typeof smtpTransport>[0]);
}

/**
 * Connects, wires and listens.
 * @throws when the database does not answer or is too new, a plugin refuses its configuration or the port is in use.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, secrets, env, logger = createLogger(config.log.level) } = options;
  const { listen: metricsAddress } = config.metrics;
  const database = await connectDatabase(options.mongoUri, {
    name: config.database.name,
    appName: serverAppName(config.database.name),
    watchCommands: metricsAddress !== undefined,
  });
  let metricsListener: Listener | undefined;
  try {
    await admitRelease(database, SCHEMA_VERSION);
    await ensureIndexes(database);
    const secretBox = createSecretBox(secrets.sealingKeys, secrets.indexKey);
    const signingKeys = await loadSigningKeys({
      database,
      secretBox,
      clock: systemClock,
      audit: createAudit({ database, clock: systemClock, random: systemRandom }),
    });
    const metrics = metricsAddress && createMetrics(() => readings());
    if (metrics) watchCommands(database, metrics);
    const app = createApp(config, {
      database,
      secrets,
      signingKeys,
      logger,
      clients: clientsWithSecrets(config, env),
      readSecret: (variable) => readSecret(env, variable),
      transport: mailTransport(config, database, env),
      ...(metrics ? { observer: metrics } : {}),
    });
    const readings = createReadings({ ...app, streams: app.web.streams, clock: systemClock, logger });
    app.web.warmUp();
    await app.engine.warmUp();
    await app.audit.record({ type: 'sys_startup', actor: { type: 'system' } });
    const health = createHealth({ database, clock: systemClock, logger, signingKeys: () => signingKeys.all().length });
    const answer = app.koa.callback();
    metricsListener = metrics && (await openMetricsListener(metrics, metricsAddress, logger));
    const listener = await openListener((request, response) => {
      if (!health.handle(request, response)) void answer(request, response);
    }, config.listen);
    app.outbox.start();
    const migrations = createMigrations({
      database,
      clock: systemClock,
      random: systemRandom,
      logger,
      audit: app.audit,
      services: app,
      migrations: MIGRATIONS,
    });
    const retention = createRetention({
      ...app,
      clock: systemClock,
      random: systemRandom,
      settings: config.retention,
      audit: createAuditRetention({ database }),
    });
    const forget = (): void =>
      void retention.sweep().catch((err: unknown) => logger.warn({ err }, 'retention broken off, goes on later'));
    forget();
    const forgetting = setInterval(forget, FORGET_MS).unref();
    const sweeping = setInterval(() => void sweep(app, logger), SWEEP_MS).unref();
    const stopKeepingKeys = keepKeys(app, logger);
    return {
      issuer: config.issuer,
      port: listener.port,
      app,
      accounts: app.accounts,
      invite: (account) => app.sendInvitation(account, { type: 'operator' }),
      database,
      async stop() {
        health.stopping();
        await sleep(config.listen.drainSeconds * 1000);
        clearInterval(sweeping);
        clearInterval(forgetting);
        app.desk.watcher.stop();
        app.web.streams.close();
        // Mails that the last requests leave behind wait for the next start, or for another node.
        const mailsSettled = Promise.race([app.outbox.stop(), sleep(GRACE_MS, undefined, { ref: false })]);
        await Promise.all([listener.close(GRACE_MS), metricsListener?.close(GRACE_MS)]);
        await Promise.all([mailsSettled, migrations.stop(), stopKeepingKeys()]);
        await app.audit.record({ type: 'sys_shutdown', actor: { type: 'system' } }).catch(() => {});
        await database.close();
      },
    };
  } catch (error) {
    await metricsListener?.close(0);
    await database.close();
    throw error;
  }
}
