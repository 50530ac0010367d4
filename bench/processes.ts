import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS, OTHER_CORE, SERVER_CORE, type ServerEnvironment } from './settings.js';

const CLOCK_TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Keeps this process, and whatever it starts, off the core of the server under test. */
export function pinSelf(): void {
  execFileSync('taskset', ['-a', '-p', '-c', String(OTHER_CORE), String(process.pid)], { stdio: 'ignore' });
}

/** CPU time a process has used so far, of all its threads, in milliseconds; in steps of 10. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name and may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return ((user + system) * 1000) / CLOCK_TICKS_PER_SECOND;
}

/** Memory that is really there, in MiB. */
export function residentMib(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

export interface ServerProcess {
  name: ServerName;
  origin: string;
  pid: number;
  /** From the start of the process to its first word, milliseconds: the database was there before. */
  startedInMs: number;
  /** Begins or ends a CPU profile; resolves when it has. */
  toggleProfile(): Promise<void>;
  stop(): Promise<void>;
}

export type ServerName = 'ours' | 'reference';

const nextLine = (lines: Interface, child: ChildProcess, logFile: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error(`ended by itself; its log is ${logFile}`));
    child.once('exit', onExit);
    lines.once('line', () => {
      child.off('exit', onExit);
      resolve();
    });
  });

/** Starts one server on its core and waits until it listens. */
export async function startServerProcess(
  name: ServerName,
  environment: ServerEnvironment & Record<string, string>,
): Promise<ServerProcess> {
  const logFile = join(environment.BENCH_FOLDER, `${name}.log`);
  // Straight into a file: read by the driver it would cost the driver's time.
  const log = openSync(logFile, 'a');
  const began = performance.now();
  const child = spawn(
    'taskset',
    [
      '-c',
      String(SERVER_CORE),
      process.execPath,
      ...NODE_FLAGS[name],
      fileURLToPath(new URL(`${name}.js`, import.meta.url)),
    ],
    { env: { ...process.env, NODE_ENV: 'production', ...environment }, stdio: ['ignore', 'pipe', log] },
  );
  closeSync(log);
  const lines = createInterface({ input: child.stdout as Readable });
  await nextLine(lines, child, logFile);
  const startedInMs = performance.now() - began;
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} did not start`);
  return {
    name,
    origin: `http://127.0.0.1:${environment.BENCH_PORT}`,
    pid,
    startedInMs,
    toggleProfile() {
      const done = nextLine(lines, child, logFile);
      child.kill('SIGUSR2');
      return done;
    },
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}
