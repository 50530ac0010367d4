import type { mongo } from 'mongoose';
import { cpuMs, residentMib } from './processes.js';

/** What one operation cost in one round. */
export interface Measurement {
  operations: number;
  perSecond: number;
  serverCpuMs: number;
  databaseCpuMs: number;
  databaseCalls: number;
  p50Ms: number;
  p99Ms: number;
  residentMib: number;
}

/** Commands that a server sends for its work; heartbeats and the bench's own questions are none of them. */
const CALLS = ['find', 'insert', 'update', 'delete', 'findAndModify', 'aggregate', 'getMore', 'bulkWrite', 'count'];

export interface Watched {
  serverPid: number;
  databasePid: number;
  admin: mongo.Db;
}

/** Commands of all servers on this database so far. */
export async function callsSoFar(admin: mongo.Db): Promise<number> {
  const { metrics } = await admin.command({ serverStatus: 1 });
  return CALLS.reduce((sum, name) => sum + Number(metrics.commands[name]?.total ?? 0), 0);
}

/** The value below which `share` of them are. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Each worker does its work again and again until the time is over, and finishes what it has begun. */
export async function repeat(workers: readonly (() => Promise<void>)[], seconds: number): Promise<number[]> {
  const until = performance.now() + seconds * 1000;
  const latencies: number[] = [];
  await Promise.all(
    workers.map(async (work) => {
      while (performance.now() < until) {
        const began = performance.now();
        await work();
        latencies.push(performance.now() - began);
      }
    }),
  );
  return latencies;
}

export const measure = (
  workers: readonly (() => Promise<void>)[],
  seconds: number,
  watched: Watched,
): Promise<Measurement> => measureWork(() => repeat(workers, seconds), watched);

/** @param work resolves with how long each operation took, in milliseconds. */
export async function measureWork(
  work: () => Promise<number[]>,
  { serverPid, databasePid, admin }: Watched,
): Promise<Measurement> {
  const calls = await callsSoFar(admin);
  const server = cpuMs(serverPid);
  const database = cpuMs(databasePid);
  const began = performance.now();
  const latencies = await work();
  const elapsedMs = performance.now() - began;
  const operations = latencies.length;
  return {
    operations,
    perSecond: (operations * 1000) / elapsedMs,
    serverCpuMs: (cpuMs(serverPid) - server) / operations,
    databaseCpuMs: (cpuMs(databasePid) - database) / operations,
    databaseCalls: ((await callsSoFar(admin)) - calls) / operations,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    residentMib: residentMib(serverPid),
  };
}

/** The median of each figure by itself, and of how many operations a round had. */
export function medianOf(rounds: readonly Measurement[]): Measurement {
  const of = (figure: keyof Measurement): number => median(rounds.map((round) => round[figure]));
  return {
    operations: of('operations'),
    perSecond: of('perSecond'),
    serverCpuMs: of('serverCpuMs'),
    databaseCpuMs: of('databaseCpuMs'),
    databaseCalls: of('databaseCalls'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    residentMib: of('residentMib'),
  };
}
