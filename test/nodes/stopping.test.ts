/** Starting and stopping as an operator's tools do it: by exit code and SIGTERM. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fileRequest, recoveryBrowser } from '../recovery-desk/support.js';
import { rawRequest } from '../security/raw.js';
import { type Person, person, signIn } from '../security/support.js';
import { freePort } from '../support/app.js';
import { Browser } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Cluster, startCluster } from './cluster.js';
import { ready } from './node.js';

const WITHIN_MS = 5_000;
/** How long the database keeps the slow request waiting after the node was told to stop. */
const SLOW_MS = 700;

let cluster: Cluster;
let rp: RelyingParty;
let anna: Person;
beforeAll(async () => {
  cluster = await startCluster();
  rp = new RelyingParty(cluster.issuer);
  anna = await person(cluster.office, 'anna@example.com');
}, 60_000);
afterAll(() => cluster.stop());
beforeEach(() => {
  cluster.balancer.to = 'a';
});
afterEach(async () => {
  if (!cluster.nodes.a.process.killed) return;
  await cluster.nodes.a.exited;
  await cluster.revive('a');
}, 60_000);

const terminateA = async (): Promise<{ code: number | string; ms: number }> => {
  const began = performance.now();
  cluster.nodes.a.process.kill('SIGTERM');
  const code = await cluster.nodes.a.exited;
  return { code, ms: performance.now() - began };
};

/** One request on a connection that the client keeps open. */
const keptAlive = (agent: Agent, path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { host } = new URL(cluster.issuer);
    const sent = request(
      { agent, host: '127.0.0.1', port: cluster.ports.a, path, headers: { host, ...headers } },
      (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer));
      },
    );
    sent.once('error', reject).end();
  });

test('SIGTERM while idle, with a client that keeps its connection open: gone at once, exit code 0, written down', async () => {
  const agent = new Agent({ keepAlive: true });
  expect((await keptAlive(agent, '/.well-known/openid-configuration')).statusCode).toBe(200);
  const { code, ms } = await terminateA();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(WITHIN_MS / 2);
  agent.destroy();
  const events = cluster.office.database.collection('audit_events');
  expect(await events.countDocuments({ type: 'sys_shutdown' })).toBeGreaterThanOrEqual(1);
});

test('SIGTERM during requests: each gets its whole answer, on the last breath of its connection, and exit code 0', async () => {
  const browser = new Browser(cluster.issuer);
  const tokens = await signIn(browser, rp, anna);
  const agent = new Agent({ keepAlive: true });
  const read = cluster.gate.hold('aggregate\0', 'AccessToken:');
  const userinfo = keptAlive(agent, '/me', { authorization: `Bearer ${tokens.access_token}` });
  await read.reached;
  const consumed = cluster.gate.hold('RefreshToken:', 'consumed');
  const refreshing = rp.refresh(tokens.refresh_token ?? '');
  await consumed.reached;

  const stopped = terminateA();
  await sleep(SLOW_MS);
  await expect(keptAlive(new Agent(), '/jwks')).rejects.toThrow('ECONNREFUSED');
  read.release();
  consumed.release();
  const answer = await userinfo;
  expect(answer.statusCode).toBe(200);
  expect(answer.headers.connection).toBe('close');
  const refreshed = await refreshing;
  expect(refreshed.status).toBe(200);
  const { code, ms } = await stopped;
  expect(code).toBe(0);
  expect(ms).toBeLessThan(WITHIN_MS / 2 + SLOW_MS);
  agent.destroy();

  cluster.balancer.to = 'b';
  expect((await rp.refresh(refreshed.refresh_token ?? '')).status).toBe(200);
});

test('SIGTERM while pages listen: their streams end at once, and so does the node', async () => {
  const { account } = anna;
  const { browser, hash } = recoveryBrowser(cluster.office);
  await fileRequest(cluster.office, account, hash);
  const path = `/second-factor/any/request/events?account=${account.id}`;
  const listening = keptAlive(new Agent({ keepAlive: true }), path, {
    cookie: `countersign-recovery=${browser.cookie('countersign-recovery')}`,
  });
  await Promise.race([listening, sleep(SLOW_MS)]);
  const { code, ms } = await terminateA();
  expect((await listening).headers['content-type']).toContain('text/event-stream');
  expect(code).toBe(0);
  expect(ms).toBeLessThan(WITHIN_MS / 2);
});

test('SIGTERM during a request that never ends: cut off, and exit code 0 within five seconds', async () => {
  const { access_token: token } = await signIn(new Browser(cluster.issuer), rp, anna);
  const read = cluster.gate.hold('aggregate\0', 'AccessToken:');
  const endless = keptAlive(new Agent(), '/me', { authorization: `Bearer ${token}` }).catch((error: unknown) => error);
  await read.reached;
  const { code, ms } = await terminateA();
  read.release();
  expect(await endless).toMatchObject({ code: 'ECONNRESET' });
  expect(code).toBe(0);
  expect(ms).toBeLessThan(WITHIN_MS);
});

test('SIGTERM with a balancer that has to notice: not ready first, requests answered meanwhile, then gone with exit code 0', async () => {
  const port = await freePort();
  const metricsPort = await freePort();
  const node = cluster.spawn({ listen: { port, drainSeconds: 2 }, metrics: { listen: { port: metricsPort } } });
  await ready(node);
  const ask = (path: string) => rawRequest(port, path, { headers: { host: new URL(cluster.issuer).host } });
  expect((await ask('/readyz')).status).toBe(200);
  const { status, body } = await rawRequest(metricsPort, '/metrics');
  expect([status, body.includes('countersign_database_readings_up 1\n')]).toEqual([200, true]);
  expect(body).toMatch(/countersign_database_command_duration_seconds_count\{command="findAndModify"\} [1-9]/);
  node.process.kill('SIGTERM');
  while ((await ask('/readyz')).status === 200) await sleep(20);
  expect((await ask('/readyz')).status).toBe(503);
  expect((await ask('/livez')).status).toBe(200);
  expect((await ask('/jwks')).status).toBe(200);
  expect(await node.exited).toBe(0);
  await expect(ask('/livez')).rejects.toThrow('ECONNREFUSED');
}, 60_000);

test('an index that somebody has changed: one line that says who knows more, and exit code 1', async () => {
  const sessions = cluster.office.database.collection('sessions');
  await sessions.dropIndex('sweep');
  await sessions.createIndex({ expiresAt: 1 }, { name: 'sweep' });
  const node = cluster.spawn({ listen: { port: await freePort() } });
  expect(await node.exited).toBe(1);
  expect(node.output()).toMatch(/countersign doctor says which/);
  expect(node.output()).not.toMatch(/Ready|^\s+at /m);
  await sessions.dropIndex('sweep');
}, 60_000);

test('a port in use: one clear line that names it, and exit code 1', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const node = cluster.spawn({ listen: { port } });
  expect(await node.exited).toBe(1);
  expect(node.output()).toContain(`port ${port} is in use`);
  expect(node.output()).not.toMatch(/Ready|EADDRINUSE|^\s+at /m);
  await new Promise((resolve) => taken.close(resolve));
}, 60_000);
