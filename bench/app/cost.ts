import { join } from 'node:path';
import type { BenchAccount } from '../accounts.js';
import { callsSoFar, median, type Watched } from '../measure.js';
import { cpuMs, type ServerProcess } from '../processes.js';
import { compareProfiles, readProfile } from '../profile.js';
import { CONCURRENCY } from '../settings.js';
import type { Confirmer } from './people.js';
import { PER_ROUND, WARM_UP } from './settings.js';
import { type Begun, begin, byCode, byPhone } from './sign-ins.js';

/** Of one second step: from its first page to the redirect to the application. */
export interface Cost {
  serverCpuMs: number;
  databaseCpuMs: number;
  databaseCalls: number;
}
export const KINDS = ['app', 'code'] as const;
type Kind = (typeof KINDS)[number];
export type Costs = Record<Kind, Cost>;

/** Hands people out in turn: a code of one is accepted once in 30 s. */
const turns = <Person>(people: readonly Person[]) => {
  let next = 0;
  return (count: number): Person[] => Array.from({ length: count }, () => people[next++ % people.length] as Person);
};

/** All of them, a few at a time. */
export async function each<T, R>(all: readonly T[], atOnce: number, work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += atOnce)
    results.push(...(await Promise.all(all.slice(at, at + atOnce).map(work))));
  return results;
}

/** Second steps of both kinds by turns, on one server: their passwords are checked before the clock of either runs. */
export class SecondSteps {
  readonly #take: Record<Kind, (count: number) => readonly (BenchAccount | Confirmer)[]>;

  constructor(
    private readonly server: ServerProcess,
    people: { coders: readonly BenchAccount[]; confirmers: readonly Confirmer[] },
    private readonly watched: Omit<Watched, 'serverPid'>,
  ) {
    this.#take = { app: turns(people.confirmers), code: turns(people.coders) };
  }

  async warmUp(): Promise<void> {
    for (const kind of KINDS) await this.#measure(kind, WARM_UP);
  }

  async rounds(count: number, say: (line: string) => void): Promise<Costs> {
    const measured: Record<Kind, Cost[]> = { app: [], code: [] };
    for (let round = 1; round <= count; round += 1) {
      say(`round ${round} of ${count}`);
      for (const kind of KINDS) measured[kind].push(await this.#measure(kind, PER_ROUND));
    }
    const of = (kind: Kind): Cost => {
      const figure = (name: keyof Cost): number => median(measured[kind].map((cost) => cost[name]));
      return {
        serverCpuMs: figure('serverCpuMs'),
        databaseCpuMs: figure('databaseCpuMs'),
        databaseCalls: figure('databaseCalls'),
      };
    };
    return { app: of('app'), code: of('code') };
  }

  async profile(folder: string): Promise<string> {
    const spent = async (kind: Kind) => {
      const begun = await this.#begin(kind, PER_ROUND);
      await this.server.toggleProfile();
      await this.#finish(kind, begun);
      await this.server.toggleProfile();
      return readProfile(join(folder, `${this.server.pid}.cpuprofile`), PER_ROUND);
    };
    return compareProfiles(await spent('app'), await spent('code'), {
      of: 'one second step, by package or folder',
      columns: ['app', 'code'],
    });
  }

  #begin(kind: Kind, count: number) {
    return each(this.#take[kind](count), CONCURRENCY, (person) => begin(this.server.origin, person));
  }

  async #finish(kind: Kind, begun: readonly Begun<BenchAccount>[]): Promise<void> {
    const { origin } = this.server;
    await each<Begun<BenchAccount>, unknown>(begun, CONCURRENCY, (one) =>
      kind === 'code' ? byCode(one) : byPhone(one as Begun<Confirmer>, { issuer: origin, phone: origin }),
    );
  }

  async #measure(kind: Kind, count: number): Promise<Cost> {
    const begun = await this.#begin(kind, count);
    const { admin, databasePid } = this.watched;
    const calls = await callsSoFar(admin);
    const [server, database] = [cpuMs(this.server.pid), cpuMs(databasePid)];
    await this.#finish(kind, begun);
    return {
      serverCpuMs: (cpuMs(this.server.pid) - server) / count,
      databaseCpuMs: (cpuMs(databasePid) - database) / count,
      databaseCalls: ((await callsSoFar(admin)) - calls) / count,
    };
  }
}
