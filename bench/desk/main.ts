/** `npm run bench:desk`: a thousand waiting pages, and lists of a hundred thousand accounts. See bench/README.md. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createApp } from '../../src/app.js';
import { loadConfig, loadSecrets } from '../../src/config/index.js';
import { storedTransport } from '../../src/notifications/index.js';
import { loadSigningKeys } from '../../src/oidc/index.js';
import { systemClock } from '../../src/platform/clock.js';
import { connectDatabase } from '../../src/platform/database.js';
import { createLogger } from '../../src/platform/logger.js';
import { createSecretBox } from '../../src/platform/secret-box.js';
import { freePort, type Ground, makeSecrets, onGround, say } from '../ground.js';
import { startServerProcess } from '../processes.js';
import { fillDirectory, type ListResult, measureLists } from './lists.js';
import { ACCOUNTS, GOALS, PAGE, WAITING } from './settings.js';
import { measureWaiting, type WaitingResult } from './waiting.js';

const held = (value: number, limit: number): string => (value <= limit ? `within ${limit}` : `OVER ${limit}`);

function report(waiting: WaitingResult, lists: readonly ListResult[]): string {
  const { heard } = waiting;
  return [
    `${WAITING} waiting pages on one node: ${waiting.cpuPercent.toFixed(1)} % of a core while nothing happens (${held(waiting.cpuPercent, GOALS.waitingCpuPercent)}), ` +
      `${waiting.queriesPerSecond.toFixed(2)} queries of the watcher per second (one in 500 ms is 2), ${waiting.residentMib.toFixed(0)} MiB resident.`,
    `From a stored decision until its page hears: p50 ${heard.p50.toFixed(0)} ms, p99 ${heard.p99.toFixed(0)} ms, longest ${heard.longest.toFixed(0)} ms (${held(heard.longest, GOALS.heardMs)}).`,
    '',
    `| ${PAGE} of ${ACCOUNTS} | p50 CPU ms | p99 CPU ms | p99 ms | |`,
    '| --- | ---: | ---: | ---: | --- |',
    ...lists.map(
      ({ name, p50CpuMs, p99CpuMs, p99Ms }) =>
        `| ${name} | ${p50CpuMs.toFixed(1)} | ${p99CpuMs.toFixed(1)} | ${p99Ms.toFixed(1)} | ${held(p99CpuMs, GOALS.listCpuMs)} |`,
    ),
  ].join('\n');
}

async function run({ folder, uri, client, stops }: Ground): Promise<string> {
  const port = await freePort();
  const secretsInEnvironment = makeSecrets();
  const server = await startServerProcess('ours', {
    ...secretsInEnvironment,
    BENCH_PORT: String(port),
    BENCH_MONGODB_URI: uri,
    BENCH_DATABASE: 'bench',
    BENCH_FOLDER: folder,
  });
  stops.unshift(server.stop);

  const file = join(folder, 'office.yaml');
  const issuer = `http://127.0.0.1:${port}`;
  writeFileSync(
    file,
    stringify({ issuer, database: { name: 'bench' }, log: { level: 'silent' }, api: { requestsPerMinute: 1_000_000 } }),
  );
  const env = { MONGODB_URI: uri };
  const database = await connectDatabase(uri, { name: 'bench' });
  stops.unshift(() => database.close());
  const secrets = loadSecrets(secretsInEnvironment);
  const secretBox = createSecretBox(secrets.sealingKeys, secrets.indexKey);
  const signingKeys = await loadSigningKeys({ database, secretBox, clock: systemClock });
  const office = createApp(loadConfig(file, env), {
    database,
    secrets,
    signingKeys,
    clients: [],
    logger: createLogger('silent'),
    transport: storedTransport(database),
  });

  const db = client.db('bench');
  await db.command({ profile: 0 });
  const queriesSoFar = async (): Promise<number> => {
    const { totals } = await client.db('admin').command({ top: 1 });
    return Number(totals['bench.recovery_requests']?.queries?.count ?? 0);
  };
  const waiting = await measureWaiting(office, server, queriesSoFar, say);
  say(`${ACCOUNTS} accounts`);
  await fillDirectory(db);
  say('lists');
  return report(waiting, await measureLists(office, issuer, signingKeys.all()));
}

await onGround(run);
process.exit(0);
