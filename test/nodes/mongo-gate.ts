import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A node's way to MongoDB, on which a chosen command can be held up: the node itself is the real one, and so is its database. */
export interface MongoGate {
  uri: string;
  /** Holds the next command that contains all the words, and everything behind it on its connection. */
  hold(...words: string[]): Held;
  /** Holds every such command, until it is released. */
  holdEach(...words: string[]): Held;
  stop(): Promise<void>;
}

export interface Held {
  /** Resolves when the command has come. */
  reached: Promise<void>;
  release(): void;
  /** What comes from now on passes; what is held never does: its node is dead. */
  forget(): void;
}

/** First field of every message of MongoDB's wire protocol: its whole length, little endian. */
const LENGTH_BYTES = 4;

export async function openMongoGate(uri: string, port = Number(new URL(uri).port)): Promise<MongoGate> {
  const sockets = new Set<Socket>();
  const holds = new Set<{ words: string[]; reach(): void; released: Promise<void>; isOnce: boolean }>();

  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    upstream.pipe(client);
    let pending = Buffer.alloc(0);
    let before: Promise<void> = Promise.resolve();
    client.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= LENGTH_BYTES && pending.length >= pending.readInt32LE(0)) {
        const message = pending.subarray(0, pending.readInt32LE(0));
        pending = pending.subarray(message.length);
        before = before.then(async () => {
          const held = [...holds].find(({ words }) => words.every((word) => message.includes(word)));
          if (held) {
            if (held.isOnce) holds.delete(held);
            held.reach();
            await held.released;
          }
          if (!upstream.destroyed) upstream.write(message);
        });
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const add = (words: string[], isOnce: boolean): Held => {
    let reach = (): void => {};
    let release = (): void => {};
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const held = { words, reach, released, isOnce };
    holds.add(held);
    return {
      reached,
      release() {
        holds.delete(held);
        release();
      },
      forget: () => void holds.delete(held),
    };
  };

  return {
    // Without `directConnection` the driver would ask the server for its address and go there past the gate.
    uri: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/?directConnection=true`,
    hold: (...words) => add(words, true),
    holdEach: (...words) => add(words, false),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
