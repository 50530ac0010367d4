/** `npm run bench`: what a sign-in costs here, and how much more than the bare library. See bench/README.md. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { loadSecrets } from '../src/config/index.js';
import { fillOurs, fillReference } from './accounts.js';
import { freePort, type Ground, makeSecrets, onGround, say } from './ground.js';
import { compareSizes } from './many.js';
import { type Measurement, median, medianOf } from './measure.js';
import { OPERATIONS, type Operation, Subject } from './operations.js';
import { type BenchOptions, readOptions } from './options.js';
import { type ServerName, type ServerProcess, startServerProcess } from './processes.js';
import { compareProfiles, readProfile, type Spent, withReference } from './profile.js';
import { type Result, report } from './report.js';
import { CONCURRENCY, type ServerEnvironment } from './settings.js';
import { AccountPool } from './visitor.js';

const NAMES: readonly ServerName[] = ['ours', 'reference'];
const STARTS = 3;

const both = async <T>(work: (name: ServerName) => Promise<T>): Promise<Record<ServerName, T>> => ({
  ours: await work('ours'),
  reference: await work('reference'),
});

/** Rounds of both servers by turns, so that a busy minute of the machine hits both. */
async function measureAll(
  subjects: Record<ServerName, Subject>,
  starts: Record<ServerName, number>,
  { rounds, seconds }: BenchOptions,
): Promise<Record<ServerName, Result>> {
  const measured = await both(async () => new Map<Operation, Measurement[]>(OPERATIONS.map((name) => [name, []])));
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of NAMES) {
      say(`round ${round} of ${rounds}: ${name}`);
      for (const operation of OPERATIONS) {
        measured[name].get(operation)?.push(await subjects[name].measure(operation, seconds));
      }
    }
  }
  return both(async (name) => {
    say(`a crowd signs in: ${name}`);
    return {
      startedInMs: starts[name],
      operations: Object.fromEntries(
        [...measured[name]].map(([operation, all]) => [operation, medianOf(all)]),
      ) as Result['operations'],
      crowd: await subjects[name].crowd(seconds),
    };
  });
}

async function profileAll(
  subjects: Record<ServerName, Subject>,
  folder: string,
  { seconds, operation }: BenchOptions,
): Promise<Record<ServerName, Spent>> {
  return both(async (name) => {
    say(`profile: ${name}`);
    const { process: server } = subjects[name];
    await server.toggleProfile();
    const { operations } = await subjects[name].measure(operation, seconds);
    await server.toggleProfile();
    return readProfile(join(folder, `${server.pid}.cpuprofile`), operations);
  });
}

async function run(options: BenchOptions, { folder, uri, client, stops }: Ground): Promise<string> {
  const admin = client.db('admin');
  const { pid: databasePid } = await admin.command({ serverStatus: 1 });
  const secrets = makeSecrets();
  const environments = await both(
    async (name): Promise<ServerEnvironment & Record<string, string>> => ({
      ...secrets,
      BENCH_PORT: String(await freePort()),
      BENCH_MONGODB_URI: uri,
      BENCH_DATABASE: `bench_${name}`,
      BENCH_FOLDER: folder,
    }),
  );

  say('first start: indexes and keys are made');
  for (const name of NAMES) await (await startServerProcess(name, environments[name])).stop();
  say(`${options.accounts} accounts`);
  const accounts = await fillOurs(client.db('bench_ours'), { count: options.accounts, secrets: loadSecrets(secrets) });
  await fillReference(client.db('bench_reference'), accounts);
  const starts = await both(async (): Promise<number[]> => []);
  const running = {} as Record<ServerName, ServerProcess>;
  for (let start = 1; start <= STARTS; start += 1) {
    for (const name of NAMES) {
      running[name] = await startServerProcess(name, environments[name]);
      starts[name].push(running[name].startedInMs);
      if (start < STARTS) await running[name].stop();
      else stops.unshift(running[name].stop);
    }
  }
  const subjects = await both(
    async (name) => new Subject(running[name], new AccountPool(accounts), { admin, databasePid: Number(databasePid) }),
  );
  for (const name of NAMES) {
    say(`warm-up: ${name}`);
    await subjects[name].warmUp(options.warmUpSeconds);
  }
  if (options.profile) {
    const { ours, reference } = await profileAll(subjects, folder, options);
    return compareProfiles(ours, reference, withReference(options.operation));
  }
  const startsMedian = { ours: median(starts.ours), reference: median(starts.reference) };
  const results = await measureAll(subjects, startsMedian, options);
  const { version } = await admin.command({ buildInfo: 1 });
  return report(
    results,
    `Node ${process.version}, MongoDB ${String(version)}, ${CONCURRENCY} visitors at a time, median of ${options.rounds} rounds of ${options.seconds} s per operation after ${options.warmUpSeconds} s of warm-up.`,
  );
}

const options = readOptions(process.argv.slice(2));
if (availableParallelism() < 2) throw new Error('two cores are needed: one for the server, one for the rest');
await onGround((ground) => (options.many ? compareSizes(options.many, options, ground) : run(options, ground)));
