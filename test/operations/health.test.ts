import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHealth, type Health } from '../../src/operations/index.js';
import { systemClock } from '../../src/platform/clock.js';
import { connectDatabase, type Database } from '../../src/platform/database.js';
import { createLogger } from '../../src/platform/logger.js';
import { type MongoGate, openMongoGate } from '../nodes/mongo-gate.js';
import { type RawAnswer, rawRequest } from '../security/raw.js';
import { testDatabase } from '../support/database.js';

const BOUND_MS = 500;

let own: Awaited<ReturnType<typeof testDatabase>>;
let gate: MongoGate;
let database: Database;
let health: Health;
let server: Server;
let offsetMs = 0;
let keys = 2;
beforeAll(async () => {
  own = await testDatabase();
  gate = await openMongoGate(own.uri);
  database = await connectDatabase(gate.uri, { name: own.name });
  server = createServer((request, response) => {
    if (!health.handle(request, response)) response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await database.close();
  await gate.stop();
  await own.drop();
});

const open = (): void => {
  offsetMs = 0;
  keys = 2;
  health = createHealth({
    database,
    clock: { now: () => new Date(systemClock.now().getTime() + offsetMs) },
    logger: createLogger('silent'),
    signingKeys: () => keys,
    databaseMs: BOUND_MS,
  });
};
const ask = (path: string, method = 'GET'): Promise<RawAnswer> =>
  rawRequest((server.address() as AddressInfo).port, path, { method, headers: { host: 'probe.invalid' } });
const checksOf = ({ body }: RawAnswer) => JSON.parse(body).checks;

test('ready, by whatever host it is asked: every check on its own, never kept by a cache', async () => {
  open();
  const answer = await ask('/readyz?from=balancer');
  expect([answer.status, JSON.parse(answer.body)]).toEqual([
    200,
    {
      status: 'ready',
      checks: {
        database: { ok: true, ms: expect.any(Number) },
        clock: { ok: true, offsetMs: expect.any(Number) },
        signing_keys: { ok: true },
      },
    },
  ]);
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(await ask('/livez')).toMatchObject({ status: 200, body: '{"status":"alive"}\n' });
  expect(await ask('/readyz', 'HEAD')).toMatchObject({ status: 200, body: '' });
  expect(await ask('/readyz', 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  expect((await ask('/readyzz')).status).toBe(404);
});

test('a database that takes no write within the bound: not ready, alive all the same, and ready again by itself', async () => {
  open();
  const held = gate.holdEach('findAndModify', 'health');
  const began = performance.now();
  const [one, other] = await Promise.all([ask('/readyz'), ask('/readyz')]);
  expect(performance.now() - began).toBeLessThan(BOUND_MS * 4);
  for (const answer of [one, other]) {
    expect(answer.status).toBe(503);
    expect(checksOf(answer)).toMatchObject({
      database: { ok: false, reason: 'no_answer' },
      clock: { ok: false, reason: 'unknown' },
      signing_keys: { ok: true },
    });
    expect(answer.body).not.toMatch(/mongo|127\.0/i);
  }
  expect((await ask('/livez')).status).toBe(200);
  held.release();
  const deadline = Date.now() + 10_000;
  while ((await ask('/readyz')).status !== 200) {
    expect(Date.now()).toBeLessThan(deadline);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

test('however many ask, the database is asked once a second', async () => {
  open();
  let writes = 0;
  const count = ({ commandName }: { commandName: string }): void => {
    if (commandName === 'findAndModify') writes += 1;
  };
  const watched = await connectDatabase(own.uri, { name: own.name, watchCommands: true });
  for (const client of watched.clients) client.on('commandStarted', count);
  health = createHealth({
    database: watched,
    clock: systemClock,
    logger: createLogger('silent'),
    signingKeys: () => 1,
  });
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask('/readyz')));
  await watched.close();
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(writes).toBe(1);
});

test.each([1_500, -1_500])('a clock that is %i ms off the one of the database: not ready', async (offset) => {
  open();
  offsetMs = offset;
  const answer = await ask('/readyz');
  expect(answer.status).toBe(503);
  const { clock } = checksOf(answer);
  expect(clock).toMatchObject({ ok: false, reason: 'differs_from_database' });
  expect(Math.abs(clock.offsetMs - offset)).toBeLessThan(400);
});

test('nothing to sign with, or about to stop: not ready', async () => {
  open();
  keys = 0;
  expect(checksOf(await ask('/readyz'))).toMatchObject({ signing_keys: { ok: false } });
  open();
  expect((await ask('/readyz')).status).toBe(200);
  health.stopping();
  const answer = await ask('/readyz');
  expect([answer.status, checksOf(answer)]).toEqual([503, { stopping: { ok: false, reason: 'stopping' } }]);
  expect((await ask('/livez')).status).toBe(200);
});
