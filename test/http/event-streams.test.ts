import { once } from 'node:events';
import type { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Context } from 'koa';
import { createEventStreams, type EventStreams } from '../../src/http/index.js';

let streams: EventStreams;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
  streams = createEventStreams();
});
afterEach(() => {
  streams.close();
  jest.useRealTimers();
});

/** A page that listens, and what it has heard. */
function listen(owner = 'somebody') {
  const ctx = { set: () => {} } as unknown as Context;
  const stream = streams.open(ctx, owner);
  const body = ctx.body as PassThrough | undefined;
  let heard = '';
  body?.on('data', (chunk) => {
    heard += chunk;
  });
  return { stream, body, heard: () => heard };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('it says something often enough for proxies, and ends by itself for the browser to take it up again', async () => {
  const { stream, body, heard } = listen();
  let ends = 0;
  stream?.onEnd(() => {
    ends += 1;
  });
  jest.advanceTimersByTime(60_000);
  await settle();
  expect(heard()).toBe('retry: 1000\n\n:\n\n:\n\n');
  expect(ends).toBe(0);
  const closed = once(body as PassThrough, 'close');
  jest.advanceTimersByTime(240_000);
  // Between the end and the goodbye there is nothing more to say.
  stream?.send('late');
  stream?.end();
  await closed;
  expect(heard()).not.toContain('late');
  expect(ends).toBe(1);
  expect(jest.getTimerCount()).toBe(0);
});

test('a page that goes away leaves nothing behind, and its place to another', async () => {
  const pages = [listen(), listen(), listen()];
  expect(listen().stream).toBeUndefined();
  expect(listen('somebody else').stream).toBeDefined();
  pages[0]?.body?.destroy();
  await settle();
  expect(listen().stream).toBeDefined();
});

test('a node takes so many and no more, whoever they are', async () => {
  streams = createEventStreams(2);
  const [first] = [listen('one'), listen('two')];
  expect(listen('three').stream).toBeUndefined();
  first?.stream?.end();
  await settle();
  expect(listen('three').stream).toBeDefined();
});

test('after the stop nobody is taken any more', async () => {
  const { body } = listen();
  const closed = once(body as PassThrough, 'close');
  streams.close();
  await closed;
  expect(listen().stream).toBeUndefined();
  expect(jest.getTimerCount()).toBe(0);
});
