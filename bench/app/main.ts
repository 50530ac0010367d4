/** `npm run bench:app`: sign-ins that are confirmed in the app. See bench/README.md. */
import { parseArgs } from 'node:util';
import { loadSecrets } from '../../src/config/index.js';
import { freePort, type Ground, makeSecrets, onGround, say } from '../ground.js';
import { median, quantile } from '../measure.js';
import { type ServerProcess, startServerProcess } from '../processes.js';
import { type ByKind, type Cost, type Costs, SignIns } from './cost.js';
import { type Confirmer, fillPeople } from './people.js';
import { ACROSS, GOALS, PER_ROUND, WAITING, WARM_UP } from './settings.js';
import { begin, byPhone } from './sign-ins.js';
import { measureWaiting, type WaitingResult } from './waiting.js';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** `cost`, `across` or `waiting`: that part alone. */
    only: { type: 'string' },
    profile: { type: 'boolean', default: false },
  },
});
const isWanted = (part: string): boolean => flags.only === undefined || flags.only === part;
const held = (value: number, limit: number): string => (value <= limit ? `within ${limit}` : `OVER ${limit}`);

function costReport({ whole, second, hashCpuMs }: Costs): string {
  const sum = ({ serverCpuMs, databaseCpuMs }: Cost): number => serverCpuMs + databaseCpuMs;
  const row = (name: string, cost: Cost): string =>
    `| ${name} | ${cost.serverCpuMs.toFixed(1)} | ${cost.databaseCpuMs.toFixed(1)} | ${sum(cost).toFixed(1)} | ${cost.databaseCalls.toFixed(1)} |`;
  const ratioOf = ({ app, code }: ByKind): number => sum(app) / sum(code);
  const ratio = ratioOf(whole);
  return [
    `| median of ${flags.rounds} rounds of ${PER_ROUND} | server CPU ms | database CPU ms | sum ms | database calls |`,
    '| --- | ---: | ---: | ---: | ---: |',
    row('whole sign-in without the hash, confirmed in the app', whole.app),
    row('whole sign-in without the hash, verification code', whole.code),
    row('second step alone, confirmed in the app', second.app),
    row('second step alone, verification code', second.code),
    '',
    `Whole sign-in: ratio ${ratio.toFixed(2)} (${held(ratio, GOALS.ratio)}); second step alone: ${ratioOf(second).toFixed(2)}. One password hash: ${hashCpuMs.toFixed(1)} ms.`,
  ].join('\n');
}

const waitingReport = ({ idle, answering }: WaitingResult): string =>
  [
    ...idle.map(
      ({ waiting, cpuPercent, queriesPerSecond, residentMib }) =>
        `${waiting} sign-ins wait on one node: ${cpuPercent.toFixed(1)} % of a core while nothing happens (${held(cpuPercent, GOALS.waitingCpuPercent)}), ` +
        `${queriesPerSecond.toFixed(2)} queries of the watcher per second, ${residentMib.toFixed(0)} MiB resident.`,
    ),
    `${WAITING} listen and one is answered each second: ${answering.cpuPercent.toFixed(1)} % of a core.`,
  ].join('\n');

/** The phone at another node than the browser. */
async function across(here: ServerProcess, there: ServerProcess, people: readonly Confirmer[]): Promise<string> {
  const took: number[] = [];
  for (const person of people)
    took.push((await byPhone(await begin(here.origin, person), { issuer: here.origin, phone: there.origin })).tookMs);
  const measured = took.slice(-ACROSS);
  const p50 = median(measured);
  return (
    `From the phone's answer at one node to the redirect to the application at the other, ${ACROSS} times: p50 ${p50.toFixed(0)} ms (${held(p50, GOALS.acrossMs)}), ` +
    `p90 ${quantile(measured, 0.9).toFixed(0)} ms, longest ${Math.max(...measured).toFixed(0)} ms.`
  );
}

async function run({ folder, uri, client, stops }: Ground): Promise<string> {
  const rounds = Number(flags.rounds);
  const keys = makeSecrets();
  const port = await freePort();
  const start = async (listenAt: number): Promise<ServerProcess> => {
    const server = await startServerProcess('ours', {
      ...keys,
      BENCH_PORT: String(listenAt),
      BENCH_ISSUER: `http://127.0.0.1:${port}`,
      BENCH_MONGODB_URI: uri,
      BENCH_DATABASE: 'bench',
      BENCH_FOLDER: folder,
      BENCH_APP: '1',
    });
    stops.unshift(server.stop);
    return server;
  };
  const server = await start(port);
  const admin = client.db('admin');
  const { pid } = await admin.command({ serverStatus: 1 });
  const secrets = loadSecrets(keys);
  const people = await fillPeople(client, { codes: 1000, phones: WAITING + 1, secrets });
  const signIns = new SignIns(server, people, { admin, databasePid: Number(pid) });
  say(`warm-up, ${WARM_UP} of each kind`);
  await signIns.warmUp();
  if (flags.profile) return signIns.profile(folder);
  const parts: string[] = [];
  if (isWanted('cost')) parts.push(costReport(await signIns.rounds(rounds, say)));
  if (isWanted('across')) {
    say('two nodes');
    parts.push(await across(server, await start(await freePort()), people.confirmers.slice(-2 * ACROSS)));
  }
  if (isWanted('waiting')) {
    const [cookieKey = ''] = secrets.cookieKeys;
    parts.push(waitingReport(await measureWaiting({ server, client, cookieKey }, people.confirmers, say)));
  }
  return parts.join('\n\n');
}

await onGround(run);
process.exit(0);
