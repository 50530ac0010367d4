import { PassThrough } from 'node:stream';
import type { Context } from 'koa';

/** Proxies close what is silent for a minute or so; browsers take up a stream that has ended by themselves. */
const HEARTBEAT_MS = 25_000;
const LONGEST_MS = 5 * 60_000;
/** How long a browser waits before it takes a stream up again. */
const RETRY_MS = 1_000;
const STREAMS_PER_OWNER = 3;
/** Each holds a connection and two timers: whoever comes after so many is told to ask again later. */
const STREAMS_PER_NODE = 5_000;

/** One page, or app, that listens for as long as it is open (server-sent events of the HTML standard). */
export interface EventStream {
  /** @param data one line */
  send(event: string, data?: string): void;
  end(): void;
  /** Runs once the stream is over, whoever ended it. */
  onEnd(then: () => void): void;
}

export interface EventStreams {
  /**
   * Makes the answer to this request a stream; undefined when the owner listens with as many pages as one may, when the
   * node has as many listeners as it takes, or when the server stops.
   * @param owner who listens: a browser, a phone.
   */
  open(ctx: Context, owner: string): EventStream | undefined;
  /** How many are open now. */
  count(): number;
  /** Ends them all, and takes no more: the server stops. */
  close(): void;
}

export function createEventStreams(maximum = STREAMS_PER_NODE): EventStreams {
  const open = new Set<PassThrough>();
  const perOwner = new Map<string, number>();
  let isClosed = false;

  const count = (owner: string, change: 1 | -1): void => {
    const streams = (perOwner.get(owner) ?? 0) + change;
    if (streams > 0) perOwner.set(owner, streams);
    else perOwner.delete(owner);
  };

  return {
    open(ctx, owner) {
      if (isClosed || open.size >= maximum || (perOwner.get(owner) ?? 0) >= STREAMS_PER_OWNER) return undefined;
      const body = new PassThrough();
      open.add(body);
      count(owner, 1);
      // Ended, but not yet gone: the last of it may be on its way for long, and nothing comes after it.
      const write = (text: string): void => {
        if (body.writable) body.write(text);
      };
      const heartbeat = setInterval(() => write(':\n\n'), HEARTBEAT_MS);
      const longest = setTimeout(() => body.end(), LONGEST_MS);
      body.once('close', () => {
        clearInterval(heartbeat);
        clearTimeout(longest);
        open.delete(body);
        count(owner, -1);
      });
      ctx.status = 200;
      ctx.type = 'text/event-stream';
      ctx.set('Cache-Control', 'no-store');
      // nginx would keep the events back until there are many of them.
      ctx.set('X-Accel-Buffering', 'no');
      ctx.body = body;
      write(`retry: ${RETRY_MS}\n\n`);
      return {
        send: (event, data = '') => write(`event: ${event}\ndata:${data}\n\n`),
        end: () => void body.end(),
        onEnd: (then) => void body.once('close', then),
      };
    },
    count: () => open.size,
    close() {
      isClosed = true;
      for (const body of open) body.end();
    },
  };
}
