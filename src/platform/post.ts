import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';

/** From the look-up of the name to the head of the answer. */
const TIMEOUT_MS = 5_000;
/** Nobody reads an answer's body; a longer one is cut off. */
const BODY_BYTES = 16 * 1024;

export interface PostOptions {
  headers: Readonly<Record<string, string>>;
  /** How its name is resolved; as ever when absent. */
  lookup?: LookupFunction;
  timeoutMs?: number;
}

const reasonOf = (error: NodeJS.ErrnoException): Error =>
  error.name === 'AbortError' ? Object.assign(new Error('no answer in time'), { code: 'TIMEOUT' }) : error;

/**
 * Posts over a connection of its own; follows no redirect.
 * @returns the status of the answer.
 * @throws Error with a `code` when there was none: `TIMEOUT`, `ECONNREFUSED`, `PRIVATE_ADDRESS`, ...
 */
export function post(url: URL, body: Uint8Array, options: PostOptions): Promise<number> {
  const { headers, lookup, timeoutMs = TIMEOUT_MS } = options;
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method: 'POST',
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      headers: { 'content-length': body.length, ...headers },
      ...(lookup ? { lookup } : {}),
    });
    request.on('error', (error) => reject(reasonOf(error)));
    request.on('response', (response) => {
      let received = 0;
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received > BODY_BYTES) response.destroy();
      });
      // The status has been taken by then.
      response.on('error', () => undefined);
      resolve(response.statusCode ?? 0);
    });
    request.end(body);
  });
}

/** The same with JSON: see `post`. */
export const postJson = (url: URL, json: string, { headers, ...options }: PostOptions): Promise<number> =>
  post(url, Buffer.from(json), { ...options, headers: { 'content-type': 'application/json', ...headers } });
