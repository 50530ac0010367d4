import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { runCli } from '../../src/cli/index.js';
import { checkDatabase, checkIssuer } from '../../src/operations/doctor/index.js';
import { systemClock } from '../../src/platform/clock.js';
import { person } from '../security/support.js';
import { freePort, startApp, type TestApp, testSecrets } from '../support/app.js';

const [sealing] = testSecrets.sealingKeys;
const random = (): string => randomBytes(32).toString('base64');

let app: TestApp;
let folder: string;
let file: string;
let env: Record<string, string>;
beforeAll(async () => {
  app = await startApp();
  await person(app, 'anna@example.com');
  folder = mkdtempSync(join(tmpdir(), 'countersign-doctor-'));
  file = join(folder, 'countersign.yaml');
  env = {
    MONGODB_URI: app.database.uri,
    COUNTERSIGN_SEALING_KEYS: `test:${sealing?.key.toString('base64')}`,
    COUNTERSIGN_COOKIE_KEYS: random(),
    COUNTERSIGN_INDEX_KEY: random(),
  };
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await app.stop();
});

async function doctor(
  settings: Record<string, unknown> = {},
  otherEnv: Record<string, string> = {},
): Promise<{ code: number; text: string }> {
  writeFileSync(file, stringify({ issuer: app.issuer, database: { name: app.database.name }, ...settings }));
  const lines: string[] = [];
  const note = (line: string): void => void lines.push(line);
  const code = await runCli(['doctor', '--config', file], { env: { ...env, ...otherEnv }, out: note, err: note });
  return { code, text: lines.join('\n') };
}

test('each thing is looked at, and what is right is said to be', async () => {
  const before = await app.database.collection('audit_events').countDocuments();
  const { text } = await doctor();
  for (const line of [
    /^ok +configuration: complete and valid$/m,
    /^ok +database: MongoDB \d/m,
    /^warning +database: replica set \S+ with 1 member\(s\)/m,
    /^ok +database: a majority write takes \d+ ms$/m,
    /^ok +clock: -?\d+ ms off the database's$/m,
    /^ok +sealed values: [1-9]\d* looked at, all open with these keys$/m,
    /^ok +issuer: reached as http:\/\/localhost/m,
    /^ok +mail: kept in the outbox/m,
  ])
    expect(text).toMatch(line);
  expect(await app.database.collection('audit_events').countDocuments()).toBe(before);
});

test('everything that is wrong comes at once, exit code 1, and no secret with it', async () => {
  const port = await freePort();
  const { code, text } = await doctor(
    {
      issuer: `http://localhost:${port}`,
      clients: [
        { client_id: 'a', client_name: 'A', client_secret_env: 'NOT_SET', redirect_uris: ['https://a.example/'] },
      ],
      mail: { transport: 'smtp', smtp: { host: '127.0.0.1', port } },
    },
    { COUNTERSIGN_SEALING_KEYS: `other:${env.COUNTERSIGN_INDEX_KEY}` },
  );
  expect(code).toBe(1);
  for (const line of [
    /^error +configuration: clients\[0\]\.client_secret_env .*NOT_SET/m,
    /^error +index key is the same as sealing key other/m,
    /^error +sealed values: .*factors\.\S+.* do not open/m,
    /^error +issuer: .*cannot be reached from here \(ECONNREFUSED\)/m,
    /^error +mail: not to be had \(ESOCKET|ECONNECTION|ECONNREFUSED\)/m,
    /^ok +database: MongoDB/m,
    /^countersign: \d+ of \d+ checks found an error$/m,
  ])
    expect(text).toMatch(line);
  for (const secret of Object.values(env)) expect(text).not.toContain(secret.replace(/^test:/, ''));
});

test('a key that somebody could guess, and a database that does not answer', async () => {
  const weak = Buffer.alloc(32, 'a').toString('base64');
  const { code, text } = await doctor(
    {},
    { COUNTERSIGN_INDEX_KEY: weak, MONGODB_URI: 'mongodb://who:canary@127.0.0.1:9/' },
  );
  expect(code).toBe(1);
  expect(text).toMatch(/^error +index key is guessable/m);
  expect(text).toMatch(/^error +database: not to be had \(DATABASE_UNAVAILABLE\)$/m);
  expect(text).not.toMatch(/canary/);
}, 30_000);

test('a clock that is off is an error', async () => {
  const fast = { now: () => new Date(systemClock.now().getTime() + 2_500) };
  const found = await checkDatabase(app.database, fast);
  expect(found.filter(({ level }) => level === 'error').map(({ what }) => what)).toEqual([
    expect.stringMatching(/^clock: 2\d\d\d ms off .*NTP/),
  ]);
});

test('a proxy that changes the host, and one that leads elsewhere', async () => {
  let answer = '';
  const proxy = createServer((incoming, outgoing) => {
    if (answer) return void outgoing.end(answer);
    const { url: path, method, headers } = incoming;
    const inner = { ...headers, host: 'inner.example' };
    request({ host: '127.0.0.1', port: app.port, path, method, headers: inner }, (got) => {
      outgoing.writeHead(got.statusCode ?? 500);
      got.pipe(outgoing);
    }).end();
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const issuer = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  expect((await checkIssuer(issuer)).what).toContain('must pass Host on and set X-Forwarded-Proto');
  answer = JSON.stringify({ issuer: 'https://elsewhere.example', token_endpoint: 'https://elsewhere.example/token' });
  expect((await checkIssuer(issuer)).what).toContain('belongs to another server');
  answer = JSON.stringify({ issuer, token_endpoint: 'http://inner.example/token' });
  expect((await checkIssuer(issuer)).what).toContain('endpoints are told as http://inner.example');
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});
