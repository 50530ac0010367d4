import { setTimeout as sleep } from 'node:timers/promises';
import type { mongo } from 'mongoose';
import { cpuMs, residentMib, type ServerProcess } from '../processes.js';
import { CONCURRENCY } from '../settings.js';
import { each } from './cost.js';
import type { Confirmer } from './people.js';
import { ANSWERED, FEW_WAITING, IDLE_SECONDS, WAITING } from './settings.js';
import { answer, begin, type Listening, listen } from './sign-ins.js';
import { storeBegun } from './stored.js';

export interface Idle {
  waiting: number;
  cpuPercent: number;
  /** Of all kinds, on the challenges: what the watcher asks. */
  queriesPerSecond: number;
  residentMib: number;
}

export interface WaitingResult {
  idle: Idle[];
  /** With all of them listening, and one answered each second. */
  answering: { cpuPercent: number };
}

/** How long the watcher looks back: what was asked lately is read again with each tick. */
const QUIET_AFTER_MS = 31_000;

/** Pages that listen on one node: what they cost while nothing happens, and while somebody is answered each second. */
export async function measureWaiting(
  { server, client, cookieKey }: { server: ServerProcess; client: mongo.MongoClient; cookieKey: string },
  people: readonly Confirmer[],
  say: (line: string) => void,
): Promise<WaitingResult> {
  const admin = client.db('admin');
  const percent = async (work: () => Promise<void>): Promise<{ cpuPercent: number; seconds: number }> => {
    const [cpu, at] = [cpuMs(server.pid), performance.now()];
    await work();
    const elapsedMs = performance.now() - at;
    return { cpuPercent: ((cpuMs(server.pid) - cpu) / elapsedMs) * 100, seconds: elapsedMs / 1000 };
  };
  const queriesSoFar = async (): Promise<number> => {
    const { totals } = await admin.command({ top: 1 });
    return Number(totals['bench.app_challenges']?.queries?.count ?? 0);
  };

  const [first] = people;
  if (!first) throw new Error('nobody waits');
  const like = await begin(server.origin, first);
  const begun = await storeBegun(client, like, people.slice(1, WAITING - ANSWERED + 1), cookieKey);
  const pages: Listening[] = [];
  const idle: Idle[] = [];
  for (const waiting of [FEW_WAITING, WAITING - ANSWERED]) {
    say(`${waiting} pages listen`);
    pages.push(...(await each(begun.slice(pages.length, waiting), CONCURRENCY, listen)));
    await sleep(QUIET_AFTER_MS);
    const before = await queriesSoFar();
    const { cpuPercent, seconds } = await percent(() => sleep(IDLE_SECONDS * 1000));
    const queriesPerSecond = ((await queriesSoFar()) - before) / seconds;
    idle.push({ waiting, cpuPercent, queriesPerSecond, residentMib: residentMib(server.pid) });
  }

  // Asked last, so that their numbers are good for the longest.
  const toBeAnswered = people.slice(WAITING - ANSWERED + 1, WAITING + 1);
  const last = await each(toBeAnswered, CONCURRENCY, async (person) => listen(await begin(server.origin, person)));
  say('one is answered each second');
  const servers = { issuer: server.origin, phone: server.origin };
  const { cpuPercent } = await percent(async () => {
    await Promise.all(
      last.map(async (page, place) => {
        await sleep(place * 1000);
        await answer(page, servers);
      }),
    );
  });
  for (const { stream } of pages) stream.destroy();
  return { idle, answering: { cpuPercent } };
}
