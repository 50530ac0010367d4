import type { Middleware } from 'koa';
import { AppError } from '../../errors.js';
import type { ShowPage } from './pages.js';

const POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; frame-src 'self'; base-uri 'none'; frame-ancestors 'self'";

/** Only our own address: a foreign page that points its name at this machine gets nothing. */
export function ownHostOnly(baseUrl: string): Middleware {
  const { host, port } = new URL(baseUrl);
  return async (ctx, next) => {
    if (ctx.host === host) return next();
    if (ctx.host === `127.0.0.1:${port}` && ctx.method === 'GET') {
      ctx.redirect(new URL(ctx.url, baseUrl).href);
      return;
    }
    ctx.status = 421;
    ctx.body = `Open ${baseUrl} instead.\n`;
  };
}

/** Headers of every answer; a route may set a policy of its own afterwards. */
export const safeHeaders: Middleware = async (ctx, next) => {
  ctx.set({
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cache-Control': 'no-store',
  });
  await next();
};

/** Forms come from our own pages; the two addresses that other programs call are excepted by their paths. */
export function ownFormsOnly(baseUrl: string, except: readonly string[]): Middleware {
  const own = new URL(baseUrl).origin;
  return async (ctx, next) => {
    const origin = ctx.get('Origin');
    if (ctx.method === 'POST' && !except.includes(ctx.path) && origin !== '' && origin !== own) ctx.throw(403);
    await next();
  };
}

/** A page for whatever goes wrong, in words that help. */
export function friendlyErrors(show: ShowPage, log: (line: string) => void): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined)
        show(ctx, 'problem', { title: 'There is no such page', text: 'Start again from the tour.' }, 404);
    } catch (error) {
      const status = error instanceof AppError || hasStatus(error) ? error.status : 500;
      if (status >= 500) log(`demo: ${ctx.method} ${ctx.path}: ${error instanceof Error ? error.name : 'fault'}`);
      const title = status < 500 ? 'This request cannot be used' : 'Something went wrong in the demonstration';
      show(ctx, 'problem', { title, text: 'Go back and try again, or start again from the tour.' }, status);
    }
  };
}

const hasStatus = (error: unknown): error is { status: number } =>
  typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number';
