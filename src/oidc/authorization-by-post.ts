import type { Context, Next } from 'koa';
import { AppError } from '../errors.js';

const LIMIT_BYTES = 65_536;

/**
 * Authorization requests by POST (OpenID Connect Core 3.1.2.1) become the same request by GET. The library's own way would
 * need `SameSite=None` cookies, since the form comes from the application's site.
 */
export function authorizationByPost(path: string): (ctx: Context, next: Next) => Promise<void> {
  return async (ctx, next) => {
    if (ctx.method !== 'POST' || ctx.path !== path) return next();
    if (!ctx.is('application/x-www-form-urlencoded')) throw new AppError('REQUEST_MALFORMED', 'not a form');
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LIMIT_BYTES) throw new AppError('REQUEST_TOO_LARGE', 'authorization request over the limit');
      chunks.push(chunk);
    }
    ctx.status = 303;
    ctx.redirect(`${path}?${new URLSearchParams(Buffer.concat(chunks).toString())}`);
    ctx.status = 303;
  };
}
