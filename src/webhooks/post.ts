import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';

/** From the look-up of the name to the head of the answer. */
const TIMEOUT_MS = 5_000;
/** Nobody reads an answer's body; a longer one is cut off. */
const BODY_BYTES = 16 * 1024;

const reasonOf = (error: NodeJS.ErrnoException): Error =>
  error.name === 'AbortError' ? Object.assign(new Error('no answer in time'), { code: 'TIMEOUT' }) : error;

/**
 * Posts JSON over a connection of its own; follows no redirect.
 * @param options.lookup how its name is resolved.
 * @returns the status of the answer.
 * @throws Error with a `code` when there was none: `TIMEOUT`, `ECONNREFUSED`, ...
 */
export function postJson(
  url: URL,
  body: string,
  options: { headers: Readonly<Record<string, string>>; lookup?: LookupFunction; timeoutMs?: number },
): Promise<number> {
  const { headers, lookup, timeoutMs = TIMEOUT_MS } = options;
  const bytes = Buffer.from(body);
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method: 'POST',
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        'content-type': 'application/json',
        'content-length': bytes.length,
        'user-agent': 'Countersign-Webhooks',
        ...headers,
      },
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
    request.end(bytes);
  });
}
