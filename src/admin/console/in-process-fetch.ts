import type { RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import inject from 'light-my-request';

/** On whose behalf a call is made: what the audit will say of it. */
export interface Caller {
  ip: string;
  userAgent: string;
}

type Body = string | URLSearchParams | Uint8Array | null | undefined;

/** As much of `fetch` as our calls and openid-client need. */
export type InProcessFetch = (
  url: string | URL,
  init?: { method?: string; headers?: Record<string, string> | Headers; body?: unknown },
) => Promise<Response>;

/** Answers that have no body by definition (RFC 9110 15.3.5, 15.4.5). */
const BODILESS = new Set([204, 205, 304]);

/**
 * `fetch` for our own issuer that never touches the network: the same request handler, the same rules, no way around any.
 * Nothing but the issuer can be reached through it.
 */
export function createInProcessFetch(options: {
  issuer: string;
  trustedProxyHops: number;
  /** The server's request handler, once there is one. */
  handler(): RequestListener;
}): (caller: Caller) => InProcessFetch {
  const { origin, host, protocol } = new URL(options.issuer);
  return ({ ip, userAgent }) =>
    async (url, init = {}) => {
      const target = new URL(url);
      if (target.origin !== origin) throw new TypeError('a call within the process goes to the issuer alone');
      const body = init.body as Body;
      const forwarded =
        options.trustedProxyHops > 0 ? { 'x-forwarded-for': ip, 'x-forwarded-proto': protocol.slice(0, -1) } : {};
      const response = await inject(options.handler(), {
        method: init.method ?? 'GET',
        url: target.pathname + target.search,
        authority: host,
        remoteAddress: ip,
        headers: {
          accept: 'application/json',
          ...Object.fromEntries(new Headers(init.headers)),
          ...(body instanceof URLSearchParams ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
          host,
          'user-agent': userAgent,
          ...forwarded,
        },
        ...(body === undefined || body === null
          ? {}
          : { payload: body instanceof Uint8Array ? Buffer.from(body) : String(body) }),
        payloadAsStream: true,
      });
      const headers = new Headers();
      for (const [name, value] of Object.entries(response.headers))
        for (const one of [value ?? []].flat()) headers.append(name, String(one));
      const stream = Readable.toWeb(response.stream()) as NodeReadableStream<Uint8Array>;
      if (BODILESS.has(response.statusCode)) return new Response(null, { status: response.statusCode, headers });
      return new Response(stream as unknown as ReadableStream<Uint8Array>, { status: response.statusCode, headers });
    };
}
