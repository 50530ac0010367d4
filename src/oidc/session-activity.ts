import type { Middleware, Next } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Logger } from '../platform/logger.js';
import type { OidcStore } from './adapter/index.js';

/**
 * A refresh of a token that ends with its session is use of that session: its idle time starts anew, within its overall
 * time. Goes in front of the provider.
 */
export function sessionActivity(deps: {
  store: Pick<OidcStore, 'sessions'>;
  logger: Logger;
  idleSeconds: number;
  overallSeconds: number;
}): Middleware {
  return (async (ctx: KoaContextWithOIDC, next: Next) => {
    await next();
    const { oidc } = ctx;
    if (oidc?.route !== 'token' || ctx.status !== 200) return;
    const token = oidc.entities.RotatedRefreshToken;
    if (!token?.expiresWithSession || !token.sessionUid) return;
    // The old token is spent: the answer with the new one must get out, whatever happens here.
    await deps.store.sessions
      .extend(token.sessionUid, deps)
      .catch((err: unknown) => deps.logger.warn({ err }, 'session not extended'));
  }) as unknown as Middleware;
}
