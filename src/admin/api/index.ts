/** The management API: one table of rows, one pipeline for all of them. */
import type { Context, Next } from 'koa';
import type { Presenter } from '../../http/index.js';
import type { Logger } from '../../platform/logger.js';
import type { Throttle } from '../../throttle/contract.js';
import { createAccessTokens, type TrustedKeys } from './access-token.js';
import { type AuthenticateDeps, createAuthenticate } from './authenticate.js';
import { createDescription } from './description.js';
import { createIdempotency } from './idempotency.js';
import { createPipeline } from './pipeline.js';
import { createRefusalRecord } from './rights-check.js';
import { createRouter } from './router.js';
import { allRoutes } from './routes/index.js';
import type { ApiServices } from './services.js';

export { ensureIndexes } from './idempotency.js';
export { type ShownAccount, showAccount } from './schemas/account.js';

export interface ManagementApiDeps extends Omit<ApiServices, 'tell' | 'base'> {
  issuer: string;
  signingKeys: TrustedKeys;
  throttle: Throttle;
  logger: Logger;
  presenter: Presenter;
  requestsPerMinute: number;
  acrAliases: AuthenticateDeps['acrAliases'];
  findClient: AuthenticateDeps['findClient'];
  isSessionEnded: AuthenticateDeps['isSessionEnded'];
  /** Remembers the ids of DPoP proofs. */
  replay(issuer: string, jti: string, exp: number): Promise<boolean>;
}

/** The audience of its tokens, and its address. */
export const managementApiBase = (issuer: string): string => `${issuer}/api/v1`;

/** Answers everything below `<issuer>/api/v1`; goes in front of the provider, beside the pages: no cookie means anything here. */
export function createManagementApi(deps: ManagementApiDeps): (ctx: Context, next: Next) => Promise<void> {
  const base = managementApiBase(deps.issuer);
  const prefix = new URL(base).pathname;
  const routes = allRoutes({ ...deps, base, tell: deps.operations.tell });
  const run = createPipeline({
    ...deps,
    base,
    router: createRouter(routes),
    authenticate: createAuthenticate({
      ...deps,
      tokens: createAccessTokens({ ...deps, keys: deps.signingKeys, audience: base }),
    }),
    recordRefusal: createRefusalRecord(deps),
    idempotency: createIdempotency(deps),
  });
  const description = createDescription({ routes, base, issuer: deps.issuer, presenter: deps.presenter });
  return async (ctx, next) => {
    if (ctx.path !== prefix && !ctx.path.startsWith(`${prefix}/`)) return next();
    const path = ctx.path.slice(prefix.length);
    if (description(ctx, path)) return;
    await run(ctx, path);
  };
}
