import { Agent, createServer, request } from 'node:http';

export type NodeName = 'a' | 'b';

/** What stands in front of two nodes: it listens where the issuer says, and sends each request where the test says. */
export interface Balancer {
  /**
   * `alternate`: every request goes to the other node than the one before, redirects included.
   * `ready`: the same among those whose `/readyz` says so, on connections that are kept, as a real balancer does; it tries nothing twice,
   * and says 503 itself when none is.
   */
  to: NodeName | 'alternate' | 'ready';
  /** Which nodes answered, in the order of the requests. */
  answeredBy: NodeName[];
  stop(): Promise<void>;
}

/** How often `/readyz` is asked; one answer other than 200, or none, is enough to send no more. */
const ASK_MS = 250;

/** @param ports asked for at each request: a node that comes back may have another one. */
export async function openBalancer(port: number, ports: Record<NodeName, number>): Promise<Balancer> {
  const once = new Agent({ keepAlive: false });
  const kept = new Agent({ keepAlive: true });
  const isReady: Record<NodeName, boolean> = { a: true, b: true };
  let last: NodeName = 'b';
  const next = (): NodeName | undefined => {
    if (balancer.to !== 'alternate' && balancer.to !== 'ready') return balancer.to;
    const other = last === 'a' ? 'b' : 'a';
    if (balancer.to === 'alternate' || isReady[other]) return other;
    return isReady[last] ? last : undefined;
  };
  const asking = setInterval(() => {
    if (balancer.to !== 'ready') return;
    for (const node of ['a', 'b'] as const)
      fetch(`http://127.0.0.1:${ports[node]}/readyz`, { signal: AbortSignal.timeout(ASK_MS * 4) })
        .then(async ({ ok, body }) => {
          await body?.cancel();
          return ok;
        })
        .catch(() => false)
        .then((ok) => (isReady[node] = ok));
  }, ASK_MS);
  const server = createServer((incoming, outgoing) => {
    const node = next();
    if (!node) return outgoing.writeHead(503).end('no node is ready');
    last = node;
    const { method, url } = incoming;
    const { connection: _hop, ...headers } = incoming.headers;
    const agent = balancer.to === 'ready' ? kept : once;
    // The `Host` of the browser stays: to the nodes this is one site.
    const forwarded = request({ host: '127.0.0.1', port: ports[node], method, path: url, headers, agent }, (answer) => {
      balancer.answeredBy.push(node);
      const { connection, 'keep-alive': _hop, ...rest } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, rest);
      // A node that dies in the middle of its answer: the browser sees it break off.
      answer.on('error', () => outgoing.destroy());
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end('node is away');
    });
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const balancer: Balancer = {
    to: 'a',
    answeredBy: [],
    async stop() {
      clearInterval(asking);
      kept.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return balancer;
}
