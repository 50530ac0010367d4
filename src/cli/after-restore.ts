import { voidAfterRestore } from '../operations/index.js';
import { systemClock } from '../platform/clock.js';
import { CONFIG, CommandRefused, command } from './command.js';
import { withApp } from './open-app.js';

export const afterRestore = command({
  name: 'after-restore',
  help: 'voids what a restored backup has brought back to life; with all nodes stopped',
  options: {
    config: CONFIG,
    yes: { help: 'do it: everybody signs in anew, and recovery codes have to be made anew' },
  },
  async run({ config, yes }, io) {
    if (!yes)
      throw new CommandRefused([
        'this ends every session, token, sign-in under way, link in a mail, access pass, open request and suspension, and removes all recovery codes: stop all nodes, then give --yes',
      ]);
    await withApp(config, io, async (app) => {
      const counts = await voidAfterRestore({ ...app, clock: systemClock });
      for (const [name, count] of Object.entries(counts)) io.out(`${name}\t${count}`);
      io.out('Done. Who was deactivated, or lost a role or a phone, since the backup has to be told again.');
    });
  },
});
