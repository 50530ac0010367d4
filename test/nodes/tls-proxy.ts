import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as plainRequest } from 'node:http';
import { createServer, type RequestOptions, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

/** What ends TLS in front of a node, as `docs/operating.md` wants it: one more address in `X-Forwarded-For`, the scheme, and `Host` as it came. */
export interface TlsProxy {
  /** `fetch` of a browser at `from`, a loopback address, for `https` URLs of any host: all of them lead here. */
  fetchFrom(from: string): typeof fetch;
  stop(): Promise<void>;
}

/** A key that both sides have (RFC 4279) stands for a certificate, which nothing behind the proxy ever sees. */
export async function openTlsProxy(target: number): Promise<TlsProxy> {
  const psk = randomBytes(32);
  const tls = { ciphers: 'PSK-AES256-GCM-SHA384', maxVersion: 'TLSv1.2' } as const;
  const server = createServer({ ...tls, pskCallback: () => psk }, (incoming, outgoing) => {
    const { method, url, headers, socket } = incoming;
    const before = headers['x-forwarded-for'];
    const forwarded = {
      ...headers,
      'x-forwarded-for': [before, socket.remoteAddress].filter(Boolean).join(', '),
      'x-forwarded-proto': 'https',
    };
    const inner = plainRequest({ host: '127.0.0.1', port: target, method, path: url, headers: forwarded }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    inner.on('error', () => outgoing.destroy());
    incoming.pipe(inner);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const send = async (from: string, input: Parameters<typeof fetch>[0], init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input));
    const headers = Object.fromEntries(new Headers(init.headers));
    const options: RequestOptions & ConnectionOptions = {
      ...tls,
      pskCallback: () => ({ psk, identity: 'browser' }),
      checkServerIdentity: () => undefined,
      host: '127.0.0.1',
      port,
      localAddress: from,
      agent: false,
      method: init.method ?? 'GET',
      path: url.pathname + url.search,
      headers: { ...headers, host: url.host },
    };
    const outgoing = request(options);
    const answered = once(outgoing, 'response');
    outgoing.end(init.body === undefined || init.body === null ? undefined : String(init.body));
    const [incoming] = await answered;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const pairs = Object.entries(incoming.headersDistinct as Record<string, string[]>);
    return new Response(chunks.length > 0 ? Buffer.concat(chunks) : null, {
      status: incoming.statusCode,
      headers: pairs.flatMap(([name, values]) => values.map((value): [string, string] => [name, value])),
    });
  };
  return {
    fetchFrom: (from) => (input, init) => send(from, input, init),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
