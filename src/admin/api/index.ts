/** The management API: one table of rows, one pipeline for all of them. */
import type { Context, Next } from 'koa';
import type { Announcer } from '../../notifications/index.js';
import type { Logger } from '../../platform/logger.js';
import type { Throttle } from '../../throttle/contract.js';
import { createAccessTokens, type SigningKey } from './access-token.js';
import { type AuthenticateDeps, createAuthenticate } from './authenticate.js';
import { createIdempotency } from './idempotency.js';
import { createPipeline } from './pipeline.js';
import { createRefusalRecord } from './rights-check.js';
import { createRouter } from './router.js';
import { allRoutes } from './routes/index.js';
import type { ApiServices } from './services.js';
import { createTell } from './telling.js';

export { ensureIndexes } from './idempotency.js';

export interface ManagementApiDeps extends Omit<ApiServices, 'tell'> {
  issuer: string;
  jwks: readonly SigningKey[];
  announcer: Announcer;
  throttle: Throttle;
  logger: Logger;
  requestsPerMinute: number;
  findClient: AuthenticateDeps['findClient'];
  /** Remembers the ids of DPoP proofs. */
  replay(issuer: string, jti: string, exp: number): Promise<boolean>;
}

/** The audience of its tokens, and its address. */
export const managementApiBase = (issuer: string): string => `${issuer}/api/v1`;

/** Answers everything below `<issuer>/api/v1`; goes in front of the provider, beside the pages: no cookie means anything here. */
export function createManagementApi(deps: ManagementApiDeps): (ctx: Context, next: Next) => Promise<void> {
  const base = managementApiBase(deps.issuer);
  const prefix = new URL(base).pathname;
  const routes = allRoutes({ ...deps, tell: createTell(deps) });
  const run = createPipeline({
    ...deps,
    base,
    router: createRouter(routes),
    authenticate: createAuthenticate({ ...deps, tokens: createAccessTokens({ ...deps, audience: base }) }),
    recordRefusal: createRefusalRecord(deps),
    idempotency: createIdempotency(deps),
  });
  return async (ctx, next) => {
    if (ctx.path !== prefix && !ctx.path.startsWith(`${prefix}/`)) return next();
    await run(ctx, ctx.path.slice(prefix.length));
  };
}
