import { type AccountStore, ROLES, type Role } from '../accounts/index.js';
import { systemClock } from '../platform/clock.js';
import { CONFIG, CommandRefused, command } from './command.js';
import { withApp } from './open-app.js';

const PAGE = 200;

const REFUSALS: Record<string, string> = {
  login_taken: '--login is taken',
  login_unusable: '--login cannot be used: no spaces or control characters, at most 254 characters',
  name_missing: '--name is empty',
  email_malformed: '--email is no address',
};

export const addAccount = command({
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
    await withApp(file, io, async (app, config) => {
      if (locale && !config.locales.includes(locale))
        problems.push(`--locale must be one of ${config.locales.join(', ')}`);
      if (await app.accounts.findByLogin(login)) problems.push('--login is taken');
      if (problems.length > 0) throw new CommandRefused(problems);
      const created = await app.accounts.create({
        login,
        name,
        groups: group,
        ...(email ? { email } : {}),
        ...(locale ? { locale } : {}),
      });
      if (!created.ok) throw new CommandRefused([REFUSALS[created.reason] ?? created.reason]);
      const { account } = created;
      const actor = { type: 'operator' } as const;
      await app.audit.record({ type: 'user_created', accountId: account.id, actor });
      io.out(`${account.login} has an account (${account.id}).`);
      if (!invite) return;
      await app.sendInvitation(account, actor);
      io.out(`The invitation is in the outbox; the server mails it to ${email}.`);
    });
  },
});

export const listAccounts = command({
  name: 'accounts list',
  help: 'lists all accounts: id, login, name, state, groups',
  options: { config: CONFIG },
  run: ({ config }, io) =>
    withApp(config, io, async ({ accounts }) => {
      for await (const { id, login, name, active, groups } of each(accounts))
        io.out([id, login, name, active ? 'active' : 'deactivated', groups.join(',')].join('\t'));
    }),
});

async function* each(accounts: AccountStore) {
  let after: string | undefined;
  for (;;) {
    const page = await accounts.list({ limit: PAGE, ...(after ? { after } : {}) });
    yield* page;
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

const isRole = (name: string): name is Role => ROLES.some((role) => role === name);

/** `accounts grant` and `accounts revoke`: how the first owner comes to be, and the way back when all of them are gone. */
const changeRole = (verb: 'grant' | 'revoke') =>
  command({
    name: `accounts ${verb}`,
    help: verb === 'grant' ? 'makes an employee an administrator' : 'takes a role away',
    options: {
      config: CONFIG,
      login: { value: 'LOGIN', required: true, help: 'of the employee' },
      role: { value: 'ROLE', required: true, help: ROLES.join(', ') },
    },
    async run({ config: file, login, role }, io) {
      if (!isRole(role)) throw new CommandRefused([`--role must be one of ${ROLES.join(', ')}`]);
      await withApp(file, io, async ({ accounts, audit, outbox, database, desk }) => {
        const account = await accounts.findByLogin(login);
        if (!account) throw new CommandRefused(['--login is nobody here']);
        const type = verb === 'grant' ? 'role_granted' : 'role_revoked';
        const outcome = await database.transaction(async (unit) => {
          const changed =
            verb === 'grant'
              ? await accounts.grantRole(account.id, role, unit)
              : await accounts.revokeRole(account.id, role, unit);
          if (changed !== true && changed !== 'revoked') return changed;
          const actor = { type: 'operator' } as const;
          if (verb === 'grant') await desk.closeSetUp(unit, account.id, actor);
          await audit.record({ type, accountId: account.id, actor, details: { role } }, unit);
          await outbox.announce(
            { type, accountId: account.id, at: systemClock.now().toISOString(), facts: { role } },
            unit,
          );
          return changed;
        });
        if (outcome === 'last_owner')
          throw new CommandRefused(['the last owner stays: grant the role to somebody else first']);
        io.out(
          outcome === true
            ? `${account.login} is ${role} now.`
            : outcome === 'revoked'
              ? `${account.login} is ${role} no more.`
              : 'Nothing to change.',
        );
      });
    },
  });

export const grantRole = changeRole('grant');
export const revokeRole = changeRole('revoke');
