import type { Context, Middleware, Next } from 'koa';
import { AppError } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';
import { type Brand, brandOf, loadAssets } from './assets.js';
import { type CookieSettings, cookieSettings } from './cookies.js';
import { createCsrf } from './csrf.js';
import { createEventStreams, type EventStreams } from './event-streams.js';
import { type Catalogue, createCatalogue } from './i18n.js';
import { type Answered, errorHandler, exposeNonce, pinOrigin, requestContext, securityHeaders } from './middleware.js';
import { Pages } from './pages.js';
import { createPresenter, type Presenter } from './presenter.js';
import { createRenderer } from './render.js';
import { stateOf } from './request-state.js';
import type { Branding } from './theme.js';

/** The web side of one server: where pages are mounted and shown, and what stands in front of them. */
export interface Web {
  pages: Pages;
  presenter: Presenter;
  catalogue: Catalogue;
  cookies: CookieSettings;
  /** Pages that listen; to be closed before the server stops, for they never end their answer themselves. */
  streams: EventStreams;
  /** Whose server it is, as apps show it. */
  brand: Brand;
  /** A path of ours as the browser sees it, with the issuer's path in front. */
  url(path: string): string;
  /** Whether a path is a page or an asset of ours: a host's own paths are none of our business. */
  isOwn(path: string): boolean;
  /** Gives a request that `front` does not see the id under which the audit knows it. */
  identify: Middleware;
  /** In front of everything: request id, log line, errors, host, headers, assets. */
  front: Middleware[];
  /** Compiles all pages. */
  warmUp(): void;
}

export interface WebOptions {
  issuer: string;
  branding: Branding;
  locales: readonly string[];
  defaultLocale: string;
  /** IANA name: times on pages without JavaScript, and in mails. */
  timeZone: string;
  clock: Clock;
  random: Random;
  logger: Logger;
  secretBox: SecretBox;
  /** Hears of every answer, for metrics. */
  onAnswer?: (answer: Answered) => void;
}

export function createWeb(options: WebOptions): Web {
  const { issuer, branding, clock, random, logger, secretBox } = options;
  const { pathname } = new URL(issuer);
  const basePath = pathname === '/' ? '' : pathname;
  const url = (path: string): string => basePath + path;
  const cookies = cookieSettings(issuer);
  const catalogue = createCatalogue({
    locales: options.locales,
    defaultLocale: options.defaultLocale,
    timeZone: options.timeZone,
    logger,
  });
  const assets = loadAssets(branding);
  const renderer = createRenderer({ catalogue, branding, assets, basePath, clock });
  const csrf = createCsrf({ issuer, cookies, random, secretBox });
  const presenter = createPresenter({ renderer, csrf });

  const assetPath = new RegExp(`^${url('/assets/')}([\\w-]+)/([\\w.-]+)$`);
  const serveAssets = async (ctx: Context, next: Next): Promise<void> => {
    const [, version, name = ''] = assetPath.exec(ctx.path) ?? [];
    if (!version) return next();
    stateOf(ctx).route = 'assets';
    const asset = assets.files.get(name);
    if (!asset || (ctx.method !== 'GET' && ctx.method !== 'HEAD'))
      throw new AppError('PAGE_NOT_FOUND', 'no such asset');
    ctx.set('Cache-Control', version === assets.version ? 'public, max-age=31536000, immutable' : 'no-cache');
    await asset.serve(ctx);
  };

  const pages = new Pages(csrf, basePath);

  return {
    pages,
    isOwn: (path) => assetPath.test(path) || pages.has(path),
    identify: (ctx, next) => {
      ctx.state.requestId ??= random.token(64);
      return next();
    },
    presenter,
    catalogue,
    cookies,
    streams: createEventStreams(),
    brand: brandOf(branding, assets),
    url,
    front: [
      requestContext({ random, clock, logger, catalogue, cookies, csrf, onAnswer: options.onAnswer }),
      exposeNonce,
      securityHeaders(issuer),
      errorHandler({ presenter, logger }),
      pinOrigin(issuer),
      serveAssets,
    ] as Middleware[],
    warmUp: () => renderer.warmUp(),
  };
}
