import type { Context, Middleware, Next } from 'koa';
import type { Provider } from 'oidc-provider';
import { AppError } from '../errors.js';
import type { CookieSettings } from '../http/index.js';
import { SessionRevokedError } from './adapter/index.js';

/** The provider's events that carry an error of a route with a session. */
const ERROR_EVENTS = [
  'authorization.error',
  'code_verification.error',
  'device_resume.error',
  'end_session.error',
  'end_session_confirm.error',
] as const;

/**
 * A session that was ended while a request of it was under way: the write that would have brought it back was refused, so
 * nothing of the answer may leave. The cookie goes, and the sign-in starts again.
 */
export function sessionRevoked(deps: { provider: Provider; cookies: CookieSettings }): Middleware {
  const name = deps.provider.cookieName('session');
  // A session that nothing had touched yet: the library answers by itself, and only tells.
  for (const event of ERROR_EVENTS) {
    deps.provider.on(event as 'authorization.error', (ctx, error) => {
      if (error instanceof SessionRevokedError) ctx.state.isSessionRevoked = true;
    });
  }
  const startAgain = (ctx: Context): void => {
    ctx.remove('Location');
    ctx.remove('Set-Cookie');
    ctx.cookies.set(name, null, { ...deps.cookies.options, signed: true });
    const isStart = ctx.oidc?.route === 'authorization' && ctx.method === 'GET';
    if (!isStart) throw new AppError('INTERACTION_ENDED', 'session was ended');
    ctx.body = null;
    ctx.status = 303;
    ctx.redirect(ctx.originalUrl);
    ctx.status = 303;
  };
  return (async (ctx: Context, next: Next) => {
    try {
      await next();
    } catch (error) {
      if (!(error instanceof SessionRevokedError)) throw error;
      return startAgain(ctx);
    }
    if (ctx.state.isSessionRevoked) startAgain(ctx);
  }) as unknown as Middleware;
}
