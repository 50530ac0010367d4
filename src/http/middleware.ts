import type { Context, Next } from 'koa';
import helmet from 'koa-helmet';
import { AppError } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import { isDatabaseUnavailable } from '../platform/database.js';
import type { Logger } from '../platform/logger.js';
import type { Random } from '../platform/random.js';
import type { CookieSettings } from './cookies.js';
import type { Csrf } from './csrf.js';
import type { Catalogue } from './i18n.js';
import type { Presenter } from './presenter.js';
import { type RequestState, stateOf } from './request-state.js';

type Middleware = (ctx: Context, next: Next) => Promise<void>;

/** What became of a request, in words and numbers of ours. */
export interface Answered {
  /** Of a closed list: a page's declared path, an endpoint's or operation's name. */
  route: string;
  method: string;
  status: number;
  /** Until the answer began. */
  seconds: number;
}

/** What a proxy calls a request; whoever is no proxy of ours could make us log anything. */
const PROXY_REQUEST_ID = /^[\w.:@=+/-]{1,64}$/;

function routeOf(ctx: Context): string {
  // The routers of the pages and of the provider, which names its routes.
  const { _matchedRouteName: name, _matchedRoute: path } = ctx as {
    _matchedRouteName?: string;
    _matchedRoute?: unknown;
  };
  return stateOf(ctx).route ?? name ?? (typeof path === 'string' ? path : 'none');
}

/** Request id, CSP nonce and language; then one log line with the path's shape, never its values. */
export function requestContext(deps: {
  random: Random;
  clock: Clock;
  logger: Logger;
  catalogue: Catalogue;
  cookies: CookieSettings;
  csrf: Csrf;
  onAnswer?: ((answer: Answered) => void) | undefined;
}): Middleware {
  const languageCookie = deps.cookies.name('lang');
  return async (ctx, next) => {
    const began = performance.now();
    const state = ctx.state as RequestState;
    state.requestId = deps.random.token(64);
    state.nonce = deps.random.token(128);
    // The issuer says whether browsers speak TLS, not a header: an error page, too, sets cookies.
    ctx.cookies.secure = deps.cookies.options.secure;
    const browser = deps.csrf.browserOf(ctx);
    if (browser) state.browser = browser;
    const asked = typeof ctx.query.lang === 'string' ? ctx.query.lang : undefined;
    const uiLocales = typeof ctx.query.ui_locales === 'string' ? ctx.query.ui_locales : undefined;
    const cookie = ctx.cookies.get(languageCookie, { signed: false });
    state.locale = deps.catalogue.pickLocale({
      ...(asked ? { query: asked } : {}),
      ...(cookie ? { cookie } : {}),
      ...(uiLocales ? { uiLocales } : {}),
      acceptLanguage: ctx.get('accept-language'),
    });
    state.isLocaleChosen = state.locale === asked || (asked === undefined && state.locale === cookie);
    if (asked && asked === state.locale && asked !== cookie) {
      ctx.cookies.set(languageCookie, asked, { ...deps.cookies.options, signed: false, maxAge: 365 * 86_400_000 });
    }
    ctx.set('X-Request-Id', state.requestId);
    const proxyRequestId = ctx.app.proxy ? ctx.get('x-request-id') : '';
    try {
      await next();
    } finally {
      const ms = performance.now() - began;
      deps.onAnswer?.({ route: routeOf(ctx), method: ctx.method, status: ctx.status, seconds: ms / 1000 });
      deps.logger.info(
        {
          requestId: state.requestId,
          ...(PROXY_REQUEST_ID.test(proxyRequestId) ? { proxyRequestId } : {}),
          method: ctx.method,
          path: maskedPath(ctx.path),
          status: ctx.status,
          ms: Math.round(ms),
        },
        'request',
      );
    }
  };
}

/** Path segments that are not words of ours are identifiers, some of them secrets: they stay out of the log. */
export const maskedPath = (path: string): string =>
  path
    .split('/')
    .map((part) => (part.length > 20 || /[0-9A-Z]/.test(part) ? ':' : part))
    .join('/');

/** One place where every fault becomes an answer. */
export function errorHandler(deps: { presenter: Presenter; logger: Logger }): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (isDatabaseUnavailable(ctx.state.providerFault)) {
        ctx.status = 503;
        ctx.set('Retry-After', '5');
      }
      if (ctx.status === 404 && ctx.body === undefined) throw new AppError('PAGE_NOT_FOUND', 'no such page');
    } catch (cause) {
      const error = toAppError(cause);
      logRefusal(deps.logger, ctx, error);
      ctx.remove('Location');
      deps.presenter.showError(ctx, error);
    }
  };
}

/** One line for every request that was not answered as it was asked: a fault with its cause, a refusal with its reason. */
export function logRefusal(logger: Logger, ctx: Context, error: AppError): void {
  const line = { requestId: stateOf(ctx).requestId, code: error.code, reason: error.message };
  if (error.status >= 500) logger.error({ ...line, err: error.cause ?? error }, 'request failed');
  else logger.info(line, 'request refused');
}

/** Any thrown thing as an AppError; 4xx of the HTTP layer keep their meaning, all else is ours. */
export function toAppError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  if (isDatabaseUnavailable(cause))
    return new AppError('DATABASE_UNAVAILABLE', 'database away', { cause, retryAfterSeconds: 5 });
  const status = cause instanceof Error && 'status' in cause ? Number(cause.status) : 500;
  if (status === 404) return new AppError('PAGE_NOT_FOUND', 'no such page');
  if (status === 405) return new AppError('METHOD_NOT_ALLOWED', 'method not allowed');
  if (status === 413) return new AppError('REQUEST_TOO_LARGE', 'too large');
  if (status >= 400 && status < 500) return new AppError('REQUEST_MALFORMED', 'refused by the HTTP layer');
  return new AppError('INTERNAL', 'unexpected', { cause });
}

/** A request for another origin than the issuer's is refused: nothing we answer depends on a header a stranger chose. */
export function pinOrigin(issuer: string): Middleware {
  const { host, protocol } = new URL(issuer);
  return async (ctx, next) => {
    if (ctx.host.toLowerCase() !== host) throw new AppError('REQUEST_FOREIGN_HOST', 'host is not the issuer');
    if (`${ctx.protocol}:` !== protocol) {
      throw new AppError('REQUEST_FOREIGN_HOST', 'scheme is not the issuer: is trustedProxyHops right?');
    }
    await next();
  };
}

/**
 * Security headers of every answer. `form-action` is left out of the policy on purpose: browsers apply it to redirects
 * after a POST, and a sign-in ends in the application's origin.
 */
export function securityHeaders(issuer: string): Middleware {
  const isHttps = issuer.startsWith('https:');
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'", (_request, response) => `'nonce-${(response as unknown as { nonce: string }).nonce}'`],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // Not `no-referrer`: browsers then send `Origin: null` with our own forms.
    referrerPolicy: { policy: 'same-origin' },
    crossOriginOpenerPolicy: false,
    crossOriginResourcePolicy: false,
    strictTransportSecurity: isHttps ? { maxAge: 63_072_000, includeSubDomains: false } : false,
  }) as unknown as Middleware;
}

/** Hands the nonce to the header writer, which sees only the raw response. */
export const exposeNonce: Middleware = async (ctx, next) => {
  (ctx.res as unknown as { nonce: string }).nonce = stateOf(ctx).nonce;
  await next();
};
