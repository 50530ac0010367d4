import type { Engine } from '../factors/index.js';
import { originOf, type Pages } from '../http/index.js';

const FIRST_ERROR = 400;

/** What the clients of methods call, such as the app on a phone. */
export function mountApis({
  pages,
  engine,
  issuer,
}: {
  pages: Pages;
  engine: Pick<Engine, 'apis'>;
  issuer: string;
}): void {
  for (const { path, call } of engine.apis()) {
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
      ctx.status = answer.status;
      ctx.set({ ...answer.headers });
      if (!answer.body) return;
      ctx.body = JSON.stringify(answer.body);
      ctx.type = answer.status < FIRST_ERROR ? 'application/json' : 'application/problem+json';
    });
  }
}
