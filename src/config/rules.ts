import { existsSync } from 'node:fs';
import { clientProblems } from './client-rules.js';
import { type Check, createCheck } from './complain.js';
import type { ConfigurationProblem } from './configuration-error.js';
import { isLoopback } from './loopback.js';
import type { ReadableParts } from './schema.js';
import type { Environment } from './secrets.js';

/** The rules that join settings, over whatever could be read: a mistake in one section hides none in another. */
export function ruleProblems(parts: ReadableParts, env: Environment, withoutSecrets: boolean): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const check = createCheck((path, message) => problems.push({ path, message }), env, withoutSecrets);
  for (const rule of [
    publicIssuer,
    languages,
    mailTransport,
    sessionTimes,
    clientResources,
    duplicates,
    accountPasswords,
    logoFile,
  ])
    rule(parts, check);
  clientProblems(parts, check);
  return problems;
}

type Rule = (parts: ReadableParts, check: Check) => void;

const publicIssuer: Rule = ({ issuer, demo, database, mail }, { complain, env }) => {
  if (!issuer || isLoopback(new URL(issuer))) return;
  if (demo) complain('demo', `the demonstration has public passwords: its issuer must be on localhost, not ${issuer}`);
  if (database && !database.allowEmbedded && !env.MONGODB_URI?.trim())
    complain(
      'database.allowEmbedded',
      'set MONGODB_URI: the embedded database is for development and demonstrations (or set this to true, on your own responsibility)',
    );
  if (mail?.transport === 'outbox')
    complain('mail.transport', 'must be smtp: mails in the outbox never leave this server');
};

const languages: Rule = ({ locales, defaultLocale }, { complain }) => {
  if (locales && defaultLocale && !locales.includes(defaultLocale))
    complain('defaultLocale', `must be one of locales (${locales.join(', ')})`);
};

const mailTransport: Rule = ({ mail }, { complain, secret }) => {
  if (mail?.transport !== 'smtp') return;
  if (!mail.smtp) complain('mail.smtp', 'is missing: the transport is smtp');
  else if (mail.smtp.user) secret('COUNTERSIGN_SMTP_PASSWORD', 'mail.smtp.user');
};

const sessionTimes: Rule = ({ sessions }, { complain }) => {
  if (sessions && sessions.idleSeconds > sessions.overallSeconds)
    complain('sessions.idleSeconds', 'must not be longer than sessions.overallSeconds');
};

const clientResources: Rule = ({ issuer, clients, resources }, { complain }) => {
  const ownApi = issuer && `${issuer}/api/v1`;
  const known = new Set([ownApi, ...(resources?.map((resource) => resource?.identifier) ?? [])]);
  resources?.forEach((resource, index) => {
    if (resource?.identifier === ownApi)
      complain(`resources[${index}].identifier`, 'is the management API, which needs no entry here');
  });
  clients?.forEach((client, index) => {
    client?.resources.forEach((identifier, at) => {
      if (!known.has(identifier)) complain(`clients[${index}].resources[${at}]`, 'is not the identifier of a resource');
    });
  });
};

const duplicates: Rule = ({ clients, resources, accounts, methods, policy }, { complain }) => {
  const unique = <T>(
    list: readonly (T | undefined)[] | undefined,
    name: string,
    field: string,
    key: (entry: T) => string,
  ) => {
    const seen = new Map<string, number>();
    list?.forEach((entry, index) => {
      if (entry === undefined) return;
      const first = seen.get(key(entry));
      if (first === undefined) seen.set(key(entry), index);
      else complain(`${name}[${index}].${field}`, `is the same as ${name}[${first}].${field}`);
    });
  };
  unique(clients, 'clients', 'client_id', (client) => client.client_id);
  unique(resources, 'resources', 'identifier', (resource) => resource.identifier);
  unique(accounts, 'accounts', 'login', (account) => account.login.normalize('NFKC').toLowerCase());
  unique(methods, 'methods', 'id', (method) => method.id);
  unique(policy?.groups, 'policy.groups', 'group', (rule) => rule.group);
};

const accountPasswords: Rule = ({ accounts, demo }, { complain, secret }) => {
  accounts?.forEach((account, index) => {
    const path = `accounts[${index}]`;
    if (account?.password !== undefined && !demo)
      complain(
        `${path}.password`,
        'belongs to the demonstration only: use password_env, or leave it out to invite them',
      );
    if (account?.password !== undefined && account.password_env)
      complain(`${path}.password_env`, 'stands beside password: remove one of them');
    if (account?.password_env) secret(account.password_env, `${path}.password_env`);
  });
};

const logoFile: Rule = ({ branding }, { complain }) => {
  if (branding?.logo && !existsSync(branding.logo)) complain('branding.logo', `there is no file ${branding.logo}`);
};
