import type { Context } from 'koa';
import type { ApiAnswer } from '../factors/contract.js';
import type { Engine } from '../factors/index.js';
import { type EventStreams, originOf, type Pages } from '../http/index.js';

const FIRST_ERROR = 400;

/** What the clients of methods call, such as the app on a phone. */
export function mountApis({
  pages,
  streams,
  engine,
  issuer,
}: {
  pages: Pages;
  streams: EventStreams;
  engine: Pick<Engine, 'apis' | 'listen'>;
  issuer: string;
}): void {
  for (const { method, path, call } of engine.apis()) {
    pages.api(path, async (ctx, rest, body) => {
      const headers = Object.fromEntries(
        Object.entries(ctx.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
      );
      const { ip, requestId } = originOf(ctx);
      const answer = await call({
        verb: ctx.method === 'POST' ? 'POST' : 'GET',
        path: rest,
        // As it is known outside, whatever the proxies in between have made of it.
        url: issuer + path + rest,
        headers,
        body,
        requestId,
        ...(ip ? { ip } : {}),
      });
      const { listener } = answer;
      const stream = listener && streams.open(ctx, `${path}/${listener.factorId}`);
      if (!stream) return give(ctx, listener?.busy ?? answer);
      ctx.set({ ...answer.headers });
      const revoked = (): void => {
        stream.send('revoked');
        stream.end();
      };
      stream.onEnd(engine.listen(method, listener, { changed: () => stream.send('changed'), revoked }));
    });
  }
}

function give(ctx: Context, { status, headers, body }: ApiAnswer): void {
  ctx.status = status;
  ctx.set({ ...headers });
  if (!body) return;
  ctx.body = JSON.stringify(body);
  ctx.type = status < FIRST_ERROR ? 'application/json' : 'application/problem+json';
}
