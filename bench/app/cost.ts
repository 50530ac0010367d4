import { join } from 'node:path';
import { slowHash, slowVerify } from '../../src/platform/slow-hash.js';
import { type BenchAccount, PASSWORD_HASH } from '../accounts.js';
import { callsSoFar, median, type Watched } from '../measure.js';
import { cpuMs, type ServerProcess } from '../processes.js';
import { compareProfiles, readProfile } from '../profile.js';
import { CONCURRENCY, PASSWORD } from '../settings.js';
import type { Confirmer } from './people.js';
import { PER_ROUND, WARM_UP } from './settings.js';
import { type Begun, begin, byCode, byPhone, exchange } from './sign-ins.js';

export interface Cost {
  serverCpuMs: number;
  databaseCpuMs: number;
  databaseCalls: number;
}
export const KINDS = ['app', 'code'] as const;
type Kind = (typeof KINDS)[number];
export type ByKind = Record<Kind, Cost>;
export interface Costs {
  /** From the application's request to its tokens, without the hash of the password. */
  whole: ByKind;
  /** From its first page to the tokens. */
  second: ByKind;
  hashCpuMs: number;
}

const minus = (one: Cost, other: Cost): Cost => ({
  serverCpuMs: one.serverCpuMs - other.serverCpuMs,
  databaseCpuMs: one.databaseCpuMs - other.databaseCpuMs,
  databaseCalls: one.databaseCalls - other.databaseCalls,
});

const HASHES = 20;

/** What one look at a password costs, in this process and beside the same work as the server's. */
async function hashCpuMs(): Promise<number> {
  const hash = await slowHash(PASSWORD, PASSWORD_HASH);
  const before = process.cpuUsage();
  for (let done = 0; done < HASHES; done += 1) await slowVerify(hash, PASSWORD);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / HASHES;
}

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

/** Sign-ins of both kinds by turns, on one server. */
export class SignIns {
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
    const measured: Record<Kind, { whole: Cost; second: Cost }[]> = { app: [], code: [] };
    const hashes: number[] = [];
    for (let round = 1; round <= count; round += 1) {
      say(`round ${round} of ${count}`);
      hashes.push(await hashCpuMs());
      for (const kind of KINDS) measured[kind].push(await this.#measure(kind, PER_ROUND));
    }
    const of = (kind: Kind, part: 'whole' | 'second'): Cost => {
      const figure = (name: keyof Cost): number => median(measured[kind].map((costs) => costs[part][name]));
      return {
        serverCpuMs: figure('serverCpuMs'),
        databaseCpuMs: figure('databaseCpuMs'),
        databaseCalls: figure('databaseCalls'),
      };
    };
    const hash = { serverCpuMs: median(hashes), databaseCpuMs: 0, databaseCalls: 0 };
    return {
      whole: { app: minus(of('app', 'whole'), hash), code: minus(of('code', 'whole'), hash) },
      second: { app: of('app', 'second'), code: of('code', 'second') },
      hashCpuMs: hash.serverCpuMs,
    };
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
      of: 'one second step up to the tokens, by package or folder',
      columns: ['app', 'code'],
    });
  }

  #begin(kind: Kind, count: number) {
    return each(this.#take[kind](count), CONCURRENCY, (person) => begin(this.server.origin, person));
  }

  async #finish(kind: Kind, begun: readonly Begun<BenchAccount>[]): Promise<void> {
    const servers = { issuer: this.server.origin, phone: this.server.origin };
    await each(begun, CONCURRENCY, async (one) => {
      const code = kind === 'code' ? await byCode(one) : (await byPhone(one as Begun<Confirmer>, servers)).code;
      await exchange(one, code);
    });
  }

  async #soFar(): Promise<Cost> {
    const { admin, databasePid } = this.watched;
    const databaseCalls = await callsSoFar(admin);
    return { serverCpuMs: cpuMs(this.server.pid), databaseCpuMs: cpuMs(databasePid), databaseCalls };
  }

  async #measure(kind: Kind, count: number): Promise<{ whole: Cost; second: Cost }> {
    const atFirst = await this.#soFar();
    const begun = await this.#begin(kind, count);
    const atSecond = await this.#soFar();
    await this.#finish(kind, begun);
    const atLast = await this.#soFar();
    const ofOne = (cost: Cost): Cost => ({
      serverCpuMs: cost.serverCpuMs / count,
      databaseCpuMs: cost.databaseCpuMs / count,
      databaseCalls: cost.databaseCalls / count,
    });
    return { whole: ofOne(minus(atLast, atFirst)), second: ofOne(minus(atLast, atSecond)) };
  }
}
