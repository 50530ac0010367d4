import { REFUSALS } from './accounts.js';
import { CONFIG, CommandRefused, command, OPERATOR } from './command.js';
import { withApp } from './with-app.js';

/** How the first owner comes to be. There is no password that anybody could know beforehand: the link is used up by choosing one. */
export const init = command({
  name: 'init',
  help: 'makes the first owner and prints the link, good once and for 24 hours, with which they begin',
  options: {
    config: CONFIG,
    login: { value: 'LOGIN', required: true, help: 'what the owner types to sign in' },
    name: { value: 'NAME', required: true, help: "the owner's name" },
    email: { value: 'ADDRESS', help: 'a checked address of the owner' },
    again: { help: 'although there is an owner: another one, or another link; owners are told' },
  },
  run: ({ config, login, name, email, again }, io) =>
    withApp(config, io, async ({ operations }) => {
      const wanted = { login, name, ...(email ? { email } : {}) };
      const owner = await operations.accounts.appointOwner(wanted, OPERATOR, again);
      if (!owner) throw new CommandRefused(['there is an owner already: --again makes another one, or another link']);
      if (!owner.ok) throw new CommandRefused([REFUSALS[owner.reason] ?? owner.reason]);
      io.err(`${owner.account.login} is owner. Open this within 24 hours; it works once, for whoever has it:`);
      io.out(owner.link);
    }),
});
