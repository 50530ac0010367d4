import { Agent, createServer, request } from 'node:http';

export type NodeName = 'a' | 'b';

/** What stands in front of two nodes: it listens where the issuer says, and sends each request where the test says. */
export interface Balancer {
  /** `alternate`: every request goes to the other node than the one before, redirects included. */
  to: NodeName | 'alternate';
  /** Which nodes answered, in the order of the requests. */
  answeredBy: NodeName[];
  stop(): Promise<void>;
}

/** @param ports asked for at each request: a node that comes back may have another one. */
export async function openBalancer(port: number, ports: Record<NodeName, number>): Promise<Balancer> {
  const agent = new Agent({ keepAlive: false });
  let last: NodeName = 'b';
  const server = createServer((incoming, outgoing) => {
    last = balancer.to === 'alternate' ? (last === 'a' ? 'b' : 'a') : balancer.to;
    const node = last;
    const { method, url, headers } = incoming;
    // The `Host` of the browser stays: to the nodes this is one site.
    const forwarded = request(
      { host: '127.0.0.1', port: ports[node], method, path: url, headers: { ...headers, connection: 'close' }, agent },
      (answer) => {
        balancer.answeredBy.push(node);
        const { connection, 'keep-alive': _hop, ...rest } = answer.headers;
        outgoing.writeHead(answer.statusCode ?? 502, rest);
        // A node that dies in the middle of its answer: the browser sees it break off.
        answer.on('error', () => outgoing.destroy());
        answer.pipe(outgoing);
      },
    );
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
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return balancer;
}
