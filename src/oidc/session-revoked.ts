import type { Context, Middleware, Next } from 'koa';
import type { Provider } from 'oidc-provider';
import { AppError } from '../errors.js';
import type { CookieSettings, Presenter } from '../http/index.js';
import { SessionRevokedError } from './adapter/index.js';

/**
 * A session that was ended while a request of it was under way: the write that would have brought it back was refused, so
 * nothing of the answer may leave. The cookie goes, and the sign-in starts again.
 */
export function sessionRevoked(deps: {
  presenter: Presenter;
  provider: Provider;
  cookies: CookieSettings;
}): Middleware {
  const name = deps.provider.cookieName('session');
  return (async (ctx: Context, next: Next) => {
    try {
      await next();
    } catch (error) {
      if (!(error instanceof SessionRevokedError)) throw error;
      ctx.remove('Location');
      ctx.remove('Set-Cookie');
      ctx.cookies.set(name, null, { ...deps.cookies.options, signed: true });
      const isStart = ctx.oidc?.route === 'authorization' && ctx.method === 'GET';
      if (!isStart) throw new AppError('INTERACTION_ENDED', 'session was ended');
      ctx.status = 303;
      ctx.redirect(ctx.originalUrl);
      ctx.status = 303;
    }
  }) as unknown as Middleware;
}
