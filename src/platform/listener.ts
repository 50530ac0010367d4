import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listener {
  port: number;
  /**
   * Takes no more connections, lets the requests under way finish and ends every connection with its last answer.
   * @param graceMs after this long what is still open is cut off.
   */
  close(graceMs: number): Promise<void>;
}

/** The whole of a request, and its head, must have arrived within these times: a slow sender holds no connection for ever. */
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 15_000;

/**
 * Listens for HTTP.
 * @param port 0: any free one.
 * @throws the system's error (`EADDRINUSE`, `EACCES`, ...) when the port cannot be had.
 */
export async function openListener(
  handle: RequestListener,
  { host, port }: { host: string; port: number },
): Promise<Listener> {
  const answers = new Set<ServerResponse>();
  let isClosing = false;
  const server = createServer((request, response) => {
    answers.add(response);
    response.once('close', () => {
      answers.delete(response);
      // A head that went out before the end was known has promised to keep the connection.
      if (isClosing) setImmediate(() => server.closeIdleConnections());
    });
    if (isClosing) sayLast(response);
    handle(request, response);
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    async close(graceMs) {
      isClosing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const response of answers) sayLast(response);
      server.closeIdleConnections();
      const impatient = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(impatient);
    },
  };
}

/** RFC 9112 section 9.6: the other side sends nothing more on this connection. */
function sayLast(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
