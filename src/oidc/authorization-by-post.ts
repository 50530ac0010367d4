import type { Context, Next } from 'koa';
import { AppError } from '../errors.js';
import { readBody } from '../http/index.js';

const LIMIT_BYTES = 65_536;

/**
 * Authorization requests by POST (OpenID Connect Core 3.1.2.1) become the same request by GET. The library's own way would
 * need `SameSite=None` cookies, since the form comes from the application's site.
 */
export function authorizationByPost(path: string): (ctx: Context, next: Next) => Promise<void> {
  return async (ctx, next) => {
    if (ctx.method !== 'POST' || ctx.path !== path) return next();
    if (!ctx.is('application/x-www-form-urlencoded')) throw new AppError('REQUEST_MALFORMED', 'not a form');
    const body = await readBody(ctx.req, LIMIT_BYTES);
    ctx.status = 303;
    ctx.redirect(`${path}?${new URLSearchParams(body.toString())}`);
    ctx.status = 303;
  };
}
