import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { runCli } from '../../src/cli/index.js';
import { type TestApp, testSecrets } from '../support/app.js';

export interface Answer {
  code: number;
  out: string[];
  err: string[];
}

/** The command line on the database of a running server, with its keys. */
export interface CommandLine {
  /** The configuration file and the environment, for a process of its own. */
  config: string;
  env: Record<string, string>;
  folder: string;
  /** Runs a command, with `--config` behind it. */
  run(...argv: string[]): Promise<Answer>;
  remove(): void;
}

export function commandLine(app: TestApp, settings: Record<string, unknown> = {}): CommandLine {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-'));
  const config = join(folder, 'countersign.yaml');
  const { issuer, database } = app;
  writeFileSync(config, stringify({ issuer, database: { name: database.name }, ...settings }));
  const { sealingKeys, cookieKeys, indexKey } = testSecrets;
  const env = {
    MONGODB_URI: database.uri,
    COUNTERSIGN_SEALING_KEYS: sealingKeys.map(({ id, key }) => `${id}:${key.toString('base64')}`).join(','),
    COUNTERSIGN_COOKIE_KEYS: cookieKeys.join(','),
    COUNTERSIGN_INDEX_KEY: indexKey.toString('base64'),
  };
  return {
    config,
    env,
    folder,
    async run(...argv) {
      const answer: Answer = { code: 0, out: [], err: [] };
      const { out, err } = answer;
      const io = { env, out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) };
      answer.code = await runCli([...argv, '--config', config], io);
      return answer;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
