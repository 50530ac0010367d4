import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ConfigurationError, demoSecrets, loadSecrets } from '../../src/config/index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');
const GOOD = {
  COUNTERSIGN_SEALING_KEYS: `new:${key(1)}, old:${key(2)}`,
  COUNTERSIGN_COOKIE_KEYS: `${key(3)},${key(4)}`,
  COUNTERSIGN_INDEX_KEY: key(5),
};
const problemsOf = (env: Record<string, string>): Record<string, string> => {
  try {
    loadSecrets(env);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]));
  }
  return {};
};

test('keys are read newest first', () => {
  expect(loadSecrets(GOOD)).toEqual({
    sealingKeys: [
      { id: 'new', key: Buffer.alloc(32, 1) },
      { id: 'old', key: Buffer.alloc(32, 2) },
    ],
    cookieKeys: [key(3), key(4)],
    indexKey: Buffer.alloc(32, 5),
  });
});

test('each may come from a file, but not from both', () => {
  const file = join(folder, 'index-key');
  writeFileSync(file, `${key(5)}\n`);
  const { COUNTERSIGN_INDEX_KEY, ...others } = GOOD;
  expect(loadSecrets({ ...others, COUNTERSIGN_INDEX_KEY_FILE: file }).indexKey).toEqual(Buffer.alloc(32, 5));
  expect(problemsOf({ ...GOOD, COUNTERSIGN_INDEX_KEY_FILE: file }).COUNTERSIGN_INDEX_KEY).toMatch(/set twice/);
  expect(problemsOf({ ...others, COUNTERSIGN_INDEX_KEY_FILE: '/not/there' }).COUNTERSIGN_INDEX_KEY).toMatch(/ENOENT/);
});

test('all that is missing comes at once', () => {
  expect(Object.keys(problemsOf({}))).toEqual(Object.keys(GOOD));
});

test.each([
  ['COUNTERSIGN_SEALING_KEYS', key(1), /<id>:<key>/],
  ['COUNTERSIGN_SEALING_KEYS', 'a:c2hvcnQ=', /32 bytes/],
  ['COUNTERSIGN_SEALING_KEYS', `a:${key(1)},a:${key(2)}`, /id of its own/],
  ['COUNTERSIGN_SEALING_KEYS', `a.b:${key(1)}`, /<id>:<key>/],
  ['COUNTERSIGN_COOKIE_KEYS', 'too-short-a-word', /32 characters/],
  ['COUNTERSIGN_INDEX_KEY', 'c2hvcnQ=', /32 bytes/],
])('%s: %s is refused without being shown', (name, value, message) => {
  const problem = problemsOf({ ...GOOD, [name]: value })[name] ?? '';
  expect(problem).toMatch(message);
  expect(problem).not.toContain(value);
});

test("the demonstration's keys are made once, for their owner only, and kept", () => {
  const data = join(folder, 'data');
  const made = demoSecrets(data);
  expect(readdirSync(data)).toEqual(['demo-secrets.json']);
  expect(statSync(join(data, 'demo-secrets.json')).mode & 0o777).toBe(0o600);
  expect(demoSecrets(data)).toEqual(made);
  expect(demoSecrets(join(folder, 'other'))).not.toEqual(made);
});

test('a spoiled file of keys is an error, never new keys for old data', () => {
  demoSecrets(folder);
  const file = join(folder, 'demo-secrets.json');
  writeFileSync(file, readFileSync(file).subarray(0, 40));
  expect(() => demoSecrets(folder)).toThrow(ConfigurationError);
});
