import { randomBytes } from 'node:crypto';
import { Agent, get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../src/app.js';
import { quantile } from '../measure.js';
import { cpuMs, residentMib, type ServerProcess } from '../processes.js';
import { IDLE_SECONDS, WAITING } from './settings.js';

export interface WaitingResult {
  cpuPercent: number;
  queriesPerSecond: number;
  residentMib: number;
  /** From the moment a decision is stored until its page hears of it, milliseconds. */
  heard: { p50: number; p99: number; longest: number };
}

interface Waiting {
  requestId: string;
  number: string;
  /** Resolves with the time at which the page heard that it may go on. */
  heard: Promise<number>;
  end(): void;
}

/** One page that listens, as a browser's `EventSource` does. */
function listen(server: ServerProcess, agent: Agent, token: string, accountId: string): Promise<IncomingMessage> {
  const path = `/second-factor/bench/request/events?account=${accountId}`;
  const headers = { cookie: `countersign-recovery=${token}`, accept: 'text/event-stream' };
  return new Promise((resolve, reject) => {
    get(`${server.origin}${path}`, { agent, headers }, (answer) => {
      if (answer.statusCode === 200) resolve(answer);
      else reject(new Error(`a page that waits got ${answer.statusCode}`));
    }).once('error', reject);
  });
}

async function arrive(office: App, server: ServerProcess, agent: Agent, index: number): Promise<Waiting> {
  const created = await office.accounts.create({ login: `waiting${index}@bench.example`, name: `Waiting ${index}` });
  if (!created.ok) throw new Error(created.reason);
  const token = randomBytes(32).toString('base64url');
  const filed = await office.desk.file(created.account, {
    browserHash: office.secretBox.index(token, 'recovery-browser'),
    circumstances: 'other',
    isKnownBrowser: true,
    origin: { requestId: 'bench' },
  });
  if (filed.status !== 'filed') throw new Error(filed.status);
  const answer = await listen(server, agent, token, created.account.id);
  const heard = new Promise<number>((resolve) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (text.includes('event: changed')) resolve(performance.now());
    });
  });
  const { id, number } = filed.request;
  return { requestId: id, number, heard, end: () => answer.destroy() };
}

/** A thousand pages on one node: what they cost while nothing happens, and how soon each hears of its decision. */
export async function measureWaiting(
  office: App,
  server: ServerProcess,
  queriesSoFar: () => Promise<number>,
  say: (line: string) => void,
): Promise<WaitingResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const pages: Waiting[] = [];
  say(`${WAITING} requests are sent, and their pages listen`);
  while (pages.length < WAITING) {
    const more = Array.from({ length: 10 }, (_, n) => arrive(office, server, agent, pages.length + n));
    pages.push(...(await Promise.all(more)));
  }
  await sleep(3_000);
  say(`nothing happens for ${IDLE_SECONDS} s`);
  const before = { cpu: cpuMs(server.pid), queries: await queriesSoFar(), at: performance.now() };
  await sleep(IDLE_SECONDS * 1000);
  const elapsedMs = performance.now() - before.at;
  const cpuPercent = ((cpuMs(server.pid) - before.cpu) / elapsedMs) * 100;
  const queriesPerSecond = (((await queriesSoFar()) - before.queries) * 1000) / elapsedMs;
  const resident = residentMib(server.pid);

  say('all of them are decided');
  const waits: number[] = [];
  for (const page of pages) {
    const decided = await office.desk.decide(
      page.requestId,
      { outcome: 'approved', requestNumber: page.number, hours: 24, verifiedBy: 'video' },
      { type: 'account', id: 'bench' },
    );
    if (decided.status !== 'decided') throw new Error(decided.status);
    const storedAt = performance.now();
    void page.heard.then((at) => waits.push(at - storedAt));
  }
  await Promise.all(pages.map(({ heard }) => heard));
  for (const page of pages) page.end();
  agent.destroy();
  return {
    cpuPercent,
    queriesPerSecond,
    residentMib: resident,
    heard: { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), longest: Math.max(...waits) },
  };
}
