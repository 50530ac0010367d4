import { ensureIndexes, SEALED } from '../app.js';
import {
  type Config,
  ConfigurationError,
  type Environment,
  isLoopback,
  loadConfig,
  readSecret,
  type Secrets,
} from '../config/index.js';
import { smtpTransport } from '../notifications/index.js';
import { checkDatabase, checkIndexes, checkIssuer, checkSealed, checkSecrets } from '../operations/doctor/index.js';
import { systemClock } from '../platform/clock.js';
import { connectDatabase } from '../platform/database.js';
import { declaredIndexes } from '../platform/declared-indexes.js';
import { ERROR, type Finding, OK, WARNING } from '../platform/finding.js';
import { createSecretBox } from '../platform/secret-box.js';
import { type CliIo, CommandRefused } from './command.js';
import { examineMethods } from './examine-methods.js';
import { openDatabase, secretsOf } from './open-app.js';

/** @throws CommandRefused when a check found an error. */
export async function examineAll(file: string, io: CliIo): Promise<void> {
  const findings: Finding[] = [];
  const note = (...more: Finding[]): void => {
    for (const { level, what } of more) io.out(`${level.padEnd(8)} ${what}`);
    findings.push(...more);
  };
  note(...complaintsOf(() => loadConfig(file, io.env), 'configuration'));
  const config = attempt(() => loadConfig(file, io.env, { withoutRules: true }));
  if (config) await examine(config, io, note);
  const errors = findings.filter(({ level }) => level === 'error').length;
  if (errors > 0) throw new CommandRefused([`${errors} of ${findings.length} checks found an error`]);
}

/** Everything beyond the file, whatever is wrong elsewhere. */
async function examine(config: Config, io: CliIo, note: (...more: Finding[]) => void): Promise<void> {
  const { env } = io;
  const secrets = attempt(() => secretsOf(config, env));
  note(...(secrets ? checkSecrets(secrets) : complaintsOf(() => secretsOf(config, env), 'secrets')));
  note(...(await guarded('database', () => examineDatabase(config, io, secrets))));
  note(...(await guarded('issuer', async () => [await checkIssuer(config.issuer)])));
  note(...(await guarded('mail', () => examineMail(config, env))));
  note(...(await guarded('methods', () => examineMethods(config, env))));
}

async function examineDatabase(config: Config, { env, err }: CliIo, secrets?: Secrets): Promise<Finding[]> {
  // The configuration's finding already: one of our own is not what it should be then, nor to be fetched.
  if (isPublic(config) && !config.database.allowEmbedded && !env.MONGODB_URI?.trim()) return [];
  const { uri, stop } = await openDatabase(config, env, err);
  try {
    const database = await connectDatabase(uri, { name: config.database.name });
    try {
      const indexes = await checkIndexes(database, await declaredIndexes(ensureIndexes));
      const found = [...(await checkDatabase(database, systemClock)), ...indexes];
      if (!secrets) return found;
      const secretBox = createSecretBox(secrets.sealingKeys, secrets.indexKey);
      return [...found, ...(await checkSealed(database, secretBox, SEALED))];
    } finally {
      await database.close();
    }
  } finally {
    await stop();
  }
}

const isPublic = ({ issuer }: Config): boolean => !isLoopback(new URL(issuer));

async function examineMail(config: Config, env: Environment): Promise<Finding[]> {
  const { mail } = config;
  if (mail.transport !== 'smtp' || !mail.smtp) {
    const kept = 'mail: kept in the outbox, sent nowhere';
    return [isPublic(config) ? WARNING(`${kept}: set mail.transport to smtp, and mail.smtp`) : OK(kept)];
  }
  const { host, port, secure, user } = mail.smtp;
  const password = readSecret(env, 'COUNTERSIGN_SMTP_PASSWORD');
  const transport = smtpTransport({
    host,
    port,
    secure,
    from: mail.from,
    ...(user ? { user } : {}),
    ...(password ? { password } : {}),
  });
  try {
    await transport.verify?.();
    return [OK(`mail: ${host}:${port} takes us`)];
  } finally {
    transport.close?.();
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function complaintsOf(work: () => unknown, what: string): Finding[] {
  try {
    work();
    return [OK(`${what}: complete and valid`)];
  } catch (error) {
    if (error instanceof ConfigurationError)
      return error.problems.map(({ path, message }) => ERROR(`${what}: ${path} ${message}`));
    throw error;
  }
}

/** What cannot be looked at is a finding, too; messages of drivers may hold passwords, their names and codes do not. */
async function guarded(what: string, work: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await work();
  } catch (error) {
    const { name, code } = error as { name?: string; code?: unknown };
    return [ERROR(`${what}: not to be had (${code ?? name ?? 'unknown'})`)];
  }
}
