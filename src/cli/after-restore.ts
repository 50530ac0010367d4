import { systemClock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import { CONFIG, CommandRefused, command } from './command.js';
import { withApp } from './with-app.js';

export const afterRestore = command({
  name: 'after-restore',
  help: 'voids what a restored backup has brought back to life; with all nodes stopped',
  options: {
    config: CONFIG,
    yes: { help: 'do it: everybody signs in anew, and recovery codes have to be made anew' },
    force: { help: 'although a server seems to be running' },
  },
  async run({ config, yes, force }, io) {
    if (!yes)
      throw new CommandRefused([
        'this ends every session, token, sign-in under way, link in a mail, access pass, open request and suspension, and removes all recovery codes: stop all nodes, then give --yes',
      ]);
    await withApp(config, io, async (app) => {
      if (!force) await refuseBesideServers(app.database);
      const { voidAfterRestore } = await import('../operations/index.js');
      const counts = await voidAfterRestore({ ...app, clock: systemClock });
      for (const [name, count] of Object.entries(counts)) io.out(`${name}\t${count}`);
      io.out('Done. Who was deactivated, or lost a role or a phone, since the backup has to be told again.');
    });
  },
});

async function refuseBesideServers(database: Database): Promise<void> {
  const { runningServers } = await import('../operations/index.js');
  const goOn = 'stop all nodes; if none is left, give --force';
  const addresses = await runningServers(database).catch(() => {
    throw new CommandRefused([`the database does not show whether a server is running: ${goOn}`]);
  });
  if (addresses.length > 0)
    throw new CommandRefused([`a server is running on this database, from ${addresses.join(', ')}: ${goOn}`]);
}
