import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from './configuration-error.js';
import { loadSecrets, type Secrets } from './secrets.js';
import { systemErrorCode } from './system-error.js';

/**
 * The demonstration's keys: made in `folder` at its first start, readable by their owner only, kept for the next ones.
 * @throws ConfigurationError when the file is there but spoiled.
 */
export function demoSecrets(folder: string): Secrets {
  const file = join(folder, 'demo-secrets.json');
  return read(file) ?? make(folder, file);
}

function make(folder: string, file: string): Secrets {
  const key = () => randomBytes(32).toString('base64');
  const secrets = {
    COUNTERSIGN_SEALING_KEYS: `demo:${key()}`,
    COUNTERSIGN_COOKIE_KEYS: key(),
    COUNTERSIGN_INDEX_KEY: key(),
  };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, JSON.stringify(secrets, undefined, 2), { mode: 0o600 });
  try {
    // Whole or not at all, and only when nobody else was first.
    linkSync(draft, file);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return read(file) ?? loadSecrets(secrets);
}

function read(file: string): Secrets | undefined {
  try {
    return loadSecrets(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    const message = 'is spoiled: restore it, or remove it together with the database it belongs to';
    throw new ConfigurationError([{ path: file, message }]);
  }
}
