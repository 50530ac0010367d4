/** What one connection, or very many of them, may take of the server. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from '@jest/globals';
import { type Listener, type ListenerLimits, openListener } from '../../src/platform/listener.js';
import { rawBytes, rawRequest } from '../security/raw.js';

const GRACE_MS = 200;
const QUICK: Partial<ListenerLimits> = { requestMs: 400, headersMs: 200, checkMs: 50 };

let listener: Listener | undefined;
let answered: string[] = [];
afterEach(async () => {
  await listener?.close(GRACE_MS);
  listener = undefined;
});

const listen = async (limits?: Partial<ListenerLimits>): Promise<number> => {
  answered = [];
  listener = await openListener(
    (request, response) => {
      text(request).then(
        () => {
          answered.push(request.url ?? '');
          response.end('all of it');
        },
        () => response.destroy(),
      );
    },
    { host: '127.0.0.1', port: 0 },
    limits,
  );
  return listener.port;
};

/** Sends one piece after the other for as long as it is let; what came back, and how long it took. */
async function drip(port: number, first: string, piece: string): Promise<{ answer: string; ms: number }> {
  const began = performance.now();
  let answer = '';
  const socket = connect(port, '127.0.0.1', () => socket.write(first));
  const dripping = setInterval(() => socket.writable && socket.write(piece), 20);
  socket.on('data', (data) => {
    answer += data.toString('latin1');
  });
  socket.on('error', () => {});
  await once(socket, 'close');
  clearInterval(dripping);
  return { answer, ms: performance.now() - began };
}

test('a head that never ends is cut off with 408, however busily it trickles', async () => {
  const port = await listen(QUICK);
  const { answer, ms } = await drip(port, 'GET / HTTP/1.1\r\nHost: a\r\n', 'X-More: 1\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(ms).toBeLessThan(3_000);
  expect(answered).toEqual([]);
});

test('a body that never ends is cut off, too, and so is a connection on which nothing comes', async () => {
  const port = await listen(QUICK);
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n';
  const [body, nothing] = await Promise.all([drip(port, head, 'x'), drip(port, '', '')]);
  expect(body.answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(Math.max(body.ms, nothing.ms)).toBeLessThan(3_000);
  expect(answered).toEqual([]);
});

test('header lines that are too long or too many are refused with 431, and nothing hears of them', async () => {
  const port = await listen();
  const request = (lines: string): string => `GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n`;
  expect(await rawBytes(port, request(`Cookie: ${'x'.repeat(20_000)}\r\n`))).toMatch(/^HTTP\/1\.1 431 /);
  expect(await rawBytes(port, request('A: 1\r\n'.repeat(4_000)))).toMatch(/^HTTP\/1\.1 431 /);
  expect(await rawBytes(port, request('A: 1\r\n'.repeat(99)))).toMatch(/^HTTP\/1\.1 431 /);
  expect(answered).toEqual([]);
  expect(await rawBytes(port, request('A: 1\r\n'.repeat(98)))).toMatch(/^HTTP\/1\.1 200 /);
});

test('two thousand connections kept open at once, each answered twice, and all let go when the server stops', async () => {
  const port = await listen();
  const count = 2_000;
  const ask = (socket: Socket): Promise<unknown> => {
    const answer = once(socket, 'data');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    return answer;
  };
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: 200 }, () => connect(port, '127.0.0.1'));
    await Promise.all(batch.map((socket) => once(socket, 'connect')));
    sockets.push(...batch);
  }
  for (let round = 0; round < 2; round += 1) await Promise.all(sockets.map(ask));
  expect(answered).toHaveLength(2 * count);
  expect((await rawRequest(port, '/further')).status).toBe(200);
  const gone = Promise.all(sockets.map((socket) => once(socket, 'close')));
  const began = performance.now();
  await listener?.close(5_000);
  await gone;
  expect(performance.now() - began).toBeLessThan(4_000);
}, 30_000);
