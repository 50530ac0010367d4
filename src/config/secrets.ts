import { readFileSync } from 'node:fs';
import type { SealingKey } from '../platform/secret-box.js';
import { ConfigurationError, type ConfigurationProblem } from './configuration-error.js';
import { systemErrorCode } from './system-error.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Secrets {
  /** Newest first: the first seals, all open. */
  sealingKeys: SealingKey[];
  /** Newest first: the first signs cookies, all verify. */
  cookieKeys: string[];
  /** 32 bytes; look-ups by secret values depend on it, so it is not rotated like the others. */
  indexKey: Buffer;
}

const KEY_BYTES = 32;
const COOKIE_KEY_LEAST_CHARACTERS = 32;
const MAKE_ONE = 'make one with `openssl rand -base64 32`';

/**
 * A secret from the variable `name`, or from the file that `<name>_FILE` names; undefined when neither is set.
 * @throws Error when both are set or the file cannot be read.
 */
export function readSecret(env: Environment, name: string): string | undefined {
  const file = env[`${name}_FILE`];
  const value = env[name];
  if (!file) return value?.trim() || undefined;
  if (value) throw new Error(`is set twice: remove ${name} or ${name}_FILE`);
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    throw new Error(`the file that ${name}_FILE names cannot be read (${systemErrorCode(error)})`, { cause: error });
  }
}

/**
 * The keys of this installation, from `COUNTERSIGN_SEALING_KEYS` (`id:base64`, comma between, newest first),
 * `COUNTERSIGN_COOKIE_KEYS` (comma between, newest first) and `COUNTERSIGN_INDEX_KEY` (base64), each also as `<name>_FILE`.
 * @throws ConfigurationError with all problems at once, without any value.
 */
export function loadSecrets(env: Environment): Secrets {
  const problems: ConfigurationProblem[] = [];
  const read = <T>(name: string, missing: string, parse: (value: string) => T): T | undefined => {
    try {
      const value = readSecret(env, name);
      if (value) return parse(value);
      problems.push({ path: name, message: `is not set: ${missing}` });
    } catch (error) {
      problems.push({ path: name, message: error instanceof Error ? error.message : String(error) });
    }
    return undefined;
  };
  const sealingKeys = read('COUNTERSIGN_SEALING_KEYS', `<id>:<key>; ${MAKE_ONE}`, parseSealingKeys);
  const cookieKeys = read('COUNTERSIGN_COOKIE_KEYS', MAKE_ONE, parseCookieKeys);
  const indexKey = read('COUNTERSIGN_INDEX_KEY', MAKE_ONE, parseKey);
  if (!sealingKeys || !cookieKeys || !indexKey) throw new ConfigurationError(problems);
  return { sealingKeys, cookieKeys, indexKey };
}

function parseKey(value: string): Buffer {
  const key = Buffer.from(value, 'base64');
  if (key.length !== KEY_BYTES) throw new Error(`must be ${KEY_BYTES} bytes in base64: ${MAKE_ONE}`);
  return key;
}

function parseSealingKeys(value: string): SealingKey[] {
  const keys = split(value).map((entry) => {
    const [, id, key] = /^([\w-]+):(.+)$/.exec(entry) ?? [];
    if (!id || !key)
      throw new Error('must be <id>:<key> for each key, commas between; an id is letters, digits, - and _');
    return { id, key: parseKey(key) };
  });
  if (new Set(keys.map(({ id }) => id)).size < keys.length) throw new Error('must give each key an id of its own');
  return keys;
}

function parseCookieKeys(value: string): string[] {
  const keys = split(value);
  if (keys.some((key) => key.length < COOKIE_KEY_LEAST_CHARACTERS))
    throw new Error(`must be at least ${COOKIE_KEY_LEAST_CHARACTERS} characters each: ${MAKE_ONE}`);
  return keys;
}

const split = (value: string): string[] =>
  value
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
