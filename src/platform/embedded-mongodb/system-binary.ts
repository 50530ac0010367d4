import { access, constants } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import type { Environment } from './environment.js';
import { examineBinary, type Found } from './mongod.js';

const PROGRAM = process.platform === 'win32' ? 'mongod.exe' : 'mongod';

/** `MONGOMS_SYSTEM_BINARY`, else the first mongod on `PATH` that runs. */
export async function findSystemBinary(env: Environment): Promise<Found> {
  const complaints: string[] = [];
  const named = env.MONGOMS_SYSTEM_BINARY;
  for (const binary of [...(named ? [resolve(named)] : []), ...(await onPath(env))]) {
    const examined = await examineBinary(binary);
    if ('binary' in examined) return examined;
    complaints.push(examined.missing);
  }
  if (!named) complaints.unshift('MONGOMS_SYSTEM_BINARY is not set');
  if (complaints.length === 1) complaints.push('no mongod on PATH');
  return { missing: complaints.join(', ') };
}

async function onPath(env: Environment): Promise<string[]> {
  const found: string[] = [];
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const binary = resolve(join(folder, PROGRAM));
    const isExecutable = await access(binary, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isExecutable) found.push(binary);
  }
  return found;
}
