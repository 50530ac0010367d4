import type { Engine } from '../factors/index.js';
import { type Pages, stateOf } from '../http/index.js';
import type { Logger } from '../platform/logger.js';

const STATUS = { accepted: 204, forged: 403, unknown: 404 } as const;

/** Where the services that methods use tell what became of what they were given. */
export function mountCallbacks(deps: {
  pages: Pages;
  engine: Pick<Engine, 'receive'>;
  issuer: string;
  logger: Logger;
}): void {
  const { pages, engine, issuer, logger } = deps;
  const basePath = new URL(`${issuer}/`).pathname.replace(/\/$/, '');

  pages.receive('/callbacks/:method/:service/:id', async (ctx, body, { method = '', service = '', id = '' }) => {
    // As it is known outside, whatever the proxies in between have made of it.
    const url = issuer + ctx.originalUrl.slice(basePath.length);
    const headers = Object.fromEntries(
      Object.entries(ctx.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
    );
    const outcome = await engine.receive(method, { service, id, url, headers, body });
    if (outcome !== 'accepted')
      logger.warn({ requestId: stateOf(ctx).requestId, method, reason: outcome }, 'callback refused');
    return STATUS[outcome];
  });
}
