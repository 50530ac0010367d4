import type { DirectoryEntry } from '../accounts/index.js';
import type { App } from '../app.js';
import type { Config } from '../config/index.js';
import { CONFIG, CommandRefused, command, JSON_OUTPUT, LOGIN, OPERATOR } from './command.js';
import { namedAccount } from './named-account.js';
import { withApp } from './with-app.js';

const PAGE = 200;

export const REFUSALS: Readonly<Record<string, string>> = {
  login_taken: '--login is taken',
  login_unusable: '--login cannot be used: no spaces or control characters, at most 254 characters',
  name_missing: '--name is empty',
  email_malformed: '--email is no address',
};

const invited = (email: string, { mail }: Config): string =>
  mail.transport === 'outbox'
    ? 'The invitation stays in the outbox: mail.transport is outbox, which sends nothing.'
    : `The invitation is in the outbox; the server mails it to ${email}.`;

const addAccount = command({
  name: 'accounts add',
  help: 'makes an account',
  options: {
    config: CONFIG,
    login: { value: 'LOGIN', required: true, help: 'what the employee types to sign in' },
    name: { value: 'NAME', required: true, help: "the employee's name" },
    email: { value: 'ADDRESS', help: 'a checked address of the employee' },
    group: { value: 'GROUP', multiple: true, help: 'a group that policies may name' },
    locale: { value: 'LANGUAGE', help: 'language of mails, such as de' },
    invite: { help: 'mails a link with which the employee chooses a password; needs --email' },
  },
  async run({ config: file, login, name, email, group, locale, invite }, io) {
    const problems = invite && !email ? ['--invite needs --email'] : [];
    await withApp(file, io, async ({ accounts, operations }, config) => {
      if (locale && !config.locales.includes(locale))
        problems.push(`--locale must be one of ${config.locales.join(', ')}`);
      if (await accounts.findByLogin(login)) problems.push('--login is taken');
      if (problems.length > 0) throw new CommandRefused(problems);
      const wanted = { login, name, groups: group, ...(email ? { email } : {}), ...(locale ? { locale } : {}) };
      const created = await operations.accounts.create(wanted, OPERATOR, { invite });
      if (!created.ok) throw new CommandRefused([REFUSALS[created.reason] ?? created.reason]);
      const { account } = created;
      io.out(`${account.login} has an account (${account.id}).`);
      if (email && invite) io.out(invited(email, config));
    });
  },
});

const listAccounts = command({
  name: 'accounts list',
  help: 'lists all accounts, newest first: id, login, name, state, groups',
  options: { config: CONFIG, json: { help: 'one JSON object in each line' } },
  run: ({ config, json }, io) =>
    withApp(config, io, async (app) => {
      for await (const entry of each(app)) {
        const { id, login, name, active, groups } = entry.account;
        const columns = [id, login, name, active ? 'active' : 'deactivated', groups.join(',')];
        io.out(json ? JSON.stringify(app.showAccount(entry)) : columns.join('\t'));
      }
    }),
});

async function* each({ directory }: App): AsyncGenerator<DirectoryEntry> {
  let page: Awaited<ReturnType<App['directory']['list']>> | undefined;
  do {
    const after = page?.next;
    page = await directory.list({}, { limit: PAGE, ...(after ? { after } : {}) });
    yield* page.items;
  } while (page.next);
}

const showAccount = command({
  name: 'accounts show',
  help: 'shows one account and its login methods',
  options: { config: CONFIG, login: LOGIN, json: JSON_OUTPUT },
  run: ({ config, login, json }, io) =>
    withApp(config, io, async (app) => {
      const entry = await namedAccount(app, login);
      const account = app.showAccount(entry);
      const methods = await app.engine.forAccount(account.id);
      const factors = methods.flatMap(({ id: method, factors: all }) =>
        all.map(({ id, label, createdAt, lastUsedAt }) => ({ id, method, label, createdAt, lastUsedAt })),
      );
      if (json) return io.out(JSON.stringify({ ...account, factors }, undefined, 2));
      const { suspension } = account;
      for (const [title, value] of [
        ['id', account.id],
        ['login', account.login],
        ['name', account.name],
        ['email', account.email],
        ['locale', account.locale],
        ['groups', account.groups.join(', ')],
        ['roles', account.roles.join(', ')],
        ['state', account.active ? 'active' : 'deactivated'],
        ['level', account.level],
        ['suspended', suspension && `until ${suspension.until}`],
        ['created', account.createdAt],
        ['changed', account.updatedAt],
      ] as const)
        if (value) io.out(`${title.padEnd(12)}${value}`);
      for (const { method, label, createdAt, lastUsedAt } of factors) {
        const used = lastUsedAt ? `, last used ${lastUsedAt.toISOString()}` : '';
        io.out(`${'method'.padEnd(12)}${method}: ${label}, since ${createdAt.toISOString()}${used}`);
      }
    }),
});

const deactivateAccount = command({
  name: 'accounts deactivate',
  help: 'locks somebody out at once, everywhere',
  options: { config: CONFIG, login: LOGIN },
  run: ({ config, login }, io) =>
    withApp(config, io, async (app) => {
      const { account } = await namedAccount(app, login);
      await app.operations.accounts.deactivate(account.id, OPERATOR);
      io.out(`${account.login} is deactivated: sessions, grants and tokens are void.`);
    }),
});

const reactivateAccount = command({
  name: 'accounts reactivate',
  help: 'lets somebody who was deactivated sign in again',
  options: { config: CONFIG, login: LOGIN },
  run: ({ config, login }, io) =>
    withApp(config, io, async (app) => {
      const { account } = await namedAccount(app, login);
      await app.operations.accounts.reactivate(account.id, OPERATOR);
      io.out(`${account.login} is active.`);
    }),
});

const inviteAccount = command({
  name: 'accounts invite',
  help: 'mails an invitation, in place of the one before',
  options: { config: CONFIG, login: LOGIN },
  run: ({ config, login }, io) =>
    withApp(config, io, async (app, settings) => {
      const { account } = await namedAccount(app, login);
      await app.operations.accounts.invite(account, OPERATOR);
      io.out(invited(account.email ?? '', settings));
    }),
});

const resetFactors = command({
  name: 'accounts reset-factors',
  help: 'takes every login method of the second step from somebody; owners are told',
  options: { config: CONFIG, login: LOGIN },
  run: ({ config, login }, io) =>
    withApp(config, io, async (app) => {
      const { account } = await namedAccount(app, login);
      const count = await app.operations.accounts.resetFactors(account.id, OPERATOR);
      io.out(
        count === 0 ? 'Nothing is set up.' : `${count} removed. ${account.login} needs an access pass to begin anew.`,
      );
    }),
});

export const accountCommands = [
  addAccount,
  listAccounts,
  showAccount,
  deactivateAccount,
  reactivateAccount,
  inviteAccount,
  resetFactors,
];
