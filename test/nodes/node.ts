import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectRoot } from '../../src/platform/paths.js';

/** One server process as an operator starts it. */
export interface ServerNode {
  process: ChildProcess;
  /** What it has written so far. */
  output(): string;
  /** Resolves with the exit code, or the signal that ended it. */
  exited: Promise<number | NodeJS.Signals>;
  /** `kill -9`, over when the process is gone. */
  kill(): Promise<void>;
}

const COMMAND = join(projectRoot, 'dist/src/cli/main.js');

export const spawnNode = (configFile: string, env: Record<string, string>): ServerNode =>
  spawnServer([COMMAND, 'start', '--config', configFile], env);

/** A process of Node that says `Ready: ` when it is. */
export function spawnServer(args: readonly string[], env: Record<string, string>): ServerNode {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (written += chunk));
  const exited = once(child, 'exit').then(([code, signal]) => code ?? signal);
  return {
    process: child,
    output: () => written,
    exited,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** @throws with what it wrote, when it ends before it is ready. */
export async function ready(node: ServerNode): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      if (node.output().includes('Ready: ')) resolve();
    };
    node.process.stdout?.on('data', look);
    look();
    node.exited.then((code) => reject(new Error(`ended with ${code}: ${node.output()}`)), reject);
  });
}
