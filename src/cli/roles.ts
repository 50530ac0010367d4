import { ROLES, type Role } from '../accounts/contract.js';
import { CONFIG, CommandRefused, command, LOGIN, OPERATOR } from './command.js';
import { namedAccount } from './named-account.js';
import { withApp } from './with-app.js';

const isRole = (name: string): name is Role => ROLES.some((role) => role === name);

/** `accounts grant` and `accounts revoke`: the way back when nobody is left who can give roles. */
const changeRole = (verb: 'grant' | 'revoke') =>
  command({
    name: `accounts ${verb}`,
    help:
      verb === 'grant' ? 'makes an employee an administrator; owners are told' : 'takes a role away; owners are told',
    options: {
      config: CONFIG,
      login: LOGIN,
      role: { value: 'ROLE', required: true, help: ROLES.join(', ') },
    },
    async run({ config: file, login, role }, io) {
      if (!isRole(role)) throw new CommandRefused([`--role must be one of ${ROLES.join(', ')}`]);
      await withApp(file, io, async (app) => {
        const { account } = await namedAccount(app, login);
        const change = verb === 'grant' ? app.operations.accounts.grantRole : app.operations.accounts.revokeRole;
        const isChanged = await change(account.id, role, OPERATOR);
        const now = verb === 'grant' ? `${role} now` : `${role} no more`;
        io.out(isChanged ? `${account.login} is ${now}.` : 'Nothing to change.');
      });
    },
  });

export const roleCommands = [changeRole('grant'), changeRole('revoke')];
