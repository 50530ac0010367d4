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

/** What one connection may take of us, in time and in bytes. */
export interface ListenerLimits {
  /** The whole of a request must have arrived within this time: a slow sender holds no connection for ever. */
  requestMs: number;
  /** And its head within this one, from the first byte of the connection on or from the answer before. */
  headersMs: number;
  /** How often the two are looked at. */
  checkMs: number;
  /** Longer than proxies keep a connection that is idle (a minute or less): else they meet one that is just being closed. */
  idleMs: number;
  /** All header lines together. */
  headerBytes: number;
  headerLines: number;
}

const LIMITS: ListenerLimits = {
  requestMs: 30_000,
  headersMs: 15_000,
  checkMs: 5_000,
  idleMs: 75_000,
  headerBytes: 16_384,
  headerLines: 100,
};

/**
 * Listens for HTTP.
 * @param port 0: any free one.
 * @throws the system's error (`EADDRINUSE`, `EACCES`, ...) when the port cannot be had.
 */
export async function openListener(
  handle: RequestListener,
  { host, port }: { host: string; port: number },
  given: Partial<ListenerLimits> = {},
): Promise<Listener> {
  const limits = { ...LIMITS, ...given };
  const answers = new Set<ServerResponse>();
  let isClosing = false;
  const options = {
    connectionsCheckingInterval: limits.checkMs,
    requestTimeout: limits.requestMs,
    headersTimeout: limits.headersMs,
    keepAliveTimeout: limits.idleMs,
    maxHeaderSize: limits.headerBytes,
  };
  const server = createServer(options, (request, response) => {
    answers.add(response);
    response.once('close', () => {
      answers.delete(response);
      // A head that went out before the end was known has promised to keep the connection.
      if (isClosing) setImmediate(() => server.closeIdleConnections());
    });
    if (isClosing) sayLast(response);
    if (request.rawHeaders.length > 2 * limits.headerLines) refuseHead(response);
    else handle(request, response);
  });
  // Node would drop the lines beyond without a word, `Host` and `Cookie` among them.
  server.maxHeadersCount = 0;
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

/** RFC 6585 section 5. */
function refuseHead(response: ServerResponse): void {
  response.writeHead(431, { connection: 'close' }).end();
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
