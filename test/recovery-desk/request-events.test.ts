/** The waiting page hears of the decision: the stream and the state behind it. */
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import { startApp, type TestApp } from '../support/app.js';
import { approve, fileRequest, ORIGIN, recoveryBrowser } from './support.js';

let app: TestApp;
let node: TestApp;
let count = 0;
beforeAll(async () => {
  app = await startApp();
  node = await startApp({}, { database: app.database, issuer: app.issuer });
});
afterAll(async () => {
  await node.stop();
  await app.stop();
});

interface Listening {
  status: number;
  headers: IncomingHttpHeaders;
  /** Everything that came, once the stream is over. */
  over: Promise<string>;
  leave(): void;
}

const path = (account: Account, what: string): string =>
  `/second-factor/any/request/${what}?account=${encodeURIComponent(account.id)}`;

/** @param at the node that is asked. */
async function listen(account: Account, cookie: string, at = app): Promise<Listening> {
  const headers = { cookie: `countersign-recovery=${cookie}`, host: new URL(app.issuer).host };
  const asking = request({ host: '127.0.0.1', port: at.port, path: path(account, 'events'), headers }).end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    over: text(answer).catch(() => 'left'),
    leave: () => void answer.destroy(),
  };
}

async function waiting() {
  count += 1;
  const account = await app.account(`clara${count}@example.com`);
  const { browser, hash } = recoveryBrowser(app);
  const filed = await fileRequest(app, account, hash);
  return { account, browser, hash, filed, cookie: browser.cookie('countersign-recovery') ?? '' };
}

test('a decision is told within two seconds, on the node where it was made and on the other', async () => {
  const { account, filed, cookie } = await waiting();
  const here = await listen(account, cookie);
  expect(here.status).toBe(200);
  expect(here.headers['content-type']).toContain('text/event-stream');
  expect(here.headers['cache-control']).toBe('no-store');
  expect(here.headers['x-accel-buffering']).toBe('no');
  const there = await listen(account, cookie, node);
  let isOver = false;
  void here.over.then(() => {
    isOver = true;
  });
  await sleep(700);
  expect(isOver).toBe(false);
  const decidedAt = performance.now();
  await approve(app, filed);
  expect(await here.over).toMatch(/^retry: 1000\n\n(?::\n\n)*event: changed\ndata:\n\n$/);
  expect(await there.over).toContain('event: changed');
  expect(performance.now() - decidedAt).toBeLessThan(2_000);
});

test('whoever begins to listen after the decision hears of it at once', async () => {
  const { account, browser, hash, filed, cookie } = await waiting();
  await app.app.desk.withdraw(filed.id, hash, ORIGIN);
  expect(await (await listen(account, cookie)).over).toContain('event: changed');
  const state = await browser.request(`${app.issuer}${path(account, 'state')}`);
  expect(JSON.parse(state.html)).toEqual({ state: 'withdrawn' });
  expect(state.headers.get('cache-control')).toBe('no-store');
});

test('three pages of a browser listen, the fourth is told to ask; who leaves makes room', async () => {
  const { account, cookie } = await waiting();
  const pages = await Promise.all(Array.from({ length: 3 }, () => listen(account, cookie)));
  expect(pages.map(({ status }) => status)).toEqual([200, 200, 200]);
  const fourth = await listen(account, cookie);
  expect({ status: fourth.status, after: fourth.headers['retry-after'] }).toEqual({ status: 503, after: '15' });
  for (const page of pages) page.leave();
  let status = 0;
  for (let tries = 0; tries < 50 && status !== 200; tries += 1) {
    await sleep(20);
    const page = await listen(account, cookie);
    status = page.status;
    page.leave();
  }
  expect(status).toBe(200);
});

test('without the cookie, or for another account, there is nothing to hear', async () => {
  const { account, browser } = await waiting();
  const other = await waiting();
  for (const [cookie, whose] of [
    ['', account],
    ['x'.repeat(43), account],
    [other.cookie, account],
  ] as const) {
    expect((await listen(whose, cookie)).status).toBe(404);
  }
  for (const query of ['', '?account=', `?account=${'x'.repeat(200)}`, '?account=a&account=b', '?account[$ne]=x']) {
    const answer = await browser.request(`${app.issuer}/second-factor/any/request/state${query}`);
    expect({ query, status: answer.status }).toEqual({ query, status: 404 });
  }
});

test('when the server stops, every page that listens is let go at once, and none is taken any more', async () => {
  const { account, cookie } = await waiting();
  const page = await listen(account, cookie, node);
  node.app.web.streams.close();
  expect(await page.over).not.toContain('changed');
  expect((await listen(account, cookie, node)).status).toBe(503);
});
