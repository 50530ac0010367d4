import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { stringify } from 'yaml';
import type { Account } from '../../src/accounts/contract.js';
import { type App, type AppDeps, createApp, ensureIndexes } from '../../src/app.js';
import { type Config, clientsWithSecrets, loadConfig, type Secrets } from '../../src/config/index.js';
import { listStoredMails, type StoredMail, storedTransport } from '../../src/notifications/index.js';
import type { SigningKeys } from '../../src/oidc/index.js';
import type { Clock } from '../../src/platform/clock.js';
import { systemClock } from '../../src/platform/clock.js';
import type { Database } from '../../src/platform/database.js';
import { createLogger, type Logger } from '../../src/platform/logger.js';
import { Browser } from './browser.js';
import { testDatabase } from './database.js';

export const PASSWORD = 'orchard lantern 47 violet';

/** Those of the run. */
const signingKeys = (): JWK[] => JSON.parse(process.env.TEST_SIGNING_KEYS ?? '[]');

const fixedKeys = (all: readonly JWK[]): SigningKeys => ({
  all: () => all,
  upToDate: async () => {},
  maySign: async () => {},
  onChange: (heard) => heard(all),
});

export const testSecrets: Secrets = {
  sealingKeys: [{ id: 'test', key: Buffer.alloc(32, 7) }],
  cookieKeys: ['test-cookie-key-of-sufficient-length-0001'],
  indexKey: Buffer.alloc(32, 9),
};

/** A server that cannot be made leaves nothing behind. */
async function createOr(giveUp: () => Promise<void> | undefined, ...made: Parameters<typeof createApp>): Promise<App> {
  try {
    return createApp(...made);
  } catch (error) {
    await giveUp();
    throw error;
  }
}

export interface TestApp {
  issuer: string;
  /** Where it listens on 127.0.0.1, whatever the issuer says. */
  port: number;
  config: Config;
  app: App;
  database: Database & { uri: string; name: string };
  /** Lines of the log, parsed. */
  calls: string[];
  browser(): Browser;
  /** Mails sent so far, newest first. */
  mails(): Promise<StoredMail[]>;
  /** Creates an account; with a password unless told otherwise. */
  account(login: string, options?: { password?: string | null; groups?: string[]; email?: string }): Promise<Account>;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createNetServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The client of most tests: confidential, first-party, 2FA demanded. */
export const RP = {
  client_id: 'rp',
  client_name: 'Time Sheets',
  client_secret_env: 'RP_SECRET',
  redirect_uris: ['https://rp.example/cb'],
  post_logout_redirect_uris: ['https://rp.example/out'],
  client_uri: 'https://rp.example/',
  grant_types: ['authorization_code', 'refresh_token'],
  first_party: true,
};
export const RP_SECRET = 'rp-secret-of-sufficient-length-000';

/**
 * The whole server in this process, on a database of its own (or a given one: a second node).
 * @param settings YAML settings over the tests' defaults; some need the issuer.
 */
export async function startApp(
  settings: Record<string, unknown> | ((issuer: string) => Record<string, unknown>) = {},
  options: {
    database?: TestApp['database'];
    clock?: Clock;
    issuer?: string;
    /** Of the issuer. */
    path?: string;
    env?: Record<string, string>;
    logger?: Logger;
    observer?: AppDeps['observer'];
    passwords?: AppDeps['passwords'];
  } = {},
): Promise<TestApp> {
  const { clock = systemClock } = options;
  const port = await freePort();
  const issuer = options.issuer ?? `http://localhost:${port}${options.path ?? ''}`;
  const folder = mkdtempSync(join(tmpdir(), 'countersign-config-'));
  const file = join(folder, 'config.yaml');
  const env = { RP_SECRET, ...options.env };
  writeFileSync(
    file,
    stringify({
      issuer,
      log: { level: 'silent' },
      policy: { firstEnrolment: 'password' },
      clients: [RP],
      ...(typeof settings === 'function' ? settings(issuer) : settings),
    }),
  );
  const config = loadConfig(file, env);
  rmSync(folder, { recursive: true });
  const own = options.database ? undefined : await testDatabase();
  const database = (options.database ?? own) as TestApp['database'];
  await ensureIndexes(database);
  const calls: string[] = [];
  const app = await createOr(() => own?.drop(), config, {
    database,
    secrets: testSecrets,
    signingKeys: fixedKeys(signingKeys()),
    clients: clientsWithSecrets(config, env),
    readSecret: (variable) => env[variable as keyof typeof env],
    logger: options.logger ?? createLogger('silent'),
    transport: storedTransport(database, clock),
    clock,
    ...(options.observer ? { observer: options.observer } : {}),
    ...(options.passwords ? { passwords: options.passwords } : {}),
    onOidcCall: (model, operation) => calls.push(`${model}.${operation}`),
  });
  const server: Server = createServer(app.koa.callback());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    issuer,
    port,
    config,
    app,
    database,
    calls,
    browser: () => new Browser(issuer),
    async mails() {
      app.outbox.start();
      await app.outbox.kick();
      return listStoredMails(database);
    },
    async account(
      login,
      { password = PASSWORD, groups = [], email = `${randomBytes(4).toString('hex')}@mail.example` } = {},
    ) {
      const created = await app.accounts.create({
        login,
        name: login.split('@')[0] ?? login,
        email,
        groups,
        ...(password === null ? {} : { password }),
      });
      if (!created.ok) throw new Error(created.reason);
      return created.account;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await app.outbox.stop();
      await own?.drop();
    },
  };
}
