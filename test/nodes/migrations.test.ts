/** Two server processes of a new release on the data of an earlier one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { freePort, testSecrets } from '../support/app.js';
import { testDatabase } from '../support/database.js';
import { type MongoGate, openMongoGate } from './mongo-gate.js';
import { ready, type ServerNode, spawnNode } from './node.js';

const ACCOUNTS = 250;

let database: Awaited<ReturnType<typeof testDatabase>>;
let gate: MongoGate;
let folder: string;
const nodes: ServerNode[] = [];
beforeAll(async () => {
  database = await testDatabase();
  gate = await openMongoGate(database.uri);
  folder = mkdtempSync(join(tmpdir(), 'countersign-migrations-'));
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.kill()));
  await gate.stop();
  await database.drop();
  rmSync(folder, { recursive: true });
});

const accounts = () => database.collection<{ _id: string }>('accounts');
const step = () => database.collection<{ _id: string; finishedAt?: Date }>('schema').findOne({ _id: '1/expand' });
beforeEach(async () => {
  for (const name of ['accounts', 'schema', 'leases', 'audit_events']) await database.collection(name).deleteMany({});
  const past = new Date(Date.now() - 86_400_000);
  const old = (n: number) => ({ login: `old-${n}`, name: 'Old', groups: [], active: true, createdAt: past });
  await accounts().insertMany(
    Array.from({ length: ACCOUNTS }, (_, n) => ({ _id: `account-${n}`, updatedAt: past, ...old(n) })),
  );
});

async function start(uri = database.uri): Promise<ServerNode> {
  const port = await freePort();
  const file = join(folder, `${nodes.length}.yaml`);
  const settings = { issuer: `http://localhost:${port}`, database: { name: database.name }, log: { level: 'warn' } };
  writeFileSync(file, stringify(settings));
  const [sealing] = testSecrets.sealingKeys;
  const node = spawnNode(file, {
    MONGODB_URI: uri,
    COUNTERSIGN_SEALING_KEYS: `${sealing?.id}:${sealing?.key.toString('base64')}`,
    COUNTERSIGN_COOKIE_KEYS: testSecrets.cookieKeys.join(),
    COUNTERSIGN_INDEX_KEY: testSecrets.indexKey.toString('base64'),
  });
  nodes.push(node);
  return node;
}

const finished = async (): Promise<void> => {
  const deadline = Date.now() + 45_000;
  while (!(await step())?.finishedAt) {
    if (Date.now() > deadline) throw new Error(nodes.map((node) => node.output()).join('\n'));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const complete = { searchWords: { $exists: true }, coverage: { $exists: true } };
  expect(await accounts().countDocuments(complete)).toBe(ACCOUNTS);
  const told = { type: 'sys_migrated', 'details.step': '1/expand' };
  expect(await database.collection('audit_events').countDocuments(told)).toBe(1);
};

test('both start at the same moment: each step is carried out once', async () => {
  const started = await Promise.all([start(), start()]);
  await Promise.all(started.map(ready));
  await finished();
  expect(await step()).toMatchObject({ attempts: 1 });
  await Promise.all(started.map((node) => node.kill()));
}, 90_000);

test('kill -9 in the middle: the other node serves meanwhile, takes the work over and ends it', async () => {
  const held = gate.hold('update', 'accounts', 'searchWords', 'account-120');
  const first = await start(gate.uri);
  await held.reached;
  const second = await start();
  await ready(second);
  expect((await step())?.finishedAt).toBeUndefined();
  await first.kill();
  held.forget();
  await finished();
  expect(await step()).toMatchObject({ attempts: 2 });
  await second.kill();
}, 90_000);

test('data that a release two ahead has used: a clear line, exit code 1, and nothing touched', async () => {
  await database.collection<{ _id: string }>('schema').insertOne({ _id: 'version', version: 99 } as never);
  const node = await start();
  expect(await node.exited).toBe(1);
  expect(node.output()).toMatch(/schema version 99: this release knows version \d+ and runs beside \d+ at most/);
  expect(node.output()).not.toMatch(/Ready|^\s+at /m);
  expect(await step()).toBeNull();
}, 60_000);
