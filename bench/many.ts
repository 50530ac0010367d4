import { loadSecrets } from '../src/config/index.js';
import { type BenchAccount, fillOurs } from './accounts.js';
import { freePort, type Ground, makeSecrets, say } from './ground.js';
import { type Measurement, measureWork, median, medianOf } from './measure.js';
import type { BenchOptions } from './options.js';
import { type ServerProcess, startServerProcess } from './processes.js';
import { CONCURRENCY } from './settings.js';
import { AccountPool, Visitor } from './visitor.js';

const FEW = 100;
/** The most that a sign-in may cost with many accounts, as a multiple of its cost with few. */
const GOAL = 1.05;

/** One database with its accounts, and how many of them had their turn. */
interface Side {
  database: string;
  accounts: BenchAccount[];
  next: number;
}

const cost = ({ serverCpuMs, databaseCpuMs }: Measurement): number => serverCpuMs + databaseCpuMs;

const shuffled = <T>(items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** A hundred people from everywhere in the directory sign in, once each. */
async function burst(side: Side, server: ServerProcess, { client }: Ground, databasePid: number): Promise<Measurement> {
  const people = Array.from({ length: FEW }, (_, n) => side.accounts[(side.next + n) % side.accounts.length]);
  side.next += FEW;
  // Who is back within half a minute has no new code yet.
  if (side.accounts.length === FEW)
    await client
      .db(side.database)
      .collection('factors')
      .updateMany({}, { $set: { 'data.lastStep': -1 } });
  const pool = new AccountPool(people as BenchAccount[]);
  let left = FEW;
  const signIns = async (): Promise<number[]> => {
    const latencies: number[] = [];
    const visit = async (visitor: Visitor): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const began = performance.now();
        await visitor.signIn();
        latencies.push(performance.now() - began);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, () => visit(new Visitor(server.origin, pool))));
    return latencies;
  };
  return measureWork(signIns, { admin: client.db('admin'), databasePid, serverPid: server.pid });
}

const COLUMNS: [title: string, cell: (measurement: Measurement) => number][] = [
  ['server CPU ms', ({ serverCpuMs }) => serverCpuMs],
  ['database CPU ms', ({ databaseCpuMs }) => databaseCpuMs],
  ['sum ms', cost],
  ['database calls', ({ databaseCalls }) => databaseCalls],
  ['p50 ms', ({ p50Ms }) => p50Ms],
];

/**
 * What a full sign-in costs with `many` accounts and with a hundred: two databases on one MongoDB, a server each, by turns. Each round
 * has new processes, since two of the same program differ by as much as is looked for here.
 */
export async function compareSizes(many: number, options: BenchOptions, ground: Ground): Promise<string> {
  const { client, uri, folder, stops } = ground;
  const { pid } = await client.db('admin').command({ serverStatus: 1 });
  const keys = makeSecrets();
  const start = async ({ database }: Side): Promise<ServerProcess> => {
    const BENCH_PORT = String(await freePort());
    const environment = { ...keys, BENCH_PORT, BENCH_MONGODB_URI: uri, BENCH_DATABASE: database, BENCH_FOLDER: folder };
    const server = await startServerProcess('ours', environment);
    stops.unshift(server.stop);
    return server;
  };
  const end = async (server: ServerProcess): Promise<void> => {
    stops.splice(stops.indexOf(server.stop), 1);
    await server.stop();
  };
  const sides: Side[] = [];
  for (const count of [FEW, many]) {
    say(`${count} accounts`);
    const side = { database: `bench_${count}`, accounts: [] as BenchAccount[], next: 0 };
    // Indexes and keys are made by the first start.
    await end(await start(side));
    side.accounts = shuffled(await fillOurs(client.db(side.database), { count, secrets: loadSecrets(keys) }));
    sides.push(side);
  }

  const rounds: Measurement[][] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    say(`round ${round} of ${options.rounds}`);
    const running = await Promise.all(sides.map(async (side) => ({ side, server: await start(side) })));
    const measured: Measurement[][] = running.map(() => []);
    const turn = async (): Promise<void> => {
      for (const [index, { side, server }] of running.entries())
        measured[index]?.push(await burst(side, server, ground, Number(pid)));
      running.reverse();
      measured.reverse();
    };
    const turnsFor = async (seconds: number): Promise<void> => {
      const until = performance.now() + seconds * 2 * 1000;
      do {
        await turn();
        await turn();
      } while (performance.now() < until);
    };
    await turnsFor(options.warmUpSeconds);
    for (const all of measured) all.length = 0;
    await turnsFor(options.seconds);
    rounds.push(measured.map(medianOf));
    for (const { server } of running) await end(server);
  }

  const [few, lots] = [0, 1].map((index) => medianOf(rounds.map((round) => round[index] as Measurement))) as [
    Measurement,
    Measurement,
  ];
  const ratios = rounds.map(([a, b]) => cost(b as Measurement) / cost(a as Measurement));
  const ratio = median(ratios);
  const row = (name: string, cells: readonly string[]): string => `| ${name} | ${cells.join(' | ')} |`;
  const figures = (of: (cell: (measurement: Measurement) => number) => number): string[] =>
    COLUMNS.map(([, cell]) => of(cell).toFixed(2));
  return [
    row(
      'full sign-in, accounts',
      COLUMNS.map(([title]) => title),
    ),
    row(
      '---',
      COLUMNS.map(() => '---:'),
    ),
    row(
      String(FEW),
      figures((cell) => cell(few)),
    ),
    row(
      String(many),
      figures((cell) => cell(lots)),
    ),
    row(
      '**ratio**',
      figures((cell) => cell(lots) / cell(few)),
    ),
    '',
    `CPU time of server and database together, round by round: ${ratios.map((one) => one.toFixed(3)).join(', ')}; median ${ratio.toFixed(3)} (${ratio <= GOAL ? 'within' : 'OVER'} the goal of ${GOAL}).`,
  ].join('\n');
}
