import { createHmac } from 'node:crypto';
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import { type Config, demoSecrets, type Environment, loadConfig, type Secrets } from '../config/index.js';
import { AppError } from '../errors.js';
import { startServer } from '../main.js';
import { ensureStoredMailIndexes } from '../notifications/index.js';
import { inSeconds, systemClock } from '../platform/clock.js';
import { connectDatabase } from '../platform/database.js';
import { openMongo } from '../platform/embedded-mongodb/index.js';
import { createDemoAccounts, demoAccounts, GRACE_DAYS, GRACE_GROUP } from './accounts.js';
import { createDemoApp } from './demo-app.js';
import { ensureAuthenticatorIndexes } from './phone/authenticator-pages.js';
import { portProblem, requireFreePort } from './ports.js';
import { startTexting, TOKEN_VARIABLE, textingOf } from './texting.js';
import { ensureTextIndexes } from './texts.js';

const CLIENT_ID = 'demo-app';
const SECRET_VARIABLE = 'DEMO_APP_SECRET';

export interface RunningDemo {
  issuer: string;
  /** Where the tour is. */
  baseUrl: string;
  stop(): Promise<void>;
}

/**
 * Starts MongoDB, the sign-in server and the demonstration; what was started is stopped again when a later part fails.
 * @param say takes one line of progress.
 * @throws AppError with a message for the person at the terminal.
 */
export async function runDemo(options: {
  configFile: string;
  env: Environment;
  say(line: string): void;
}): Promise<RunningDemo> {
  const { say } = options;
  const started: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    const { config, env, secrets, clientSecret } = prepare(options.configFile, options.env);
    const baseUrl = baseUrlOf(config);
    const port = Number(new URL(baseUrl).port);
    await requireFreePort(config.listen.port, 'the sign-in server');
    await requireFreePort(port, 'the demonstration');
    const texting = textingOf(config);
    if (texting) await requireFreePort(texting.port, 'the stand-in of Twilio');

    const mongo = await openMongo({ dataPath: config.database.embeddedPath, env, log: say });
    started.push(() => mongo.stop());
    const database = await connectDatabase(mongo.uri, { name: config.database.name });
    started.push(() => database.close());
    await Promise.all([
      ensureStoredMailIndexes(database),
      ensureAuthenticatorIndexes(database),
      ensureTextIndexes(database),
    ]);
    if (texting) started.push(await startTexting(texting, { database, authToken: derived(secrets, TOKEN_VARIABLE) }));

    const server = await startServer({ config, secrets, env, mongoUri: mongo.uri }).catch((error: unknown) => {
      throw portProblem(error, config.listen.port, 'the sign-in server');
    });
    started.push(() => server.stop());
    const { accounts, links, outbox, audit } = server.app;
    await createDemoAccounts(config.accounts, { issuer: server.issuer, accounts, links, notifier: outbox, audit });

    const app = createDemoApp({
      issuer: server.issuer,
      baseUrl,
      clientId: CLIENT_ID,
      clientSecret,
      accounts: demoAccounts(config.accounts),
      database,
      clock: systemClock,
      log: say,
    });
    const listener = await listen(() => app.listen(port, '127.0.0.1'), port);
    started.push(() => close(listener));
    return { issuer: server.issuer, baseUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Secrets between parts of the demonstration are derived: both sides know them after a restart, and none is written anywhere. */
const derived = ({ indexKey }: Secrets, name: string): string =>
  createHmac('sha256', indexKey).update(name).digest('base64url');

function prepare(configFile: string, given: Environment) {
  const first = loadConfig(configFile, { ...given, [SECRET_VARIABLE]: 'a-placeholder-until-the-keys-are-known' });
  const secrets = demoSecrets(dirname(first.database.embeddedPath));
  const clientSecret = derived(secrets, SECRET_VARIABLE);
  const env = { ...given, [SECRET_VARIABLE]: clientSecret, [TOKEN_VARIABLE]: derived(secrets, TOKEN_VARIABLE) };
  return { config: withGrace(loadConfig(configFile, env)), env, secrets, clientSecret };
}

/** A configuration file knows fixed dates only; "a week left" has to be true whenever the demonstration is started. */
function withGrace(config: Config): Config {
  const deadline = inSeconds(systemClock.now(), GRACE_DAYS * 86_400);
  const groups = config.policy.groups.filter(({ group }) => group !== GRACE_GROUP);
  const grace = { group: GRACE_GROUP, setUp: { required: true, deadline } };
  return { ...config, policy: { ...config.policy, groups: [...groups, grace] } };
}

function baseUrlOf(config: Config): string {
  const [callback] = config.clients.find(({ client_id }) => client_id === CLIENT_ID)?.redirect_uris ?? [];
  if (!callback)
    throw new AppError('CONFIGURATION_INVALID', `the configuration has no client ${CLIENT_ID} with a redirect_uri`);
  return new URL(callback).origin;
}

function listen(open: () => Server, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = open();
    server.once('listening', () => resolve(server));
    server.once('error', (error) => reject(portProblem(error, port, 'the demonstration')));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
