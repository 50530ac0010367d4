import type { Context, Middleware, Next } from 'koa';
import { errors, type Provider } from 'oidc-provider';
import { AppError } from '../errors.js';
import { toAppError } from '../http/index.js';
import { isDatabaseUnavailable } from '../platform/database.js';
import type { Logger } from '../platform/logger.js';
import { type OidcStore, type RunningUnit, SessionRevokedError } from './adapter/index.js';

const RETRY_AFTER_SECONDS = 5;

/** What the library answers programs with when it fails. */
const SERVER_ERROR = { error: 'server_error', error_description: 'the answer could not be stored, try again' };

/**
 * One unit of work around each request: what the provider writes goes out in one command before the answer does, whatever the
 * answer is; only a fault gives it up. An answer whose writes failed does not leave.
 *
 * Behind the error handler, which shows what it throws, and in front of everything that uses the provider.
 */
export function unitOfWork(deps: { provider: Provider; store: OidcStore; logger: Logger }): Middleware {
  const sessionCookie = deps.provider.cookieName('session');
  // The provider turns its faults into answers, some of which are redirects.
  deps.provider.on('server_error', (ctx, error) => {
    ctx.state.providerFault = error;
  });

  /** The session that a cookie of this answer leads to was not written: the one from before still is. */
  const keepSessionCookie = (ctx: Context): void => {
    const lines = [ctx.response.get('Set-Cookie')].flat().filter(Boolean);
    const others = lines.filter(
      (line) => !line.startsWith(`${sessionCookie}=`) && !line.startsWith(`${sessionCookie}.sig=`),
    );
    if (others.length === 0) ctx.remove('Set-Cookie');
    else if (others.length < lines.length) ctx.set('Set-Cookie', others);
  };

  /** What it means that an answer could not be written. */
  const asError = (cause: unknown): AppError => {
    if (cause instanceof errors.OIDCProviderError) {
      return new AppError('INTERACTION_ENDED', 'changed or ended by another request meanwhile', { cause });
    }
    if (isDatabaseUnavailable(cause)) return toAppError(cause);
    return new AppError('DATABASE_UNAVAILABLE', 'not written', { cause, retryAfterSeconds: RETRY_AFTER_SECONDS });
  };

  const commit = async (ctx: Context, unit: RunningUnit): Promise<void> => {
    try {
      await unit.commit();
    } catch (cause) {
      ctx.remove('Set-Cookie');
      ctx.remove('Location');
      if (cause instanceof SessionRevokedError) throw cause;
      const error = asError(cause);
      if (!ctx.oidc || !ctx.response.is('json')) throw error;
      ctx.status = error.status;
      if (cause instanceof errors.OIDCProviderError) {
        ctx.body = { error: cause.error, error_description: cause.error_description };
        return;
      }
      deps.logger.error({ err: cause, code: error.code }, 'answer of the provider not written');
      ctx.body = SERVER_ERROR;
      ctx.set('Retry-After', String(RETRY_AFTER_SECONDS));
    }
  };

  const isFault = (ctx: Context, thrown: { error: unknown } | undefined): boolean => {
    // The sign-in starts again: nothing of this answer is to stay, though it is none of our faults.
    if (ctx.state.isSessionRevoked || thrown?.error instanceof SessionRevokedError) return true;
    if (thrown) return toAppError(thrown.error).status >= 500;
    return ctx.status >= 500 || ctx.state.providerFault !== undefined;
  };

  return ((ctx: Context, next: Next) =>
    deps.store.units.run(async (unit) => {
      let thrown: { error: unknown } | undefined;
      try {
        await next();
      } catch (error) {
        thrown = { error };
      }
      if (!isFault(ctx, thrown)) await commit(ctx, unit);
      else if (await unit.abandon()) keepSessionCookie(ctx);
      if (thrown) throw thrown.error;
    })) as unknown as Middleware;
}
